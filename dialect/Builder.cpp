//===- Builder.cpp - writing formulas in gen ops --------------------------===//

#include "dialect/Gen.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::gen;

static RankedTensorType typeOf(Value x) { return cast<RankedTensorType>(x.getType()); }

Value GenBuilder::neg(Value x) { return make<NegOp>(x); }
Value GenBuilder::abs(Value x) { return make<AbsOp>(x); }
Value GenBuilder::sign(Value x) { return make<SignOp>(x); }
Value GenBuilder::exp(Value x) { return make<ExpOp>(x); }
Value GenBuilder::log(Value x) { return make<LogOp>(x); }
Value GenBuilder::log1p(Value x) { return make<Log1pOp>(x); }
Value GenBuilder::sqrt(Value x) { return make<SqrtOp>(x); }
Value GenBuilder::rsqrt(Value x) { return make<RsqrtOp>(x); }
Value GenBuilder::sin(Value x) { return make<SinOp>(x); }
Value GenBuilder::cos(Value x) { return make<CosOp>(x); }
Value GenBuilder::sigmoid(Value x) { return make<SigmoidOp>(x); }
Value GenBuilder::relu(Value x) { return make<ReluOp>(x); }
Value GenBuilder::add(Value x, Value y) { return make<AddOp>(x, y); }
Value GenBuilder::sub(Value x, Value y) { return make<SubOp>(x, y); }
Value GenBuilder::mul(Value x, Value y) { return make<MulOp>(x, y); }
Value GenBuilder::div(Value x, Value y) { return make<DivOp>(x, y); }
Value GenBuilder::max(Value x, Value y) { return make<MaxOp>(x, y); }
Value GenBuilder::min(Value x, Value y) { return make<MinOp>(x, y); }
Value GenBuilder::pow(Value x, Value y) { return make<PowOp>(x, y); }

Value GenBuilder::compare(ComparePredicate predicate, Value x, Value y) {
  return make<CompareOp>(predicate, x, y);
}

Value GenBuilder::select(Value condition, Value onTrue, Value onFalse) {
  return make<SelectOp>(condition, onTrue, onFalse);
}

Value GenBuilder::cast(Value x, Type elementType) {
  return make<CastOp>(typeOf(x).clone(elementType), x);
}

/// A splat of `value` in `type`.
static DenseElementsAttr splatAttribute(RankedTensorType type, double value) {
  Type element = type.getElementType();
  if (isa<FloatType>(element))
    return DenseElementsAttr::get(type, Attribute(FloatAttr::get(element, value)));
  return DenseElementsAttr::get(type,
                                Attribute(IntegerAttr::get(element, static_cast<int64_t>(value))));
}

Value GenBuilder::scalar(double value, Value like) {
  auto type = RankedTensorType::get({}, typeOf(like).getElementType());
  return ConstantOp::create(*this, splatAttribute(type, value));
}

Value GenBuilder::fullLike(double value, Value like) {
  if (typeOf(like).hasStaticShape())
    return ConstantOp::create(*this, splatAttribute(typeOf(like), value));
  return broadcastLike(scalar(value, like), {}, like);
}

Value GenBuilder::sum(Value x, ArrayRef<int64_t> axes) { return make<ReduceSumOp>(x, axes); }

Value GenBuilder::transpose(Value x, ArrayRef<int64_t> permutation) {
  return make<TransposeOp>(x, permutation);
}

Value GenBuilder::matmul(Value lhs, Value rhs, bool transposeLhs, bool transposeRhs,
                         IntegerAttr chain) {
  return make<MatmulOp>(lhs, rhs, transposeLhs, transposeRhs, chain);
}

Value GenBuilder::broadcastLike(Value x, ArrayRef<int64_t> axes, Value like) {
  RankedTensorType type = typeOf(like).clone(typeOf(x).getElementType());
  return make<BroadcastOp>(type, x, dynamicSizes(like), axes);
}

Value GenBuilder::reshapeLike(Value x, Value like) {
  RankedTensorType type = typeOf(like).clone(typeOf(x).getElementType());
  return make<ReshapeOp>(type, x, dynamicSizes(like));
}

Value GenBuilder::sumTo(Value x, Value like) {
  RankedTensorType from = typeOf(x), to = typeOf(like);
  int64_t missing = from.getRank() - to.getRank();
  SmallVector<int64_t> axes;
  for (int64_t axis = 0; axis < from.getRank(); ++axis)
    if (axis < missing || (to.getDimSize(axis - missing) == 1 && from.getDimSize(axis) != 1))
      axes.push_back(axis);
  Value summed = axes.empty() ? x : sum(x, axes);
  return typeOf(summed).getShape() == to.getShape() ? summed : reshapeLike(summed, like);
}

SmallVector<Value> GenBuilder::dynamicSizes(Value x) {
  SmallVector<Value> sizes;
  for (auto [axis, size] : llvm::enumerate(typeOf(x).getShape()))
    if (ShapedType::isDynamic(size))
      sizes.push_back(createOrFold<tensor::DimOp>(x, static_cast<int64_t>(axis)));
  return sizes;
}

Value GenBuilder::count(Value x, ArrayRef<int64_t> axes) {
  double known = 1;
  SmallVector<int64_t> unknown;
  for (int64_t axis : axes) {
    if (typeOf(x).isDynamicDim(axis))
      unknown.push_back(axis);
    else
      known *= static_cast<double>(typeOf(x).getDimSize(axis));
  }
  Value product = scalar(known, x);
  for (int64_t axis : unknown) {
    Value counted = make<SizeOp>(createOrFold<tensor::DimOp>(x, axis));
    product = mul(product, cast(counted, typeOf(x).getElementType()));
  }
  return product;
}
