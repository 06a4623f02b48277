//===- gen/sampling.hpp - choosing among classes ----------------*- C++ -*-===//

#ifndef GEN_SAMPLING_HPP
#define GEN_SAMPLING_HPP

#include "gen/ops.hpp"

namespace gen {

/// The place of the largest element along the last axis, i64; the first of several.
Tensor argmax(const Tensor &x, SourceLocation where = SourceLocation::current());

/// Settings of `categorical`; scalars, which may be known at the call only.
struct CategoricalOptions {
  Operand temperature = 1.0; ///< the logits are divided by it; 0: the likeliest class
  Operand top_k = 0;         // NOLINT(readability-identifier-naming): the field's name
  Operand top_p = 1.0;       // NOLINT(readability-identifier-naming)
};

/// A class for each row of logits, [..., classes] -> i64 [...], drawn from softmax(logits /
/// temperature). Only the `top_k` likeliest classes are drawn (0: all), and of these only the
/// likeliest ones that together reach the probability `top_p` (nucleus sampling, Holtzman et al.
/// 2020). Classes of equal probability are kept or left out together. The work is quadratic in the
/// number of classes.
Tensor categorical(const Tensor &logits, const CategoricalOptions &options = {},
                   SourceLocation where = SourceLocation::current());

} // namespace gen

#endif // GEN_SAMPLING_HPP
