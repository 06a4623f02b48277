//===- ElementEmitter.cpp - computing single elements of tensors ----------===//
//
// Index arithmetic of emission. A uniform index stays a scalar and a consecutive one keeps its base
// as long as the arithmetic allows it, so that loads stay contiguous; only what scatters lanes
// becomes a vector of indices.
//
//===----------------------------------------------------------------------===//

#include "dialect/ElementEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::gen;

static bool isConstant(Value value, int64_t number) {
  APInt constant;
  return matchPattern(value, m_ConstantInt(&constant)) && constant.getSExtValue() == number;
}

Type ElementEmitter::laneType(Type elementType) const {
  return laneCount == 1 ? elementType : VectorType::get({laneCount}, elementType);
}

Value ElementEmitter::constant(TypedAttr attribute) {
  if (laneCount > 1)
    attribute = DenseElementsAttr::get(cast<ShapedType>(laneType(attribute.getType())), attribute);
  return arith::ConstantOp::create(b, attribute);
}

Value ElementEmitter::constant(Type elementType, double value) {
  if (isa<FloatType>(elementType))
    return constant(b.getFloatAttr(elementType, value));
  return constant(b.getIntegerAttr(elementType, static_cast<int64_t>(value)));
}

Value ElementEmitter::i64(int64_t value) {
  return arith::ConstantOp::create(b, b.getI64IntegerAttr(value));
}

Value ElementEmitter::splat(Value scalar) {
  if (laneCount == 1)
    return scalar;
  return b.createOrFold<vector::BroadcastOp>(laneType(scalar.getType()), scalar);
}

Value ElementEmitter::laneValues(Index index) {
  if (laneCount == 1 || index.kind == Index::PerLane)
    return index.value;
  Value base = splat(index.value);
  if (index.kind == Index::Uniform)
    return base;
  SmallVector<int64_t> lanes = llvm::to_vector(llvm::seq<int64_t>(0, laneCount));
  auto type = cast<VectorType>(laneType(b.getI64Type()));
  Value steps =
      arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<int64_t>(lanes)));
  return b.createOrFold<arith::AddIOp>(base, steps);
}

Index ElementEmitter::add(Index lhs, Value rhs) { return add(lhs, Index{rhs, Index::Uniform}); }

Index ElementEmitter::add(Index lhs, Index rhs) {
  if (rhs.kind == Index::Uniform && isConstant(rhs.value, 0))
    return lhs;
  if (lhs.kind == Index::Uniform && isConstant(lhs.value, 0))
    return rhs;
  // The base of a sum is the sum of the bases unless both move with the lane.
  if (lhs.kind != Index::PerLane && rhs.kind != Index::PerLane &&
      (lhs.kind == Index::Uniform || rhs.kind == Index::Uniform))
    return {b.createOrFold<arith::AddIOp>(lhs.value, rhs.value),
            lhs.kind == Index::Uniform ? rhs.kind : lhs.kind};
  return {b.createOrFold<arith::AddIOp>(laneValues(lhs), laneValues(rhs)), Index::PerLane};
}

Index ElementEmitter::multiply(Index lhs, Value rhs) {
  if (isConstant(rhs, 1))
    return lhs;
  if (lhs.kind == Index::Uniform)
    return {b.createOrFold<arith::MulIOp>(lhs.value, rhs), Index::Uniform};
  return {b.createOrFold<arith::MulIOp>(laneValues(lhs), splat(rhs)), Index::PerLane};
}

Index ElementEmitter::divide(Index lhs, Value rhs) {
  if (isConstant(rhs, 1))
    return lhs;
  // Indices are never negative, and unsigned division is the cheaper one.
  if (lhs.kind == Index::Uniform)
    return {b.createOrFold<arith::DivUIOp>(lhs.value, rhs), Index::Uniform};
  return {b.createOrFold<arith::DivUIOp>(laneValues(lhs), splat(rhs)), Index::PerLane};
}

Index ElementEmitter::remainder(Index lhs, Value rhs) {
  if (isConstant(rhs, 1))
    return {i64(0), Index::Uniform};
  if (lhs.kind == Index::Uniform)
    return {b.createOrFold<arith::RemUIOp>(lhs.value, rhs), Index::Uniform};
  return {b.createOrFold<arith::RemUIOp>(laneValues(lhs), splat(rhs)), Index::PerLane};
}

Index ElementEmitter::position(Value tensor, const Indices &at) {
  if (flat)
    return at.front();
  Index result{i64(0), Index::Uniform};
  Value stride = i64(1);
  for (int64_t axis = static_cast<int64_t>(at.size()) - 1; axis >= 0; --axis) {
    result = add(result, multiply(at[axis], stride));
    if (axis > 0)
      stride = b.createOrFold<arith::MulIOp>(stride, size(tensor, axis));
  }
  return result;
}
