// What sources of sentences share.
#ifndef GEN_SUPPORT_ROWS_H
#define GEN_SUPPORT_ROWS_H

#include "gen/sentences.hpp"

namespace gen::data {

/// Whether a sentence is one of the test part, one in so many; equal ones are on one side.
bool isForTesting(const std::string &sentence, uint32_t oneIn);

/// What a run trains on, with what it has to know of the vocabulary; named after the file, or
/// `otherwise`. Throws std::runtime_error where a part is empty.
TrainingData dataOf(const std::string &path, const char *otherwise, const Vocabulary &vocabulary,
                    std::shared_ptr<RowSource> train, std::shared_ptr<RowSource> test,
                    const SentenceOptions &options);

} // namespace gen::data

#endif // GEN_SUPPORT_ROWS_H
