//===- ShapeSemantics.cpp - what the ops of Shape.td compute --------------===//
//
// Twice: on whole values, plainly (evaluate, the reference), and on single elements (emitAt, what
// kernels are made of). An emitted op that moves elements is arithmetic on indices, then the
// operand's element there.
//
//===----------------------------------------------------------------------===//

#include "dialect/Bounds.h"
#include "dialect/Gen.h"
#include "dialect/Permutation.h"
#include "dialect/StridedView.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::gen;

//===----------------------------------------------------------------------===//
// Reference
//===----------------------------------------------------------------------===//

/// The values of trailing `index` operands.
static SmallVector<int64_t> sizesOf(ArrayRef<Array> operands) {
  return llvm::map_to_vector(operands, [](const Array &size) { return size.integers[0]; });
}

static void copyElement(const Array &from, int64_t source, Array &to, int64_t target) {
  if (from.isFloat())
    to.floats[target] = from.floats[source];
  else
    to.integers[target] = from.integers[source];
}

/// A result of `shape` in which the element at an index is the operand's element at
/// `source(index)`.
static Array
gathered(const Array &input, ArrayRef<int64_t> shape,
         llvm::function_ref<void(ArrayRef<int64_t>, SmallVectorImpl<int64_t> &)> source) {
  Array result(input.elementType, shape);
  SmallVector<int64_t> from(input.rank());
  forEachIndex(shape, [&](ArrayRef<int64_t> index) {
    source(index, from);
    copyElement(input, linearize(from, input.shape), result, linearize(index, shape));
  });
  return result;
}

LogicalResult ConstantOp::evaluate(EvaluationContext &, ArrayRef<Array>,
                                   SmallVectorImpl<Array> &results) {
  results.push_back(Array::fromAttribute(getValue()));
  return success();
}

LogicalResult SizeOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                               SmallVectorImpl<Array> &results) {
  results.push_back(Array::scalar(getType().getElementType(), operands[0].integers[0]));
  return success();
}

LogicalResult IotaOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                               SmallVectorImpl<Array> &results) {
  Array result(getType().getElementType(),
               EvaluationContext::resolveShape(getType(), sizesOf(operands)));
  forEachIndex(result.shape, [&](ArrayRef<int64_t> index) {
    result.setInteger(linearize(index, result.shape), index[getAxis()]);
  });
  results.push_back(std::move(result));
  return success();
}

LogicalResult ReshapeOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                  SmallVectorImpl<Array> &results) {
  Array result = operands[0];
  result.shape = EvaluationContext::resolveShape(getType(), sizesOf(operands.drop_front()));
  if (result.size() != operands[0].size())
    return emitOpError("expected a result of ") << operands[0].size() << " elements, as "
                                                << operands[0].type() << ", got " << result.type();
  results.push_back(std::move(result));
  return success();
}

LogicalResult TransposeOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                    SmallVectorImpl<Array> &results) {
  SmallVector<int64_t> shape;
  for (int64_t axis : getPermutation())
    shape.push_back(operands[0].shape[axis]);
  results.push_back(
      gathered(operands[0], shape, [&](ArrayRef<int64_t> index, SmallVectorImpl<int64_t> &from) {
        for (auto [axis, source] : llvm::enumerate(getPermutation()))
          from[source] = index[axis];
      }));
  return success();
}

LogicalResult BroadcastOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                    SmallVectorImpl<Array> &results) {
  const Array &input = operands[0];
  SmallVector<int64_t> shape =
      EvaluationContext::resolveShape(getType(), sizesOf(operands.drop_front()));
  for (auto [size, axis] : llvm::zip_equal(input.shape, getAxes()))
    if (size != 1 && size != shape[axis])
      return emitOpError("expected size ") << shape[axis] << " along axis " << axis
                                           << " of the result, got " << size << " in the input";
  results.push_back(
      gathered(input, shape, [&](ArrayRef<int64_t> index, SmallVectorImpl<int64_t> &from) {
        for (auto [source, axis] : llvm::enumerate(getAxes()))
          from[source] = input.shape[source] == 1 ? 0 : index[axis];
      }));
  return success();
}

LogicalResult SliceOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                SmallVectorImpl<Array> &results) {
  const Array &input = operands[0];
  SmallVector<int64_t> shape;
  for (auto [size, start, limit, stride] :
       llvm::zip_equal(input.shape, getStarts(), getLimits(), getStrides())) {
    int64_t end = limit > 0 ? limit : size + limit;
    if (start > end)
      return emitOpError("expected the slice to end after its start ")
             << start << ", got end " << end << " of " << input.type();
    shape.push_back(llvm::divideCeil(end - start, stride));
  }
  results.push_back(
      gathered(input, shape, [&](ArrayRef<int64_t> index, SmallVectorImpl<int64_t> &from) {
        for (int64_t axis = 0; axis < input.rank(); ++axis)
          from[axis] = getStarts()[axis] + getStrides()[axis] * index[axis];
      }));
  return success();
}

LogicalResult PadOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                              SmallVectorImpl<Array> &results) {
  const Array &input = operands[0];
  SmallVector<int64_t> shape;
  for (int64_t axis = 0; axis < input.rank(); ++axis)
    shape.push_back(getLow()[axis] + getHigh()[axis] + input.shape[axis] +
                    getInterior()[axis] * std::max<int64_t>(input.shape[axis] - 1, 0));
  auto padding =
      DenseElementsAttr::get(RankedTensorType::get(shape, input.elementType), getValue());
  Array result = Array::fromAttribute(padding);
  SmallVector<int64_t> to(input.rank());
  forEachIndex(input.shape, [&](ArrayRef<int64_t> index) {
    for (int64_t axis = 0; axis < input.rank(); ++axis)
      to[axis] = getLow()[axis] + index[axis] * (getInterior()[axis] + 1);
    copyElement(input, linearize(index, input.shape), result, linearize(to, shape));
  });
  results.push_back(std::move(result));
  return success();
}

LogicalResult ConcatOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                 SmallVectorImpl<Array> &results) {
  SmallVector<int64_t> shape = operands[0].shape;
  shape[getAxis()] = getType().getDimSize(getAxis());
  Array result(operands[0].elementType, shape);
  int64_t offset = 0;
  for (const Array &input : operands) {
    forEachIndex(input.shape, [&](ArrayRef<int64_t> index) {
      SmallVector<int64_t> to(index);
      to[getAxis()] += offset;
      copyElement(input, linearize(index, input.shape), result, linearize(to, shape));
    });
    offset += input.shape[getAxis()];
  }
  results.push_back(std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// Elements of constants
//===----------------------------------------------------------------------===//

bool ConstantOp::isElementwise() { return true; }
bool ConstantOp::isPositional() { return true; }
int64_t ConstantOp::elementCost() { return 0; }
bool SizeOp::isElementwise() { return false; }
bool SizeOp::isPositional() { return true; }
int64_t SizeOp::elementCost() { return 0; }

Value SizeOp::emitAt(ElementEmitter &emitter, Indices) {
  return emitter.splat(emitter.sizeValue(getSize()));
}

bool IotaOp::isElementwise() { return false; }
int64_t IotaOp::elementCost() { return 0; }

Value ConstantOp::emitAt(ElementEmitter &emitter, Indices at) {
  auto elements = cast<DenseElementsAttr>(getValue());
  auto element = [&](int64_t i) {
    return emitter.constant(cast<TypedAttr>(elements.getValues<Attribute>()[i]));
  };
  if (elements.isSplat())
    return element(0);
  // Few elements are chosen by comparing; fusion makes larger constants arguments.
  Value position = emitter.laneValues(emitter.position(getResult(), at));
  Value result = element(0);
  for (int64_t i = 1; i < elements.getNumElements(); ++i) {
    Value isHere = arith::CmpIOp::create(emitter.b, arith::CmpIPredicate::eq, position,
                                         emitter.constant(emitter.b.getI64IntegerAttr(i)));
    result = arith::SelectOp::create(emitter.b, isHere, element(i), result);
  }
  return result;
}

Value IotaOp::emitAt(ElementEmitter &emitter, Indices at) {
  Value index = emitter.laneValues(at[getAxis()]);
  Type elementType = getType().getElementType(), laneType = emitter.laneType(elementType);
  if (isa<FloatType>(elementType))
    return arith::SIToFPOp::create(emitter.b, laneType, index);
  if (elementType.getIntOrFloatBitWidth() < 64)
    return arith::TruncIOp::create(emitter.b, laneType, index);
  return index;
}

//===----------------------------------------------------------------------===//
// Elements of moved tensors
//===----------------------------------------------------------------------===//

bool ReshapeOp::isElementwise() { return false; }
bool TransposeOp::isElementwise() { return false; }
bool BroadcastOp::isElementwise() { return true; }
bool SliceOp::isElementwise() { return false; }
bool PadOp::isElementwise() { return false; }
bool ConcatOp::isElementwise() { return false; }

int64_t ReshapeOp::elementCost() { return 0; }
int64_t TransposeOp::elementCost() { return 0; }
int64_t BroadcastOp::elementCost() { return 0; }
int64_t SliceOp::elementCost() { return 0; }
int64_t PadOp::elementCost() { return 1; }
int64_t ConcatOp::elementCost() { return 1; }

SmallVector<ReshapeAxes> mlir::gen::reshapeGroups(ArrayRef<int64_t> input,
                                                  ArrayRef<int64_t> result) {
  SmallVector<ReshapeAxes> groups;
  int64_t i = input.size(), r = result.size();
  auto isStatic = [](int64_t size) { return !ShapedType::isDynamic(size); };
  auto staticSize = [&](ArrayRef<int64_t> shape) {
    return llvm::product_of(llvm::make_filter_range(shape, isStatic));
  };
  // One dynamic size on each side is the same if all others are as many elements.
  bool isSameSize = llvm::count_if(input, ShapedType::isDynamic) == 1 &&
                    llvm::count_if(result, ShapedType::isDynamic) == 1 &&
                    staticSize(input) == staticSize(result) && staticSize(input) != 0;
  while (i > 0 || r > 0) {
    ReshapeAxes group{i, i, r, r};
    if (isSameSize && i > 0 && r > 0 && !isStatic(input[i - 1]) && !isStatic(result[r - 1])) {
      groups.push_back({--i, group.inputLast, --r, group.resultLast});
      continue;
    }
    int64_t inputSize = 1, resultSize = 1;
    do {
      bool takeInput = i > 0 && (inputSize <= resultSize || r == 0);
      int64_t &first = takeInput ? i : r;
      int64_t size = takeInput ? input[i - 1] : result[r - 1];
      if (!isStatic(size) || size == 0) { // the rest is one group
        i = r = 0;
        break;
      }
      (takeInput ? inputSize : resultSize) *= size;
      --first;
    } while (inputSize != resultSize);
    bool isOneInput = group.inputLast == i + 1 && group.resultLast == r && inputSize == 1;
    if (isOneInput && r > 0 && result[r - 1] == 1) // axes of size 1 are pairs where they can be
      --r;
    group.inputFirst = i;
    group.resultFirst = r;
    groups.push_back(group);
  }
  return groups;
}

std::optional<int64_t> mlir::gen::onlyAxis(ArrayRef<int64_t> shape, int64_t first, int64_t last) {
  int64_t only = last;
  for (int64_t axis = first; axis < last; ++axis) {
    if (shape[axis] == 1)
      continue;
    if (only != last)
      return std::nullopt;
    only = axis;
  }
  return only;
}

/// The input of an op that makes a view and, of the axes of the input, the one along which elements
/// lie side by side in the result's last axis; no axis if the result is no view.
static std::optional<int64_t> lastAxisSource(Operation *op) {
  int64_t last = cast<RankedTensorType>(op->getResult(0).getType()).getRank() - 1;
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return transpose.getPermutation()[last];
  if (auto slice = dyn_cast<SliceOp>(op))
    return slice.getStrides()[last] == 1 ? std::optional(last) : std::nullopt;
  auto reshape = dyn_cast<ReshapeOp>(op);
  if (!reshape)
    return std::nullopt;
  ArrayRef<int64_t> input = reshape.getInput().getType().getShape();
  std::optional<int64_t> source;
  for (const ReshapeAxes &group : reshapeGroups(input, reshape.getType().getShape())) {
    std::optional<int64_t> divided = onlyAxis(input, group.inputFirst, group.inputLast);
    if (!divided)
      return std::nullopt;
    if (group.resultLast == last + 1 && group.resultFirst <= last && *divided != group.inputLast)
      source = divided;
  }
  return source;
}

Value mlir::gen::reshapedMemory(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getInput();
  auto op = dyn_cast_or_null<PointwiseOpInterface>(value.getDefiningOp());
  return op && op.elementCost() == 0 ? Value() : value;
}

bool mlir::gen::isStridedView(Value value) {
  while (!reshapedMemory(value)) {
    // Only views of last axes are asked for, so each op has to pass on its input's last one.
    Operation *op = value.getDefiningOp();
    std::optional<int64_t> source = lastAxisSource(op);
    if (!source || *source != cast<RankedTensorType>(op->getOperand(0).getType()).getRank() - 1)
      return false;
    value = op->getOperand(0);
  }
  return true;
}

bool mlir::gen::joinsAxes(ReshapeOp reshape) {
  ArrayRef<int64_t> input = reshape.getInput().getType().getShape(),
                    result = reshape.getType().getShape();
  return llvm::all_of(reshapeGroups(input, result), [&](const ReshapeAxes &group) {
    return onlyAxis(result, group.resultFirst, group.resultLast).has_value();
  });
}

/// If the reshape does no more than add and remove axes of size 1: the index into the input.
static std::optional<Indices> withoutUnitAxes(ElementEmitter &emitter, ArrayRef<ReshapeAxes> groups,
                                              ArrayRef<int64_t> input, ArrayRef<int64_t> result,
                                              const Indices &at) {
  Indices indices(input.size(), Index{emitter.i64(0)});
  for (const ReshapeAxes &group : groups) {
    auto from = onlyAxis(input, group.inputFirst, group.inputLast);
    auto to = onlyAxis(result, group.resultFirst, group.resultLast);
    if (!from || !to || (*from == group.inputLast) != (*to == group.resultLast))
      return std::nullopt;
    if (*from != group.inputLast)
      indices[*from] = at[*to];
  }
  return indices;
}

Value ReshapeOp::emitAt(ElementEmitter &emitter, Indices at) {
  Value input = getInput();
  ArrayRef<int64_t> inputShape = getInput().getType().getShape(), shape = getType().getShape();
  SmallVector<ReshapeAxes> groups = reshapeGroups(inputShape, shape);
  if (!emitter.isFlat())
    if (auto indices = withoutUnitAxes(emitter, groups, inputShape, shape, at))
      return emitter.elementAt(input, *indices);
  Value memory = reshapedMemory(getResult());
  bool isStored = isa_and_nonnull<BlockArgument>(memory);
  if (emitter.isFlat() || isStored) {
    Index position = emitter.position(getResult(), at);
    if (position.kind != Index::PerLane)
      return emitter.elementAtPosition(isStored ? memory : input, position);
  }
  // Elements that are computed, or lanes that are apart: each group's position in the result is
  // taken apart along the group's axes of the input, so that lanes side by side mostly stay so.
  Indices indices(inputShape.size(), Index{emitter.i64(0)});
  for (const ReshapeAxes &group : groups) {
    Index inGroup{emitter.i64(0)};
    for (int64_t axis = group.resultFirst; axis < group.resultLast; ++axis)
      inGroup = emitter.add(emitter.multiply(inGroup, emitter.size(getResult(), axis)), at[axis]);
    for (int64_t axis = group.inputLast - 1; axis >= group.inputFirst; --axis) {
      bool isOutermost = axis == group.inputFirst;
      Value size = emitter.size(input, axis);
      indices[axis] = isOutermost ? inGroup : emitter.remainder(inGroup, size);
      if (!isOutermost)
        inGroup = emitter.divide(inGroup, size);
    }
  }
  return emitter.elementAt(input, indices);
}

Value TransposeOp::emitAt(ElementEmitter &emitter, Indices at) {
  Indices indices(at.size());
  for (auto [axis, source] : llvm::enumerate(getPermutation()))
    indices[source] = at[axis];
  return emitter.elementAt(getInput(), indices);
}

Value BroadcastOp::emitAt(ElementEmitter &emitter, Indices at) {
  Indices indices;
  for (auto [size, axis] : llvm::zip_equal(getInput().getType().getShape(), getAxes()))
    indices.push_back(size == 1 ? Index{emitter.i64(0)} : at[axis]);
  return emitter.elementAt(getInput(), indices);
}

Value SliceOp::emitAt(ElementEmitter &emitter, Indices at) {
  for (auto [index, start, stride] : llvm::zip_equal(at, getStarts(), getStrides())) {
    if (stride != 1)
      index = emitter.multiply(index, emitter.i64(stride));
    if (start != 0)
      index = emitter.add(index, emitter.i64(start));
  }
  return emitter.elementAt(getInput(), at);
}

Value PadOp::emitAt(ElementEmitter &emitter, Indices at) {
  Bounds bounds(emitter);
  Value zero = emitter.i64(0);
  for (auto [axis, index] : llvm::enumerate(at)) {
    int64_t low = getLow()[axis], high = getHigh()[axis], stride = getInterior()[axis] + 1;
    if (low != 0)
      index = emitter.add(index, emitter.i64(-low));
    Index shifted = index;
    if (stride != 1) {
      // What division makes of a negative index does not matter: the lower bound rules it out.
      Value period = emitter.i64(stride);
      bounds.require(arith::CmpIPredicate::eq, emitter.remainder(shifted, period), zero);
      index = emitter.divide(shifted, period);
    }
    if (low != 0)
      bounds.require(shifted, zero, Value());
    if (high != 0)
      bounds.require(index, Value(), emitter.size(getInput(), axis));
  }
  Value padding = emitter.constant(cast<TypedAttr>(getValue()));
  return bounds.guarded(
      at, padding, [&](const Indices &inside) { return emitter.elementAt(getInput(), inside); });
}

Value ConcatOp::emitAt(ElementEmitter &emitter, Indices at) {
  Value result;
  Index index = at[getAxis()];
  int64_t offset = 0;
  for (auto [number, input] : llvm::enumerate(getInputs())) {
    int64_t size = cast<RankedTensorType>(input.getType()).getDimSize(getAxis());
    if (size == 0)
      continue;
    Bounds bounds(emitter);
    bounds.require(index, offset == 0 ? Value() : emitter.i64(offset),
                   offset + size == getType().getDimSize(getAxis()) ? Value()
                                                                    : emitter.i64(offset + size));
    Indices inside = at;
    if (offset != 0)
      inside[getAxis()] = emitter.add(index, emitter.i64(-offset));
    auto emit = [&] {
      for (Index &i : inside)
        i = bounds.clamped(i);
      return emitter.elementAt(input, inside);
    };
    Value element = bounds.mask ? emitter.masked(bounds.mask, emit) : emit();
    result =
        result ? Value(arith::SelectOp::create(emitter.b, bounds.mask, element, result)) : element;
    offset += size;
  }
  return result ? result : emitter.constant(getType().getElementType(), 0.0);
}
