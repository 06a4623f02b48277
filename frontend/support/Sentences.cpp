// Sentences as rows of numbers: pairs of translations.
#include "CounterRandom.h"
#include "Rows.h"

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

bool isForTesting(const std::string &sentence, uint32_t oneIn) {
  uint64_t hash = 0xcbf29ce484222325; // FNV-1a
  for (char c : sentence)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return CounterRandom(hash, 0).below(oneIn) == 0;
}

TrainingData dataOf(const std::string &path, const char *otherwise, const Vocabulary &vocabulary,
                    std::shared_ptr<RowSource> train, std::shared_ptr<RowSource> test,
                    const SentenceOptions &options) {
  std::string name = path.empty() ? otherwise : std::filesystem::path(path).stem().string();
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

static constexpr uint32_t kTestPairs = 50; ///< one in so many

TrainingData pairData(const std::string &path, const SentenceOptions &options) {
  std::vector<SentencePair> pairs = path.empty() ? toldPairs() : readPairs(path);
  std::vector<std::string> sides[2], learned;
  for (const auto &[source, target] : pairs) {
    sides[0].push_back(source);
    sides[1].push_back(target);
    if (!isForTesting(source, kTestPairs))
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
    (isForTesting(pairs[i].first, kTestPairs) ? test : train)->rows.push_back(std::move(row));
  }
  return dataOf(path, "told pairs", vocabulary, train, test, options);
}

} // namespace gen::data
