//===- VectorMath.cpp - Exponential, logarithm and their family -----------===//
//
// Exponentials: x = n ln2 + r with |r| <= ln2/2, e^r - 1 by a minimax polynomial, and the scaling
// by 2^n through the exponent bits, or by AVX-512's instruction for that. Logarithms: x = 2^e (1 +
// f) with 1 + f in [0.75, 1.5), log(1 + f) by a minimax polynomial. The coefficients are minimax
// fits of the relative error, rounded to f32 one after the other with the rest fitted again.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/VectorMath.h"

#include "gen/artefact.h"
#include "passes/EntryProgram.h"
#include "passes/kernels/Lanes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include <limits>

namespace mlir::gen::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

bool isF64(Value x) { return getElementTypeOrSelf(x).isF64(); }

// ln2 in two parts; the product of the upper one with an exponent is exact.
constexpr float kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;

/// x = n ln2 + r; `n` also as an integer. Adding 1.5 * 2^23 rounds to an integer and leaves it in
/// the low bits, which unlike a conversion is defined for NaN too.
struct Reduced {
  Lanes r, n, integer;
};

Reduced reduceByLn2(const Splat &c, Lanes x) {
  Lanes magic = c.f32(0x1.8p23f);
  Lanes shifted = fma(x, c.f32(0x1.715476p+0f), magic);
  Lanes n = shifted - magic;
  Lanes r = fma(n, c.f32(-kLn2Low), fma(n, c.f32(-kLn2High), x));
  return {r, n, bitsOf(shifted) - bitsOf(magic)};
}

/// e^r - 1 for |r| <= ln2/2.
Lanes expm1Polynomial(const Splat &c, Lanes r) {
  static const float kTail[] = {4.999999702e-01f, 1.666654646e-01f, 4.166743532e-02f,
                                8.366272785e-03f, 1.387070748e-03f};
  Lanes tail = polynomial(r, kTail, [&](float x) { return c.f32(x); });
  return fma(r * r, tail, r);
}

/// 2^n for an integer n in -126..127.
Lanes powerOfTwo(const Splat &c, Lanes n) { return floatOf((n + c.i32(127)) << c.i32(23)); }

/// True if AVX-512 has an instruction for a vector like `x`.
bool isWholeRegister(Lanes x) {
  auto type = dyn_cast<VectorType>(x.type());
  auto module = x.b->getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  auto features = module ? module->getAttrOfType<IntegerAttr>(kFeaturesAttr) : IntegerAttr();
  return type && type.getNumElements() == 16 && features && (features.getInt() & GEN_X86_64_V4);
}

/// x 2^n, rounded once, also where 2^n is out of range.
Lanes scaled(const Splat &c, Lanes x, const Reduced &reduced) {
  ImplicitLocOpBuilder &b = *x.b;
  if (isWholeRegister(x)) {
    constexpr int64_t kAllLanes = -1, kCurrentRounding = 4;
    Value mask = arith::ConstantIntOp::create(b, kAllLanes, 16);
    Value rounding = arith::ConstantIntOp::create(b, kCurrentRounding, 32);
    return {&b, LLVM::CallIntrinsicOp::create(b, x.type(),
                                              b.getStringAttr("llvm.x86.avx512.mask.scalef.ps.512"),
                                              ValueRange{x, reduced.n, x, mask, rounding})
                    .getResult(0)};
  }
  Lanes half = shiftRightSigned(reduced.integer, c.i32(1));
  return x * powerOfTwo(c, half) * powerOfTwo(c, reduced.integer - half);
}

/// e^x for x <= 89.
Lanes expBelow89(const Splat &c, Lanes x) {
  Reduced reduced = reduceByLn2(c, clampBelow(x, c.f32(-104.0f)));
  return scaled(c, expm1Polynomial(c, reduced.r) + c.f32(1.0f), reduced);
}

/// e^x - 1 for -18 <= x <= 88, where 2^n is in range: 2^n (e^r - 1) + (2^n - 1).
Lanes expm1Between(const Splat &c, Lanes x) {
  Reduced reduced = reduceByLn2(c, x);
  Lanes scale = powerOfTwo(c, reduced.integer);
  return fma(expm1Polynomial(c, reduced.r), scale, scale - c.f32(1.0f));
}

/// log(1 + f) - f for f in [-0.25, 0.5].
Lanes logTail(const Splat &c, Lanes f) {
  static const float kTail[] = {-0.5f,
                                3.333345056e-01f,
                                -2.500011027e-01f,
                                1.999084800e-01f,
                                -1.664687693e-01f,
                                1.447762549e-01f,
                                -1.316395402e-01f,
                                1.047262996e-01f,
                                -4.515301436e-02f};
  return f * f * polynomial(f, kTail, [&](float x) { return c.f32(x); });
}

/// The exponent e (as an integer) that brings x 2^-e into [0.75, 1.5), for a normal x > 0.
Lanes exponentOf(const Splat &c, Lanes x) {
  return shiftRightSigned(bitsOf(x) - c.i32(0x3f400000), c.i32(23));
}
Lanes mantissaOf(const Splat &c, Lanes x, Lanes exponent) {
  return floatOf(bitsOf(x) - (exponent << c.i32(23)));
}

Lanes toF32(Lanes x) {
  return {x.b, arith::SIToFPOp::create(*x.b, withElement(x.type(), x.b->getF32Type()), x)};
}

/// log(2^e (1 + f)).
Lanes logOf(const Splat &c, Lanes e, Lanes f) {
  Lanes low = fma(e, c.f32(kLn2Low), logTail(c, f));
  return fma(e, c.f32(kLn2High), f + low);
}

/// `result` for 0 < x < inf; else the values of log at 0, inf and NaN or below 0.
Lanes withLogSpecials(const Splat &c, Lanes x, Lanes result) {
  Lanes zero = c.f32(0.0f), infinity = c.f32(kInfinity);
  Lanes special =
      select(equal(x, zero), c.f32(-kInfinity), select(equal(x, infinity), infinity, c.f32(kNaN)));
  Lanes regular = (x > zero) & (x < infinity);
  return select(regular, result, special);
}

} // namespace

Value emitExp(ImplicitLocOpBuilder &b, Value x) {
  if (isF64(x))
    return math::ExpOp::create(b, x);
  Splat c(b, x.getType());
  return expBelow89(c, clampAbove(c.wrap(x), c.f32(89.0f)));
}

Value emitExpm1(ImplicitLocOpBuilder &b, Value x) {
  if (isF64(x))
    return math::ExpM1Op::create(b, x);
  Splat c(b, x.getType());
  // Beyond 88 subtracting 1 changes nothing and 2^n may overflow, so e^x takes over.
  Lanes value = c.wrap(x), limit = c.f32(88.0f);
  Lanes middle = expm1Between(c, clampBelow(clampAbove(value, limit), c.f32(-18.0f)));
  Lanes large = expBelow89(c, clampAbove(value, c.f32(89.0f)));
  Lanes result = select(value > limit, large, middle);
  return select(equal(value, c.f32(0.0f)), value, result); // keeps -0
}

Value emitLog(ImplicitLocOpBuilder &b, Value x) {
  if (isF64(x))
    return math::LogOp::create(b, x);
  Splat c(b, x.getType());
  Lanes value = c.wrap(x);
  Lanes denormal = value < c.f32(0x1p-126f);
  Lanes normal = select(denormal, value * c.f32(0x1p23f), value);
  Lanes e = exponentOf(c, normal);
  Lanes f = mantissaOf(c, normal, e) - c.f32(1.0f);
  Lanes exponent = toF32(e) + select(denormal, c.f32(-23.0f), c.f32(0.0f));
  return withLogSpecials(c, value, logOf(c, exponent, f));
}

Value emitLog1p(ImplicitLocOpBuilder &b, Value x) {
  if (isF64(x))
    return math::Log1pOp::create(b, x);
  Splat c(b, x.getType());
  Lanes value = c.wrap(x), one = c.f32(1.0f);
  Lanes sum = value + one;
  Lanes e = exponentOf(c, sum);
  // f = (1 + x) 2^-e - 1 from x itself, which the rounding of 1 + x has not touched.
  Lanes scale = floatOf(c.i32(0x3f800000) - (e << c.i32(23)));
  Lanes exact = fma(value, scale, scale - one);
  Lanes large = compareInt(arith::CmpIPredicate::sgt, e, c.i32(24));
  Lanes f = select(large, mantissaOf(c, sum, e) - one, exact);
  Lanes result = withLogSpecials(c, sum, logOf(c, toF32(e), f));
  return select(abs(value) < c.f32(0x1p-25f), value, result); // keeps -0
}

Value emitTanh(ImplicitLocOpBuilder &b, Value x) {
  if (isF64(x))
    return math::TanhOp::create(b, x);
  Splat c(b, x.getType());
  // tanh |x| = u / (u + 2) with u = e^(2|x|) - 1; from 9.02 on it rounds to 1.
  Lanes value = c.wrap(x);
  Lanes magnitude = clampAbove(abs(value), c.f32(10.0f));
  Lanes u = expm1Between(c, magnitude + magnitude);
  return copySign(u / (u + c.f32(2.0f)), value);
}

Value emitSigmoid(ImplicitLocOpBuilder &b, Value x) {
  Splat c(b, x.getType());
  Lanes value = c.wrap(x);
  Lanes zero = isF64(x) ? c.f64(0.0) : c.f32(0.0f), one = isF64(x) ? c.f64(1.0) : c.f32(1.0f);
  // With z = e^-|x|: 1 / (1 + z) on the right, z / (1 + z) on the left.
  Lanes negative = -abs(value);
  Lanes z = isF64(x) ? c.wrap(math::ExpOp::create(b, negative)) : expBelow89(c, negative);
  return select(value < zero, z, one) / (one + z);
}

Value emitErf(ImplicitLocOpBuilder &b, Value x) {
  if (isF64(x))
    return math::ErfOp::create(b, x);
  // |x| <= 0.927: x + x P(x^2). Beyond: 1 - e^-(t + t Q(t)); from 3.92 on it rounds to 1.
  static const float kSmall[] = {1.283791512e-01f,  -3.761249185e-01f, 1.128176674e-01f,
                                 -2.676431462e-02f, 4.989359993e-03f,  -5.969867343e-04f};
  static const float kLarge[] = {1.286484897e-01f,  6.351513267e-01f, 1.062368453e-01f,
                                 -2.376201935e-02f, 3.642429598e-03f, -3.227940470e-04f,
                                 1.123003403e-05f};
  Splat c(b, x.getType());
  auto constant = [&](float v) { return c.f32(v); };
  Lanes value = c.wrap(x), magnitude = abs(value);
  Lanes small = fma(polynomial(value * value, kSmall, constant), value, value);
  Lanes t = clampAbove(magnitude, c.f32(4.0f));
  Lanes exponent = fma(polynomial(t, kLarge, constant), t, t);
  Lanes large = copySign(c.f32(1.0f) - expBelow89(c, -exponent), value);
  return select(magnitude > c.f32(0.927f), large, small);
}

Value emitSqrt(ImplicitLocOpBuilder &b, Value x) { return math::SqrtOp::create(b, x); }

Value emitRsqrt(ImplicitLocOpBuilder &b, Value x) {
  Splat c(b, x.getType());
  return (isF64(x) ? c.f64(1.0) : c.f32(1.0f)) / sqrt(c.wrap(x));
}

} // namespace mlir::gen::kernels
