//===- Losses.cpp - losses ------------------------------------------------===//

#include "gen/losses.hpp"

namespace gen {

Tensor bce(const Tensor &probabilities, const Operand &targets, SourceLocation where) {
  SourceScope scope(where);
  Tensor yes = maximum(log(probabilities), -100.0);
  Tensor no = maximum(log(1.0 - probabilities), -100.0);
  return -(targets * yes + (1.0 - targets) * no);
}

Tensor mse(const Tensor &prediction, const Operand &target, SourceLocation where) {
  SourceScope scope(where);
  return mean(square(prediction - target));
}

Tensor l1(const Tensor &prediction, const Operand &target, SourceLocation where) {
  SourceScope scope(where);
  return mean(abs(prediction - target));
}

Tensor kl_standard_normal(const Tensor &mean, const Tensor &log_variance, SourceLocation where) {
  SourceScope scope(where);
  return 0.5 * (square(mean) + exp(log_variance) - log_variance - 1.0);
}

} // namespace gen
