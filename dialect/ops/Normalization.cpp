//===- Normalization.cpp - softmax and normalization by statistics --------===//
//
// Each op is its formula, as numbers (evaluate) and as other ops (decompose), and the derivative of
// the whole, which needs fewer passes over memory than that of the parts. What a derivative needs
// of the statistics it writes as the decomposition does, so that both become the same ops.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gen.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace mlir::gen;

using Gradients = SmallVector<Value>;
using Axes = SmallVector<int64_t>;

#define GET_OP_CLASSES
#include "dialect/ops/Normalization.cpp.inc"

//===----------------------------------------------------------------------===//
// What all share
//===----------------------------------------------------------------------===//

static RankedTensorType typeOf(Value x) { return cast<RankedTensorType>(x.getType()); }
static int64_t rankOf(Value x) { return typeOf(x).getRank(); }

/// The axes of a tensor of `rank` without `left`.
static Axes axesBut(int64_t rank, ArrayRef<int64_t> left) {
  Axes axes;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (!llvm::is_contained(left, axis))
      axes.push_back(axis);
  return axes;
}

static bool agree(int64_t size, int64_t other) {
  return size == other || ShapedType::isDynamic(size) || ShapedType::isDynamic(other);
}

static LogicalResult verifyElementTypes(Operation *op, StringRef constraint) {
  auto elementTypeOf = [](Type type) { return getElementTypeOrSelf(type); };
  if (llvm::all_equal(llvm::map_range(op->getOperandTypes(), elementTypeOf)))
    return success();
  InFlightDiagnostic error = op->emitOpError("expected operands of one element type (")
                             << constraint << "), got " << op->getOperand(0).getType() << " and "
                             << op->getOperand(1).getType();
  error.attachNote() << "hint: gen.cast converts the element type";
  return error;
}

static LogicalResult verifyEpsilon(Operation *op, const APFloat &epsilon, StringRef constraint) {
  if (!epsilon.isNaN() && !epsilon.isNegative())
    return success();
  return op->emitOpError("expected an epsilon of at least 0 (")
         << constraint << "), got " << epsilon.convertToDouble();
}

/// Every result has the shape of the operand it is made like: the input, then the scale.
static LogicalResult reifyLike(Operation *op, OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  for (auto [number, result] : llvm::enumerate(op->getResults())) {
    Value like = op->getOperand(number == 0 ? 0 : 1);
    SmallVector<OpFoldResult> &shape = shapes.emplace_back();
    for (auto [axis, size] : llvm::enumerate(typeOf(result).getShape()))
      shape.push_back(ShapedType::isDynamic(size)
                          ? OpFoldResult(b.createOrFold<tensor::DimOp>(op->getLoc(), like,
                                                                       static_cast<int64_t>(axis)))
                          : OpFoldResult(b.getIndexAttr(size)));
  }
  return success();
}

static Value mean(GenBuilder &b, Value x, ArrayRef<int64_t> axes) {
  return b.make<ReduceMeanOp>(x, axes);
}

static Value square(GenBuilder &b, Value x) { return b.mul(x, x); }

/// 1 / sqrt(variance + epsilon).
static Value inverseDeviation(GenBuilder &b, Value variance, const APFloat &epsilon) {
  return b.rsqrt(b.add(variance, b.scalar(epsilon.convertToDouble(), variance)));
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

static LogicalResult verifyAxis(Operation *op, int64_t axis) {
  RankedTensorType input = typeOf(op->getOperand(0));
  if (axis >= 0 && axis < input.getRank())
    return success();
  return op->emitOpError("expected an axis of the input ") << input << " (C1), got " << axis;
}

/// Calls `row(first, stride, count)` for every row of elements along `axis`.
static void forEachRow(const Array &x, int64_t axis,
                       llvm::function_ref<void(int64_t, int64_t, int64_t)> row) {
  int64_t count = x.shape[axis], stride = 1;
  for (int64_t size : llvm::drop_begin(x.shape, axis + 1))
    stride *= size;
  if (x.size() == 0)
    return;
  for (int64_t outer = 0; outer < x.size() / (count * stride); ++outer)
    for (int64_t inner = 0; inner < stride; ++inner)
      row(outer * count * stride + inner, stride, count);
}

/// Softmax along `axis`, or its logarithm.
static Array softmaxOf(const Array &x, int64_t axis, bool logarithm) {
  Array result(x.elementType, x.shape);
  forEachRow(x, axis, [&](int64_t first, int64_t stride, int64_t count) {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t i = 0; i < count; ++i) {
      double element = x.floats[first + i * stride];
      largest = std::isnan(element) || element > largest ? element : largest;
    }
    for (int64_t i = 0; i < count; ++i)
      sum += std::exp(x.floats[first + i * stride] - largest);
    for (int64_t i = 0; i < count; ++i) {
      double shifted = x.floats[first + i * stride] - largest;
      result.floats[first + i * stride] =
          logarithm ? shifted - std::log(sum) : std::exp(shifted) / sum;
    }
  });
  return result;
}

namespace {
/// exp(x - m), its sum s, and both broadcast.
struct Exponentials {
  Exponentials(GenBuilder &b, Value x, int64_t axis) : b(b), x(x), kept(axesBut(rankOf(x), axis)) {
    shifted = b.sub(x, spread(b.make<ReduceMaxOp>(x, ArrayRef<int64_t>(axis))));
    exponentials = b.exp(shifted);
    sum = b.sum(exponentials, axis);
  }
  Value spread(Value row) { return b.broadcastLike(row, kept, x); }
  Value softmax() { return b.mul(exponentials, spread(b.div(b.scalar(1, sum), sum))); }

  GenBuilder &b;
  Value x;
  Axes kept;
  Value shifted, exponentials, sum;
};
} // namespace

LogicalResult SoftmaxOp::verify() { return verifyAxis(*this, getAxis()); }
LogicalResult SoftmaxOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyLike(*this, b, shapes);
}
LogicalResult SoftmaxOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                  SmallVectorImpl<Array> &results) {
  results.push_back(softmaxOf(operands[0], getAxis(), /*logarithm=*/false));
  return success();
}
SmallVector<Value> SoftmaxOp::decompose(GenBuilder &b) {
  return {Exponentials(b, getInput(), getAxis()).softmax()};
}
// dx = y (dy - sum(dy y))
Gradients SoftmaxOp::derivative(GenBuilder &b, ValueRange dy) {
  Value y = getResult();
  Value sum = b.sum(b.mul(dy[0], y), getAxis());
  return {b.mul(y, b.sub(dy[0], b.broadcastLike(sum, axesBut(rankOf(y), getAxis()), y)))};
}

LogicalResult LogSoftmaxOp::verify() { return verifyAxis(*this, getAxis()); }
LogicalResult LogSoftmaxOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyLike(*this, b, shapes);
}
LogicalResult LogSoftmaxOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                     SmallVectorImpl<Array> &results) {
  results.push_back(softmaxOf(operands[0], getAxis(), /*logarithm=*/true));
  return success();
}
SmallVector<Value> LogSoftmaxOp::decompose(GenBuilder &b) {
  Exponentials e(b, getInput(), getAxis());
  return {b.sub(e.shifted, e.spread(b.log(e.sum)))};
}
// dx = dy - softmax(x) sum(dy), with the exponentials that the sum of the forward has made
Gradients LogSoftmaxOp::derivative(GenBuilder &b, ValueRange dy) {
  Exponentials e(b, getInput(), getAxis());
  return {b.sub(dy[0], b.mul(e.softmax(), e.spread(b.sum(dy[0], getAxis()))))};
}

//===----------------------------------------------------------------------===//
// The trailing axes: layer_norm and rms_norm
//===----------------------------------------------------------------------===//

/// (C1) to (C3) of ops that normalize the axes that the scale has.
static LogicalResult verifyTrailing(Operation *op, const APFloat &epsilon) {
  RankedTensorType input = typeOf(op->getOperand(0)), scale = typeOf(op->getOperand(1));
  int64_t leading = input.getRank() - scale.getRank();
  if (leading < 0 || scale.getRank() == 0 ||
      !llvm::all_of(
          llvm::zip(input.getShape().drop_front(leading), scale.getShape()),
          [](auto pair) { return agree(std::get<0>(pair), std::get<1>(pair)); })) {
    InFlightDiagnostic error =
        op->emitOpError(
            "expected scale to have the shape of the last axes of input (C1), got scale ")
        << scale << " for input " << input;
    error.attachNote() << "hint: '" << op->getName()
                       << "' normalizes the trailing axes; transpose the input to normalize others";
    return error;
  }
  if (failed(verifyElementTypes(op, "C2")))
    return failure();
  return verifyEpsilon(op, epsilon, "C3");
}

static Axes trailingAxes(Value x, Value scale) {
  return llvm::to_vector(llvm::seq<int64_t>(rankOf(x) - rankOf(scale), rankOf(x)));
}

/// (x - mean) / sqrt(variance + epsilon) * scale + bias over rows of `scale.size()` elements;
/// without mean and bias if `bias` is null.
static FailureOr<Array> normalizedRows(Operation *op, const Array &x, const Array &scale,
                                       const Array *bias, double epsilon) {
  if (ArrayRef<int64_t>(x.shape).take_back(scale.rank()) != ArrayRef<int64_t>(scale.shape))
    return op->emitOpError("expected scale to have the shape of the last axes of input (C1), got ")
           << scale.type() << " for " << x.type();
  Array result(x.elementType, x.shape);
  int64_t count = scale.size();
  for (int64_t first = 0; first < x.size(); first += count) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; ++i)
      sum += bias ? x.floats[first + i] : 0;
    double mean = sum / static_cast<double>(count);
    for (int64_t i = 0; i < count; ++i)
      squares += std::pow(x.floats[first + i] - mean, 2);
    double factor = 1 / std::sqrt(squares / static_cast<double>(count) + epsilon);
    for (int64_t i = 0; i < count; ++i)
      result.floats[first + i] =
          (x.floats[first + i] - mean) * factor * scale.floats[i] + (bias ? bias->floats[i] : 0);
  }
  return result;
}

namespace {
/// n = (x - mean) r with r = 1 / sqrt(variance + epsilon), or n = x r with r = 1 / root mean
/// square; r broadcast.
struct NormalizedRows {
  NormalizedRows(GenBuilder &b, Value x, Value scale, const APFloat &epsilon, bool centered)
      : b(b), x(x), axes(trailingAxes(x, scale)), kept(axesBut(rankOf(x), axes)) {
    Value difference = centered ? b.sub(x, spreadMean(x)) : x;
    Value variance = mean(b, square(b, difference), axes);
    r = b.broadcastLike(inverseDeviation(b, variance, epsilon), kept, x);
    n = b.mul(difference, r);
  }
  /// The mean of each row, broadcast.
  Value spreadMean(Value value) { return b.broadcastLike(mean(b, value, axes), kept, x); }

  GenBuilder &b;
  Value x;
  Axes axes, kept;
  Value n, r;
};
} // namespace

LogicalResult LayerNormOp::verify() { return verifyTrailing(*this, getEpsilon()); }
LogicalResult LayerNormOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyLike(*this, b, shapes);
}
LogicalResult LayerNormOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                    SmallVectorImpl<Array> &results) {
  FailureOr<Array> result =
      normalizedRows(*this, operands[0], operands[1], &operands[2], getEpsilon().convertToDouble());
  if (failed(result))
    return failure();
  results.push_back(std::move(*result));
  return success();
}
SmallVector<Value> LayerNormOp::decompose(GenBuilder &b) {
  NormalizedRows rows(b, getInput(), getScale(), getEpsilon(), /*centered=*/true);
  return {b.add(b.mul(rows.n, getScale()), getBias())};
}
// y = n scale + bias:  dn = dy scale,  dx = r (dn - mean(dn) - n mean(dn n)),  dscale = sum(dy n),
// dbias = sum(dy)
Gradients LayerNormOp::derivative(GenBuilder &b, ValueRange dy) {
  NormalizedRows rows(b, getInput(), getScale(), getEpsilon(), /*centered=*/true);
  Value dn = b.mul(dy[0], getScale());
  Value along = b.mul(rows.n, rows.spreadMean(b.mul(dn, rows.n)));
  Value dx = b.mul(rows.r, b.sub(b.sub(dn, rows.spreadMean(dn)), along));
  return {dx, b.sumTo(b.mul(dy[0], rows.n), getScale()), b.sumTo(dy[0], getBias())};
}

LogicalResult RmsNormOp::verify() { return verifyTrailing(*this, getEpsilon()); }
LogicalResult RmsNormOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyLike(*this, b, shapes);
}
LogicalResult RmsNormOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                  SmallVectorImpl<Array> &results) {
  FailureOr<Array> result =
      normalizedRows(*this, operands[0], operands[1], nullptr, getEpsilon().convertToDouble());
  if (failed(result))
    return failure();
  results.push_back(std::move(*result));
  return success();
}
SmallVector<Value> RmsNormOp::decompose(GenBuilder &b) {
  NormalizedRows rows(b, getInput(), getScale(), getEpsilon(), /*centered=*/false);
  return {b.mul(rows.n, getScale())};
}
// y = n scale:  dn = dy scale,  dx = r (dn - n mean(dn n)),  dscale = sum(dy n)
Gradients RmsNormOp::derivative(GenBuilder &b, ValueRange dy) {
  NormalizedRows rows(b, getInput(), getScale(), getEpsilon(), /*centered=*/false);
  Value dn = b.mul(dy[0], getScale());
  Value along = b.mul(rows.n, rows.spreadMean(b.mul(dn, rows.n)));
  return {b.mul(rows.r, b.sub(dn, along)), b.sumTo(b.mul(dy[0], rows.n), getScale())};
}

//===----------------------------------------------------------------------===//
// Channels: group_norm and batch_norm
//===----------------------------------------------------------------------===//

/// (C1) and the shape of scale and bias.
static LogicalResult verifyChannels(Operation *op, int64_t axis, StringRef constraint) {
  RankedTensorType input = typeOf(op->getOperand(0)), scale = typeOf(op->getOperand(1));
  if (axis < 1 || axis >= input.getRank())
    return op->emitOpError("expected an axis of the input ")
           << input << " behind the first (C1), got " << axis;
  if (scale.getRank() == 1 && agree(scale.getDimSize(0), input.getDimSize(axis)))
    return success();
  return op->emitOpError("expected a scale and a bias of one number a channel, for axis ")
         << axis << " of " << input << " (" << constraint << "), got " << scale;
}

namespace {
/// Which statistics the elements of an array belong to.
struct ChannelGroups {
  ChannelGroups(const Array &x, int64_t axis) : channels(x.shape[axis]) {
    for (int64_t size : llvm::drop_begin(x.shape, axis + 1))
      stride *= size;
    for (int64_t size : llvm::drop_begin(x.shape))
      example *= size;
  }
  int64_t channel(int64_t position) const { return position / stride % channels; }

  int64_t channels, stride = 1, example = 1;
};

struct Moments {
  std::vector<double> mean, variance;
};
} // namespace

static Moments momentsOf(const Array &x, int64_t count,
                         llvm::function_ref<int64_t(int64_t)> groupOf) {
  Moments moments{std::vector<double>(count), std::vector<double>(count)};
  std::vector<double> elements(count);
  for (int64_t i = 0; i < x.size(); ++i) {
    elements[groupOf(i)] += 1;
    moments.mean[groupOf(i)] += x.floats[i];
  }
  for (auto [mean, number] : llvm::zip_equal(moments.mean, elements))
    mean /= number;
  for (int64_t i = 0; i < x.size(); ++i)
    moments.variance[groupOf(i)] += std::pow(x.floats[i] - moments.mean[groupOf(i)], 2);
  for (auto [variance, number] : llvm::zip_equal(moments.variance, elements))
    variance /= number;
  return moments;
}

static Array normalizedChannels(const Array &x, const Moments &moments, const Array &scale,
                                const Array &bias, double epsilon,
                                llvm::function_ref<int64_t(int64_t)> groupOf,
                                const ChannelGroups &groups) {
  Array result(x.elementType, x.shape);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t group = groupOf(i), channel = groups.channel(i);
    result.floats[i] = (x.floats[i] - moments.mean[group]) /
                           std::sqrt(moments.variance[group] + epsilon) * scale.floats[channel] +
                       bias.floats[channel];
  }
  return result;
}

namespace {
/// Sums over the pixels of each example and channel. Examples and channels come first: pixels of
/// one example stay in the cache between two passes.
class Pixels {
public:
  Pixels(GenBuilder &b, Value input, int64_t axis)
      : b(b), x(flattened(b, input, axis)), channel(axis) {
    pixels = axesBut(rankOf(x), {0, axis});
  }

  /// The sum of `value`, like x, over pixels: [examples, channels].
  Value sum(Value value) { return b.sum(value, pixels); }
  /// Of [examples, channels], like x.
  Value spread(Value value) { return b.broadcastLike(value, {0, channel}, x); }
  /// The same layout for another tensor like the input.
  Value flat(Value value) { return flattened(b, value, channel); }
  /// How many pixels an example has.
  Value count() { return b.count(x, pixels); }

  /// The mean of each example and channel, and the sum of squared deviations from it.
  std::pair<Value, Value> moments() {
    if (pixels.empty())
      return {x, Value()};
    Value m = mean(b, x, pixels);
    return {m, sum(square(b, b.sub(x, spread(m))))};
  }

  GenBuilder &b;
  Value x;

private:
  /// Pixels side by side as one axis, where sizes are known and channels stand before them.
  static Value flattened(GenBuilder &b, Value x, int64_t axis) {
    RankedTensorType type = typeOf(x);
    ArrayRef<int64_t> pixels = type.getShape().drop_front(2);
    if (axis != 1 || pixels.size() < 2 || ShapedType::isDynamicShape(pixels))
      return x;
    SmallVector<int64_t> shape{type.getDimSize(0), type.getDimSize(1), llvm::product_of(pixels)};
    return b.make<ReshapeOp>(RankedTensorType::get(shape, type.getElementType()), x,
                             b.dynamicSizes(x));
  }

  int64_t channel;
  Axes pixels;
};
} // namespace

/// M + count * deviation^2: squared deviations from another mean; M null is 0.
static Value shiftedSquares(GenBuilder &b, Value squares, Value count, Value deviation) {
  Value shift = square(b, deviation);
  return squares ? b.add(squares, b.mul(shift, count)) : shift;
}

LogicalResult GroupNormOp::verify() {
  if (failed(verifyChannels(*this, getAxis(), "C3")))
    return failure();
  int64_t channels = getInput().getType().getDimSize(getAxis()), groups = getGroups();
  if (ShapedType::isDynamic(channels) || groups < 1 || channels % groups != 0)
    return emitOpError("expected a number of channels that is a multiple of groups (C2), got ")
           << getInput().getType() << ", axis " << getAxis() << " and " << groups << " groups";
  if (failed(verifyElementTypes(*this, "C4")))
    return failure();
  return verifyEpsilon(*this, getEpsilon(), "C5");
}
LogicalResult GroupNormOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyLike(*this, b, shapes);
}
LogicalResult GroupNormOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                    SmallVectorImpl<Array> &results) {
  const Array &x = operands[0];
  ChannelGroups channels(x, getAxis());
  int64_t groups = getGroups(), each = channels.channels / groups;
  auto groupOf = [&](int64_t i) {
    return i / channels.example * groups + channels.channel(i) / each;
  };
  Moments moments = momentsOf(x, x.shape[0] * groups, groupOf);
  results.push_back(normalizedChannels(x, moments, operands[1], operands[2],
                                       getEpsilon().convertToDouble(), groupOf, channels));
  return success();
}

namespace {
/// Statistics of groups, made of those of channels. A value of [examples, channels] is seen as
/// [examples, groups, channels of a group].
struct Groups {
  Groups(GenBuilder &b, GroupNormOp op)
      : b(b), pixels(b, op.getInput(), op.getAxis()), groups(op.getGroups()) {
    auto [means, squares] = pixels.moments();
    channelMean = means;
    Value m = grouped(means);
    members = rankOf(m) - 1;
    count = b.mul(pixels.count(), b.count(m, members));
    groupMean = mean(b, m, members);
    deviation = b.sub(m, spread(groupMean, m));
    Value all = shiftedSquares(b, squares ? grouped(squares) : Value(), pixels.count(), deviation);
    r = inverseDeviation(b, b.div(b.sum(all, members), count), op.getEpsilon());
    scale = grouped(op.getScale());
  }
  /// [..., channels] as [..., groups, channels of a group].
  Value grouped(Value x) {
    SmallVector<int64_t> shape(typeOf(x).getShape());
    int64_t channels = shape.back();
    shape.back() = groups;
    shape.push_back(channels / groups);
    return b.make<ReshapeOp>(RankedTensorType::get(shape, typeOf(x).getElementType()), x,
                             b.dynamicSizes(x));
  }
  /// And back, over the input.
  Value overInput(Value x, Value input, int64_t axis) {
    return b.broadcastLike(b.reshapeLike(x, channelMean), {0, axis}, input);
  }
  /// Of [examples, groups], like `like`.
  Value spread(Value x, Value like) { return b.broadcastLike(x, {0, 1}, like); }

  GenBuilder &b;
  Pixels pixels;
  int64_t groups, members = 0;
  Value channelMean, groupMean, deviation, count, r, scale;
};
} // namespace

// y = x a + (bias - mean a) with a = r scale for each example and channel: the pass over x stays
// free to join what follows.
SmallVector<Value> GroupNormOp::decompose(GenBuilder &b) {
  Groups g(b, *this);
  Value a = b.mul(g.spread(g.r, g.deviation), g.scale);
  Value offset = b.sub(g.grouped(getBias()), b.mul(g.spread(g.groupMean, g.deviation), a));
  Value product = b.mul(getInput(), g.overInput(a, getInput(), getAxis()));
  return {b.add(product, g.overInput(offset, getInput(), getAxis()))};
}

// With dn = dy scale and n = (x - mean) r:  dx = r (dn - mean(dn) - n mean(dn n)), the means over a
// group. All sums are made of A = sum(dy) and B = sum(dy (x - mean)) over pixels, for each example
// and channel.
Gradients GroupNormOp::derivative(GenBuilder &b, ValueRange dy) {
  Groups g(b, *this);
  Value gradient = g.pixels.flat(dy[0]);
  Value a = g.grouped(g.pixels.sum(gradient));
  Value difference = b.sub(g.pixels.x, g.pixels.spread(g.channelMean));
  Value within = g.grouped(g.pixels.sum(b.mul(gradient, difference)));
  Value moment = b.add(within, b.mul(g.deviation, a));
  Value dscale = b.sum(b.mul(moment, g.spread(g.r, moment)), 0);
  // dx = dy (r scale) + x slope + offset
  Value first = b.div(b.sum(b.mul(a, g.scale), g.members), g.count);
  Value second = b.div(b.mul(b.sum(b.mul(moment, g.scale), g.members), b.mul(g.r, g.r)), g.count);
  Value slope = b.neg(g.spread(b.mul(g.r, second), moment));
  Value offset = b.sub(b.mul(g.spread(b.mul(g.r, g.groupMean), moment), g.spread(second, moment)),
                       g.spread(b.mul(g.r, first), moment));
  Value factor = b.mul(g.spread(g.r, moment), g.scale);
  auto over = [&](Value x) { return g.overInput(x, getInput(), getAxis()); };
  Value dx = b.add(b.add(b.mul(dy[0], over(factor)), b.mul(getInput(), over(slope))), over(offset));
  return {dx, b.reshapeLike(dscale, getScale()), b.reshapeLike(b.sum(a, 0), getBias())};
}

LogicalResult BatchNormOp::verify() {
  if (failed(verifyChannels(*this, getAxis(), "C2")) || failed(verifyElementTypes(*this, "C3")))
    return failure();
  return verifyEpsilon(*this, getEpsilon(), "C4");
}
LogicalResult BatchNormOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyLike(*this, b, shapes);
}
LogicalResult BatchNormOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                    SmallVectorImpl<Array> &results) {
  const Array &x = operands[0];
  ChannelGroups channels(x, getAxis());
  if (operands[1].size() != channels.channels)
    return emitOpError("expected a scale and a bias of one number a channel, for axis ")
           << getAxis() << " of " << x.type() << " (C2), got " << operands[1].type();
  auto groupOf = [&](int64_t i) { return channels.channel(i); };
  Moments moments = momentsOf(x, channels.channels, groupOf);
  results.push_back(normalizedChannels(x, moments, operands[1], operands[2],
                                       getEpsilon().convertToDouble(), groupOf, channels));
  for (const std::vector<double> &numbers : {moments.mean, moments.variance}) {
    Array &result = results.emplace_back(x.elementType, operands[1].shape);
    result.floats = numbers;
  }
  return success();
}

// Statistics of examples first, then of the batch (Chan et al. 1983): the pixels of an example stay
// in the cache.
SmallVector<Value> BatchNormOp::decompose(GenBuilder &b) {
  Pixels pixels(b, getInput(), getAxis());
  auto [means, squares] = pixels.moments();
  Value batchMean = mean(b, means, 0);
  Value deviation = b.sub(means, b.broadcastLike(batchMean, 1, means));
  Value all = shiftedSquares(b, squares, pixels.count(), deviation);
  Value variance = b.div(mean(b, all, 0), pixels.count());
  auto spread = [&](Value x) { return b.broadcastLike(x, getAxis(), getInput()); };
  Value factor = b.mul(inverseDeviation(b, variance, getEpsilon()), getScale());
  Value scaled = b.mul(b.sub(getInput(), spread(batchMean)), spread(factor));
  return {b.add(scaled, spread(getBias())), b.reshapeLike(batchMean, getScale()),
          b.reshapeLike(variance, getScale())};
}

// With d = x - mean, A = sum(dy), B = sum(dy d) and N elements a channel:
//   dx = r scale (dy - A / N - d r^2 B / N) + dmean / N + 2 d dvariance / N,  dscale = r B,  dbias
//   = A
Gradients BatchNormOp::derivative(GenBuilder &b, ValueRange gradients) {
  Value x = getInput(), dy = gradients[0], dmean = gradients[1], dvariance = gradients[2];
  Axes others = axesBut(rankOf(x), getAxis());
  auto spread = [&](Value value) { return b.broadcastLike(value, getAxis(), x); };
  Value difference = b.sub(x, spread(getMean())), count = b.count(x, others);
  Value slope, offset, dx, dscale, dbias;
  auto accumulate = [&](Value &sum, Value more) { sum = sum ? b.add(sum, more) : more; };
  if (dy) {
    Value r = inverseDeviation(b, getVariance(), getEpsilon());
    Value factor = b.mul(r, getScale());
    dbias = b.sum(dy, others);
    Value moment = b.sum(b.mul(dy, difference), others);
    dscale = b.mul(moment, r);
    dx = b.mul(dy, spread(factor));
    slope = b.neg(b.div(b.mul(b.mul(factor, b.mul(r, r)), moment), count));
    offset = b.neg(b.div(b.mul(factor, dbias), count));
  }
  if (dvariance)
    accumulate(slope, b.div(b.mul(dvariance, b.scalar(2, dvariance)), count));
  if (dmean)
    accumulate(offset, b.div(dmean, count));
  if (slope)
    accumulate(dx, b.mul(difference, spread(slope)));
  if (offset)
    accumulate(dx, spread(offset));
  return {dx, dscale, dbias};
}
