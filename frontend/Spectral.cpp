//===- Spectral.cpp - spectral normalization ------------------------------===//

#include "gen/spectral.hpp"
#include "Ops.h"

using namespace gen::detail;

namespace gen {

SpectralWeight::SpectralWeight(const Scope &scope, Variable weight, int64_t axis,
                               SpectralNormOptions options, SourceLocation where)
    : weight(std::move(weight)), axis(axis), options(options) {
  if (this->weight.rank() < 2 || options.iterations < 1)
    throw Diagnostic(where, "SpectralNorm '" + scope.path() + "'",
                     "expected a weight of rank 2 or more, and 1 iteration or more, got " +
                         std::to_string(options.iterations))
        .operand("weight", this->weight)
        .error();
  Dimension outputs = this->weight.dimension(axis), inputs = 1;
  for (int64_t i = 0; i < this->weight.rank(); ++i)
    inputs = i == axis ? inputs : inputs * this->weight.dimension(i);
  Scope state = scope / "parametrizations" / "weight" / 0;
  u = state.buffer("_u", f32, {outputs}, Initializer::normal(0, 1), where);
  v = state.buffer("_v", f32, {inputs}, Initializer::normal(0, 1), where);
}

Tensor SpectralWeight::operator()(SourceLocation where) const {
  SourceScope scope(where);
  Tensor matrix = weight;
  if (axis != 0) {
    std::vector<int64_t> order = {axis};
    for (int64_t i = 0; i < weight.rank(); ++i)
      if (i != axis)
        order.push_back(i);
    matrix = transpose(matrix, order);
  }
  matrix = reshape(matrix, {u.dimension(0), -1});
  auto unit = [&](const Tensor &x) { return x / maximum(norm(x), options.epsilon); };
  auto times = [](const Tensor &a, const Tensor &x) { return sum(a * x, {.axes = {1}}); };

  Tensor left = unit(u), right = unit(v), fixed = stop_gradient(matrix);
  if (isTraining()) {
    for (int64_t i = 0; i < options.iterations; ++i) {
      left = unit(times(fixed, right));
      right = unit(sum(fixed * reshape(left, {u.dimension(0), 1}), {.axes = {0}}));
    }
    assign(u, left);
    assign(v, right);
  }
  Tensor largest = sum(stop_gradient(left) * times(matrix, stop_gradient(right)));
  return (weight / largest).named(weight.name());
}

} // namespace gen
