// Sentences as rows of numbers: pairs of translations, and sentences that follow each other.
#include "gen/sentences.hpp"
#include "CounterRandom.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <sstream>
#include <stdexcept>

namespace gen::data {

void RowSource::read(int64_t example, Batch &batch) const {
  ++batch.size;
  auto from = rows[static_cast<size_t>(example)].begin();
  for (size_t i = 0; i < list.size(); ++i) {
    std::vector<int64_t> &to = batch.features[i].integers;
    to.insert(to.end(), from, from + list[i].size());
    from += list[i].size();
  }
}

std::vector<SentencePair> readPairs(const std::string &path) {
  std::istringstream lines(readUtf8(path));
  std::vector<SentencePair> pairs;
  int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.ends_with('\r'))
      line.pop_back();
    size_t tab = line.find('\t'), second = line.find('\t', tab == line.npos ? tab : tab + 1);
    if (line.empty() || (number == 1 && line == "1\t2"))
      continue;
    if (tab == line.npos || tab == 0 || tab + 1 == std::min(second, line.size()))
      throw std::runtime_error(
          fmt::format("{}:{}: expected a sentence, a tab and its translation", path, number));
    pairs.emplace_back(line.substr(0, tab), line.substr(tab + 1, second - tab - 1));
  }
  return pairs;
}

/// Equal sentences are on one side of the split.
static bool isForTesting(const std::string &sentence) {
  uint64_t hash = 0xcbf29ce484222325; // FNV-1a
  for (char c : sentence)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return CounterRandom(hash, 0).below(50) == 0;
}

/// What a run trains on, with what it has to know of the vocabulary.
static TrainingData dataOf(const std::string &name, const Vocabulary &vocabulary,
                           std::shared_ptr<RowSource> train, std::shared_ptr<RowSource> test,
                           const SentenceOptions &options) {
  for (const auto &[part, source] : {std::pair("train on", train), std::pair("test with", test)})
    if (source->rows.empty())
      throw std::runtime_error(fmt::format(
          "{}: has no sentences to {}; hint: sentences longer than {} pieces are left out", name,
          part, options.length));
  TrainingData data;
  data.name = name;
  data.facts = {{"vocabulary", static_cast<double>(vocabulary.size())}};
  data.metadata = {{"vocabulary", vocabulary.str()}};
  data.train = std::move(train);
  data.test = std::move(test);
  return data;
}

static std::string nameOf(const std::string &path, const char *otherwise) {
  return path.empty() ? otherwise : std::filesystem::path(path).stem().string();
}

TrainingData pairData(const std::string &path, const SentenceOptions &options) {
  std::vector<SentencePair> pairs = path.empty() ? toldPairs() : readPairs(path);
  std::vector<std::string> sides[2], learned;
  for (const auto &[source, target] : pairs) {
    sides[0].push_back(source);
    sides[1].push_back(target);
    if (!isForTesting(source))
      learned.insert(learned.end(), {source, target});
  }
  Vocabulary vocabulary = Vocabulary::learn(learned, options.vocabulary);
  auto source = vocabulary.encode(path, sides[0]), target = vocabulary.encode(path, sides[1]);
  std::vector<Feature> features;
  for (const char *name : {"source", "target", "labels"})
    features.push_back({name, {options.length}, true});
  auto train = std::make_shared<RowSource>(features), test = std::make_shared<RowSource>(features);
  auto length = static_cast<size_t>(options.length);
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (std::max(source[i].size(), target[i].size()) >= length)
      continue;
    std::vector<int64_t> row = source[i];
    row.push_back(Vocabulary::kEnd);
    row.resize(length, Vocabulary::kPad);
    row.push_back(Vocabulary::kBegin);
    row.insert(row.end(), target[i].begin(), target[i].end());
    row.resize(2 * length, Vocabulary::kPad);
    row.insert(row.end(), target[i].begin(), target[i].end());
    row.push_back(Vocabulary::kEnd);
    row.resize(3 * length, Vocabulary::kPad);
    (isForTesting(pairs[i].first) ? test : train)->rows.push_back(std::move(row));
  }
  return dataOf(nameOf(path, "told pairs"), vocabulary, train, test, options);
}

/// Sentences end behind . ! ? and the quotes that follow, where white space comes next, and at
/// empty lines.
static std::vector<std::string> sentencesOf(const std::string &text) {
  std::vector<std::string> sentences(1);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string &sentence = sentences.back();
    sentence += text[i];
    bool spaceNext = i + 1 < text.size() && std::isspace(static_cast<unsigned char>(text[i + 1]));
    size_t last = sentence.find_last_not_of("\"')");
    bool ends = last != std::string::npos &&
                std::string_view(".!?").find(sentence[last]) != std::string_view::npos;
    bool blank = text[i] == '\n' && text.find_first_not_of(" \t\r", i + 1) != std::string::npos &&
                 text[text.find_first_not_of(" \t\r", i + 1)] == '\n';
    if ((ends && spaceNext) || blank)
      sentences.emplace_back();
  }
  std::erase_if(sentences, [](const std::string &sentence) {
    return sentence.find_first_not_of(" \t\r\n") == std::string::npos;
  });
  return sentences;
}

/// Two sentences in a window: of the longer one, what does not fit is left out.
static std::vector<int64_t> windowOf(std::vector<int64_t> first, std::vector<int64_t> second,
                                     bool follows, size_t length) {
  while (first.size() + second.size() + 3 > length)
    (first.size() > second.size() ? first : second).pop_back();
  std::vector<int64_t> row = {Vocabulary::kBegin};
  row.insert(row.end(), first.begin(), first.end());
  row.push_back(Vocabulary::kEnd);
  size_t begin = row.size();
  row.insert(row.end(), second.begin(), second.end());
  row.push_back(Vocabulary::kEnd);
  size_t end = row.size();
  row.resize(length, Vocabulary::kPad);
  for (size_t i = 0; i < length; ++i)
    row.push_back(i >= begin && i < end ? 1 : 0);
  row.push_back(follows ? 1 : 0);
  return row;
}

TrainingData nextSentenceData(const std::string &path, const SentenceOptions &options) {
  if (options.length < 8)
    throw std::runtime_error(
        fmt::format("length: expected at least 8 for two sentences, got {}", options.length));
  std::vector<std::string> sentences = sentencesOf(path.empty() ? toldTales() : readUtf8(path));
  size_t split = sentences.size() - sentences.size() / 10;
  Vocabulary vocabulary = Vocabulary::learn(
      {sentences.begin(), sentences.begin() + static_cast<ptrdiff_t>(split)}, options.vocabulary);
  auto numbers = vocabulary.encode(path, sentences);
  std::vector<Feature> features = {
      {"ids", {options.length}, true}, {"segments", {options.length}, true}, {"follows", {}, true}};
  auto train = std::make_shared<RowSource>(features), test = std::make_shared<RowSource>(features);
  std::vector<int64_t> counts(static_cast<size_t>(vocabulary.size()));
  for (size_t i = 0; i + 1 < sentences.size(); ++i) {
    bool training = i + 1 < split;
    size_t first = training ? 0 : split, last = training ? split : sentences.size();
    if (i + 1 == split)
      continue; // its successor is in the other part
    CounterRandom random(0, i);
    bool follows = random.below(2) == 0;
    size_t other = first + random.below(static_cast<uint32_t>(last - first));
    (training ? train : test)
        ->rows.push_back(windowOf(numbers[i], numbers[follows ? i + 1 : other], follows,
                                  static_cast<size_t>(options.length)));
    for (int64_t number : numbers[i])
      counts[static_cast<size_t>(number)] += training ? 1 : 0;
  }
  TrainingData data = dataOf(nameOf(path, "tales"), vocabulary, train, test, options);
  data.facts["commonest"] =
      static_cast<double>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  return data;
}

} // namespace gen::data
