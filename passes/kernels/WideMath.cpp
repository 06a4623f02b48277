//===- WideMath.cpp - f64 functions without a C library -------------------===//
//
// For devices. The methods are those of VectorMath.cpp, with polynomials of more terms: Chebyshev
// fits of the functions named, to 1e-18. Logarithms come as a sum of two numbers, so that pow,
// which multiplies them, has the bits it needs. A few ulp; sine and cosine of large arguments to
// 1e-18.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/Lanes.h"
#include "passes/kernels/Power.h"
#include "passes/kernels/VectorMath.h"

namespace mlir::gen::kernels {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// A number as the sum of two, the second of which is small.
struct Pair {
  Lanes high, low;
};

class WideMath {
public:
  WideMath(ImplicitLocOpBuilder &b, Type type) : b(b), c(b, type) {}

  /// e^(high + low).
  Lanes exp(Lanes high, Lanes low) {
    Lanes clamped = clampBelow(clampAbove(high, c.f64(710)), c.f64(-746));
    Reduced reduced = reduceByLn2(clamped, select(equal(clamped, high), low, c.f64(0)));
    Lanes half = shiftRightSigned(reduced.n, c.i64(1));
    return (minusOne(reduced.r) + c.f64(1)) * powerOfTwo(half) * powerOfTwo(reduced.n - half);
  }
  Lanes exp(Lanes x) { return exp(x, c.f64(0)); }

  /// e^x - 1.
  Lanes expm1(Lanes x) {
    Reduced reduced = reduceByLn2(clampBelow(clampAbove(x, c.f64(709)), c.f64(-40)), c.f64(0));
    Lanes scale = powerOfTwo(reduced.n);
    Lanes middle = fma(minusOne(reduced.r), scale, scale - c.f64(1));
    Lanes result = select(x > c.f64(709), exp(x), middle);
    return select(equal(x, c.f64(0)), x, result);
  }

  /// The logarithm of 0 < x < inf.
  Pair logOfPositive(Lanes x) {
    // (log((1 + s) / (1 - s)) - 2 s) / s^3 by s^2
    static const double kTail[] = {
        0x1.5555555555555p-1, 0x1.9999999999998p-2, 0x1.249249249298ap-2,
        0x1.c71c71c64569fp-3, 0x1.745d17d760109p-3, 0x1.3b1379f7283cbp-3,
        0x1.111d5cb740ebbp-3, 0x1.deb585b4c6cffp-4, 0x1.e70428be7b9f5p-4};
    Lanes isDenormal = x < c.f64(0x1p-1022);
    Lanes bits = bitsOf(select(isDenormal, x * c.f64(0x1p54), x));
    Lanes exponent = shiftRightSigned(bits - c.i64(0x3fe6a09e667f3bcd), c.i64(52));
    Lanes mantissa = floatOf(bits - (exponent << c.i64(52))); // in [sqrt(1/2), sqrt(2))
    Lanes k = c.wrap(arith::SIToFPOp::create(b, x.type(), exponent)) +
              select(isDenormal, c.f64(-54), c.f64(0));
    Lanes f = mantissa - c.f64(1), d = mantissa + c.f64(1);
    Lanes s = f / d, rest = mantissa - (d - c.f64(1)), square = s * s;
    Lanes small = (fma(-s, d, f) - s * rest) / d; // s + small is f / (1 + mantissa)
    Lanes whole = k * c.f64(0x1.62e42fee00000p-1), twice = s + s, sum = whole + twice;
    Lanes low = ((whole - sum) + twice) + (small + small) +
                fma(k, c.f64(0x1.a39ef35793c76p-33), square * s * evaluate(square, kTail));
    Lanes high = sum + low;
    return {high, (sum - high) + low};
  }

  /// `result` for 0 < x < inf; else the values of log at 0, inf and NaN or below 0.
  Lanes withLogSpecials(Lanes x, Lanes result) {
    Lanes special = select(equal(x, c.f64(0)), c.f64(-kInfinity),
                           select(equal(x, c.f64(kInfinity)), x, c.f64(kNaN)));
    return select((x > c.f64(0)) & (x < c.f64(kInfinity)), result, special);
  }
  Lanes log(Lanes x) { return withLogSpecials(x, logOfPositive(x).high); }

  /// log(1 + x): that of the rounded sum, and what the rounding left out.
  Lanes log1p(Lanes x) {
    Lanes sum = x + c.f64(1);
    Lanes left = select(x < c.f64(1), x - (sum - c.f64(1)), c.f64(1) - (sum - x));
    Lanes result = withLogSpecials(sum, logOfPositive(sum).high + left / sum);
    return select(equal(x, c.f64(0)), x, result);
  }

  Lanes tanh(Lanes x) {
    Lanes magnitude = clampAbove(abs(x), c.f64(22));
    Lanes u = expm1(magnitude + magnitude);
    return copySign(u / (u + c.f64(2)), x);
  }

  Lanes erf(Lanes x) {
    // erf(x) / x by x^2, for |x| <= 1
    static const double kSmall[] = {
        0x1.20dd750429b6dp+0,   -0x1.812746b0379e6p-2,  0x1.ce2f21a042b30p-4,
        -0x1.b82ce31284e00p-6,  0x1.565bcd0dbaa38p-8,   -0x1.c02db3dac435fp-11,
        0x1.f9a321d5b8e1ep-14,  -0x1.f4d1e3183f7aep-17, 0x1.b9df224ca4b97p-20,
        -0x1.5f1ecb6f0764cp-23, 0x1.f7b4bf3b13964p-27,  -0x1.389d4f2641625p-30,
        0x1.05ffd737fb32ep-34};
    // (1 - erf(x)) e^(x^2) by (x - 2) / (x + 2), for 1 <= x <= 6
    static const double kLarge[] = {
        0x1.058671b52c776p-2,   -0x1.b57034efd3f72p-2,  0x1.eeea7dc8a78b7p-3,
        -0x1.437f0b68c0bdcp-4,  0x1.e947159797158p-9,   0x1.ca95ed532b26cp-8,
        -0x1.bc25a4763b3cap-11, -0x1.016b5cdbae621p-10, 0x1.6d5ef188bff89p-15,
        0x1.6da9701b2c57cp-13,  0x1.cdcd09b79ebebp-16,  -0x1.ceb69de6e21dbp-16,
        -0x1.d4b0d3d3aaf27p-17, 0x1.75d432f39d289p-20,  0x1.fc947548a0e7cp-19,
        0x1.3c3cdeef1f68fp-20,  -0x1.1dc296ab25c2bp-21, -0x1.c49d5026d94f3p-22};
    Lanes magnitude = clampAbove(abs(x), c.f64(6));
    Lanes t = (magnitude - c.f64(2)) / (magnitude + c.f64(2));
    Lanes rest = exp(-(magnitude * magnitude)) * evaluate(t, kLarge);
    Lanes large = copySign(c.f64(1) - rest, x);
    return select(magnitude < c.f64(1), x * evaluate(x * x, kSmall), large);
  }

  Lanes pow(Lanes x, Lanes y) {
    Lanes base = abs(x), zero = c.f64(0);
    Pair log = logOfPositive(base);
    Lanes high = select(equal(base, zero), c.f64(-kInfinity), log.high);
    high = select(base < c.f64(kInfinity), high, base); // inf and NaN
    Lanes product = high * y;
    Lanes low = fma(log.low, y, fma(high, y, -product));
    return powerOfMagnitude(x, y, exp(product, low), [&](double number) { return c.f64(number); });
  }

  Lanes sin(Lanes x) {
    Angle angle = reduce(x);
    return select(equal(x, c.f64(0)), x, turned(angle.r, angle.quadrant)); // keeps -0
  }
  Lanes cos(Lanes x) {
    Angle angle = reduce(x);
    return turned(angle.r, angle.quadrant + c.i64(1));
  }

private:
  struct Reduced {
    Lanes r, n; ///< n is an integer
  };
  /// r in [-pi/4, pi/4], and how many quarter turns were taken off, modulo 4, in the low bits.
  struct Angle {
    Lanes r, quadrant;
  };

  template <size_t N> Lanes evaluate(Lanes x, const double (&coefficients)[N]) {
    return polynomial(x, coefficients, [&](double number) { return c.f64(number); });
  }

  /// x + low = n ln2 + r.
  Reduced reduceByLn2(Lanes x, Lanes low) {
    Lanes magic = c.f64(0x1.8p52), shifted = fma(x, c.f64(0x1.71547652b82fep+0), magic);
    Lanes n = shifted - magic, r = fma(n, c.f64(-0x1.62e42fefa39efp-1), x);
    r = fma(n, c.f64(-0x1.abc9e3b39803fp-56), r) + low;
    return {r, bitsOf(shifted) - bitsOf(magic)};
  }

  /// e^r - 1 for |r| <= ln2/2.
  Lanes minusOne(Lanes r) {
    static const double kTail[] = {
        0x1.0000000000000p-1,  0x1.5555555555557p-3,  0x1.5555555555556p-5,  0x1.11111111100d3p-7,
        0x1.6c16c16c162cfp-10, 0x1.a01a01abeccc3p-13, 0x1.a01a01a6db488p-16, 0x1.71de02225a2f3p-19,
        0x1.27e4db5bb725ap-22, 0x1.af4e092e1705bp-26, 0x1.1f7315649f2d7p-29};
    return fma(r * r, evaluate(r, kTail), r);
  }

  Lanes powerOfTwo(Lanes n) { return floatOf((n + c.i64(1023)) << c.i64(52)); }

  Angle reduce(Lanes x) {
    Angle small = reduceSmall(x), large = reduceLarge(x);
    Lanes isLarge = abs(x) > c.f64(0x1p20);
    Lanes r = select(isLarge, large.r, small.r);
    r = select(equal(abs(x), c.f64(kInfinity)), c.f64(kNaN), r);
    return {r, select(isLarge, large.quadrant, small.quadrant)};
  }

  /// By pi/2 in three parts (Cody and Waite 1980).
  Angle reduceSmall(Lanes x) {
    Lanes magic = c.f64(0x1.8p52), shifted = fma(x, c.f64(0x1.45f306dc9c883p-1), magic);
    Lanes k = shifted - magic, r = fma(k, c.f64(-0x1.921fb54442d18p+0), x);
    r = fma(k, c.f64(-0x1.1a62633145c07p-54), r);
    return {fma(k, c.f64(0x1.f1976b7ed8fbcp-110), r), bitsOf(shifted)};
  }

  /// For |x| >= 1, by the bits of 1 / (2 pi) that matter for the exponent (Payne and Hanek 1983):
  /// p = x / (2 pi) modulo 1 as a 64-bit fraction.
  Angle reduceLarge(Lanes x) {
    Lanes bits = bitsOf(x), exponent = (shiftRight(bits, c.i64(52)) & c.i64(0x7ff)) - c.i64(1022);
    Lanes mantissa = ((bits & c.i64(0xfffffffffffff)) | c.i64(0x10000000000000)) << c.i64(11);
    Lanes first = shiftRight(exponent, c.i64(6)), shift = exponent & c.i64(63);
    Lanes w0 = word(first, 0), w1 = word(first, 1), w2 = word(first, 2), w3 = word(first, 3);
    Lanes p = mantissa * window(w0, w1, shift) + upper(mantissa, window(w1, w2, shift));
    Lanes middle = mantissa * window(w1, w2, shift);
    Lanes sum = middle + upper(mantissa, window(w2, w3, shift));
    Lanes carries = compareInt(arith::CmpIPredicate::ult, sum, middle);
    p = p + select(carries, c.i64(1), c.i64(0));
    Lanes k = shiftRight(p + c.i64(uint64_t(1) << 61), c.i64(62));
    Lanes fraction = p - (k << c.i64(62));
    Lanes r = c.wrap(arith::SIToFPOp::create(b, x.type(), fraction)) * c.f64(0x1.921fb54442d18p-62);
    Lanes isNegative = x < c.f64(0);
    return {select(isNegative, -r, r), select(isNegative, c.i64(0) - k, k)};
  }

  /// Word `first + offset` of 1 / (2 pi), after the point.
  Lanes word(Lanes first, size_t offset) {
    static const uint64_t kWords[] = {0,
                                      0x28be60db9391054a,
                                      0x7f09d5f47d4d3770,
                                      0x36d8a5664f10e410,
                                      0x7f9458eaf7aef158,
                                      0x6dc91b8e909374b8,
                                      0x01924bba82746487,
                                      0x3f877ac72c4a69cf,
                                      0xba208d7d4baed121,
                                      0x3a671c09ad17df90,
                                      0x4e64758e60d4ce7d,
                                      0x272117e2ef7e4a0e,
                                      0xc7fe25fff7816603,
                                      0xfbcbc462d6829b47,
                                      0xdb4d9fb3c9f2c26d,
                                      0xd3d18fd9a797fa8b,
                                      0x5d49eeb1faf97c5e,
                                      0xcf41ce7de294a4ba,
                                      0x9afed7ec47e35742,
                                      0x1580cc11bf1edaea};
    constexpr size_t kLast = 16; // of the largest exponent
    Lanes result = c.i64(kWords[offset]);
    for (size_t i = 1; i <= kLast; ++i)
      result = select(compareInt(arith::CmpIPredicate::eq, first, c.i64(i)),
                      c.i64(kWords[i + offset]), result);
    return result;
  }

  /// The 64 bits that follow `shift` bits of a pair of words.
  Lanes window(Lanes upper, Lanes lower, Lanes shift) {
    return (upper << shift) | shiftRight(shiftRight(lower, c.i64(1)), c.i64(63) - shift);
  }

  /// The upper half of the product of two words.
  Lanes upper(Lanes x, Lanes y) {
    return c.wrap(arith::MulUIExtendedOp::create(b, x, y).getHigh());
  }

  /// The sine `quadrant` quarter turns after r. Polynomials of FreeBSD's k_sin.c and k_cos.c.
  Lanes turned(Lanes r, Lanes quadrant) {
    static const double kSin[] = {-1.66666666666666324348e-01, 8.33333333332248946124e-03,
                                  -1.98412698298579493134e-04, 2.75573137070700676789e-06,
                                  -2.50507602534068634195e-08, 1.58969099521155010221e-10};
    static const double kCos[] = {4.16666666666666019037e-02, -1.38888888888741095749e-03,
                                  2.48015872894767294178e-05, -2.75573143513906633035e-07,
                                  2.08757232129817482790e-09, -1.13596475577881948265e-11};
    Lanes square = r * r, one = c.f64(1), half = square * c.f64(0.5), rounded = one - half;
    Lanes sin = fma(square * r, evaluate(square, kSin), r);
    Lanes cos = rounded + (((one - rounded) - half) + square * square * evaluate(square, kCos));
    Lanes isOdd = compareInt(arith::CmpIPredicate::ne, quadrant & c.i64(1), c.i64(0));
    Lanes sign = (quadrant & c.i64(2)) << c.i64(62);
    return floatOf(bitsOf(select(isOdd, cos, sin)) ^ sign);
  }

  ImplicitLocOpBuilder &b;
  Splat c;
};

template <typename Op, typename Emit> void expand(Operation *root, Emit emit) {
  SmallVector<Op> ops;
  root->walk([&](Op op) {
    if (getElementTypeOrSelf(op.getType()).isF64())
      ops.push_back(op);
  });
  for (Op op : ops) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    WideMath math(b, op.getType());
    SmallVector<Lanes> operands;
    for (Value operand : op->getOperands())
      operands.push_back({&b, operand});
    op.replaceAllUsesWith(emit(math, operands).value);
    op.erase();
  }
}

} // namespace

void expandF64Math(Operation *root) {
  using Operands = SmallVector<Lanes>;
  expand<math::ExpOp>(root, [](WideMath &m, Operands &x) { return m.exp(x[0]); });
  expand<math::ExpM1Op>(root, [](WideMath &m, Operands &x) { return m.expm1(x[0]); });
  expand<math::LogOp>(root, [](WideMath &m, Operands &x) { return m.log(x[0]); });
  expand<math::Log1pOp>(root, [](WideMath &m, Operands &x) { return m.log1p(x[0]); });
  expand<math::TanhOp>(root, [](WideMath &m, Operands &x) { return m.tanh(x[0]); });
  expand<math::ErfOp>(root, [](WideMath &m, Operands &x) { return m.erf(x[0]); });
  expand<math::SinOp>(root, [](WideMath &m, Operands &x) { return m.sin(x[0]); });
  expand<math::CosOp>(root, [](WideMath &m, Operands &x) { return m.cos(x[0]); });
  expand<math::PowFOp>(root, [](WideMath &m, Operands &x) { return m.pow(x[0], x[1]); });
}

} // namespace mlir::gen::kernels
