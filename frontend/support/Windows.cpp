// Windows of one or two sentences: some that follow each other or do not, and some of a class.
#include "CounterRandom.h"
#include "Rows.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <sstream>
#include <stdexcept>

namespace gen::data {

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

/// One or two sentences in a window, and what is to be told of them: of the longer sentence, what
/// does not fit is left out. The second may be empty.
static std::vector<int64_t> windowOf(std::vector<int64_t> first, std::vector<int64_t> second,
                                     int64_t label, size_t length) {
  while (first.size() + second.size() + 3 > length)
    (first.size() > second.size() ? first : second).pop_back();
  std::vector<int64_t> row = {Vocabulary::kBegin};
  row.insert(row.end(), first.begin(), first.end());
  row.push_back(Vocabulary::kEnd);
  size_t begin = row.size();
  if (!second.empty()) {
    row.insert(row.end(), second.begin(), second.end());
    row.push_back(Vocabulary::kEnd);
  }
  size_t end = row.size();
  row.resize(length, Vocabulary::kPad);
  for (size_t i = 0; i < length; ++i)
    row.push_back(i >= begin && i < end ? 1 : 0);
  row.push_back(label);
  return row;
}

/// A source of such windows, of which `label` is the last feature.
static std::shared_ptr<RowSource> sourceOf(const char *label, const SentenceOptions &options) {
  if (options.length < 8)
    throw std::runtime_error(
        fmt::format("length: expected at least 8 for two sentences, got {}", options.length));
  return std::make_shared<RowSource>(std::vector<Feature>{
      {"ids", {options.length}, true}, {"segments", {options.length}, true}, {label, {}, true}});
}

TrainingData nextSentenceData(const std::string &path, const SentenceOptions &options) {
  auto train = sourceOf("follows", options), test = sourceOf("follows", options);
  std::vector<std::string> sentences = sentencesOf(path.empty() ? toldTales() : readUtf8(path));
  size_t split = sentences.size() - sentences.size() / 10;
  Vocabulary vocabulary = Vocabulary::learn(
      {sentences.begin(), sentences.begin() + static_cast<ptrdiff_t>(split)}, options.vocabulary);
  auto numbers = vocabulary.encode(path, sentences);
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
        ->rows.push_back(windowOf(numbers[i], numbers[follows ? i + 1 : other], follows ? 1 : 0,
                                  static_cast<size_t>(options.length)));
    for (int64_t number : numbers[i])
      counts[static_cast<size_t>(number)] += training ? 1 : 0;
  }
  TrainingData data = dataOf(path, "tales", vocabulary, train, test, options);
  data.facts["commonest"] =
      static_cast<double>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  return data;
}

std::vector<LabelledText> readLabelled(const std::string &path) {
  std::istringstream lines(readUtf8(path));
  std::vector<LabelledText> texts;
  int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.ends_with('\r'))
      line.pop_back();
    if (line.empty())
      continue;
    size_t tab = std::min(line.find('\t'), line.size()),
           second = std::min(line.find('\t', tab + 1), line.size());
    LabelledText text;
    auto [end, error] = std::from_chars(line.data(), line.data() + tab, text.label);
    if (error != std::errc() || end != line.data() + tab || text.label < 0 || tab + 1 >= second)
      throw std::runtime_error(fmt::format(
          "{}:{}: expected a class from 0, a tab and a sentence, or two with a tab between", path,
          number));
    text.first = line.substr(tab + 1, second - tab - 1);
    text.second = line.substr(std::min(second + 1, line.size()));
    texts.push_back(std::move(text));
  }
  return texts;
}

/// Which language it is: 0 English, 1 German.
static std::vector<LabelledText> toldLanguages() {
  std::vector<LabelledText> texts;
  for (const auto &[english, german] : toldPairs()) {
    texts.push_back({0, english, ""});
    texts.push_back({1, german, ""});
  }
  return texts;
}

TrainingData labelledData(const std::string &path, const SentenceOptions &options,
                          const std::string &known) {
  constexpr uint32_t kTest = 10; // one in so many
  auto train = sourceOf("labels", options), test = sourceOf("labels", options);
  std::vector<LabelledText> texts = path.empty() ? toldLanguages() : readLabelled(path);
  std::vector<std::string> sides[2], learned;
  int64_t classes = 0;
  for (const LabelledText &text : texts) {
    classes = std::max(classes, text.label + 1);
    sides[0].push_back(text.first);
    sides[1].push_back(text.second);
    if (!isForTesting(text.first, kTest))
      learned.insert(learned.end(), {text.first, text.second});
  }
  Vocabulary vocabulary =
      known.empty() ? Vocabulary::learn(learned, options.vocabulary) : Vocabulary(known);
  auto first = vocabulary.encode(path, sides[0]), second = vocabulary.encode(path, sides[1]);
  for (size_t i = 0; i < texts.size(); ++i)
    (isForTesting(texts[i].first, kTest) ? test : train)
        ->rows.push_back(
            windowOf(first[i], second[i], texts[i].label, static_cast<size_t>(options.length)));
  TrainingData data = dataOf(path, "languages", vocabulary, train, test, options);
  data.facts["classes"] = static_cast<double>(classes);
  return data;
}

} // namespace gen::data
