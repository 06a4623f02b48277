//===- Power.cpp - pow, and the f64 functions by libm ---------------------===//
//
// f32 pow(x, y) = 2^(y log2 |x|) computed in f64, which leaves the product enough bits for the last
// rounding.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/Power.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/DialectConversion.h"
#include "passes/kernels/Lanes.h"
#include "passes/kernels/VectorMath.h"

namespace mlir::gen::kernels {
namespace {

/// log2 of a positive f64 that was an f32 (hence normal): log(m) = 2 atanh((m - 1) / (m + 1)).
Lanes log2F64(const Splat &c, Lanes x) {
  static const double kTail[] = {0x1.5555555553925p-1, 0x1.999999a2a4c51p-2, 0x1.2492416bae878p-2,
                                 0x1.c7227f4530fa4p-3, 0x1.732b2f0587906p-3, 0x1.5883acc1b9e77p-3};
  ImplicitLocOpBuilder &b = *x.b;
  Lanes bits = bitsOf(x);
  Lanes e = shiftRightSigned(bits - c.i64(0x3fe6a09e667f3bcd), c.i64(52)); // m >= sqrt(1/2)
  Lanes m = floatOf(bits - (e << c.i64(52)));
  Lanes s = (m - c.f64(1.0)) / (m + c.f64(1.0)), square = s * s;
  Lanes tail = polynomial(square, kTail, [&](double v) { return c.f64(v); });
  Lanes log = fma(tail * square, s, s + s);
  // The exponent fits 32 bits, whose conversion every target has.
  Type i32 = withElement(x.type(), b.getI32Type());
  Lanes narrow = c.wrap(arith::TruncIOp::create(b, i32, e));
  Lanes exponent = c.wrap(arith::SIToFPOp::create(b, x.type(), narrow));
  return fma(log, c.f64(0x1.71547652b82fep+0), exponent);
}

/// 2^t for |t| <= 200, keeping NaN.
Lanes exp2F64(const Splat &c, Lanes t) {
  static const double kTail[] = {
      0x1.62e42fefa3a27p-1,  0x1.ebfbdff81b657p-3,  0x1.c6b08d7038a69p-5,
      0x1.3b2ab724cf2d9p-7,  0x1.5d87fea6de020p-10, 0x1.430896aafc9f7p-13,
      0x1.ffcb37bdd9a90p-17, 0x1.63e7edb09288cp-20, 0x1.b690fc68e389cp-24};
  Lanes magic = c.f64(0x1.8p52);
  Lanes shifted = t + magic, r = t - (shifted - magic);
  Lanes power = fma(polynomial(r, kTail, [&](double v) { return c.f64(v); }), r, c.f64(1.0));
  return power * floatOf((bitsOf(shifted) + c.i64(1023)) << c.i64(52));
}

/// |x|^y in f64, for |x| other than NaN; infinities and zeros come out of the arithmetic of log2.
Lanes magnitudeOfPower(const Splat &c, Lanes x, Lanes y) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  ImplicitLocOpBuilder &b = *x.b;
  Type f64 = withElement(x.type(), b.getF64Type());
  auto widen = [&](Lanes v) { return c.wrap(arith::ExtFOp::create(b, f64, v.value)); };
  Lanes base = widen(abs(x)), exponent = widen(y);
  Lanes log = log2F64(c, base);
  log = select(equal(base, c.f64(0.0)), c.f64(-infinity), log);
  log = select(base < c.f64(infinity), log, base); // inf and NaN
  Lanes t = clampBelow(clampAbove(log * exponent, c.f64(200.0)), c.f64(-200.0));
  return c.wrap(arith::TruncFOp::create(b, x.type(), exp2F64(c, t).value));
}

} // namespace

Value emitPow(ImplicitLocOpBuilder &b, Value base, Value exponent) {
  if (getElementTypeOrSelf(base).isF64())
    return math::PowFOp::create(b, base, exponent);
  Splat c(b, base.getType());
  Lanes x = c.wrap(base), y = c.wrap(exponent);
  return powerOfMagnitude(x, y, magnitudeOfPower(c, x, y),
                          [&](double number) { return c.f32(static_cast<float>(number)); });
}

LogicalResult scalarizeF64Math(ModuleOp module) {
  MLIRContext *context = module.getContext();
  RewritePatternSet patterns(context);
  populateMathToLibmConversionPatterns(patterns);
  ConversionTarget target(*context);
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  auto isNotF64 = [](Operation *op) {
    return !getElementTypeOrSelf(op->getResult(0).getType()).isF64();
  };
  target.addDynamicallyLegalOp<math::ExpOp, math::ExpM1Op, math::LogOp, math::Log1pOp, math::TanhOp,
                               math::ErfOp, math::SinOp, math::CosOp, math::PowFOp>(isNotF64);
  return applyPartialConversion(module, target, std::move(patterns));
}

} // namespace mlir::gen::kernels
