//===- TensorCore.cpp - operands and products of tensor cores -------------===//

#include "passes/kernels/device/TensorCore.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::gen::kernels;

static bool isTf32(Type type) { return isa<FloatTF32Type>(type); }

int64_t mlir::gen::kernels::tensorDepth(Type multiplied) { return isTf32(multiplied) ? 8 : 16; }

Type mlir::gen::kernels::storedTypeOf(Type multiplied) {
  return isTf32(multiplied) ? Float32Type::get(multiplied.getContext()) : multiplied;
}

/// To nearest, halves away from zero.
static Value toTf32(ImplicitLocOpBuilder &b, Value number) {
  return NVVM::ConvertFloatToTF32Op::create(b, b.getI32Type(), number, NVVM::FPRoundingMode::RNA);
}

Value mlir::gen::kernels::operandOf(ImplicitLocOpBuilder &b, Type multiplied, Value bits) {
  if (isTf32(multiplied)) {
    if (!bits.getType().isF32())
      bits = LLVM::BitcastOp::create(b, b.getF32Type(), bits);
    return toTf32(b, bits);
  }
  if (!bits.getType().isInteger())
    bits = LLVM::BitcastOp::create(b, b.getI32Type(), bits);
  return multiplied.isBF16()
             ? bits
             : LLVM::BitcastOp::create(b, VectorType::get(2, multiplied), bits).getResult();
}

Value mlir::gen::kernels::roundedTo(ImplicitLocOpBuilder &b, Type multiplied, Value number) {
  if (isTf32(multiplied))
    return LLVM::BitcastOp::create(b, b.getF32Type(), toTf32(b, number));
  Value narrow = arith::TruncFOp::create(b, multiplied, number);
  return arith::ExtFOp::create(b, b.getF32Type(), narrow);
}

SmallVector<Value> mlir::gen::kernels::loadMatrices(ImplicitLocOpBuilder &b, Type multiplied,
                                                    Value from, int64_t count, bool isTransposed) {
  auto type =
      LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(count, b.getI32Type()));
  Value all = NVVM::LdMatrixOp::create(b, type, from, static_cast<uint32_t>(count),
                                       isTransposed ? NVVM::MMALayout::col : NVVM::MMALayout::row,
                                       NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
                                       NVVM::LdStMatrixEltType::B16);
  SmallVector<Value> result;
  for (int64_t i = 0; i < count; ++i)
    result.push_back(operandOf(b, multiplied, LLVM::ExtractValueOp::create(b, all, i)));
  return result;
}

void mlir::gen::kernels::multiplyMatrices(ImplicitLocOpBuilder &b, Type multiplied, ValueRange left,
                                          ValueRange right, MutableArrayRef<Value> sums) {
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                               SmallVector<Type>(sums.size(), b.getF32Type()));
  auto numbers = isTf32(multiplied)    ? NVVM::MMATypes::tf32
                 : multiplied.isBF16() ? NVVM::MMATypes::bf16
                                       : NVVM::MMATypes::f16;
  Value result =
      NVVM::MmaOp::create(b, type, left, right, ValueRange(ArrayRef<Value>(sums)),
                          ArrayRef<int64_t>{kTensorRows, kTensorColumns, tensorDepth(multiplied)},
                          std::nullopt, std::nullopt, std::array{numbers, numbers},
                          std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  for (auto [i, sum] : llvm::enumerate(sums))
    sum = LLVM::ExtractValueOp::create(b, result, static_cast<int64_t>(i));
}
