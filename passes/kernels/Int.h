//===- Int.h - Index arithmetic as expressions ----------------------------===//
//
// An `Int` is an i64 SSA value with its builder. Operators fold constants, so that code for static
// sizes comes out static.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_INT_H
#define GEN_PASSES_KERNELS_INT_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::gen::kernels {

struct Int {
  Int(ImplicitLocOpBuilder &b, Value value) : b(&b), value(value) {}
  Int(ImplicitLocOpBuilder &b, int64_t constant)
      : b(&b), value(arith::ConstantIntOp::create(b, constant, 64)) {}

  operator Value() const { return value; }
  std::optional<int64_t> constant() const { return getConstantIntValue(value); }
  bool is(int64_t x) const { return constant() == x; }

  ImplicitLocOpBuilder *b;
  Value value;
};

template <typename Op> Int foldInt(Int x, Int y) {
  return {*x.b, x.b->createOrFold<Op>(x.value, y.value)};
}
inline Int operator+(Int x, Int y) { return foldInt<arith::AddIOp>(x, y); }
inline Int operator-(Int x, Int y) { return foldInt<arith::SubIOp>(x, y); }
inline Int operator*(Int x, Int y) { return foldInt<arith::MulIOp>(x, y); }
/// Of numbers that are not negative.
inline Int operator/(Int x, Int y) { return foldInt<arith::DivUIOp>(x, y); }
inline Int operator%(Int x, Int y) { return foldInt<arith::RemUIOp>(x, y); }
inline Int min(Int x, Int y) { return foldInt<arith::MinSIOp>(x, y); }
inline Int max(Int x, Int y) { return foldInt<arith::MaxSIOp>(x, y); }
inline Int operator+(Int x, int64_t y) { return x + Int(*x.b, y); }
inline Int operator-(Int x, int64_t y) { return x - Int(*x.b, y); }
inline Int operator*(Int x, int64_t y) { return x * Int(*x.b, y); }
inline Int operator/(Int x, int64_t y) { return x / Int(*x.b, y); }
inline Int operator%(Int x, int64_t y) { return x % Int(*x.b, y); }
inline Int roundedUpQuotient(Int x, int64_t y) { return (x + (y - 1)) / y; }

inline Value compare(arith::CmpIPredicate predicate, Int x, Int y) {
  return x.b->createOrFold<arith::CmpIOp>(predicate, x.value, y.value);
}
inline Value operator<(Int x, Int y) { return compare(arith::CmpIPredicate::slt, x, y); }
inline Value operator<=(Int x, Int y) { return compare(arith::CmpIPredicate::sle, x, y); }
inline Value operator==(Int x, Int y) { return compare(arith::CmpIPredicate::eq, x, y); }

/// Address of element `index` behind `base`.
inline Value elementPointer(ImplicitLocOpBuilder &b, Type element, Value base, Int index) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  if (std::optional<int64_t> constant = index.constant()) {
    if (*constant == 0)
      return base;
    if (llvm::isInt<31>(*constant))
      return LLVM::GEPOp::create(b, pointer, element, base,
                                 LLVM::GEPArg(static_cast<int32_t>(*constant)));
  }
  return LLVM::GEPOp::create(b, pointer, element, base, ValueRange{index.value});
}

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_INT_H
