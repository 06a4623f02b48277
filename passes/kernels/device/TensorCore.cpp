//===- TensorCore.cpp - operands and products of tensor cores -------------===//

#include "passes/kernels/device/TensorCore.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::gen::kernels;

Value mlir::gen::kernels::operandOf(ImplicitLocOpBuilder &b, Type element, Value pair) {
  Value bits = pair;
  if (!pair.getType().isInteger())
    bits = LLVM::BitcastOp::create(b, b.getI32Type(), pair);
  return element.isBF16()
             ? bits
             : LLVM::BitcastOp::create(b, VectorType::get(2, element), bits).getResult();
}

SmallVector<Value> mlir::gen::kernels::loadMatrices(ImplicitLocOpBuilder &b, Type element,
                                                    Value from, int64_t count, bool isTransposed) {
  auto type =
      LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(count, b.getI32Type()));
  Value all = NVVM::LdMatrixOp::create(b, type, from, static_cast<uint32_t>(count),
                                       isTransposed ? NVVM::MMALayout::col : NVVM::MMALayout::row,
                                       NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
                                       NVVM::LdStMatrixEltType::B16);
  SmallVector<Value> result;
  for (int64_t i = 0; i < count; ++i)
    result.push_back(operandOf(b, element, LLVM::ExtractValueOp::create(b, all, i)));
  return result;
}

void mlir::gen::kernels::multiplyMatrices(ImplicitLocOpBuilder &b, Type element, ValueRange left,
                                          ValueRange right, MutableArrayRef<Value> sums) {
  constexpr int64_t kRows = 16, kColumns = 8, kDepth = 16;
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                               SmallVector<Type>(sums.size(), b.getF32Type()));
  auto numbers = element.isBF16() ? NVVM::MMATypes::bf16 : NVVM::MMATypes::f16;
  Value result = NVVM::MmaOp::create(b, type, left, right, ValueRange(ArrayRef<Value>(sums)),
                                     ArrayRef<int64_t>{kRows, kColumns, kDepth}, std::nullopt,
                                     std::nullopt, std::array{numbers, numbers},
                                     std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  for (auto [i, sum] : llvm::enumerate(sums))
    sum = LLVM::ExtractValueOp::create(b, result, static_cast<int64_t>(i));
}
