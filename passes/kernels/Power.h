//===- Power.h - the special cases of pow ---------------------------------===//

#ifndef GEN_PASSES_KERNELS_POWER_H
#define GEN_PASSES_KERNELS_POWER_H

#include "passes/kernels/Lanes.h"

#include <limits>

namespace mlir::gen::kernels {

/// x^y of |x|^y: the sign and the special cases of C99 Annex F.9.4.4. `constant` makes constants of
/// the type of x.
template <typename MakeConstant>
Lanes powerOfMagnitude(Lanes x, Lanes y, Lanes magnitude, MakeConstant constant) {
  Lanes zero = constant(0), one = constant(1), half = constant(0.5);
  Lanes infinity = constant(std::numeric_limits<float>::infinity());
  // From some number on all are even: floor(y / 2) = y / 2 there, and for infinities.
  Lanes isInteger = equal(floor(y), y), isEven = equal(floor(y * half), y * half);
  Lanes isOdd = select(isEven, {x.b, notEqual(one, one)}, isInteger);

  Lanes result = select(isOdd, copySign(magnitude, x), magnitude);
  Lanes negative = (x < zero) & (x > -infinity);
  Lanes undefined = select(isInteger, notEqual(one, one), negative);
  result = select(undefined, constant(std::numeric_limits<float>::quiet_NaN()), result);
  // 1^y, x^0 and (-1)^+-inf are 1, even where the other operand is NaN.
  Lanes unit = equal(x, one) | equal(y, zero) | (equal(x, -one) & equal(abs(y), infinity));
  return select(unit, one, result);
}

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_POWER_H
