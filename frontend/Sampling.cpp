//===- Sampling.cpp - choosing among classes ------------------------------===//
//
// There is no sort: a class is among the likeliest k if fewer than k are likelier, and in the
// nucleus if the likelier ones have less than p together. Both are sums over pairs of classes. The
// draw is the largest of the scores with Gumbel noise (Gumbel 1954; Maddison et al. 2014).
//
//===----------------------------------------------------------------------===//

#include "gen/sampling.hpp"
#include "Diagnostic.h"
#include "gen/norm.hpp"

namespace gen {

Tensor argmax(const Tensor &x, SourceLocation where) {
  SourceScope scope(where);
  if (x.rank() == 0 || !x.dimension(-1).isNumber())
    throw detail::Diagnostic(where, "argmax", "expected a last axis whose size is a number")
        .operand("x", x)
        .error();
  Tensor largest = max(x, {.axes = {-1}, .keepdim = true});
  Tensor places = gen::where(x >= largest, iota(x.shape()), x.dimension(-1).number());
  return min(places, {.axes = {-1}});
}

/// For each class, the sum of `values` over those that are likelier: [..., classes].
static Tensor sumOfLikelier(const Tensor &scores, const Tensor &values) {
  Shape column = scores.shape(), row = scores.shape();
  column.insert(column.end(), 1);
  row.insert(row.end() - 1, 1);
  Tensor likelier = reshape(scores, row) > reshape(scores, column);
  return sum(where(likelier, reshape(values, row), 0.0), {.axes = {-1}});
}

static Tensor tensorOf(const Operand &x, DType dtype) {
  return x.isNumber ? full({}, x.number, dtype) : cast(x.tensor, dtype);
}

Tensor categorical(const Tensor &logits, const CategoricalOptions &options, SourceLocation where) {
  SourceScope scope(where);
  constexpr double kNever = -1e30, kColdest = 1e-6;
  Tensor temperature = tensorOf(options.temperature, f32), k = tensorOf(options.top_k, f32),
         p = tensorOf(options.top_p, f32);
  // The order of the classes is the same at any temperature.
  Tensor rank = sumOfLikelier(logits, ones_like(logits));
  Tensor kept = gen::where(rank < k || k <= 0.0, logits, kNever);
  Tensor scaled = kept / maximum(temperature, kColdest);
  Tensor before = sumOfLikelier(kept, softmax(scaled, -1));
  Tensor noise = -log(-log(uniform_like(logits)));
  Tensor scores = kept + temperature * noise;
  return argmax(gen::where(before < p || rank < 1.0, scores, 2 * kNever), where);
}

} // namespace gen
