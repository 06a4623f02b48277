//===- Halves.cpp - bf16 and f16 by integer arithmetic --------------------===//
//
// bf16 is the upper half of an f32. f16 has five bits of exponent, biased by 15 rather than 127,
// and denormal numbers below 2^-14, which are multiples of 2^-24.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/Lanes.h"
#include "passes/kernels/VectorMath.h"

namespace mlir::gen::kernels {
namespace {

constexpr uint32_t kExponent = 23, kSign = 0x80000000, kQuiet = 0x400000;
constexpr uint32_t kDropped = 13; ///< Bits of f32's fraction that f16 lacks.
constexpr uint32_t kBias = (127 - 15) << kExponent;
constexpr uint32_t kHalfInfinity = 0x7c00, kLeastNormalHalf = 0x400;

/// The integer's upper or lower half as a number, and back.
Lanes truncated(ImplicitLocOpBuilder &b, Lanes bits, Type half) {
  Type narrow = withElement(bits.type(), b.getI16Type());
  Value lower = arith::TruncIOp::create(b, narrow, bits);
  return {&b, arith::BitcastOp::create(b, withElement(bits.type(), half), lower)};
}

Lanes extended(ImplicitLocOpBuilder &b, Value half) {
  Value bits = arith::BitcastOp::create(b, withElement(half.getType(), b.getI16Type()), half);
  return {&b, arith::ExtUIOp::create(b, withElement(half.getType(), b.getI32Type()), bits)};
}

/// Adds half of the last bit kept, and a bit less where that one is even already.
Lanes roundedAt(Splat c, Lanes bits, uint32_t dropped) {
  Lanes odd = shiftRight(bits, c.i32(dropped)) & c.i32(1);
  return bits + c.i32((1u << (dropped - 1)) - 1) + odd;
}

Lanes toBF16(Splat c, Lanes x) {
  constexpr uint32_t kHalf = 16;
  Lanes bits = bitsOf(x), number = shiftRight(roundedAt(c, bits, kHalf), c.i32(kHalf));
  return select(notEqual(x, x), shiftRight(bits | c.i32(kQuiet), c.i32(kHalf)), number);
}

Lanes toF16(Splat c, Lanes x) {
  using arith::CmpIPredicate;
  constexpr uint32_t kBeyond = 0x47800000, kLeastNormal = 0x38800000; // 2^16, 2^-14
  Lanes bits = bitsOf(x), sign = bits & c.i32(kSign), size = bits ^ sign;
  Lanes normal = shiftRight(roundedAt(c, size - c.i32(kBias), kDropped), c.i32(kDropped));
  // The last bit of 0.5 + 2^-24 n is n's.
  Lanes denormal = bitsOf(floatOf(size) + c.f32(0.5f)) - bitsOf(c.f32(0.5f));
  Lanes number =
      select(compareInt(CmpIPredicate::ult, size, c.i32(kLeastNormal)), denormal, normal);
  Lanes large =
      select(notEqual(x, x), c.i32(kHalfInfinity | kQuiet >> kDropped), c.i32(kHalfInfinity));
  number = select(compareInt(CmpIPredicate::uge, size, c.i32(kBeyond)), large, number);
  return number | shiftRight(sign, c.i32(16));
}

Lanes fromF16(ImplicitLocOpBuilder &b, Splat c, Lanes bits) {
  using arith::CmpIPredicate;
  Lanes size = bits & c.i32(0x7fff), sign = (bits ^ size) << c.i32(16);
  Lanes shifted = size << c.i32(kDropped);
  Lanes count = {&b, arith::SIToFPOp::create(b, withElement(size.type(), b.getF32Type()), size)};
  Lanes denormal = bitsOf(count * c.f32(0x1p-24f));
  Lanes number = select(compareInt(CmpIPredicate::ult, size, c.i32(kLeastNormalHalf)), denormal,
                        shifted + c.i32(kBias));
  Lanes large = shifted | c.i32(0xffu << kExponent);
  number = select(compareInt(CmpIPredicate::uge, size, c.i32(kHalfInfinity)), large, number);
  return floatOf(number | sign);
}

} // namespace

Value emitNarrowed(ImplicitLocOpBuilder &b, Value x, Type half) {
  Splat c(b, x.getType());
  Lanes bits = half.isBF16() ? toBF16(c, c.wrap(x)) : toF16(c, c.wrap(x));
  return truncated(b, bits, half);
}

Value emitWidened(ImplicitLocOpBuilder &b, Value half) {
  Splat c(b, half.getType());
  Lanes bits = extended(b, half);
  return getElementTypeOrSelf(half).isBF16() ? floatOf(bits << c.i32(16)) : fromF16(b, c, bits);
}

} // namespace mlir::gen::kernels
