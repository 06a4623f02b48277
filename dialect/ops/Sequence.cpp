//===- Sequence.cpp - steps of a sequence ---------------------------------===//

#include "dialect/Gen.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::gen;

#define GET_OP_CLASSES
#include "dialect/ops/Sequence.cpp.inc"

//===----------------------------------------------------------------------===//
// Types and sizes
//===----------------------------------------------------------------------===//

bool DynamicSliceOp::isContiguousAlong(RankedTensorType type, int64_t axis) {
  return llvm::all_of(type.getShape().take_front(axis), [](int64_t size) { return size == 1; });
}

/// (C1) of both ops.
static LogicalResult verifyAxis(Operation *op, RankedTensorType input, int64_t axis) {
  if (axis >= 0 && axis < input.getRank())
    return success();
  return op->emitOpError("expected an axis of the input ") << input << " (C1), got " << axis;
}

/// `input` but for `length` along `axis`.
static RankedTensorType sliceType(RankedTensorType input, int64_t axis, int64_t length) {
  SmallVector<int64_t> shape(input.getShape());
  shape[axis] = length;
  return RankedTensorType::get(shape, input.getElementType());
}

static bool fits(RankedTensorType input, int64_t axis, int64_t length) {
  return length >= 0 && (input.isDynamicDim(axis) || length <= input.getDimSize(axis));
}

void DynamicSliceOp::build(OpBuilder &b, OperationState &state, Value input, Value index,
                           int64_t axis, int64_t length) {
  build(b, state, sliceType(cast<RankedTensorType>(input.getType()), axis, length), input, index,
        axis, length);
}

LogicalResult DynamicSliceOp::verify() {
  RankedTensorType input = getInput().getType();
  int64_t length = getLength();
  if (failed(verifyAxis(*this, input, getAxis())))
    return failure();
  if (!fits(input, getAxis(), length))
    return emitOpError("expected a length of at least 0 and at most the size of axis ")
           << getAxis() << " of " << input << " (C2), got " << length;
  RankedTensorType expected = sliceType(input, getAxis(), length);
  if (getType() != expected)
    return emitOpError("expected a result of ") << expected << " (C3), got " << getType();
  return success();
}

LogicalResult DynamicUpdateSliceOp::verify() {
  RankedTensorType input = getInput().getType(), update = getUpdate().getType();
  if (failed(verifyAxis(*this, input, getAxis())))
    return failure();
  bool sameRank = input.getRank() == update.getRank();
  int64_t length = sameRank ? update.getDimSize(getAxis()) : -1;
  if (!fits(input, getAxis(), length) || update != sliceType(input, getAxis(), length))
    return emitOpError("expected an update of the type of the input ")
           << input << " but for a static size along axis " << getAxis()
           << " of at most the input's (C2), got " << update;
  return success();
}

/// The sizes of `like`, `length` along `axis`.
static void reifySlice(OpBuilder &b, Location loc, Value like, RankedTensorType type,
                       ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> &shape = shapes.emplace_back();
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    if (type.isDynamicDim(axis))
      shape.push_back(b.createOrFold<tensor::DimOp>(loc, like, axis));
    else
      shape.push_back(b.getIndexAttr(type.getDimSize(axis)));
}

LogicalResult DynamicSliceOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  reifySlice(b, getLoc(), getInput(), getType(), shapes);
  return success();
}

LogicalResult DynamicUpdateSliceOp::reifyResultShapes(OpBuilder &b,
                                                      ReifiedRankedShapedTypeDims &shapes) {
  reifySlice(b, getLoc(), getInput(), getType(), shapes);
  return success();
}

//===----------------------------------------------------------------------===//
// Folds and derivatives
//===----------------------------------------------------------------------===//

OpFoldResult DynamicSliceOp::fold(FoldAdaptor) {
  if (getType() == getInput().getType() && !getType().isDynamicDim(getAxis()))
    return getInput(); // all of the axis
  auto update = getInput().getDefiningOp<DynamicUpdateSliceOp>();
  if (update && update.getIndex() == getIndex() && update.getAxis() == getAxis() &&
      update.getUpdate().getType() == getType())
    return update.getUpdate(); // what was just written there
  return {};
}

OpFoldResult DynamicUpdateSliceOp::fold(FoldAdaptor) {
  if (getUpdate().getType() == getType() && !getType().isDynamicDim(getAxis()))
    return getUpdate();
  if (getLength() == 0)
    return getInput();
  return {};
}

SmallVector<Value> DynamicSliceOp::derivative(GenBuilder &b, ValueRange gradients) {
  Value zeros = b.fullLike(0.0, getInput());
  return {b.make<DynamicUpdateSliceOp>(zeros, gradients[0], getIndex(), getAxis()), Value()};
}

SmallVector<Value> DynamicUpdateSliceOp::derivative(GenBuilder &b, ValueRange gradients) {
  Value zeros = b.fullLike(0.0, getUpdate());
  return {b.make<DynamicUpdateSliceOp>(gradients[0], zeros, getIndex(), getAxis()),
          b.make<DynamicSliceOp>(gradients[0], getIndex(), getAxis(), getLength()), Value()};
}

//===----------------------------------------------------------------------===//
// Reference
//===----------------------------------------------------------------------===//

/// Calls `visit(position in the whole, position in the slice)` for each element of a slice of
/// `length`.
static LogicalResult forEachInSlice(Operation *op, const Array &whole, int64_t index, int64_t axis,
                                    ArrayRef<int64_t> sliceShape,
                                    llvm::function_ref<void(int64_t, int64_t)> visit) {
  int64_t last = whole.shape[axis] - sliceShape[axis];
  if (last < 0)
    return op->emitOpError("expected an axis of at least ")
           << sliceShape[axis] << " elements, got " << whole.type();
  int64_t start = std::min(std::max<int64_t>(index, 0), last);
  forEachIndex(sliceShape, [&](ArrayRef<int64_t> inSlice) {
    SmallVector<int64_t> inWhole(inSlice);
    inWhole[axis] += start;
    visit(linearize(inWhole, whole.shape), linearize(inSlice, sliceShape));
  });
  return success();
}

static void copyElement(const Array &from, int64_t source, Array &to, int64_t target) {
  if (from.isFloat())
    to.floats[target] = from.floats[source];
  else
    to.integers[target] = from.integers[source];
}

LogicalResult DynamicSliceOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                       SmallVectorImpl<Array> &results) {
  SmallVector<int64_t> shape(operands[0].shape);
  shape[getAxis()] = getLength();
  Array &result = results.emplace_back(operands[0].elementType, shape);
  return forEachInSlice(*this, operands[0], operands[1].integers[0], getAxis(), shape,
                        [&](int64_t inWhole, int64_t inSlice) {
                          copyElement(operands[0], inWhole, result, inSlice);
                        });
}

LogicalResult DynamicUpdateSliceOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                             SmallVectorImpl<Array> &results) {
  Array &result = results.emplace_back(operands[0]);
  return forEachInSlice(*this, operands[0], operands[2].integers[0], getAxis(), operands[1].shape,
                        [&](int64_t inWhole, int64_t inSlice) {
                          copyElement(operands[1], inSlice, result, inWhole);
                        });
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

bool DynamicSliceOp::isElementwise() { return false; }
bool DynamicUpdateSliceOp::isElementwise() { return false; }
int64_t DynamicSliceOp::elementCost() { return 0; }
int64_t DynamicUpdateSliceOp::elementCost() { return 1; }

/// min(max(index, 0), size - length), a uniform i64.
static Value emitStart(ElementEmitter &emitter, Value index, Value whole, int64_t axis,
                       int64_t length) {
  ImplicitLocOpBuilder &b = emitter.b;
  Value last = b.createOrFold<arith::SubIOp>(emitter.size(whole, axis), emitter.i64(length));
  Value start = arith::MinSIOp::create(b, emitter.sizeValue(index), last);
  return arith::MaxSIOp::create(b, start, emitter.i64(0));
}

Value DynamicSliceOp::emitAt(ElementEmitter &emitter, Indices at) {
  Value start = emitStart(emitter, getIndex(), getInput(), getAxis(), getLength());
  at[getAxis()] = emitter.add(at[getAxis()], start);
  return emitter.elementAt(getInput(), at);
}

Value DynamicUpdateSliceOp::emitAt(ElementEmitter &emitter, Indices at) {
  ImplicitLocOpBuilder &b = emitter.b;
  Value start = emitStart(emitter, getIndex(), getInput(), getAxis(), getLength());
  Index inSlice =
      emitter.add(at[getAxis()], Value(arith::SubIOp::create(b, emitter.i64(0), start)));
  // As an unsigned number, an index before the slice is a large one.
  Value lanes = inSlice.kind == Index::Uniform ? inSlice.value : emitter.laneValues(inSlice);
  Value length = emitter.i64(getLength());
  if (lanes.getType() != length.getType())
    length = emitter.splat(length);
  Value isInside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, lanes, length);
  if (inSlice.kind == Index::Uniform)
    isInside = emitter.splat(isInside);
  Value updated = emitter.masked(isInside, [&] {
    Indices inUpdate = at;
    inUpdate[getAxis()] = inSlice;
    // An index that lanes share, or count up from, stays as it is: the mask keeps its lanes from
    // memory.
    if (emitter.lanes() == 1 || inSlice.kind == Index::PerLane) {
      Value zero = emitter.constant(b.getI64IntegerAttr(0));
      inUpdate[getAxis()].value = arith::SelectOp::create(b, isInside, inSlice.value, zero);
    }
    return emitter.elementAt(getUpdate(), inUpdate);
  });
  Value kept = emitter.elementAt(getInput(), at);
  return arith::SelectOp::create(b, isInside, updated, kept);
}
