//===- Shape.cpp - ops that make or move elements -------------------------===//
//
// Types and sizes, folds and derivatives. What the ops compute, on values and on single elements,
// is in ShapeSemantics.cpp.
//
//===----------------------------------------------------------------------===//

#include "dialect/ops/Shape.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Support/DebugStringHelper.h"
#include "llvm/Support/InterleavedRange.h"

using namespace mlir;
using namespace mlir::gen;

#define GET_OP_CLASSES
#include "dialect/ops/Shape.cpp.inc"

using Complain = llvm::function_ref<LogicalResult(const Twine &)>;

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

static std::string quoted(Type type) { return "'" + debugString(type) + "'"; }

static std::string bracketed(ArrayRef<int64_t> numbers) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::interleaved_array(numbers);
  return text;
}

/// (C1) of ops with sizes.
static LogicalResult verifySizes(Operation *op, RankedTensorType type, ValueRange sizes) {
  int64_t expected = type.getNumDynamicDims();
  if (static_cast<int64_t>(sizes.size()) == expected)
    return success();
  return op->emitOpError("expected ")
         << expected << " sizes, one for each dynamic dimension of the result " << type
         << " (C1), got " << sizes.size();
}

/// (C2) of ops that move elements.
static LogicalResult verifyElementType(Operation *op, RankedTensorType input,
                                       RankedTensorType result) {
  if (input.getElementType() == result.getElementType())
    return success();
  return op->emitOpError("expected input and result of one element type (C2), got ")
         << input << " and " << result;
}

LogicalResult mlir::gen::reifyFromSizes(OpBuilder &b, RankedTensorType type, ValueRange sizes,
                                        ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> &shape = shapes.emplace_back();
  for (int64_t size : type.getShape()) {
    if (!ShapedType::isDynamic(size)) {
      shape.push_back(b.getIndexAttr(size));
      continue;
    }
    shape.push_back(sizes.front());
    sizes = sizes.drop_front();
  }
  return success();
}

/// The sizes of a result whose axis i is axis axes[i] of `input`, `extra[i]` elements longer where
/// it is dynamic.
static LogicalResult reifyFromInput(OpBuilder &b, Location loc, RankedTensorType type, Value input,
                                    ArrayRef<int64_t> axes, ArrayRef<int64_t> extra,
                                    ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> &shape = shapes.emplace_back();
  for (auto [size, axis, more] : llvm::zip_equal(type.getShape(), axes, extra)) {
    if (!ShapedType::isDynamic(size)) {
      shape.push_back(b.getIndexAttr(size));
      continue;
    }
    Value dimension = b.createOrFold<tensor::DimOp>(loc, input, axis);
    if (more != 0)
      dimension = b.createOrFold<arith::AddIOp>(loc, dimension,
                                                arith::ConstantIndexOp::create(b, loc, more));
    shape.push_back(dimension);
  }
  return success();
}

static SmallVector<int64_t> axesOf(RankedTensorType type) {
  return llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
}

/// A splat constant of a static `type`, or null.
static OpFoldResult foldSplat(Attribute input, RankedTensorType type) {
  auto elements = dyn_cast_or_null<DenseElementsAttr>(input);
  if (!elements || !elements.isSplat() || !type.hasStaticShape())
    return {};
  return elements.resizeSplat(type);
}

//===----------------------------------------------------------------------===//
// ConstantOp, IotaOp
//===----------------------------------------------------------------------===//

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

StringRef ConstantOp::whyNotDifferentiable() { return "a constant depends on nothing"; }

LogicalResult ConstantOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromSizes(b, getType(), {}, shapes);
}

StringRef SizeOp::whyNotDifferentiable() { return "sizes depend on no value"; }

OpFoldResult SizeOp::fold(FoldAdaptor adaptor) {
  auto size = dyn_cast_or_null<IntegerAttr>(adaptor.getSize());
  if (!size)
    return {};
  return DenseElementsAttr::get(getType(), size.getInt());
}

LogicalResult SizeOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromSizes(b, getType(), {}, shapes);
}

LogicalResult IotaOp::verify() {
  if (failed(verifySizes(*this, getType(), getSizes())))
    return failure();
  int64_t axis = getAxis(), rank = getType().getRank();
  if (axis < 0 || axis >= rank)
    return emitOpError("expected an axis of the result ") << getType() << " (C2), got " << axis;
  return success();
}

StringRef IotaOp::whyNotDifferentiable() { return "positions depend on no value"; }

LogicalResult IotaOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromSizes(b, getType(), getSizes(), shapes);
}

//===----------------------------------------------------------------------===//
// ReshapeOp
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  RankedTensorType input = getInput().getType(), result = getType();
  if (failed(verifySizes(*this, result, getSizes())) ||
      failed(verifyElementType(*this, input, result)))
    return failure();
  if (input.hasStaticShape() && result.hasStaticShape() &&
      input.getNumElements() != result.getNumElements())
    return emitOpError("expected a result of ")
           << input.getNumElements() << " elements, as the input " << input << " (C3), got "
           << result.getNumElements() << " in " << result;
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  // Two dynamic sizes could have changed places.
  if (getInput().getType() == getType() && getType().getNumDynamicDims() <= 1)
    return getInput();
  if (auto elements = dyn_cast_or_null<DenseElementsAttr>(adaptor.getInput()))
    if (getType().hasStaticShape())
      return elements.reshape(getType());
  if (auto producer = getInput().getDefiningOp<ReshapeOp>()) {
    getInputMutable().assign(producer.getInput());
    return getResult();
  }
  return {};
}

SmallVector<Value> ReshapeOp::derivative(GenBuilder &b, ValueRange gradients) {
  SmallVector<Value> result(getNumOperands());
  result[0] = b.reshapeLike(gradients[0], getInput());
  return result;
}

LogicalResult ReshapeOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromSizes(b, getType(), getSizes(), shapes);
}

//===----------------------------------------------------------------------===//
// TransposeOp
//===----------------------------------------------------------------------===//

FailureOr<RankedTensorType> TransposeOp::resultType(Adaptor adaptor, Complain complain) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  ArrayRef<int64_t> permutation = adaptor.getPermutation();
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  if (sorted != axesOf(input))
    return complain("expected a permutation of the axes of " + quoted(input) + " (C1), got " +
                    bracketed(permutation));
  SmallVector<int64_t> shape;
  for (int64_t axis : permutation)
    shape.push_back(input.getDimSize(axis));
  return RankedTensorType::get(shape, input.getElementType());
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  if (llvm::equal(getPermutation(), axesOf(getType())))
    return getInput();
  if (auto producer = getInput().getDefiningOp<TransposeOp>()) {
    SmallVector<int64_t> permutation;
    for (int64_t axis : getPermutation())
      permutation.push_back(producer.getPermutation()[axis]);
    setPermutation(permutation);
    getInputMutable().assign(producer.getInput());
    return getResult();
  }
  return foldSplat(adaptor.getInput(), getType());
}

SmallVector<Value> TransposeOp::derivative(GenBuilder &b, ValueRange gradients) {
  SmallVector<int64_t> inverse(getPermutation().size());
  for (auto [axis, source] : llvm::enumerate(getPermutation()))
    inverse[source] = axis;
  return {b.transpose(gradients[0], inverse)};
}

LogicalResult TransposeOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInput(b, getLoc(), getType(), getInput(), getPermutation(),
                        SmallVector<int64_t>(getType().getRank(), 0), shapes);
}

//===----------------------------------------------------------------------===//
// BroadcastOp
//===----------------------------------------------------------------------===//

LogicalResult BroadcastOp::verify() {
  RankedTensorType input = getInput().getType(), result = getType();
  if (failed(verifySizes(*this, result, getSizes())) ||
      failed(verifyElementType(*this, input, result)))
    return failure();
  ArrayRef<int64_t> axes = getAxes();
  bool ascending = true;
  for (size_t i = 1; i < axes.size(); ++i)
    ascending &= axes[i - 1] < axes[i];
  if (static_cast<int64_t>(axes.size()) != input.getRank() || !ascending ||
      (!axes.empty() && (axes.front() < 0 || axes.back() >= result.getRank())))
    return emitOpError("expected an axis of the result ")
           << result << " for each axis of the input " << input << ", ascending (C3), got "
           << bracketed(axes);
  for (auto [size, axis] : llvm::zip_equal(input.getShape(), axes))
    if (size != 1 && size != result.getDimSize(axis))
      return emitOpError("expected each size of the input to be 1 or the size of its axis of the "
                         "result (C4), got ")
             << input << " for " << result << " and axes " << bracketed(axes);
  return success();
}

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  if (OpFoldResult splat = foldSplat(adaptor.getInput(), getType()))
    return splat;
  if (auto producer = getInput().getDefiningOp<BroadcastOp>()) {
    SmallVector<int64_t> axes;
    for (int64_t axis : producer.getAxes())
      axes.push_back(getAxes()[axis]);
    setAxes(axes);
    getInputMutable().assign(producer.getInput());
    return getResult();
  }
  return {};
}

SmallVector<Value> BroadcastOp::derivative(GenBuilder &b, ValueRange gradients) {
  RankedTensorType input = getInput().getType(), type = getType();
  SmallVector<int64_t> repeated;
  for (int64_t axis : axesOf(type)) {
    const int64_t *source = llvm::find(getAxes(), axis);
    bool isNew = source == getAxes().end();
    if (isNew || (input.getDimSize(source - getAxes().begin()) == 1 && type.getDimSize(axis) != 1))
      repeated.push_back(axis);
  }
  SmallVector<Value> result(getNumOperands());
  Value sum = repeated.empty() ? gradients[0] : b.sum(gradients[0], repeated);
  result[0] = b.reshapeLike(sum, getInput());
  return result;
}

LogicalResult BroadcastOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromSizes(b, getType(), getSizes(), shapes);
}

//===----------------------------------------------------------------------===//
// SliceOp
//===----------------------------------------------------------------------===//

/// Checks that attributes hold one number an axis: (C1) of slice and pad.
static LogicalResult checkLengths(RankedTensorType input, StringRef names,
                                  ArrayRef<ArrayRef<int64_t>> numbers, Complain complain) {
  for (ArrayRef<int64_t> list : numbers)
    if (static_cast<int64_t>(list.size()) != input.getRank())
      return complain("expected " + names + " to hold " + Twine(input.getRank()) +
                      " numbers, one for each axis of " + quoted(input) + " (C1), got " +
                      bracketed(list));
  return success();
}

FailureOr<RankedTensorType> SliceOp::resultType(Adaptor adaptor, Complain complain) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  ArrayRef<int64_t> starts = adaptor.getStarts(), limits = adaptor.getLimits(),
                    strides = adaptor.getStrides();
  if (failed(
          checkLengths(input, "starts, limits and strides", {starts, limits, strides}, complain)))
    return failure();
  SmallVector<int64_t> shape;
  for (auto [axis, size] : llvm::enumerate(input.getShape())) {
    int64_t start = starts[axis], limit = limits[axis], stride = strides[axis];
    std::string where = " along axis " + std::to_string(axis) + " of " + quoted(input);
    if (stride < 1 || start < 0)
      return complain("expected a start of 0 or more and a stride of 1 or more" + where +
                      " (C2), got start " + Twine(start) + " and stride " + Twine(stride));
    if (ShapedType::isDynamic(size)) {
      if (limit > 0 || stride != 1)
        return complain("expected a limit that counts from the end (0 or less) and stride 1" +
                        where + " (C4), got limit " + Twine(limit) + " and stride " +
                        Twine(stride));
      shape.push_back(ShapedType::kDynamic);
      continue;
    }
    int64_t end = limit > 0 ? limit : size + limit;
    if (start > end || end > size)
      return complain("expected start <= limit <= size" + where + " (C3), got start " +
                      Twine(start) + " and limit " + Twine(limit));
    shape.push_back(llvm::divideCeil(end - start, stride));
  }
  return RankedTensorType::get(shape, input.getElementType());
}

/// Makes `op` read the input of the slice that its own input is; fails where attributes cannot say
/// it.
static LogicalResult foldSliceOfSlice(SliceOp op, SliceOp inner) {
  SmallVector<int64_t> starts, limits, strides;
  for (int64_t axis : axesOf(op.getType())) {
    int64_t start = op.getStarts()[axis], limit = op.getLimits()[axis];
    int64_t innerStart = inner.getStarts()[axis], innerStride = inner.getStrides()[axis];
    starts.push_back(innerStart + start * innerStride);
    strides.push_back(op.getStrides()[axis] * innerStride);
    int64_t innerSize = inner.getType().getDimSize(axis);
    if (ShapedType::isDynamic(innerSize)) {
      limits.push_back(inner.getLimits()[axis] + limit);
      continue;
    }
    int64_t end = limit > 0 ? limit : innerSize + limit;
    limits.push_back(end > start ? innerStart + (end - 1) * innerStride + 1 : starts.back());
    if (limits.back() == 0)
      return failure();
  }
  op.setStarts(starts);
  op.setLimits(limits);
  op.setStrides(strides);
  op.getInputMutable().assign(inner.getInput());
  return success();
}

OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  auto isWhole = [&](int64_t axis) {
    int64_t limit = getLimits()[axis];
    return getStarts()[axis] == 0 && getStrides()[axis] == 1 &&
           (limit == 0 || limit == getInput().getType().getDimSize(axis));
  };
  if (llvm::all_of(axesOf(getType()), isWhole))
    return getInput();
  if (auto inner = getInput().getDefiningOp<SliceOp>())
    if (succeeded(foldSliceOfSlice(*this, inner)))
      return getResult();
  return foldSplat(adaptor.getInput(), getType());
}

SmallVector<Value> SliceOp::derivative(GenBuilder &b, ValueRange gradients) {
  RankedTensorType input = getInput().getType();
  SmallVector<int64_t> low, high, interior;
  for (int64_t axis : axesOf(input)) {
    int64_t size = input.getDimSize(axis), start = getStarts()[axis], stride = getStrides()[axis];
    int64_t length = getType().getDimSize(axis);
    bool isEmpty = length == 0;
    low.push_back(isEmpty ? 0 : start);
    interior.push_back(stride - 1);
    if (ShapedType::isDynamic(size))
      high.push_back(-getLimits()[axis]);
    else
      high.push_back(isEmpty ? size : size - (start + (length - 1) * stride + 1));
  }
  return {b.make<PadOp>(gradients[0], b.getZeroAttr(input.getElementType()), low, high, interior)};
}

LogicalResult SliceOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<int64_t> extra;
  for (auto [start, limit] : llvm::zip_equal(getStarts(), getLimits()))
    extra.push_back(limit - start);
  return reifyFromInput(b, getLoc(), getType(), getInput(), axesOf(getType()), extra, shapes);
}

//===----------------------------------------------------------------------===//
// PadOp
//===----------------------------------------------------------------------===//

FailureOr<RankedTensorType> PadOp::resultType(Adaptor adaptor, Complain complain) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  ArrayRef<int64_t> low = adaptor.getLow(), high = adaptor.getHigh(),
                    interior = adaptor.getInterior();
  if (failed(checkLengths(input, "low, high and interior", {low, high, interior}, complain)))
    return failure();
  if (adaptor.getValue().getType() != input.getElementType())
    return complain("expected a value of the element type of " + quoted(input) + " (C3), got " +
                    quoted(adaptor.getValue().getType()));
  SmallVector<int64_t> shape;
  for (auto [axis, size] : llvm::enumerate(input.getShape())) {
    std::string where = " along axis " + std::to_string(axis) + " of " + quoted(input);
    std::array<int64_t, 3> padding = {low[axis], high[axis], interior[axis]};
    if (llvm::any_of(padding, [](int64_t amount) { return amount < 0; }))
      return complain("expected no negative padding" + where + " (C2), got low, high, interior " +
                      bracketed(padding));
    if (!ShapedType::isDynamic(size)) {
      shape.push_back(low[axis] + high[axis] + size +
                      interior[axis] * std::max<int64_t>(size - 1, 0));
      continue;
    }
    if (interior[axis] != 0)
      return complain("expected no interior padding" + where + " (C4), got " +
                      Twine(interior[axis]));
    shape.push_back(size);
  }
  return RankedTensorType::get(shape, input.getElementType());
}

OpFoldResult PadOp::fold(FoldAdaptor) {
  auto isZero = [](int64_t amount) { return amount == 0; };
  if (llvm::all_of(getLow(), isZero) && llvm::all_of(getHigh(), isZero) &&
      llvm::all_of(getInterior(), isZero))
    return getInput();
  return {};
}

SmallVector<Value> PadOp::derivative(GenBuilder &b, ValueRange gradients) {
  SmallVector<int64_t> starts(getLow()), limits, strides;
  for (auto [axis, size] : llvm::enumerate(getInput().getType().getShape())) {
    int64_t stride = getInterior()[axis] + 1;
    strides.push_back(stride);
    if (ShapedType::isDynamic(size))
      limits.push_back(-getHigh()[axis]);
    else if (size != 0)
      limits.push_back(getLow()[axis] + (size - 1) * stride + 1);
    else
      limits.push_back(starts[axis] = getType().getDimSize(axis));
  }
  return {b.make<SliceOp>(gradients[0], starts, limits, strides)};
}

LogicalResult PadOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<int64_t> extra;
  for (auto [low, high] : llvm::zip_equal(getLow(), getHigh()))
    extra.push_back(low + high);
  return reifyFromInput(b, getLoc(), getType(), getInput(), axesOf(getType()), extra, shapes);
}

//===----------------------------------------------------------------------===//
// ConcatOp
//===----------------------------------------------------------------------===//

FailureOr<RankedTensorType> ConcatOp::resultType(Adaptor adaptor, Complain complain) {
  ValueRange inputs = adaptor.getInputs();
  if (inputs.empty())
    return complain("expected at least one input (C1), got none");
  auto first = cast<RankedTensorType>(inputs.front().getType());
  int64_t axis = adaptor.getAxis();
  if (axis < 0 || axis >= first.getRank())
    return complain("expected an axis of " + quoted(first) + " (C2), got " + Twine(axis));
  SmallVector<int64_t> shape(first.getShape());
  shape[axis] = 0;
  for (Value input : inputs) {
    auto type = cast<RankedTensorType>(input.getType());
    SmallVector<int64_t> others(type.getShape());
    if (type.getRank() == first.getRank()) {
      if (type.isDynamicDim(axis))
        return complain("expected a static size along axis " + Twine(axis) + " (C4), got " +
                        quoted(type));
      others[axis] = shape[axis];
    }
    if (others != shape || type.getElementType() != first.getElementType())
      return complain("expected inputs of one shape but for axis " + Twine(axis) +
                      " and one element type (C3), got " + quoted(first) + " and " + quoted(type));
    shape[axis] += type.getDimSize(axis);
  }
  return RankedTensorType::get(shape, first.getElementType());
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1)
    return getInputs().front();
  return {};
}

SmallVector<Value> ConcatOp::derivative(GenBuilder &b, ValueRange gradients) {
  SmallVector<Value> result;
  int64_t offset = 0;
  for (Value input : getInputs()) {
    int64_t size = cast<RankedTensorType>(input.getType()).getDimSize(getAxis());
    SmallVector<int64_t> starts(getType().getRank(), 0), limits(starts), strides(starts.size(), 1);
    starts[getAxis()] = size == 0 ? getType().getDimSize(getAxis()) : offset;
    offset += size;
    limits[getAxis()] = size == 0 ? starts[getAxis()] : offset;
    result.push_back(b.make<SliceOp>(gradients[0], starts, limits, strides));
  }
  return result;
}

LogicalResult ConcatOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromInput(b, getLoc(), getType(), getInputs().front(), axesOf(getType()),
                        SmallVector<int64_t>(getType().getRank(), 0), shapes);
}
