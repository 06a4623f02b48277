//===- Convolution.cpp - convolutions and their layers --------------------===//

#include "Ops.h"
#include "gen/conv.hpp"

#include <cmath>
#include <numeric>

using namespace gen::detail;
namespace ops = mlir::gen;

namespace gen {

std::vector<int64_t> PerAxis::over(int64_t axes) const {
  auto wanted = static_cast<size_t>(axes);
  if (numbers.size() == 1)
    return std::vector<int64_t>(wanted, numbers.front());
  return numbers.size() == wanted ? numbers : std::vector<int64_t>();
}

/// One number of at least `least` for each spatial axis.
static std::vector<int64_t> numbersOf(const char *op, const char *what, const PerAxis &numbers,
                                      int64_t axes, int64_t least, SourceLocation where) {
  std::vector<int64_t> each = numbers.over(axes);
  if (each.empty() || std::any_of(each.begin(), each.end(), [&](int64_t n) { return n < least; }))
    throw Diagnostic(where, op,
                     std::string("expected ") + what + " to be one number of " +
                         std::to_string(least) + " or more, or " + std::to_string(axes))
        .error();
  return each;
}

namespace {
/// A convolution's numbers, checked.
struct Window {
  std::vector<int64_t> stride, padding, dilation;
  int64_t groups;

  template <typename Options>
  Window(const char *op, const Options &options, int64_t axes, SourceLocation where)
      : stride(numbersOf(op, "stride", options.stride, axes, 1, where)),
        padding(numbersOf(op, "padding", options.padding, axes, 0, where)),
        dilation(numbersOf(op, "dilation", options.dilation, axes, 1, where)),
        groups(options.groups) {}

  llvm::ArrayRef<int64_t> list(const std::vector<int64_t> &numbers) const { return numbers; }
};
} // namespace

/// Checks ranks, dtypes and channels: the weight's `axis` 0 or 1 counts the input's channels.
static void requireImage(const char *op, const Tensor &x, const Tensor &weight, int64_t spatialRank,
                         int64_t groups, bool transposed, SourceLocation where) {
  requireFloat(op, x, where);
  requireSameDType(op, x, weight, where);
  int64_t rank = spatialRank + 2;
  if (x.rank() != rank || weight.rank() != rank)
    throw Diagnostic(where, op, "expected an image and a weight of rank " + std::to_string(rank))
        .operand("input", x)
        .operand("weight", weight)
        .hint("images are [batch, channels, spatial...]")
        .error();
  for (int64_t axis = 0; axis < rank; ++axis)
    if (!weight.dimension(axis).isNumber())
      throw Diagnostic(where, op, "expected a weight whose sizes are numbers")
          .operand("weight", weight)
          .error();
  Dimension expected = transposed ? weight.dimension(0) : weight.dimension(1) * Dimension(groups);
  if (groups < 1 || weight.dimension(0).number() % groups != 0 || x.dimension(1) != expected)
    throw Diagnostic(where, op,
                     "expected " + expected.str() + " channels in the input for " +
                         std::to_string(groups) + " groups, got " + x.dimension(1).str())
        .operand("input", x)
        .operand("weight", weight)
        .error();
}

/// (size + extra) / stride, rounded down; throws where that is no size.
static Dimension windowCount(const char *op, const Tensor &x, int64_t axis, int64_t extra,
                             int64_t stride, SourceLocation where) {
  Dimension numerator = x.dimension(axis) + Dimension(extra);
  if (numerator.isNumber()) {
    if (numerator.number() < stride)
      throw Diagnostic(where, op,
                       "the padded input is shorter than the window along axis " +
                           std::to_string(axis))
          .operand("input", x)
          .error();
    return numerator.number() / stride;
  }
  auto constant = numerator.terms().find({});
  int64_t rest = constant == numerator.terms().end() ? 0 : constant->second % stride;
  std::optional<Dimension> count =
      (numerator - Dimension(rest < 0 ? rest + stride : rest)).dividedBy(stride);
  if (!count)
    throw Diagnostic(where, op,
                     "a stride of " + std::to_string(stride) + " does not divide axis " +
                         std::to_string(axis) + " of size " + x.dimension(axis).str())
        .operand("input", x)
        .hint("give the axis a number, or a multiple of a symbol")
        .error();
  return *count;
}

static Tensor convolution(const char *name, int64_t spatialRank, const Tensor &x,
                          const Tensor &weight, const ConvOptions &options, SourceLocation where) {
  Window window(name, options, spatialRank, where);
  requireImage(name, x, weight, spatialRank, window.groups, /*transposed=*/false, where);
  Shape shape = {x.dimension(0), weight.dimension(0)};
  for (int64_t i = 0; i < spatialRank; ++i) {
    auto at = static_cast<size_t>(i);
    int64_t reach = (weight.dimension(i + 2).number() - 1) * window.dilation[at] + 1;
    int64_t extra = 2 * window.padding[at] - reach + window.stride[at];
    shape.push_back(windowCount(name, x, i + 2, extra, window.stride[at], where));
  }
  Entry &entry = Entry::current(name, where);
  mlir::Value input = entry.value(x, where), kernel = entry.value(weight, where);
  return entry.emit<ops::ConvolutionOp>(
      where, x.dtype(), shape, callText(name, {x.text()}), input, kernel,
      window.list(window.stride), window.list(window.padding), window.list(window.padding),
      window.list(window.dilation), static_cast<uint64_t>(window.groups), false);
}

Tensor conv1d(const Tensor &x, const Tensor &weight, const ConvOptions &options,
              SourceLocation where) {
  return convolution("conv1d", 1, x, weight, options, where);
}
Tensor conv2d(const Tensor &x, const Tensor &weight, const ConvOptions &options,
              SourceLocation where) {
  return convolution("conv2d", 2, x, weight, options, where);
}
Tensor conv3d(const Tensor &x, const Tensor &weight, const ConvOptions &options,
              SourceLocation where) {
  return convolution("conv3d", 3, x, weight, options, where);
}

static Tensor transposedConvolution(const char *name, int64_t spatialRank, const Tensor &x,
                                    const Tensor &weight, const ConvTransposeOptions &options,
                                    SourceLocation where) {
  Window window(name, options, spatialRank, where);
  std::vector<int64_t> more =
      numbersOf(name, "output_padding", options.output_padding, spatialRank, 0, where);
  requireImage(name, x, weight, spatialRank, window.groups, /*transposed=*/true, where);
  Shape shape = {x.dimension(0), weight.dimension(1) * Dimension(window.groups)};
  std::vector<int64_t> high;
  for (int64_t i = 0; i < spatialRank; ++i) {
    auto at = static_cast<size_t>(i);
    int64_t reach = (weight.dimension(i + 2).number() - 1) * window.dilation[at] + 1;
    Dimension size = (x.dimension(i + 2) - Dimension(1)) * Dimension(window.stride[at]) +
                     Dimension(reach - 2 * window.padding[at] + more[at]);
    if (more[at] >= window.stride[at] || (size.isNumber() && size.number() < 1))
      throw Diagnostic(where, name,
                       "expected an output_padding less than the stride, and a result of at "
                       "least one element along axis " +
                           std::to_string(i + 2) + ", got output_padding " +
                           std::to_string(more[at]) + " and size " + size.str())
          .operand("input", x)
          .operand("weight", weight)
          .error();
    shape.push_back(size);
  }
  Entry &entry = Entry::current(name, where);
  mlir::Value input = entry.value(x, where), kernel = entry.value(weight, where);
  return entry.emit<ops::ConvolutionTransposeOp>(
      where, x.dtype(), shape, callText(name, {x.text()}), input, kernel, entry.sizes(shape, where),
      window.list(window.stride), window.list(window.padding), window.list(window.padding),
      window.list(window.dilation), static_cast<uint64_t>(window.groups), false);
}

Tensor conv_transpose1d(const Tensor &x, const Tensor &weight, const ConvTransposeOptions &options,
                        SourceLocation where) {
  return transposedConvolution("conv_transpose1d", 1, x, weight, options, where);
}
Tensor conv_transpose2d(const Tensor &x, const Tensor &weight, const ConvTransposeOptions &options,
                        SourceLocation where) {
  return transposedConvolution("conv_transpose2d", 2, x, weight, options, where);
}
Tensor conv_transpose3d(const Tensor &x, const Tensor &weight, const ConvTransposeOptions &options,
                        SourceLocation where) {
  return transposedConvolution("conv_transpose3d", 3, x, weight, options, where);
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

namespace {
/// The variables of a layer.
struct Parameters {
  Variable weight, bias;
};
} // namespace

/// weight [rows, columns / groups, kernel...] and bias [outputs].
template <typename Options>
static Parameters makeParameters(const Scope &scope, const char *name, int64_t spatialRank,
                                 int64_t rows, int64_t columns, int64_t outputs,
                                 const PerAxis &kernel, const Options &options,
                                 SourceLocation where) {
  std::string layer = std::string(name) + " '" + scope.path() + "'";
  std::vector<int64_t> window =
      numbersOf(layer.c_str(), "the kernel", kernel, spatialRank, 1, where);
  int64_t groups = options.groups;
  if (rows < 1 || columns < 1 || groups < 1 || rows % groups != 0 || columns % groups != 0)
    throw Diagnostic(where, layer,
                     "expected channels of at least 1 that groups divide, got " +
                         std::to_string(rows) + " and " + std::to_string(columns) + " for " +
                         std::to_string(groups) + " groups")
        .error();
  Shape shape = {rows, columns / groups};
  int64_t fan = columns / groups;
  for (int64_t size : window) {
    shape.push_back(size);
    fan *= size;
  }
  double bound = 1 / std::sqrt(static_cast<double>(fan));
  Initializer initial = Initializer::uniform(-bound, bound);
  Parameters made;
  made.weight = scope.variable("weight", f32, shape, options.initial.value_or(initial), where);
  if (options.bias)
    made.bias = scope.variable("bias", f32, {outputs}, initial, where);
  return made;
}

/// y + bias of each channel.
static Tensor withBias(const Tensor &y, const Variable &bias, int64_t spatialRank) {
  if (!bias.handle())
    return y;
  Shape shape = {bias.dimension(0)};
  shape.insert(shape.end(), static_cast<size_t>(spatialRank), Dimension(1));
  return y + reshape(bias, shape);
}

Conv::Conv(const Scope &scope, const char *name, int64_t spatialRank, int64_t inputs,
           int64_t outputs, const PerAxis &kernel, ConvLayerOptions options, SourceLocation where)
    : path(scope.path()), spatialRank(spatialRank), options(std::move(options)) {
  Parameters made = makeParameters(scope, name, spatialRank, outputs, inputs, outputs, kernel,
                                   this->options, where);
  weight = made.weight;
  bias = made.bias;
}

Tensor Conv::operator()(const Tensor &x, SourceLocation where) const {
  SourceScope scope(where);
  static constexpr const char *kNames[] = {"conv1d", "conv2d", "conv3d"};
  Tensor y =
      convolution(kNames[spatialRank - 1], spatialRank, x, weight,
                  {options.stride, options.padding, options.dilation, options.groups}, where);
  return withBias(y, bias, spatialRank).named(callText(path, {x.text()}));
}

ConvTranspose::ConvTranspose(const Scope &scope, const char *name, int64_t spatialRank,
                             int64_t inputs, int64_t outputs, const PerAxis &kernel,
                             ConvTransposeLayerOptions options, SourceLocation where)
    : path(scope.path()), spatialRank(spatialRank), options(std::move(options)) {
  Parameters made = makeParameters(scope, name, spatialRank, inputs, outputs, outputs, kernel,
                                   this->options, where);
  weight = made.weight;
  bias = made.bias;
}

Tensor ConvTranspose::operator()(const Tensor &x, SourceLocation where) const {
  SourceScope scope(where);
  static constexpr const char *kNames[] = {"conv_transpose1d", "conv_transpose2d",
                                           "conv_transpose3d"};
  Tensor y = transposedConvolution(
      kNames[spatialRank - 1], spatialRank, x, weight,
      {options.stride, options.padding, options.output_padding, options.dilation, options.groups},
      where);
  return withBias(y, bias, spatialRank).named(callText(path, {x.text()}));
}

} // namespace gen
