//===- Lanes.h - Arithmetic on values as expressions ----------------------===//
//
// Lets an emitter write `fma(p, r, c(0.5f))` instead of chains of op creations. A `Lanes` is an SSA
// value (scalar or vector, float or integer) with its builder; operators create `arith` ops on it.
// `Splat` makes constants of the shape at hand.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_LANES_H
#define GEN_PASSES_KERNELS_LANES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include <iterator>

namespace mlir::gen::kernels {

struct Lanes {
  ImplicitLocOpBuilder *b = nullptr;
  Value value;

  operator Value() const { return value; }
  Type type() const { return value.getType(); }
  bool isFloat() const { return isa<FloatType>(getElementTypeOrSelf(value)); }
};

/// The type of `like` (scalar or vector) with another element type.
inline Type withElement(Type like, Type element) {
  if (auto vector = dyn_cast<VectorType>(like))
    return vector.clone(element);
  return element;
}

/// Makes constants with the shape of one value.
class Splat {
public:
  Splat(ImplicitLocOpBuilder &b, Type like) : b(b), like(like) {}

  Lanes f32(float x) const { return constant(b.getF32FloatAttr(x)); }
  Lanes f64(double x) const { return constant(b.getF64FloatAttr(x)); }
  Lanes i32(uint32_t x) const { return constant(b.getI32IntegerAttr(static_cast<int32_t>(x))); }
  Lanes i64(uint64_t x) const { return constant(b.getI64IntegerAttr(static_cast<int64_t>(x))); }
  Lanes wrap(Value value) const { return {&b, value}; }

private:
  Lanes constant(TypedAttr scalar) const {
    TypedAttr attr = scalar;
    if (auto vector = dyn_cast<VectorType>(like))
      attr = DenseElementsAttr::get(vector.clone(scalar.getType()), scalar);
    return {&b, arith::ConstantOp::create(b, attr)};
  }

  ImplicitLocOpBuilder &b;
  Type like;
};

inline Lanes operator+(Lanes x, Lanes y) {
  return {x.b, x.isFloat() ? arith::AddFOp::create(*x.b, x, y).getResult()
                           : arith::AddIOp::create(*x.b, x, y).getResult()};
}
inline Lanes operator-(Lanes x, Lanes y) {
  return {x.b, x.isFloat() ? arith::SubFOp::create(*x.b, x, y).getResult()
                           : arith::SubIOp::create(*x.b, x, y).getResult()};
}
inline Lanes operator*(Lanes x, Lanes y) {
  return {x.b, x.isFloat() ? arith::MulFOp::create(*x.b, x, y).getResult()
                           : arith::MulIOp::create(*x.b, x, y).getResult()};
}
inline Lanes operator/(Lanes x, Lanes y) { return {x.b, arith::DivFOp::create(*x.b, x, y)}; }
inline Lanes operator-(Lanes x) { return {x.b, arith::NegFOp::create(*x.b, x)}; }
inline Lanes operator&(Lanes x, Lanes y) { return {x.b, arith::AndIOp::create(*x.b, x, y)}; }
inline Lanes operator|(Lanes x, Lanes y) { return {x.b, arith::OrIOp::create(*x.b, x, y)}; }
inline Lanes operator^(Lanes x, Lanes y) { return {x.b, arith::XOrIOp::create(*x.b, x, y)}; }
inline Lanes operator<<(Lanes x, Lanes n) { return {x.b, arith::ShLIOp::create(*x.b, x, n)}; }
inline Lanes shiftRight(Lanes x, Lanes n) { return {x.b, arith::ShRUIOp::create(*x.b, x, n)}; }
inline Lanes shiftRightSigned(Lanes x, Lanes n) {
  return {x.b, arith::ShRSIOp::create(*x.b, x, n)};
}

inline Lanes fma(Lanes x, Lanes y, Lanes z) { return {x.b, math::FmaOp::create(*x.b, x, y, z)}; }
inline Lanes abs(Lanes x) { return {x.b, math::AbsFOp::create(*x.b, x)}; }
inline Lanes sqrt(Lanes x) { return {x.b, math::SqrtOp::create(*x.b, x)}; }
inline Lanes floor(Lanes x) { return {x.b, math::FloorOp::create(*x.b, x)}; }
inline Lanes copySign(Lanes magnitude, Lanes sign) {
  return {magnitude.b, math::CopySignOp::create(*magnitude.b, magnitude, sign)};
}

/// Ordered float comparisons: false if an operand is NaN (`notEqual` is true then).
inline Lanes compare(arith::CmpFPredicate predicate, Lanes x, Lanes y) {
  return {x.b, arith::CmpFOp::create(*x.b, predicate, x, y)};
}
inline Lanes operator<(Lanes x, Lanes y) { return compare(arith::CmpFPredicate::OLT, x, y); }
inline Lanes operator>(Lanes x, Lanes y) { return compare(arith::CmpFPredicate::OGT, x, y); }
inline Lanes equal(Lanes x, Lanes y) { return compare(arith::CmpFPredicate::OEQ, x, y); }
inline Lanes notEqual(Lanes x, Lanes y) { return compare(arith::CmpFPredicate::UNE, x, y); }
inline Lanes compareInt(arith::CmpIPredicate predicate, Lanes x, Lanes y) {
  return {x.b, arith::CmpIOp::create(*x.b, predicate, x, y)};
}

inline Lanes select(Lanes condition, Lanes x, Lanes y) {
  return {x.b, arith::SelectOp::create(*x.b, condition, x, y)};
}
/// min and max that keep a NaN in `x`.
inline Lanes clampAbove(Lanes x, Lanes limit) { return select(x > limit, limit, x); }
inline Lanes clampBelow(Lanes x, Lanes limit) { return select(x < limit, limit, x); }

/// The bits of a float as an integer and back.
inline Lanes bitsOf(Lanes x) {
  unsigned width = getElementTypeOrSelf(x.value).getIntOrFloatBitWidth();
  Type type = withElement(x.type(), x.b->getIntegerType(width));
  return {x.b, arith::BitcastOp::create(*x.b, type, x)};
}
inline Lanes floatOf(Lanes bits) {
  bool wide = getElementTypeOrSelf(bits.value).isInteger(64);
  Type type = withElement(bits.type(), wide ? Type(bits.b->getF64Type()) : bits.b->getF32Type());
  return {bits.b, arith::BitcastOp::create(*bits.b, type, bits)};
}

/// c[0] + c[1] x + c[2] x^2 + ... by Horner's rule.
template <typename MakeConstant, typename Coefficients>
Lanes polynomial(Lanes x, const Coefficients &c, MakeConstant constant) {
  auto it = std::rbegin(c);
  Lanes result = constant(*it);
  while (++it != std::rend(c))
    result = fma(result, x, constant(*it));
  return result;
}

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_LANES_H
