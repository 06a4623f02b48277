//===- Losses.cpp - losses ------------------------------------------------===//

#include "gen/losses.hpp"

namespace gen {

Tensor bce(const Tensor &probabilities, const Operand &targets, SourceLocation where) {
  SourceScope scope(where);
  // The inner choice keeps log(0) away: its infinite derivative times 0 would be NaN.
  auto logarithm = [](const Tensor &p) {
    return gen::where(p > 0.0, log(gen::where(p > 0.0, p, 1.0)), -100.0);
  };
  Tensor yes = logarithm(probabilities), no = logarithm(1.0 - probabilities);
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
