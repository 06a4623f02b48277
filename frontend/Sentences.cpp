//===- Sentences.cpp - sentences of a trained model -----------------------===//

#include "gen/sentences.hpp"
#include "gen/files.hpp"
#include "gen/outputs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gen {

using data::linesOf;
using data::Vocabulary;

static Vocabulary vocabularyOf(const Session &session) {
  std::string lines = session.metadata("vocabulary");
  if (lines.empty())
    throw std::runtime_error("the weights' metadata have no 'vocabulary'; hint: use weights that "
                             "`gen-zoo train` wrote");
  return Vocabulary(lines);
}

/// The size of an entry's window.
static size_t lengthOf(const Session &session, const char *entry) {
  return static_cast<size_t>(session.model().entry(entry).inputs.at(0).shape.at(1));
}

/// A sentence of the prompt in a window of the model.
static std::vector<int64_t> fit(std::vector<int64_t> row, size_t length,
                                const std::string &sentence) {
  if (row.empty() || row.size() >= length)
    throw std::runtime_error(
        fmt::format("prompt: expected sentences of 1 to {} pieces of words, got {} in '{}'",
                    length - 1, row.size(), sentence));
  row.push_back(Vocabulary::kEnd);
  row.resize(length, Vocabulary::kPad);
  return row;
}

//===----------------------------------------------------------------------===//
// Translations
//===----------------------------------------------------------------------===//

static std::string translate(Session &session, const Vocabulary &vocabulary,
                             const std::vector<int64_t> &row) {
  auto length = static_cast<int64_t>(row.size());
  View target = session.call("translate", {View(row.data(), {1, length})})["target"];
  const auto *numbers = target.data<int64_t>();
  return vocabulary.decode({numbers, numbers + target.size()});
}

/// Three lines an example, of twenty from all over the test part: what is given, what is known, and
/// what the model says.
static std::string translateTests(const OutputContext &context, const Vocabulary &vocabulary) {
  size_t source = context.test->find("source"), labels = context.test->find("labels");
  int64_t count = std::min<int64_t>(20, context.test->count());
  std::string text;
  for (int64_t i = 0; i < count; ++i) {
    data::Batch batch = context.test->batch(i * context.test->count() / count, 1);
    const std::vector<int64_t> &given = batch.features[source].integers;
    text += fmt::format("{}\n  {}\n> {}\n", vocabulary.decode(given),
                        vocabulary.decode(batch.features[labels].integers),
                        translate(context.session, vocabulary, given));
  }
  return text;
}

Output translations() {
  return [](const OutputContext &context) {
    Vocabulary vocabulary = vocabularyOf(context.session);
    size_t length = lengthOf(context.session, "translate");
    std::string prompt = context.options.prompt, text;
    if (prompt.empty() && context.test)
      text = translateTests(context, vocabulary);
    else if (prompt.empty())
      prompt = data::toldPairs(1).front().first;
    for (const std::string &sentence : linesOf(prompt)) {
      std::vector<int64_t> row = fit(vocabulary.encode("prompt", sentence), length, sentence);
      text += fmt::format("{}\n> {}\n", sentence, translate(context.session, vocabulary, row));
    }
    writeFileAtomically(context.folder + "/samples.txt", text);
  };
}

//===----------------------------------------------------------------------===//
// Hidden words
//===----------------------------------------------------------------------===//

/// The pieces of a line, each underscore a hidden one.
static std::vector<int64_t> piecesOf(const Vocabulary &vocabulary, const std::string &line) {
  std::vector<int64_t> row = {Vocabulary::kBegin};
  for (size_t first = 0; first <= line.size();) {
    size_t end = std::min(line.find('_', first), line.size());
    std::vector<int64_t> part = vocabulary.encode("prompt", line.substr(first, end - first));
    row.insert(row.end(), part.begin(), part.end());
    if (end < line.size())
      row.push_back(Vocabulary::kMask);
    first = end + 1;
  }
  return row;
}

/// The first sentence of a test example with every seventh piece hidden.
static std::vector<int64_t> question(const data::Source &test, int64_t example) {
  std::vector<int64_t> row = test.batch(example, 1).features[test.find("ids")].integers;
  row.erase(std::find(row.begin(), row.end(), Vocabulary::kEnd) + 1, row.end());
  for (size_t i = 4; i + 1 < row.size(); i += 7)
    row[i] = Vocabulary::kMask;
  return row;
}

Output fillings() {
  return [](const OutputContext &context) {
    Vocabulary vocabulary = vocabularyOf(context.session);
    size_t length = lengthOf(context.session, "fill");
    std::vector<std::vector<int64_t>> rows;
    const std::string &prompt = context.options.prompt;
    if (prompt.empty() && context.test)
      for (int64_t i = 0; i < std::min<int64_t>(20, context.test->count()); ++i)
        rows.push_back(question(*context.test, i * context.test->count() / 20));
    else
      for (const std::string &line : linesOf(prompt.empty() ? "The _ of the _." : prompt))
        rows.push_back(fit(piecesOf(vocabulary, line), length, line));
    std::string text;
    for (std::vector<int64_t> &row : rows) {
      row.resize(length, Vocabulary::kPad);
      View filled = context.session.call(
          "fill", {View(row.data(), {1, static_cast<int64_t>(length)})})["ids"];
      const auto *numbers = filled.data<int64_t>();
      text += fmt::format("{}\n> {}\n", vocabulary.decode(row),
                          vocabulary.decode({numbers, numbers + filled.size()}));
    }
    writeFileAtomically(context.folder + "/samples.txt", text);
  };
}

} // namespace gen
