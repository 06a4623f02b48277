//===- gen/losses.hpp - losses ----------------------------------*- C++ -*-===//
//
// `bce`, `bce_with_logits`, `cross_entropy` and `kl_standard_normal` give one number an element, to
// be summed or averaged as the model needs; `mse` and `l1` are means, as PyTorch's.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_LOSSES_HPP
#define GEN_LOSSES_HPP

#include "gen/ops.hpp"

namespace gen {

// NOLINTBEGIN(readability-identifier-naming): the field's names

/// -(targets log(p) + (1 - targets) log(1 - p)); log(0) is -100 (as PyTorch) and passes no gradient
/// back. Prefer `bce_with_logits` where there are logits.
Tensor bce(const Tensor &probabilities, const Operand &targets,
           SourceLocation where = SourceLocation::current());
/// -log softmax(logits) at each label: logits [..., classes] and labels [...] (i32 or i64) ->
/// [...]. 0 for a label that names no class: it is ignored.
Tensor cross_entropy(const Tensor &logits, const Tensor &labels,
                     SourceLocation where = SourceLocation::current());
/// mean((prediction - target)^2).
Tensor mse(const Tensor &prediction, const Operand &target,
           SourceLocation where = SourceLocation::current());
/// mean(|prediction - target|).
Tensor l1(const Tensor &prediction, const Operand &target,
          SourceLocation where = SourceLocation::current());
/// KL divergence of N(mean, exp(log_variance)) from N(0, 1), element by element
/// (Kingma, Welling 2014, appendix B): (mean^2 + exp(log_variance) - log_variance - 1) / 2.
Tensor kl_standard_normal(const Tensor &mean, const Tensor &log_variance,
                          SourceLocation where = SourceLocation::current());

// NOLINTEND(readability-identifier-naming)

} // namespace gen

#endif // GEN_LOSSES_HPP
