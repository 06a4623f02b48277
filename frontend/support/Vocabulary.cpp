// Byte-pair encoding: learning it from texts, and cutting words by it.
#include "gen/vocabulary.hpp"
#include "gen/data.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <sstream>

namespace gen::data {

static bool isSpace(char32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool isDigit(char32_t c) { return c >= '0' && c <= '9'; }
/// What is beyond ASCII counts as a letter, but for the signs of Latin-1 and of punctuation.
static bool isLetter(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= 0xc0 && !(c >= 0x2000 && c < 0x2100));
}

std::vector<std::string> wordsOf(const std::string &source, const std::string &text) {
  std::vector<std::u32string> words;
  char32_t before = ' '; // the first word has a space, too
  for (char32_t c : charactersOf(source, text)) {
    bool goesOn = (isLetter(before) && isLetter(c)) || (isDigit(before) && isDigit(c));
    if (isSpace(c))
      before = ' ';
    else {
      if (!goesOn)
        words.emplace_back(before == ' ' ? U" " : U"");
      words.back() += c;
      before = c;
    }
  }
  std::vector<std::string> result;
  for (const std::u32string &word : words)
    result.push_back(utf8Of(word));
  return result;
}

//===----------------------------------------------------------------------===//
// Learning
//===----------------------------------------------------------------------===//

namespace {

/// Distinct words as lists of pieces, and how often each two pieces are neighbours.
class Learner {
public:
  Learner(const std::map<std::string, int64_t> &words, int64_t size);
  void learn(int64_t size);
  std::vector<std::string> pieces;

private:
  using Pair = std::pair<uint32_t, uint32_t>;
  struct Word {
    std::vector<uint32_t> parts; ///< numbers of pieces
    int64_t count;
  };
  struct Neighbours {
    int64_t count = 0;
    std::vector<size_t> words; ///< that have them, or had
  };
  static uint64_t keyOf(const Pair &pair) {
    return static_cast<uint64_t>(pair.first) << 32 | pair.second;
  }
  void count(size_t word, int64_t sign);
  void join(const Pair &pair);

  std::vector<Word> words;
  std::unordered_map<uint64_t, Neighbours> neighbours;
  /// Counts as they were when a pair was seen last: they only fall after that.
  std::set<std::pair<int64_t, Pair>> order; ///< by -count
};

Learner::Learner(const std::map<std::string, int64_t> &given, int64_t size) {
  std::map<char32_t, int64_t> counts;
  for (const auto &[word, count] : given)
    for (char32_t c : charactersOf(word, word))
      counts[c] += count;
  std::vector<std::pair<int64_t, char32_t>> common;
  for (auto [c, count] : counts)
    common.emplace_back(-count, c);
  std::sort(common.begin(), common.end());
  common.resize(std::min(common.size(), static_cast<size_t>(std::max<int64_t>(size, 0))));
  std::map<char32_t, uint32_t> numbers;
  for (auto [count, c] : common) {
    numbers[c] = static_cast<uint32_t>(pieces.size());
    pieces.push_back(utf8Of({c}));
  }
  for (const auto &[word, count] : given) {
    Word parts{{}, count};
    for (char32_t c : charactersOf(word, word))
      parts.parts.push_back(numbers.contains(c) ? numbers[c]
                                                : std::numeric_limits<uint32_t>::max());
    words.push_back(parts);
    this->count(words.size() - 1, 1);
  }
}

/// Counts a word's neighbours in (1) or out (-1).
void Learner::count(size_t word, int64_t sign) {
  const auto &[parts, times] = words[word];
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    Pair pair{parts[i], parts[i + 1]};
    if (std::max(pair.first, pair.second) >= pieces.size())
      continue; // a character that is no piece
    Neighbours &both = neighbours[keyOf(pair)];
    both.count += sign * times;
    if (sign > 0 && (both.words.empty() || both.words.back() != word))
      both.words.push_back(word);
  }
}

/// Makes a new piece of two where they are neighbours.
void Learner::join(const Pair &pair) {
  std::vector<size_t> touched = std::move(neighbours[keyOf(pair)].words);
  auto piece = static_cast<uint32_t>(pieces.size());
  pieces.push_back(pieces[pair.first] + pieces[pair.second]);
  std::set<Pair> made;
  for (size_t word : touched) {
    std::vector<uint32_t> joined;
    const std::vector<uint32_t> &parts = words[word].parts;
    for (size_t i = 0; i < parts.size(); ++i) {
      bool both = i + 1 < parts.size() && Pair{parts[i], parts[i + 1]} == pair;
      joined.push_back(both ? piece : parts[i]);
      i += both ? 1 : 0;
    }
    if (joined.size() == parts.size())
      continue;
    count(word, -1);
    words[word].parts = joined;
    count(word, 1);
    for (size_t i = 0; i + 1 < joined.size(); ++i)
      if (joined[i] == piece || joined[i + 1] == piece)
        made.insert({joined[i], joined[i + 1]});
  }
  for (const Pair &next : made)
    order.insert({-neighbours[keyOf(next)].count, next});
}

void Learner::learn(int64_t size) {
  for (const auto &[key, both] : neighbours)
    order.insert({-both.count, Pair{static_cast<uint32_t>(key >> 32), static_cast<uint32_t>(key)}});
  while (static_cast<int64_t>(pieces.size()) < size && !order.empty()) {
    auto [count, pair] = *order.begin();
    order.erase(order.begin());
    int64_t present = neighbours[keyOf(pair)].count;
    if (present < 2)
      continue;
    if (present == -count)
      join(pair);
    else
      order.insert({-present, pair}); // others have taken some
  }
}

} // namespace

Vocabulary Vocabulary::learn(const std::vector<std::string> &texts, int64_t size) {
  std::map<std::string, int64_t> words;
  for (const std::string &text : texts)
    for (const std::string &word : wordsOf("text", text))
      ++words[word];
  Learner learner(words, size - kFirst);
  learner.learn(size - kFirst);
  return Vocabulary(std::move(learner.pieces));
}

//===----------------------------------------------------------------------===//
// Use
//===----------------------------------------------------------------------===//

Vocabulary::Vocabulary(std::vector<std::string> given) : pieces(std::move(given)) {
  // Two pairs may give the same piece: the first of them has the number.
  for (const std::string &piece : pieces)
    numbers.emplace(piece, kFirst + static_cast<int64_t>(&piece - pieces.data()));
}

std::vector<std::string> linesOf(const std::string &text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

Vocabulary::Vocabulary(const std::string &lines) : Vocabulary(linesOf(lines)) {}

std::string Vocabulary::str() const {
  std::string text;
  for (const std::string &piece : pieces)
    text += piece + "\n";
  return text;
}

int64_t Vocabulary::numberOf(const std::string &piece) const {
  auto found = numbers.find(piece);
  return found == numbers.end() ? kUnknown : found->second;
}

std::vector<int64_t> Vocabulary::encodeWord(const std::string &word) const {
  std::vector<std::string> parts;
  for (char32_t c : charactersOf(word, word))
    parts.push_back(utf8Of({c}));
  while (parts.size() > 1) {
    int64_t best = size();
    size_t at = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i)
      if (int64_t joined = numberOf(parts[i] + parts[i + 1]); joined != kUnknown && joined < best) {
        best = joined;
        at = i;
      }
    if (best == size())
      break;
    parts[at] += parts[at + 1];
    parts.erase(parts.begin() + static_cast<ptrdiff_t>(at) + 1);
  }
  std::vector<int64_t> result;
  for (const std::string &part : parts)
    result.push_back(numberOf(part));
  return result;
}

std::vector<std::vector<int64_t>> Vocabulary::encode(const std::string &source,
                                                     const std::vector<std::string> &texts) const {
  std::unordered_map<std::string, std::vector<int64_t>> known;
  std::vector<std::vector<int64_t>> result;
  for (const std::string &text : texts) {
    std::vector<int64_t> &line = result.emplace_back();
    for (const std::string &word : wordsOf(source, text)) {
      auto [entry, isNew] = known.try_emplace(word);
      if (isNew)
        entry->second = encodeWord(word);
      line.insert(line.end(), entry->second.begin(), entry->second.end());
    }
  }
  return result;
}

std::vector<int64_t> Vocabulary::encode(const std::string &source, const std::string &text) const {
  return encode(source, std::vector<std::string>{text}).front();
}

std::string Vocabulary::decode(const std::vector<int64_t> &given) const {
  std::string text;
  for (int64_t number : given) {
    if (number == kEnd || number == kPad)
      break;
    if (number == kMask)
      text += " _";
    else if (number >= kFirst && number < size())
      text += pieces[static_cast<size_t>(number - kFirst)];
    else if (number != kBegin)
      text += "\ufffd";
  }
  return text.starts_with(' ') ? text.substr(1) : text;
}

} // namespace gen::data
