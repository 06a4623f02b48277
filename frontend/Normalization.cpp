//===- Normalization.cpp - softmax and normalization ----------------------===//

#include "Ops.h"
#include "gen/norm.hpp"

#include <algorithm>

using namespace gen::detail;
namespace ops = mlir::gen;

namespace gen {

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

Tensor softmax(const Tensor &x, int64_t axis, SourceLocation where) {
  requireFloat("gen.softmax", x, where);
  return unary<ops::SoftmaxOp>("gen.softmax", x, where,
                               normalizeAxis("gen.softmax", x, axis, where));
}

Tensor log_softmax(const Tensor &x, int64_t axis, SourceLocation where) {
  requireFloat("gen.log_softmax", x, where);
  return unary<ops::LogSoftmaxOp>("gen.log_softmax", x, where,
                                  normalizeAxis("gen.log_softmax", x, axis, where));
}

/// Throws unless `vector` has the shape of the last axes of `x`, and its dtype.
static void requireTrailing(const char *name, const Tensor &x, const char *what,
                            const Tensor &vector, SourceLocation where) {
  requireFloat(name, x, where);
  requireSameDType(name, x, vector, where);
  const Shape &shape = x.shape(), &last = vector.shape();
  if (!last.empty() && last.size() <= shape.size() &&
      std::equal(last.rbegin(), last.rend(), shape.rbegin()))
    return;
  throw Diagnostic(where, name,
                   std::string("expected ") + what + " to have the shape of the last axes of x")
      .operand("x", x)
      .operand(what, vector)
      .error();
}

static Tensor rowNorm(const char *name, const Tensor &x, const Tensor &scale, const Tensor *bias,
                      double epsilon, SourceLocation where) {
  requireTrailing(name, x, "scale", scale, where);
  if (bias)
    requireTrailing(name, x, "bias", *bias, where);
  if (bias && bias->shape() != scale.shape())
    throw Diagnostic(where, name, "expected scale and bias of one shape")
        .operand("scale", scale)
        .operand("bias", *bias)
        .error();
  Entry &entry = Entry::current(name, where);
  std::string text = callText(name + 4, {x.text()});
  mlir::Value value = entry.value(x, where), factor = entry.value(scale, where);
  llvm::APFloat small(epsilon);
  if (!bias)
    return entry.emit<ops::RmsNormOp>(where, x.dtype(), x.shape(), text, value, factor, small);
  return entry.emit<ops::LayerNormOp>(where, x.dtype(), x.shape(), text, value, factor,
                                      entry.value(*bias, where), small);
}

Tensor layer_norm(const Tensor &x, const Tensor &scale, const Tensor &bias, double epsilon,
                  SourceLocation where) {
  return rowNorm("gen.layer_norm", x, scale, &bias, epsilon, where);
}

Tensor rms_norm(const Tensor &x, const Tensor &scale, double epsilon, SourceLocation where) {
  return rowNorm("gen.rms_norm", x, scale, nullptr, epsilon, where);
}

/// The axis of channels, from the first; throws where scale and bias do not fit.
static int64_t channelAxis(const char *name, const Tensor &x, const Tensor &scale,
                           const Tensor &bias, int64_t axis, SourceLocation where) {
  requireFloat(name, x, where);
  requireSameDType(name, x, scale, where);
  requireSameDType(name, x, bias, where);
  axis = normalizeAxis(name, x, axis, where);
  if (axis == 0)
    throw Diagnostic(where, name, "expected axis 0 to count examples, not channels")
        .operand("x", x)
        .error();
  const Shape channels = {x.dimension(axis)};
  if (scale.shape() != channels || bias.shape() != channels)
    throw Diagnostic(where, name, "expected a scale and a bias of " + count(channels[0], "channel"))
        .operand("x", x)
        .operand("scale", scale)
        .operand("bias", bias)
        .error();
  return axis;
}

Tensor group_norm(const Tensor &x, int64_t groups, const Tensor &scale, const Tensor &bias,
                  const ChannelNormOptions &options, SourceLocation where) {
  constexpr const char *kName = "gen.group_norm";
  int64_t axis = channelAxis(kName, x, scale, bias, options.axis, where);
  Dimension channels = x.dimension(axis);
  if (groups < 1 || !channels.isNumber() || channels.number() % groups != 0)
    throw Diagnostic(where, kName,
                     "expected a number of channels that is a multiple of " +
                         std::to_string(groups) + " groups, got " + channels.str())
        .operand("x", x)
        .error();
  Entry &entry = Entry::current(kName, where);
  mlir::Value value = entry.value(x, where), factor = entry.value(scale, where);
  return entry.emit<ops::GroupNormOp>(
      where, x.dtype(), x.shape(), callText("group_norm", {x.text()}), value, factor,
      entry.value(bias, where), groups, axis, llvm::APFloat(options.epsilon));
}

Tensor instance_norm(const Tensor &x, const Tensor &scale, const Tensor &bias,
                     const ChannelNormOptions &options, SourceLocation where) {
  Dimension channels = x.dimension(normalizeAxis("instance_norm", x, options.axis, where));
  return group_norm(x, channels.isNumber() ? channels.number() : 0, scale, bias, options, where)
      .named(callText("instance_norm", {x.text()}));
}

Tensor local_response_norm(const Tensor &x, int64_t size, const LocalResponseNormOptions &options,
                           SourceLocation where) {
  SourceScope scope(where);
  constexpr const char *kName = "local_response_norm";
  requireFloat(kName, x, where);
  if (x.rank() < 2 || !x.dimension(1).isNumber() || size < 1)
    throw Diagnostic(where, kName,
                     "expected a window of at least 1 channel, and a number of channels along axis "
                     "1, got a window of " +
                         std::to_string(size))
        .operand("x", x)
        .error();
  PadOptions pads = {.low = std::vector<int64_t>(static_cast<size_t>(x.rank())), .high = {}};
  pads.high = pads.low;
  pads.low[1] = size / 2;
  pads.high[1] = (size - 1) / 2;
  Tensor squares = pad(square(x), pads), sum;
  for (int64_t first = 0; first < size; ++first) {
    Tensor part = slice(squares, {1, first, first + x.dimension(1).number()});
    sum = sum.handle() ? sum + part : part;
  }
  Tensor base = options.k + (options.alpha / static_cast<double>(size)) * sum;
  return (x * pow(base, -options.beta)).named(callText(kName, {x.text()}));
}

BatchNormResults batch_norm(const Tensor &x, const Tensor &scale, const Tensor &bias,
                            const ChannelNormOptions &options, SourceLocation where) {
  constexpr const char *kName = "gen.batch_norm";
  int64_t axis = channelAxis(kName, x, scale, bias, options.axis, where);
  Entry &entry = Entry::current(kName, where);
  mlir::Value value = entry.value(x, where), factor = entry.value(scale, where),
              offset = entry.value(bias, where);
  auto op = ops::BatchNormOp::create(entry.builder, entry.locate(where), value.getType(),
                                     factor.getType(), factor.getType(), value, factor, offset,
                                     axis, llvm::APFloat(options.epsilon));
  auto wrap = [&](mlir::Value result, const Shape &shape, const char *function) {
    return entry.wrap(result, x.dtype(), shape, callText(function, {x.text()}), where);
  };
  return {wrap(op.getResult(), x.shape(), "batch_norm"),
          wrap(op.getMean(), scale.shape(), "batch_norm.mean"),
          wrap(op.getVariance(), scale.shape(), "batch_norm.variance")};
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

/// Throws unless each of `numbers` is at least 1.
static void requirePositive(const char *layer, const std::string &path, const Shape &numbers,
                            SourceLocation where) {
  auto isPositive = [](const Dimension &size) { return size.isNumber() && size.number() >= 1; };
  if (!numbers.empty() && std::all_of(numbers.begin(), numbers.end(), isPositive))
    return;
  throw Diagnostic(where, std::string(layer) + " '" + path + "'",
                   "expected sizes of at least 1, got " + describe(f32, numbers))
      .error();
}

LayerNorm::LayerNorm(const Scope &scope, const Shape &sizes, LayerNormOptions options,
                     SourceLocation where)
    : sizes(sizes), path(scope.path()), epsilon(options.epsilon) {
  requirePositive("LayerNorm", path, sizes, where);
  if (options.elementwise_affine)
    weight = scope.variable("weight", f32, sizes, Initializer::ones(), where);
  if (options.elementwise_affine && options.bias)
    bias = scope.variable("bias", f32, sizes, Initializer::zeros(), where);
}

Tensor LayerNorm::operator()(const Tensor &x, SourceLocation where) const {
  SourceScope scope(where);
  Tensor scale = weight.handle() ? Tensor(weight) : ones(sizes, f32, where);
  Tensor offset = bias.handle() ? Tensor(bias) : zeros(sizes, f32, where);
  return layer_norm(x, scale, offset, epsilon, where).named(callText(path, {x.text()}));
}

RMSNorm::RMSNorm(const Scope &scope, const Shape &sizes, RMSNormOptions options,
                 SourceLocation where)
    : sizes(sizes), path(scope.path()), epsilon(options.epsilon) {
  requirePositive("RMSNorm", path, sizes, where);
  if (options.elementwise_affine)
    weight = scope.variable("weight", f32, sizes, Initializer::ones(), where);
}

Tensor RMSNorm::operator()(const Tensor &x, SourceLocation where) const {
  SourceScope scope(where);
  Tensor scale = weight.handle() ? Tensor(weight) : ones(sizes, f32, where);
  return rms_norm(x, scale, epsilon, where).named(callText(path, {x.text()}));
}

GroupNorm::GroupNorm(const Scope &scope, int64_t groups, int64_t channels, GroupNormOptions options,
                     SourceLocation where)
    : groups(groups), channels(channels), path(scope.path()), epsilon(options.epsilon) {
  requirePositive("GroupNorm", path, {groups, channels}, where);
  if (channels % groups != 0)
    throw Diagnostic(where, "GroupNorm '" + path + "'",
                     "expected a number of channels that is a multiple of " +
                         std::to_string(groups) + " groups, got " + std::to_string(channels))
        .error();
  if (!options.affine)
    return;
  weight = scope.variable("weight", f32, {channels}, Initializer::ones(), where);
  bias = scope.variable("bias", f32, {channels}, Initializer::zeros(), where);
}

Tensor GroupNorm::operator()(const Tensor &x, SourceLocation where) const {
  SourceScope scope(where);
  Tensor scale = weight.handle() ? Tensor(weight) : ones({channels}, f32, where);
  Tensor offset = bias.handle() ? Tensor(bias) : zeros({channels}, f32, where);
  return group_norm(x, groups, scale, offset, {.epsilon = epsilon}, where)
      .named(callText(path, {x.text()}));
}

Tensor InstanceNorm::operator()(const Tensor &x, SourceLocation where) const {
  if (x.rank() != rank || x.dimension(1) != Dimension(channels))
    throw Diagnostic(where, "InstanceNorm" + std::to_string(rank - 2) + "d '" + path + "'",
                     "expected rank " + std::to_string(rank) + " and " +
                         count(Dimension(channels), "channel") + " along axis 1")
        .operand("x", x)
        .error();
  return groups(x, where);
}

BatchNorm::BatchNorm(const Scope &scope, const char *name, std::vector<int64_t> ranks,
                     int64_t channels, BatchNormOptions options, SourceLocation where)
    : name(name), ranks(std::move(ranks)), channels(channels), path(scope.path()),
      options(options) {
  requirePositive(name, path, {channels}, where);
  if (options.affine) {
    weight = scope.variable("weight", f32, {channels}, Initializer::ones(), where);
    bias = scope.variable("bias", f32, {channels}, Initializer::zeros(), where);
  }
  running_mean = scope.buffer("running_mean", f32, {channels}, Initializer::zeros(), where);
  running_var = scope.buffer("running_var", f32, {channels}, Initializer::ones(), where);
  num_batches_tracked = scope.buffer("num_batches_tracked", i64, {}, Initializer::zeros(), where);
}

Tensor BatchNorm::operator()(const Tensor &x, SourceLocation where) const {
  SourceScope scope(where);
  if (std::find(ranks.begin(), ranks.end(), x.rank()) == ranks.end() ||
      x.dimension(1) != Dimension(channels))
    throw Diagnostic(where, std::string(name) + " '" + path + "'",
                     "expected rank " + std::to_string(ranks.front()) +
                         (ranks.size() > 1 ? " or " + std::to_string(ranks.back()) : "") + " and " +
                         count(Dimension(channels), "channel") + " along axis 1")
        .operand("x", x)
        .error();
  Tensor scale = weight.handle() ? Tensor(weight) : ones({channels}, f32, where);
  Tensor offset = bias.handle() ? Tensor(bias) : zeros({channels}, f32, where);
  std::string text = callText(path, {x.text()});
  if (!isTraining()) {
    Shape shape(static_cast<size_t>(x.rank() - 1), Dimension(1));
    shape[0] = channels;
    Tensor factor = scale / sqrt(running_var + options.epsilon);
    return ((x - reshape(running_mean, shape)) * reshape(factor, shape) + reshape(offset, shape))
        .named(text);
  }
  BatchNormResults y = batch_norm(x, scale, offset, {.epsilon = options.epsilon}, where);
  Dimension elements = 1;
  for (int64_t axis = 0; axis < x.rank(); ++axis)
    elements = axis == 1 ? elements : elements * x.dimension(axis);
  // The running variance is unbiased.
  Tensor unbiased = y.variance * (cast(elements, f32) / cast(elements - 1, f32));
  assign(running_mean, lerp(running_mean, y.mean, options.momentum));
  assign(running_var, lerp(running_var, unbiased, options.momentum));
  assign(num_batches_tracked, num_batches_tracked + 1);
  return y.result.named(text);
}

} // namespace gen
