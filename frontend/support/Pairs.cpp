// The told pairs: a small grammar that speaks English and German at once. German has genders and
// cases, the verb second in a statement and last in a clause, so there is something to learn.
#include "CounterRandom.h"
#include "gen/sentences.hpp"

#include <array>

namespace gen::data {
namespace {

using Words = std::pair<std::string_view, std::string_view>; ///< English, German

struct Noun {
  std::string_view english, german;
  char gender; ///< m, f, n
};

constexpr std::array<Noun, 14> kPeople = {{{"miller", "Müller", 'm'},
                                           {"baker", "Bäcker", 'm'},
                                           {"fisherman", "Fischer", 'm'},
                                           {"smith", "Schmied", 'm'},
                                           {"king", "König", 'm'},
                                           {"gardener", "Gärtner", 'm'},
                                           {"teacher", "Lehrerin", 'f'},
                                           {"queen", "Königin", 'f'},
                                           {"neighbour", "Nachbarin", 'f'},
                                           {"grandmother", "Großmutter", 'f'},
                                           {"aunt", "Tante", 'f'},
                                           {"child", "Kind", 'n'},
                                           {"girl", "Mädchen", 'n'},
                                           {"goat", "Ziege", 'f'}}};
constexpr std::array<Noun, 18> kThings = {{{"basket", "Korb", 'm'},
                                           {"key", "Schlüssel", 'm'},
                                           {"coat", "Mantel", 'm'},
                                           {"letter", "Brief", 'm'},
                                           {"ring", "Ring", 'm'},
                                           {"jug", "Krug", 'm'},
                                           {"apple", "Apfel", 'm'},
                                           {"lamp", "Lampe", 'f'},
                                           {"bell", "Glocke", 'f'},
                                           {"fiddle", "Geige", 'f'},
                                           {"box", "Kiste", 'f'},
                                           {"clock", "Uhr", 'f'},
                                           {"boat", "Boot", 'n'},
                                           {"book", "Buch", 'n'},
                                           {"wheel", "Rad", 'n'},
                                           {"picture", "Bild", 'n'},
                                           {"bread", "Brot", 'n'},
                                           {"blanket", "Decke", 'f'}}};
constexpr std::array<Words, 12> kAdjectives = {{{"small", "klein"},
                                                {"heavy", "schwer"},
                                                {"old", "alt"},
                                                {"new", "neu"},
                                                {"blue", "blau"},
                                                {"red", "rot"},
                                                {"beautiful", "schön"},
                                                {"strange", "seltsam"},
                                                {"quiet", "still"},
                                                {"warm", "warm"},
                                                {"good", "gut"},
                                                {"wild", "wild"}}};
constexpr std::array<Words, 12> kVerbs = {{{"found", "fand"},
                                           {"carried", "trug"},
                                           {"hid", "versteckte"},
                                           {"sold", "verkaufte"},
                                           {"painted", "malte"},
                                           {"lost", "verlor"},
                                           {"kept", "behielt"},
                                           {"washed", "wusch"},
                                           {"saw", "sah"},
                                           {"forgot", "vergaß"},
                                           {"fetched", "holte"},
                                           {"bought", "kaufte"}}};
constexpr std::array<Words, 9> kPlaces = {{{"by the river", "am Fluss"},
                                           {"on the hill", "auf dem Hügel"},
                                           {"under the oak", "unter der Eiche"},
                                           {"behind the mill", "hinter der Mühle"},
                                           {"at the market", "auf dem Markt"},
                                           {"at the well", "am Brunnen"},
                                           {"in the garden", "im Garten"},
                                           {"on the bridge", "auf der Brücke"},
                                           {"in the kitchen", "in der Küche"}}};
constexpr std::array<Words, 8> kTimes = {{{"One morning", "Eines Morgens"},
                                          {"At noon", "Am Mittag"},
                                          {"In the evening", "Am Abend"},
                                          {"After the rain", "Nach dem Regen"},
                                          {"Long ago", "Vor langer Zeit"},
                                          {"That night", "In jener Nacht"},
                                          {"Yesterday", "Gestern"},
                                          {"Before the snow", "Vor dem Schnee"}}};
constexpr std::array<std::string_view, 16> kNames = {
    {"Anna", "Bruno", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Lukas",
     "Mina", "Oskar", "Paula", "Rosa", "Simon"}};

/// The choices of one sentence.
class Teller {
public:
  Teller(uint64_t seed, uint64_t number) : random(seed, number) {}
  SentencePair tell();

private:
  template <size_t Count, class T> const T &any(const std::array<T, Count> &all) {
    return all[random.below(Count)];
  }
  /// "der alte", "den alten": the article, and an adjective if there is one.
  static std::string article(char gender, bool accusative, std::string_view adjective = {}) {
    std::string text = gender == 'f' ? "die" : gender == 'n' ? "das" : accusative ? "den" : "der";
    if (!adjective.empty())
      text += " " + std::string(adjective) + (gender == 'm' && accusative ? "en" : "e");
    return text;
  }
  /// A name, or the baker, or the old baker.
  std::array<std::string, 2> subject();
  /// The key or the old key, as the object or the subject.
  template <size_t Count>
  std::array<std::string, 2> thing(const std::array<Noun, Count> &nouns, bool accusative) {
    const Noun &noun = any(nouns);
    const Words adjective = random.below(2) ? any(kAdjectives) : Words();
    std::string_view word = adjective.first;
    return {"the " + std::string(word) + (word.empty() ? "" : " ") + std::string(noun.english),
            article(noun.gender, accusative, adjective.second) + " " + std::string(noun.german)};
  }
  CounterRandom random;
};

std::array<std::string, 2> Teller::subject() {
  if (random.below(2) == 0) {
    std::string name(any(kNames));
    return {name, name};
  }
  return thing(kPeople, false);
}

std::string capital(std::string text) {
  if (text.front() >= 'a' && text.front() <= 'z')
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  return text;
}

SentencePair Teller::tell() {
  auto who = subject();
  auto what = thing(kThings, true), it = thing(kThings, false);
  const auto &[did, tat] = any(kVerbs);
  const auto &[there, dort] = any(kPlaces);
  const auto &[then, dann] = any(kTimes);
  auto join = [](std::initializer_list<std::string_view> words, char end) {
    std::string text;
    for (std::string_view word : words)
      text += (text.empty() ? "" : " ") + std::string(word);
    return capital(text) + end;
  };
  switch (random.below(7)) {
  case 0:
    return {join({then, who[0], did, what[0], there}, '.'),
            join({dann, tat, who[1], what[1], dort}, '.')};
  case 1:
    return {join({who[0], did, what[0]}, '.'), join({who[1], tat, what[1]}, '.')};
  case 2:
    return {join({"where is", it[0]}, '?'), join({"wo ist", it[1]}, '?')};
  case 3:
    return {join({who[0], "did not see", what[0]}, '.'),
            join({who[1], "sah", what[1], "nicht"}, '.')};
  case 4:
    return {join({it[0], "lies", there}, '.'), join({it[1], "liegt", dort}, '.')};
  case 5: {
    std::string_view name = any(kNames);
    return {join({name, "knows that", who[0], did, what[0]}, '.'),
            join({std::string(name) + " weiß, dass", who[1], what[1], tat}, '.')};
  }
  default:
    return {join({"is", it[0], there}, '?'), join({"ist", it[1], dort}, '?')};
  }
}

} // namespace

std::vector<SentencePair> toldPairs(int64_t count, uint64_t seed) {
  std::vector<SentencePair> pairs;
  for (int64_t i = 0; i < count; ++i)
    pairs.push_back(Teller(seed, static_cast<uint64_t>(i)).tell());
  return pairs;
}

} // namespace gen::data
