//===- Pooling.cpp - pooling and resizing ---------------------------------===//

#include "Ops.h"
#include "gen/conv.hpp"

#include <numeric>

using namespace gen::detail;
namespace ops = mlir::gen;

namespace gen {

namespace {
/// Windows of a pooling function, and the shape of their results.
struct Windows {
  Windows(const char *name, int64_t spatialRank, const Tensor &x, const PerAxis &sizes,
          const PoolOptions &options, SourceLocation where)
      : window(sizes.over(spatialRank)),
        stride((options.stride.empty() ? sizes : options.stride).over(spatialRank)),
        padding(options.padding.over(spatialRank)) {
    requireFloat(name, x, where);
    if (x.rank() != spatialRank + 2)
      throw Diagnostic(where, name, "expected an image of rank " + std::to_string(spatialRank + 2))
          .operand("input", x)
          .hint("images are [batch, channels, spatial...]")
          .error();
    shape = {x.dimension(0), x.dimension(1)};
    for (int64_t i = 0; i < spatialRank; ++i)
      shape.push_back(count(name, x, i, where));
  }

  int64_t elements() const {
    return std::accumulate(window.begin(), window.end(), int64_t{1}, std::multiplies<>());
  }

  std::vector<int64_t> window, stride, padding;
  Shape shape;

private:
  /// (size + 2 padding - window) / stride + 1, rounded down.
  Dimension count(const char *name, const Tensor &x, int64_t i, SourceLocation where) const {
    auto at = static_cast<size_t>(i);
    if (window.empty() || stride.empty() || padding.empty() || window[at] < 1 || stride[at] < 1 ||
        padding[at] < 0 || 2 * padding[at] > window[at])
      throw Diagnostic(where, name,
                       "expected a window and a stride of 1 or more, and a padding of at most half "
                       "the window, one for all spatial axes or for each")
          .operand("input", x)
          .error();
    Dimension size = x.dimension(i + 2);
    Dimension moves = size + Dimension(2 * padding[at] - window[at]);
    if (moves.isNumber() && moves.number() >= 0)
      return moves.number() / stride[at] + 1;
    std::optional<Dimension> quotient;
    if (!moves.isNumber()) {
      auto constant = moves.terms().find({});
      int64_t rest = constant == moves.terms().end() ? 0 : constant->second % stride[at];
      quotient = (moves - Dimension(rest < 0 ? rest + stride[at] : rest)).dividedBy(stride[at]);
    }
    if (!quotient)
      throw Diagnostic(where, name,
                       "axis " + std::to_string(i + 2) + " of size " + size.str() +
                           " has no known number of windows of " + std::to_string(window[at]) +
                           " with stride " + std::to_string(stride[at]))
          .operand("input", x)
          .hint("the padded size has to be a number of at least the window, or a multiple of a "
                "symbol that the stride divides")
          .error();
    return *quotient + Dimension(1);
  }
};
} // namespace

template <typename Op>
static Tensor pool(const char *name, int64_t spatialRank, const Tensor &x, const PerAxis &window,
                   const PoolOptions &options, SourceLocation where) {
  Windows windows(name, spatialRank, x, window, options, where);
  Entry &entry = Entry::current(name, where);
  mlir::Value value = entry.value(x, where);
  using List = llvm::ArrayRef<int64_t>;
  return entry.emit<Op>(where, x.dtype(), windows.shape, callText(name, {x.text()}), value,
                        List(windows.window), List(windows.stride), List(windows.padding),
                        List(windows.padding), false);
}

Tensor max_pool1d(const Tensor &x, const PerAxis &window, const PoolOptions &options,
                  SourceLocation where) {
  return pool<ops::MaxPoolOp>("max_pool1d", 1, x, window, options, where);
}
Tensor max_pool2d(const Tensor &x, const PerAxis &window, const PoolOptions &options,
                  SourceLocation where) {
  return pool<ops::MaxPoolOp>("max_pool2d", 2, x, window, options, where);
}
Tensor max_pool3d(const Tensor &x, const PerAxis &window, const PoolOptions &options,
                  SourceLocation where) {
  return pool<ops::MaxPoolOp>("max_pool3d", 3, x, window, options, where);
}

static Tensor averagePool(const char *name, int64_t spatialRank, const Tensor &x,
                          const PerAxis &window, const PoolOptions &options, SourceLocation where) {
  SourceScope scope(where);
  Tensor sums = pool<ops::SumPoolOp>(name, spatialRank, x, window, options, where);
  int64_t elements = Windows(name, spatialRank, x, window, options, where).elements();
  return (sums / static_cast<double>(elements)).named(sums.text());
}

Tensor avg_pool1d(const Tensor &x, const PerAxis &window, const PoolOptions &options,
                  SourceLocation where) {
  return averagePool("avg_pool1d", 1, x, window, options, where);
}
Tensor avg_pool2d(const Tensor &x, const PerAxis &window, const PoolOptions &options,
                  SourceLocation where) {
  return averagePool("avg_pool2d", 2, x, window, options, where);
}
Tensor avg_pool3d(const Tensor &x, const PerAxis &window, const PoolOptions &options,
                  SourceLocation where) {
  return averagePool("avg_pool3d", 3, x, window, options, where);
}

using Fold = Tensor (*)(const Tensor &, const ReduceOptions &, SourceLocation);

/// Axis by axis: the mean over a box is the mean of means along its axes, and so is the largest.
static Tensor adaptivePool(const char *name, int64_t spatialRank, Fold fold, const Tensor &x,
                           const PerAxis &sizes, SourceLocation where) {
  SourceScope scope(where);
  std::vector<int64_t> results = sizes.over(spatialRank);
  Tensor y = x;
  for (int64_t axis = 2; axis < spatialRank + 2; ++axis) {
    if (x.rank() != spatialRank + 2 || results.empty() || !x.dimension(axis).isNumber() ||
        results[static_cast<size_t>(axis - 2)] < 1)
      throw Diagnostic(where, name,
                       "expected an image of rank " + std::to_string(spatialRank + 2) +
                           " whose spatial sizes are numbers, and positive sizes of the result")
          .operand("input", x)
          .error();
    int64_t size = x.dimension(axis).number(), count = results[static_cast<size_t>(axis - 2)];
    std::vector<Tensor> parts;
    for (int64_t i = 0; i < count; ++i) {
      int64_t first = i * size / count, limit = ((i + 1) * size + count - 1) / count;
      parts.push_back(
          fold(slice(y, {axis, first, limit}, where), {.axes = {axis}, .keepdim = true}, where));
    }
    y = count == 1 ? parts.front() : concat(parts, axis, where);
  }
  return y.named(callText(name, {x.text()}));
}

Tensor adaptive_avg_pool1d(const Tensor &x, const PerAxis &sizes, SourceLocation where) {
  return adaptivePool("adaptive_avg_pool1d", 1, mean, x, sizes, where);
}
Tensor adaptive_avg_pool2d(const Tensor &x, const PerAxis &sizes, SourceLocation where) {
  return adaptivePool("adaptive_avg_pool2d", 2, mean, x, sizes, where);
}
Tensor adaptive_avg_pool3d(const Tensor &x, const PerAxis &sizes, SourceLocation where) {
  return adaptivePool("adaptive_avg_pool3d", 3, mean, x, sizes, where);
}

Tensor adaptive_max_pool1d(const Tensor &x, const PerAxis &sizes, SourceLocation where) {
  return adaptivePool("adaptive_max_pool1d", 1, max, x, sizes, where);
}
Tensor adaptive_max_pool2d(const Tensor &x, const PerAxis &sizes, SourceLocation where) {
  return adaptivePool("adaptive_max_pool2d", 2, max, x, sizes, where);
}
Tensor adaptive_max_pool3d(const Tensor &x, const PerAxis &sizes, SourceLocation where) {
  return adaptivePool("adaptive_max_pool3d", 3, max, x, sizes, where);
}

/// The factors; throws where they or the image do not fit.
static std::vector<int64_t> requireFactors(const char *name, const Tensor &x, const PerAxis &factor,
                                           SourceLocation where) {
  std::vector<int64_t> factors = factor.over(x.rank() - 2);
  if (x.rank() < 3 || factors.empty() ||
      std::any_of(factors.begin(), factors.end(), [](int64_t n) { return n < 1; }))
    throw Diagnostic(where, name,
                     "expected an image of rank 3 or more and a factor of 1 or more, for all "
                     "spatial axes or for each")
        .operand("input", x)
        .error();
  return factors;
}

Tensor upsample_nearest(const Tensor &x, const PerAxis &factor, SourceLocation where) {
  SourceScope scope(where);
  constexpr const char *kName = "upsample_nearest";
  std::vector<int64_t> factors = requireFactors(kName, x, factor, where);
  // [n, c, h, w] -> [n, c, h, 1, w, 1] -> [n, c, h, 2, w, 2] -> [n, c, 2 h, 2 w]
  Shape split = {x.dimension(0), x.dimension(1)}, repeated = split, result = split;
  for (size_t i = 0; i < factors.size(); ++i) {
    Dimension size = x.dimension(static_cast<int64_t>(i) + 2);
    split.insert(split.end(), {size, 1});
    repeated.insert(repeated.end(), {size, factors[i]});
    result.push_back(size * Dimension(factors[i]));
  }
  Tensor y = reshape(broadcast_to(reshape(x, split, where), repeated, where), result, where);
  return y.named(callText(kName, {x.text()}));
}

/// Element `factor` i + p of the result lies at i + (p + 1/2) / factor - 1/2 of `x`.
static Tensor upsampleAxis(const Tensor &x, int64_t axis, int64_t factor, SourceLocation where) {
  int64_t size = x.dimension(axis).number();
  if (size <= 1 || factor == 1) {
    std::vector<int64_t> factors(static_cast<size_t>(x.rank() - 2), 1);
    factors[static_cast<size_t>(axis - 2)] = factor;
    return upsample_nearest(x, factors, where);
  }
  Tensor first = slice(x, {axis, 0, 1}, where), last = slice(x, {axis, size - 1, size}, where);
  Tensor before = concat({first, slice(x, {axis, 0, size - 1}, where)}, axis, where);
  Tensor after = concat({slice(x, {axis, 1, size}, where), last}, axis, where);
  Shape one = x.shape(), result = x.shape();
  one.insert(one.begin() + axis + 1, 1);
  result[static_cast<size_t>(axis)] = size * factor;
  std::vector<Tensor> phases;
  for (int64_t p = 0; p < factor; ++p) {
    double at = (static_cast<double>(p) + 0.5) / static_cast<double>(factor) - 0.5;
    Tensor phase = at < 0 ? lerp(x, before, -at) : lerp(x, after, at);
    phases.push_back(reshape(phase, one, where));
  }
  return reshape(concat(phases, axis + 1, where), result, where);
}

Tensor upsample_linear(const Tensor &x, const PerAxis &factor, SourceLocation where) {
  SourceScope scope(where);
  constexpr const char *kName = "upsample_linear";
  std::vector<int64_t> factors = requireFactors(kName, x, factor, where);
  Tensor y = x;
  for (int64_t axis = 2; axis < x.rank(); ++axis) {
    if (!x.dimension(axis).isNumber())
      throw Diagnostic(where, kName, "expected an image whose spatial sizes are numbers")
          .operand("input", x)
          .error();
    y = upsampleAxis(y, axis, factors[static_cast<size_t>(axis - 2)], where);
  }
  return y.named(callText(kName, {x.text()}));
}

Tensor flatten(const Tensor &x, int64_t start, SourceLocation where) {
  start = normalizeAxis("flatten", x, start, where);
  Shape shape(x.shape().begin(), x.shape().begin() + start);
  shape.push_back(
      std::accumulate(x.shape().begin() + start, x.shape().end(), Dimension(1),
                      [](const Dimension &lhs, const Dimension &rhs) { return lhs * rhs; }));
  return reshape(x, shape, where).named(callText("flatten", {x.text()}));
}

} // namespace gen
