//===- Activations.cpp - activation functions -----------------------------===//

#include "gen/activations.hpp"
#include "Ops.h"
#include "gen/nn.hpp"
#include "gen/ops.hpp"

#include <cmath>
#include <numbers>

using namespace gen::detail;

namespace gen {

Tensor gelu(const Tensor &x, Approximate approximate, SourceLocation where) {
  SourceScope scope(where);
  requireFloat("gelu", x, where);
  Tensor twice; // of the distribution function, less 1
  if (approximate == Approximate::Tanh)
    twice = tanh(std::sqrt(2 * std::numbers::inv_pi) * (x * (1 + 0.044715 * (x * x))));
  else
    twice = erf(x * (1 / std::numbers::sqrt2));
  return ((0.5 * x) * (1.0 + twice)).named(callText("gelu", {x.text()}));
}

Tensor silu(const Tensor &x, SourceLocation where) {
  SourceScope scope(where);
  requireFloat("silu", x, where);
  return (x * sigmoid(x)).named(callText("silu", {x.text()}));
}

Tensor softplus(const Tensor &x, SourceLocation where) {
  SourceScope scope(where);
  requireFloat("softplus", x, where);
  // At 0 both terms have the derivative of their middle: 1/2 and 0.
  return (maximum(x, 0) + log1p(exp(-abs(x)))).named(callText("softplus", {x.text()}));
}

Tensor elu(const Tensor &x, double alpha, SourceLocation where) {
  SourceScope scope(where);
  requireFloat("elu", x, where);
  // The exponential of a positive x could overflow; its derivative times 0 would be NaN.
  Tensor isAbove = x > 0.0;
  Tensor below = alpha * (exp(gen::where(isAbove, 0.0, x)) - 1.0);
  return gen::where(isAbove, x, below).named(callText("elu", {x.text()}));
}

Tensor selu(const Tensor &x, SourceLocation where) {
  SourceScope scope(where);
  requireFloat("selu", x, where);
  constexpr double kScale = 1.0507009873554804934, kAlpha = 1.6732632423543772848;
  return (kScale * elu(x, kAlpha, where)).named(callText("selu", {x.text()}));
}

Tensor hardtanh(const Tensor &x, double low, double high, SourceLocation where) {
  SourceScope scope(where);
  requireFloat("hardtanh", x, where);
  return maximum(minimum(x, high), low).named(callText("hardtanh", {x.text()}));
}

Tensor hardsigmoid(const Tensor &x, SourceLocation where) {
  SourceScope scope(where);
  requireFloat("hardsigmoid", x, where);
  return hardtanh(x / 6.0 + 0.5, 0, 1, where).named(callText("hardsigmoid", {x.text()}));
}

Tensor hardswish(const Tensor &x, SourceLocation where) {
  SourceScope scope(where);
  requireFloat("hardswish", x, where);
  return (x * hardsigmoid(x, where)).named(callText("hardswish", {x.text()}));
}

Layer GELU(Approximate approximate) {
  return
      [approximate](const Tensor &x, SourceLocation where) { return gelu(x, approximate, where); };
}
Layer SiLU() {
  return [](const Tensor &x, SourceLocation where) { return silu(x, where); };
}
Layer Softplus() {
  return [](const Tensor &x, SourceLocation where) { return softplus(x, where); };
}
Layer ELU(double alpha) {
  return [alpha](const Tensor &x, SourceLocation where) { return elu(x, alpha, where); };
}
Layer SELU() {
  return [](const Tensor &x, SourceLocation where) { return selu(x, where); };
}

} // namespace gen
