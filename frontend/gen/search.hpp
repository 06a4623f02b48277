//===- gen/search.hpp - the likeliest sequence ------------------*- C++ -*-===//

#ifndef GEN_SEARCH_HPP
#define GEN_SEARCH_HPP

#include "gen/tensor.hpp"

#include <functional>

namespace gen {

// NOLINTBEGIN(readability-identifier-naming): the field's names

struct BeamSearchOptions {
  int64_t beams = 4;               ///< sequences that are kept; 1: greedy search
  int64_t first = 1;               ///< the token that each begins with
  int64_t last = 2;                ///< the token behind the end
  int64_t pad = 0;                 ///< what follows that
  std::vector<int64_t> never = {}; ///< tokens that are not written
  double length_penalty = 0.6;     ///< the scores are divided by ((5 + length) / 6)^this
};

/// Logits [beams, words] of the tokens at `position` + 1, given those [beams] at `position` and a
/// state, tensors whose first axis is `beams`, which becomes that after the position.
using BeamSearchStep =
    std::function<Tensor(const Tensor &position, const Tensor &tokens, std::vector<Tensor> &state)>;

/// The likeliest sequence of at most `length` tokens that beam search finds, i64 [length], without
/// the first token: one loop, which keeps the likeliest `beams` sequences in each step. Penalty of
/// the length: Wu et al. 2016 (Vaswani et al. 2017, 6.1).
Tensor beam_search(int64_t length, const std::vector<Tensor> &state, const BeamSearchStep &step,
                   const BeamSearchOptions &options = {},
                   SourceLocation where = SourceLocation::current());

// NOLINTEND(readability-identifier-naming)

} // namespace gen

#endif // GEN_SEARCH_HPP
