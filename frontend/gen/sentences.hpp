// Sentences as examples: a sentence and its translation; a sentence and what may follow it.
#ifndef GEN_SENTENCES_HPP
#define GEN_SENTENCES_HPP

#include "gen/loader.hpp"
#include "gen/vocabulary.hpp"

namespace gen::data {

/// A sentence and its translation, UTF-8.
using SentencePair = std::pair<std::string, std::string>;

/// Reads a file of lines `sentence TAB translation`, as Tatoeba's in the manythings.org selection;
/// what follows a second TAB (the licence) is left out, and so is a first line `1 TAB 2`, a header.
/// Throws std::runtime_error with the path and the line.
std::vector<SentencePair> readPairs(const std::string &path);

/// The pairs that need no file: a small grammar tells of a village in English and German (own
/// words). Equal arguments give equal pairs on every machine.
std::vector<SentencePair> toldPairs(int64_t count = 20000, uint64_t seed = 0);

/// Pieces of words in lines of one length, as models with fixed windows take them.
struct SentenceOptions {
  int64_t length = 64;       ///< pieces of an example
  int64_t vocabulary = 4000; ///< the largest
};

/// Rows of integers, each feature's one after the other.
class RowSource : public Source {
public:
  explicit RowSource(std::vector<Feature> features) : list(std::move(features)) {}
  const std::vector<Feature> &features() const override { return list; }
  int64_t count() const override { return static_cast<int64_t>(rows.size()); }
  void read(int64_t example, Batch &batch) const override;
  /// Of all features together.
  std::vector<std::vector<int64_t>> rows;

private:
  std::vector<Feature> list;
};

/// A file (readPairs), or the told pairs where it is "", one vocabulary for both languages:
/// `source`, i64 [length], ends in Vocabulary::kEnd; `target` begins with kBegin, `labels` are its
/// successors; behind them is kPad. Longer sentences are left out. One in fifty English sentences,
/// with all its translations, is for testing.
TrainingData pairData(const std::string &path, const SentenceOptions &options = {});

/// A text file, or the told tales where it is "", cut into sentences; the last tenth is the test
/// part. `ids`, i64 [length]: kBegin, a sentence, kEnd, another one, kEnd, kPad ...; `segments`, 0
/// in the first and 1 in the second; `follows`, 1 where the second comes after the first in the
/// text, 0 where it is any (half of them). Of the longer one of two, what does not fit is left out.
/// `commonest` of the facts is the piece that occurs most often in the training part.
TrainingData nextSentenceData(const std::string &path, const SentenceOptions &options = {});

/// One or two sentences of a class, UTF-8; `second` is "" where there is one.
struct LabelledText {
  int64_t label = 0;
  std::string first, second;
};

/// Reads a file of lines `class TAB sentence` or `class TAB sentence TAB sentence`; classes are
/// numbers from 0. Throws std::runtime_error with the path and the line.
std::vector<LabelledText> readLabelled(const std::string &path);

/// A file (readLabelled), or, where it is "", sentences of the told pairs, of class 0 in English
/// and 1 in German. One in ten first sentences is for testing. `ids` and `segments` as
/// nextSentenceData's, `labels` are the classes, whose number is a fact. `known` is the vocabulary
/// of weights to go on with; "": one is learned.
TrainingData labelledData(const std::string &path, const SentenceOptions &options = {},
                          const std::string &known = "");

} // namespace gen::data

#endif // GEN_SENTENCES_HPP
