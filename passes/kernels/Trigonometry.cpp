//===- Trigonometry.cpp - Sine and cosine of any f32 ----------------------===//
//
// x = k pi/2 + r. Up to 2^16 the three-part subtraction of Cody and Waite (1980) with fused
// multiply-adds gives r to full relative accuracy. Larger arguments are multiplied by the 96 bits
// of 2/pi that matter for their exponent (Payne and Hanek 1983) in 64-bit integers; a branch skips
// that when no lane needs it, and a lane takes its own result either way.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/kernels/Lanes.h"
#include "passes/kernels/VectorMath.h"
#include <limits>

namespace mlir::gen::kernels {
namespace {

/// r in [-pi/4, pi/4] (a little more after rounding) and k modulo 4 in the low bits of `quadrant`.
struct Angle {
  Lanes r, quadrant;
};

Angle reduceSmall(const Splat &c, Lanes x) {
  Lanes magic = c.f32(0x1.8p23f);
  Lanes shifted = fma(x, c.f32(0x1.45f306p-1f), magic);
  Lanes k = shifted - magic;
  Lanes r = fma(k, c.f32(-0x1.921fb6p+0f), x);
  r = fma(k, c.f32(0x1.777a5cp-25f), r);
  r = fma(k, c.f32(0x1.ee59dap-50f), r);
  return {r, bitsOf(shifted)};
}

/// For 1 <= |x| < inf: p = x / (2 pi) modulo 1 as a 64-bit fraction, hence the quadrant in its
/// upper two bits and the angle within it below them.
Angle reduceLarge(const Splat &c, Lanes x) {
  // 1 / (2 pi) in words of 32 bits, after the point.
  static const uint32_t kWords[] = {0,          0x28be60db, 0x9391054a, 0x7f09d5f4,
                                    0x7d4d3770, 0x36d8a566, 0x4f10e410, 0x7f9458ea};
  ImplicitLocOpBuilder &b = *x.b;
  Type i64 = withElement(x.type(), b.getI64Type()), i32 = withElement(x.type(), b.getI32Type());
  auto widen = [&](Lanes v) { return c.wrap(arith::ExtUIOp::create(b, i64, v)); };

  Lanes bits = bitsOf(x);
  Lanes mantissa = widen(((bits & c.i32(0x7fffff)) | c.i32(0x800000)) << c.i32(8));
  Lanes exponent = (shiftRight(bits, c.i32(23)) & c.i32(0xff)) - c.i32(126);
  Lanes first = shiftRight(exponent, c.i32(5)), shift = widen(exponent & c.i32(31));
  auto word = [&](unsigned offset) {
    Lanes result = c.i64(kWords[offset]);
    for (unsigned i = 1; i <= 4; ++i)
      result = select(compareInt(arith::CmpIPredicate::eq, first, c.i32(i)),
                      c.i64(kWords[std::min(i + offset, 7u)]), result);
    return result;
  };
  // The 32 bits that follow `shift` bits of the pair (upper, lower).
  auto window = [&](Lanes upper, Lanes lower) {
    return shiftRight(((upper << c.i64(32)) | lower) << shift, c.i64(32));
  };
  Lanes w0 = word(0), w1 = word(1), w2 = word(2), w3 = word(3);
  Lanes p = shiftRight(mantissa * window(w2, w3), c.i64(32));
  p = p + mantissa * window(w1, w2) + ((mantissa * window(w0, w1)) << c.i64(32));

  Lanes k = shiftRight(p + c.i64(uint64_t(1) << 61), c.i64(62));
  Lanes fraction = p - (k << c.i64(62));
  Type f64 = withElement(x.type(), b.getF64Type()), f32 = x.type();
  Lanes angle = c.wrap(arith::SIToFPOp::create(b, f64, fraction)) * c.f64(0x1.921fb54442d18p-62);
  Lanes r = c.wrap(arith::TruncFOp::create(b, f32, angle.value));
  Lanes quadrant = c.wrap(arith::TruncIOp::create(b, i32, k));
  Lanes negative = x < c.f32(0.0f);
  return {select(negative, -r, r), select(negative, c.i32(0) - quadrant, quadrant)};
}

Angle reduce(const Splat &c, Lanes x) {
  ImplicitLocOpBuilder &b = *x.b;
  Angle small = reduceSmall(c, x);
  Lanes isLarge = abs(x) > c.f32(0x1p16f);
  Value anyLarge = isLarge;
  if (isa<VectorType>(isLarge.type()))
    anyLarge = vector::ReductionOp::create(b, vector::CombiningKind::OR, isLarge);
  auto branch = scf::IfOp::create(b, TypeRange{small.r.type(), small.quadrant.type()}, anyLarge,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Angle large = reduceLarge(c, x);
  Lanes r = select(isLarge, large.r, small.r);
  Lanes quadrant = select(isLarge, large.quadrant, small.quadrant);
  Lanes infinity = c.f32(std::numeric_limits<float>::infinity());
  r = select(equal(abs(x), infinity), c.f32(std::numeric_limits<float>::quiet_NaN()), r);
  scf::YieldOp::create(b, ValueRange{r, quadrant});
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, ValueRange{small.r, small.quadrant});
  return {c.wrap(branch.getResult(0)), c.wrap(branch.getResult(1))};
}

/// sin and cos on [-pi/4, pi/4].
Lanes sinPolynomial(const Splat &c, Lanes r) {
  static const float kTail[] = {-1.666666716e-01f, 8.333379403e-03f, -1.985305280e-04f,
                                2.832273822e-06f};
  Lanes square = r * r;
  return fma(polynomial(square, kTail, [&](float x) { return c.f32(x); }), square * r, r);
}
Lanes cosPolynomial(const Splat &c, Lanes r) {
  static const float kTail[] = {1.0f, -0.5f, 4.166664556e-02f, -1.388730714e-03f, 2.443187623e-05f};
  return polynomial(r * r, kTail, [&](float x) { return c.f32(x); });
}

/// The sine `quadrant` quarter turns after r, given both polynomials.
Lanes turned(const Splat &c, Lanes sin, Lanes cos, Lanes quadrant) {
  Lanes odd = compareInt(arith::CmpIPredicate::ne, quadrant & c.i32(1), c.i32(0));
  Lanes sign = (quadrant & c.i32(2)) << c.i32(30);
  return floatOf(bitsOf(select(odd, cos, sin)) ^ sign);
}

} // namespace

std::pair<Value, Value> emitSinCos(ImplicitLocOpBuilder &b, Value x) {
  if (getElementTypeOrSelf(x).isF64())
    return {math::SinOp::create(b, x), math::CosOp::create(b, x)};
  Splat c(b, x.getType());
  Angle angle = reduce(c, c.wrap(x));
  Lanes sin = sinPolynomial(c, angle.r), cos = cosPolynomial(c, angle.r);
  Lanes value = c.wrap(x);
  Lanes sine = select(equal(value, c.f32(0.0f)), value, turned(c, sin, cos, angle.quadrant));
  return {sine, turned(c, sin, cos, angle.quadrant + c.i32(1))}; // the reduction loses -0
}

// The unused half has no side effects and is removed as dead code.
Value emitSin(ImplicitLocOpBuilder &b, Value x) {
  if (getElementTypeOrSelf(x).isF64())
    return math::SinOp::create(b, x);
  return emitSinCos(b, x).first;
}

Value emitCos(ImplicitLocOpBuilder &b, Value x) {
  if (getElementTypeOrSelf(x).isF64())
    return math::CosOp::create(b, x);
  return emitSinCos(b, x).second;
}

} // namespace mlir::gen::kernels
