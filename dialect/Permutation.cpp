//===- Permutation.cpp - axes in another order ----------------------------===//
//
// Each op on transposed operands. The op is cloned with what names axes renamed; where the result's
// axes come out in another order, `order` says which.
//
//===----------------------------------------------------------------------===//

#include "dialect/Permutation.h"

using namespace mlir;
using namespace mlir::gen;

using Order = SmallVectorImpl<int64_t>;

SmallVector<int64_t> mlir::gen::inversePermutation(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> inverse(permutation.size());
  for (auto [axis, source] : llvm::enumerate(permutation))
    inverse[source] = axis;
  return inverse;
}

SmallVector<int64_t> mlir::gen::permuted(ArrayRef<int64_t> numbers, ArrayRef<int64_t> permutation) {
  return llvm::map_to_vector(permutation, [&](int64_t axis) { return numbers[axis]; });
}

RankedTensorType mlir::gen::permutedType(Type type, ArrayRef<int64_t> permutation) {
  auto tensor = cast<RankedTensorType>(type);
  return tensor.clone(permuted(tensor.getShape(), permutation));
}

SmallVector<int64_t> mlir::gen::channelsLastPermutation(int64_t rank) {
  SmallVector<int64_t> permutation{0};
  for (int64_t axis = 2; axis < rank; ++axis)
    permutation.push_back(axis);
  permutation.push_back(1);
  return permutation;
}

SmallVector<int64_t> mlir::gen::batchLastPermutation(int64_t rank) {
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(1, rank));
  permutation.push_back(0);
  return permutation;
}

Value mlir::gen::withLeadingOne(GenBuilder &b, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin(), 1);
  return b.make<ReshapeOp>(type.clone(shape), value, b.dynamicSizes(value));
}

Value mlir::gen::withoutLeadingOne(GenBuilder &b, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return b.make<ReshapeOp>(type.clone(type.getShape().drop_front()), value, b.dynamicSizes(value));
}

static int64_t rankOf(Value value) { return cast<RankedTensorType>(value.getType()).getRank(); }

SmallVector<Value> mlir::gen::permutedSizes(RankedTensorType type, ValueRange sizes,
                                            ArrayRef<int64_t> permutation) {
  SmallVector<Value> ofAxis;
  for (int64_t size : type.getShape()) {
    ofAxis.push_back(ShapedType::isDynamic(size) ? sizes.front() : Value());
    if (ShapedType::isDynamic(size))
      sizes = sizes.drop_front();
  }
  SmallVector<Value> result;
  for (int64_t axis : permutation)
    if (ofAxis[axis])
      result.push_back(ofAxis[axis]);
  return result;
}

/// A broadcast value transposed is its input, transposed where that is needed, broadcast along
/// other axes.
static Value transposedBroadcast(GenBuilder &b, BroadcastOp op, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> resultAxis = inversePermutation(permutation);
  SmallVector<int64_t> axes = permuted(resultAxis, op.getAxes());
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, axes.size()));
  llvm::sort(order, [&](int64_t i, int64_t j) { return axes[i] < axes[j]; });
  return b.make<BroadcastOp>(
      permutedType(op.getType(), permutation), b.transpose(op.getInput(), order),
      permutedSizes(op.getType(), op.getSizes(), permutation), permuted(axes, order));
}

Value mlir::gen::transposeOrReshape(GenBuilder &b, Value value, ArrayRef<int64_t> permutation) {
  if (auto broadcast = value.getDefiningOp<BroadcastOp>())
    return transposedBroadcast(b, broadcast, permutation);
  auto type = cast<RankedTensorType>(value.getType());
  int64_t last = -1;
  bool moves = static_cast<bool>(value.getDefiningOp<TransposeOp>()); // may be undone
  for (int64_t axis : permutation) {
    if (type.getDimSize(axis) == 1)
      continue;
    moves |= axis < last;
    last = axis;
  }
  if (moves)
    return b.transpose(value, permutation);
  return b.make<ReshapeOp>(permutedType(type, permutation), value,
                           permutedSizes(type, b.dynamicSizes(value), permutation));
}

/// `op` on other operands, with results of other types.
static Operation *cloneWith(Operation *op, GenBuilder &b, ValueRange operands, Type result) {
  Operation *clone = b.clone(*op);
  clone->setOperands(operands);
  clone->getResult(0).setType(result);
  return clone;
}

//===----------------------------------------------------------------------===//
// Families
//===----------------------------------------------------------------------===//

/// An operand of fewer axes with axes of size 1 in front, so that it can be transposed.
static Value withLeadingUnits(GenBuilder &b, Value operand, int64_t rank) {
  auto type = cast<RankedTensorType>(operand.getType());
  SmallVector<int64_t> shape(rank - type.getRank(), 1);
  llvm::append_range(shape, type.getShape());
  return b.make<ReshapeOp>(type.clone(shape), operand, b.dynamicSizes(operand));
}

Value mlir::gen::permutedElementwise(Operation *op, GenBuilder &b, ArrayRef<int64_t> permutation,
                                     Order &order) {
  auto rank = static_cast<int64_t>(permutation.size());
  if (rankOf(op->getResult(0)) != rank)
    return {};
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    if (rankOf(operand) != 0 && rankOf(operand) != rank)
      operand = withLeadingUnits(b, operand, rank);
    if (rankOf(operand) != 0)
      operand = transposeOrReshape(b, operand, permutation);
    operands.push_back(operand);
  }
  order.assign(permutation.begin(), permutation.end());
  Type type = permutedType(op->getResult(0).getType(), permutation);
  return cloneWith(op, b, operands, type)->getResult(0);
}

Value mlir::gen::permutedReduction(Operation *op, ArrayRef<int64_t> axes, GenBuilder &b,
                                   ArrayRef<int64_t> permutation, Order &order) {
  auto rank = static_cast<int64_t>(permutation.size());
  if (rankOf(op->getOperand(0)) != rank)
    return {};
  SmallVector<int64_t> reduced, numberOfKept(rank);
  int64_t kept = 0;
  for (int64_t axis = 0; axis < rank; ++axis)
    numberOfKept[axis] = llvm::is_contained(axes, axis) ? -1 : kept++;
  for (auto [axis, source] : llvm::enumerate(permutation)) {
    if (numberOfKept[source] < 0)
      reduced.push_back(axis);
    else
      order.push_back(numberOfKept[source]);
  }
  Operation *clone = cloneWith(op, b, b.transpose(op->getOperand(0), permutation),
                               permutedType(op->getResult(0).getType(), order));
  clone->setAttr("axes", b.getDenseI64ArrayAttr(reduced));
  return clone->getResult(0);
}

/// [n, c, s...] as one image [1, c, s..., n].
static Value batchLastImages(Operation *op, GenBuilder &b, ArrayRef<int64_t> permutation,
                             Order &order) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  constexpr int64_t kMostRank = 4;
  if (type.getRank() > kMostRank ||
      llvm::is_contained(type.getShape().drop_front(), ShapedType::kDynamic))
    return {};
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(operand.getType().isIndex()
                           ? operand // the batch
                           : withLeadingOne(b, b.transpose(operand, permutation)));
  SmallVector<int64_t> shape = permuted(type.getShape(), permutation);
  shape.insert(shape.begin(), 1);
  Operation *clone = cloneWith(op, b, operands, type.clone(shape));
  for (auto [name, ofBatch] : {std::pair("window", 1), {"strides", 1}, {"low", 0}, {"high", 0}}) {
    SmallVector<int64_t> numbers(clone->getAttrOfType<DenseI64ArrayAttr>(name).asArrayRef());
    numbers.push_back(ofBatch);
    clone->setAttr(name, b.getDenseI64ArrayAttr(numbers));
  }
  order.assign(permutation.begin(), permutation.end());
  return withoutLeadingOne(b, clone->getResult(0));
}

Value mlir::gen::permutedImages(Operation *op, bool channelsLast, GenBuilder &b,
                                ArrayRef<int64_t> permutation, Order &order) {
  auto resultType = cast<RankedTensorType>(op->getResult(0).getType());
  if (channelsLast)
    return {};
  if (permutation == ArrayRef(batchLastPermutation(resultType.getRank())))
    return batchLastImages(op, b, permutation, order);
  if (permutation != ArrayRef(channelsLastPermutation(resultType.getRank())))
    return {};
  SmallVector<Value> operands, sizes;
  for (Value operand : op->getOperands()) {
    if (operand.getType().isIndex())
      sizes.push_back(operand);
    else
      operands.push_back(transposeOrReshape(b, operand, permutation));
  }
  if (!sizes.empty())
    llvm::append_range(operands, permutedSizes(resultType, sizes, permutation));
  order.assign(permutation.begin(), permutation.end());
  Operation *clone = cloneWith(op, b, operands, permutedType(resultType, permutation));
  clone->setAttr("channels_last", b.getUnitAttr());
  return clone->getResult(0);
}

//===----------------------------------------------------------------------===//
// Ops that move elements
//===----------------------------------------------------------------------===//

Value TransposeOp::emitPermuted(GenBuilder &b, ArrayRef<int64_t> permutation, Order &order) {
  SmallVector<int64_t> resultAxis = inversePermutation(getPermutation());
  for (int64_t axis : permutation)
    order.push_back(resultAxis[axis]);
  return b.transpose(getInput(), permutation);
}

Value SliceOp::emitPermuted(GenBuilder &b, ArrayRef<int64_t> permutation, Order &order) {
  order.assign(permutation.begin(), permutation.end());
  return b.make<SliceOp>(b.transpose(getInput(), permutation), permuted(getStarts(), permutation),
                         permuted(getLimits(), permutation), permuted(getStrides(), permutation));
}

Value PadOp::emitPermuted(GenBuilder &b, ArrayRef<int64_t> permutation, Order &order) {
  order.assign(permutation.begin(), permutation.end());
  return b.make<PadOp>(b.transpose(getInput(), permutation), cast<TypedAttr>(getValue()),
                       permuted(getLow(), permutation), permuted(getHigh(), permutation),
                       permuted(getInterior(), permutation));
}

Value ConcatOp::emitPermuted(GenBuilder &b, ArrayRef<int64_t> permutation, Order &order) {
  order.assign(permutation.begin(), permutation.end());
  SmallVector<Value> inputs = llvm::map_to_vector(
      getInputs(), [&](Value input) { return transposeOrReshape(b, input, permutation); });
  return b.make<ConcatOp>(inputs, inversePermutation(permutation)[getAxis()]);
}

/// New axes stay behind the axis of the input that they follow.
Value BroadcastOp::emitPermuted(GenBuilder &b, ArrayRef<int64_t> permutation, Order &order) {
  if (getInput().getType().getRank() != static_cast<int64_t>(permutation.size()))
    return {};
  ArrayRef<int64_t> axes = getAxes();
  auto appendNewAxes = [&](int64_t axis) {
    for (; axis < getType().getRank() && !llvm::is_contained(axes, axis); ++axis)
      order.push_back(axis);
  };
  SmallVector<int64_t> newAxes;
  appendNewAxes(0);
  for (int64_t source : permutation) {
    newAxes.push_back(static_cast<int64_t>(order.size()));
    order.push_back(axes[source]);
    appendNewAxes(axes[source] + 1);
  }
  return b.make<BroadcastOp>(permutedType(getType(), order), b.transpose(getInput(), permutation),
                             permutedSizes(getType(), getSizes(), order), newAxes);
}

/// Possible where axes that are split or joined stay neighbors.
Value ReshapeOp::emitPermuted(GenBuilder &b, ArrayRef<int64_t> permutation, Order &order) {
  ArrayRef<int64_t> shape = getInput().getType().getShape();
  if (shape.size() != permutation.size())
    return {};
  SmallVector<ReshapeAxes> groups = reshapeGroups(shape, getType().getShape());
  std::reverse(groups.begin(), groups.end());
  size_t next = 0; // in `permutation`
  SmallVector<bool> done(groups.size());
  while (next < permutation.size()) {
    auto *group = llvm::find_if(groups, [&](const ReshapeAxes &each) {
      return each.inputFirst == permutation[next] && each.inputFirst < each.inputLast;
    });
    if (group == groups.end())
      return {};
    for (int64_t axis = group->inputFirst; axis < group->inputLast; ++axis)
      if (next == permutation.size() || permutation[next++] != axis)
        return {};
    // Result axes of size 1 that come of no axis of the input go with the group before them.
    do {
      for (int64_t axis = group->resultFirst; axis < group->resultLast; ++axis)
        order.push_back(axis);
      ++group;
    } while (group != groups.end() && group->inputFirst == group->inputLast);
  }
  if (static_cast<int64_t>(order.size()) != getType().getRank())
    return {};
  return b.make<ReshapeOp>(permutedType(getType(), order), b.transpose(getInput(), permutation),
                           permutedSizes(getType(), getSizes(), order));
}
