// The told tales: a grammar of a few rules in the program's own words, and a walk through it.
#include "CounterRandom.h"
#include "gen/data.hpp"

#include <array>
#include <cctype>
#include <string_view>
#include <vector>

namespace gen::data {
namespace {

struct Rule {
  char name;
  std::vector<std::string_view> ways; ///< "%X" stands for a way of rule X
};

const std::array<Rule, 10> &rules() {
  static const std::array<Rule, 10> all = {{
      {'S',
       {"%T the %A %P %V the %A %O %W.", "%T %N %V %O for the %P.", "the %P gave %N a %A %O.",
        "\"%G,\" said %N, \"the %O is %A.\"", "\"where is the %O?\" asked the %P %W.",
        "%N and %N walked %W.", "the %A %O lay %W, and the %P %V it.",
        "when the %P came %W, %N had gone.", "nobody %V the %O but %N."}},
      {'T',
       {"one morning", "at noon", "in the evening", "after the rain", "long ago", "next day",
        "before the snow", "that night"}},
      {'N', {"Anna",  "Bruno",  "Clara", "David",  "Emma",  "Felix",  "Greta",  "Hugo", "Ida",
             "Jonas", "Klara",  "Lukas", "Mina",   "Oskar", "Paula",  "Quirin", "Rosa", "Simon",
             "Thea",  "Ursula", "Vera",  "Wenzel", "Xaver", "Yvonne", "Zoe"}},
      {'P',
       {"miller", "baker", "old woman", "shepherd", "fisher", "teacher", "smith", "traveller",
        "gardener", "child", "king", "queen"}},
      {'V',
       {"found", "carried", "hid", "sold", "painted", "repaired", "lost", "borrowed", "kept",
        "washed", "saw", "examined"}},
      {'A',
       {"small", "heavy", "golden", "broken", "quiet", "jolly", "warm", "strange", "blue", "empty",
        "new", "lazy"}},
      {'O',
       {"basket", "lamp", "key", "boat", "bell", "book", "coat", "wheel", "jug", "fiddle", "box",
        "loaf of bread", "letter", "ring"}},
      {'W',
       {"by the river", "on the hill", "under the oak", "behind the mill", "in the market",
        "near the well", "at the edge of the wood", "across the bridge", "in the garden"}},
      {'G', {"look", "listen", "wait", "believe me", "dear friend", "hush"}},
      {'E', {" ", " ", " ", " ", "\n"}},
  }};
  return all;
}

void tell(char name, CounterRandom &random, std::string &text) {
  for (const Rule &rule : rules()) {
    if (rule.name != name)
      continue;
    std::string_view way = rule.ways[random.below(static_cast<uint32_t>(rule.ways.size()))];
    for (size_t i = 0; i < way.size(); ++i) {
      if (way[i] == '%')
        tell(way[++i], random, text);
      else
        text += way[i];
    }
  }
}

} // namespace

std::string toldTales(int64_t sentences, uint64_t seed) {
  std::string text;
  for (int64_t i = 0; i < sentences; ++i) {
    CounterRandom random(seed, static_cast<uint64_t>(i));
    size_t first = text.size();
    tell('S', random, text);
    size_t letter = first + (text[first] == '"' ? 1 : 0);
    text[letter] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[letter])));
    tell('E', random, text);
  }
  return text;
}

} // namespace gen::data
