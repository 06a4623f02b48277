//===- Pooling.cpp - windows that slide over spatial axes -----------------===//
//
// Types and sizes, the reference and derivatives. What kernels are made of is in
// PoolingElements.cpp.
//
//===----------------------------------------------------------------------===//

#include "dialect/ops/Pooling.h"
#include "dialect/Permutation.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Support/DebugStringHelper.h"
#include "llvm/Support/InterleavedRange.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::gen;

using Complain = llvm::function_ref<LogicalResult(const Twine &)>;
using Gradients = SmallVector<Value>;

//===----------------------------------------------------------------------===//
// Types and sizes
//===----------------------------------------------------------------------===//

static std::string quoted(Type type) { return "'" + debugString(type) + "'"; }

static std::string bracketed(ArrayRef<int64_t> numbers) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::interleaved_array(numbers);
  return text;
}

/// (C1) to (C3).
static LogicalResult checkWindows(const PoolingWindows &windows, RankedTensorType image,
                                  Complain complain) {
  int64_t rank = image.getRank(), spatialRank = rank - 2;
  if (rank < 3 || rank > 5)
    return complain("expected an image of rank 3 to 5 (C1), got " + quoted(image));
  for (ArrayRef<int64_t> list : {windows.window, windows.strides, windows.low, windows.high})
    if (static_cast<int64_t>(list.size()) != spatialRank)
      return complain("expected window, strides, low and high to hold " + Twine(spatialRank) +
                      " numbers, one for each spatial axis of " + quoted(image) + " (C2), got " +
                      bracketed(list));
  for (int64_t i = 0; i < spatialRank; ++i) {
    int64_t window = windows.window[i], low = windows.low[i], high = windows.high[i];
    if (window < 1 || windows.strides[i] < 1 || low < 0 || high < 0 || low >= window ||
        high >= window)
      return complain("expected a positive window and stride, and paddings less than the window, "
                      "along spatial axis " +
                      Twine(i) + " (C2), got window " + Twine(window) + ", stride " +
                      Twine(windows.strides[i]) + ", low " + Twine(low) + " and high " +
                      Twine(high));
    int64_t count = windows.count(i, image.getDimSize(windows.axis(i)));
    if (!ShapedType::isDynamic(count) && count < 1)
      return complain("expected the padded image to be at least as long as the window along "
                      "spatial axis " +
                      Twine(i) + " (C3), got " + quoted(image) + " and window " +
                      bracketed(windows.window));
  }
  return success();
}

template <typename Adaptor>
static LogicalResult inferWindows(StringRef name, std::optional<Location> location, Adaptor adaptor,
                                  SmallVectorImpl<Type> &types) {
  auto image = dyn_cast<RankedTensorType>(adaptor.getInput().getType());
  auto complain = [&](const Twine &message) {
    return emitOptionalError(location, "'", name, "' op ", message);
  };
  PoolingWindows windows = windowsOf(adaptor);
  if (!image || failed(checkWindows(windows, image, complain)))
    return failure();
  types.push_back(image.clone(windows.shape(image.getShape())));
  return success();
}

/// Checks that `pooled` has one element a window of `image`.
static LogicalResult verifyPooling(Operation *op, const PoolingWindows &windows, Type imageType,
                                   Type pooledType) {
  auto image = cast<RankedTensorType>(imageType), pooled = cast<RankedTensorType>(pooledType);
  auto complain = [&](const Twine &message) { return op->emitOpError(message); };
  if (failed(checkWindows(windows, image, complain)))
    return failure();
  RankedTensorType expected = image.clone(windows.shape(image.getShape()));
  if (pooled.getElementType() != image.getElementType() ||
      failed(verifyCompatibleShape(expected, pooled)))
    return op->emitOpError("expected windows of ") << expected << " (C4), got " << pooled;
  return success();
}

static LogicalResult reifyWindows(Operation *op, const PoolingWindows &windows, OpBuilder &b,
                                  ReifiedRankedShapedTypeDims &shapes) {
  Value image = op->getOperand(0);
  Location loc = op->getLoc();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<OpFoldResult> &shape = shapes.emplace_back();
  for (auto [axis, size] : llvm::enumerate(type.getShape())) {
    if (!ShapedType::isDynamic(size)) {
      shape.push_back(b.getIndexAttr(size));
      continue;
    }
    Value dimension = b.createOrFold<tensor::DimOp>(loc, image, axis);
    int64_t i = static_cast<int64_t>(axis) - windows.axis(0);
    if (i >= 0 && i < windows.spatialRank()) {
      auto number = [&](int64_t n) { return arith::ConstantIndexOp::create(b, loc, n); };
      if (windows.extra(i) != 0)
        dimension = b.createOrFold<arith::AddIOp>(loc, dimension, number(windows.extra(i)));
      if (windows.strides[i] != 1)
        dimension = b.createOrFold<arith::DivSIOp>(loc, dimension, number(windows.strides[i]));
    }
    shape.push_back(dimension);
  }
  return success();
}

#define GET_OP_CLASSES
#include "dialect/ops/Pooling.cpp.inc"

LogicalResult MaxPoolGradientOp::verify() {
  return verifyPooling(*this, windowsOf(*this), getType(), getGradient().getType());
}

LogicalResult MaxPoolGradientOp::reifyResultShapes(OpBuilder &b,
                                                   ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(b, getLoc(), getInput()));
  return success();
}

LogicalResult SumPoolTransposeOp::verify() {
  int64_t expected = getType().getNumDynamicDims();
  if (static_cast<int64_t>(getSizes().size()) != expected)
    return emitOpError("expected ")
           << expected << " sizes, one for each dynamic dimension of the result " << getType()
           << " (C5), got " << getSizes().size();
  return verifyPooling(*this, windowsOf(*this), getType(), getInput().getType());
}

LogicalResult SumPoolTransposeOp::reifyResultShapes(OpBuilder &b,
                                                    ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(getMixedValues(getType().getShape(), getSizes(), b));
  return success();
}

//===----------------------------------------------------------------------===//
// Reference semantics
//===----------------------------------------------------------------------===//

/// Calls `body` for every window, with its row-major position and those of its elements in the
/// image.
static void forEachWindow(const PoolingWindows &windows, ArrayRef<int64_t> image,
                          llvm::function_ref<void(int64_t, ArrayRef<int64_t>)> body) {
  SmallVector<int64_t> shape = windows.shape(image);
  forEachIndex(shape, [&](ArrayRef<int64_t> at) {
    SmallVector<int64_t> elements;
    forEachIndex(windows.window, [&](ArrayRef<int64_t> k) {
      SmallVector<int64_t> index(at);
      for (int64_t i = 0; i < windows.spatialRank(); ++i) {
        int64_t &position = index[windows.axis(i)];
        position = position * windows.strides[i] + k[i] - windows.low[i];
        if (position < 0 || position >= image[windows.axis(i)])
          return;
      }
      elements.push_back(linearize(index, image));
    });
    body(linearize(at, shape), elements);
  });
}

/// The position of the first maximum, a NaN being the largest; -1 without elements.
static int64_t firstMaximum(const Array &image, ArrayRef<int64_t> elements) {
  int64_t best = -1;
  for (int64_t element : elements) {
    double x = image.floats[element], most = best < 0 ? 0 : image.floats[best];
    if (best < 0 || x > most || (std::isnan(x) && !std::isnan(most)))
      best = element;
  }
  return best;
}

/// The sizes of a call have to satisfy (C4).
static LogicalResult checkCall(Operation *op, const PoolingWindows &windows,
                               ArrayRef<int64_t> image, ArrayRef<int64_t> pooled) {
  bool negative = llvm::any_of(pooled, [](int64_t size) { return size < 0; });
  if (!negative && pooled == ArrayRef<int64_t>(windows.shape(image)))
    return success();
  return op->emitOpError("expected an image and windows of sizes that agree (C4), got ")
         << llvm::interleaved_array(image) << " and " << llvm::interleaved_array(pooled);
}

/// Computes one number of each window's elements.
static LogicalResult evaluateWindows(Operation *op, const PoolingWindows &windows,
                                     const Array &image, SmallVectorImpl<Array> &results,
                                     llvm::function_ref<double(ArrayRef<int64_t>)> value) {
  SmallVector<int64_t> shape = windows.shape(image.shape);
  if (failed(checkCall(op, windows, image.shape, shape)))
    return failure();
  Array result(image.elementType, shape);
  forEachWindow(windows, image.shape, [&](int64_t window, ArrayRef<int64_t> elements) {
    result.floats[window] = value(elements);
  });
  results.push_back(std::move(result));
  return success();
}

LogicalResult MaxPoolOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                  SmallVectorImpl<Array> &results) {
  const Array &x = operands[0];
  return evaluateWindows(*this, windowsOf(*this), x, results, [&](ArrayRef<int64_t> elements) {
    int64_t first = firstMaximum(x, elements);
    return first < 0 ? -std::numeric_limits<double>::infinity() : x.floats[first];
  });
}

LogicalResult MaxPoolSelectOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                        SmallVectorImpl<Array> &results) {
  const Array &x = operands[0], &values = operands[1];
  if (x.shape != values.shape)
    return emitOpError("expected input and values of one shape, got ")
           << x.type() << " and " << values.type();
  return evaluateWindows(*this, windowsOf(*this), x, results, [&](ArrayRef<int64_t> elements) {
    int64_t first = firstMaximum(x, elements);
    return first < 0 ? 0.0 : values.floats[first];
  });
}

LogicalResult SumPoolOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                  SmallVectorImpl<Array> &results) {
  const Array &x = operands[0];
  return evaluateWindows(*this, windowsOf(*this), x, results, [&](ArrayRef<int64_t> elements) {
    double sum = 0;
    for (int64_t element : elements)
      sum += x.floats[element];
    return sum;
  });
}

LogicalResult MaxPoolGradientOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                          SmallVectorImpl<Array> &results) {
  const Array &x = operands[0], &dy = operands[1];
  PoolingWindows windows = windowsOf(*this);
  if (failed(checkCall(*this, windows, x.shape, dy.shape)))
    return failure();
  Array dx(x.elementType, x.shape);
  forEachWindow(windows, x.shape, [&](int64_t window, ArrayRef<int64_t> elements) {
    if (int64_t first = firstMaximum(x, elements); first >= 0)
      dx.floats[first] += dy.floats[window];
  });
  results.push_back(std::move(dx));
  return success();
}

LogicalResult SumPoolTransposeOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                           SmallVectorImpl<Array> &results) {
  PoolingWindows windows = windowsOf(*this);
  SmallVector<int64_t> sizes = llvm::map_to_vector(
      operands.drop_front(), [](const Array &size) { return size.integers[0]; });
  Array x(operands[0].elementType, EvaluationContext::resolveShape(getType(), sizes));
  if (failed(checkCall(*this, windows, x.shape, operands[0].shape)))
    return failure();
  forEachWindow(windows, x.shape, [&](int64_t window, ArrayRef<int64_t> elements) {
    for (int64_t element : elements)
      x.floats[element] += operands[0].floats[window];
  });
  results.push_back(std::move(x));
  return success();
}

//===----------------------------------------------------------------------===//
// Derivatives
//===----------------------------------------------------------------------===//

/// What each element of `op`'s input gets of `dy`, by the window that chose it.
template <typename Op> static Value chosenGradient(Op op, GenBuilder &b, Value dy) {
  return b.make<MaxPoolGradientOp>(op.getInput().getType(), op.getInput(), dy, op.getWindow(),
                                   op.getStrides(), op.getLow(), op.getHigh(),
                                   op.getChannelsLast());
}

// max_pool: dx = max_pool_gradient(x, dy)
Gradients MaxPoolOp::derivative(GenBuilder &b, ValueRange dy) {
  return {chosenGradient(*this, b, dy[0])};
}

// max_pool_select: dvalues = max_pool_gradient(x, dy); what is chosen does not change with x
Gradients MaxPoolSelectOp::derivative(GenBuilder &b, ValueRange dy) {
  return {Value(), chosenGradient(*this, b, dy[0])};
}

// max_pool_gradient: dgradient = max_pool_select(x, dz)
Gradients MaxPoolGradientOp::derivative(GenBuilder &b, ValueRange dz) {
  Value chosen = b.make<MaxPoolSelectOp>(getGradient().getType(), getInput(), dz[0], getWindow(),
                                         getStrides(), getLow(), getHigh(), getChannelsLast());
  return {Value(), chosen};
}

// sum_pool: dx = sum_pool_transpose(dy)
Gradients SumPoolOp::derivative(GenBuilder &b, ValueRange dy) {
  return {b.make<SumPoolTransposeOp>(getInput().getType(), dy[0], b.dynamicSizes(getInput()),
                                     getWindow(), getStrides(), getLow(), getHigh(),
                                     getChannelsLast())};
}

// sum_pool_transpose: dy = sum_pool(dx)
Gradients SumPoolTransposeOp::derivative(GenBuilder &b, ValueRange dx) {
  Gradients gradients(getNumOperands());
  gradients[0] = b.make<SumPoolOp>(getInput().getType(), dx[0], getWindow(), getStrides(), getLow(),
                                   getHigh(), getChannelsLast());
  return gradients;
}
