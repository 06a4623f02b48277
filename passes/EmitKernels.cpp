//===- EmitKernels.cpp - kernels become functions -------------------------===//
//
// In:   gen.kernel @relu(%x: tensor<128x400xf32>) family "pointwise" { ... }
// Out:  llvm.func @relu(%frame: !llvm.ptr, %index: i64)                       one task
//       llvm.func @relu.tasks(%frame: !llvm.ptr, %work: !llvm.ptr) -> i64     how many; work =
//       {flops, bytes}
//
// The frame is described in KernelEmitter.h. The kernels themselves stay until EmitProgram has read
// their signatures.
//
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"
#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::gen {
#define GEN_PASS_DEF_EMITKERNELS
#include "passes/Passes.h.inc"

namespace {

/// The emitters of a family.
struct Family {
  void (*task)(kernels::KernelFunction &, Value);
  Value (*count)(kernels::KernelFunction &);
};

Family familyOf(KernelOp kernel) {
  if (kernel.getFamily() == "contraction")
    return {kernels::emitContractionTask, kernels::emitContractionTaskCount};
  if (kernel.getFamily() == "reduction")
    return {kernels::emitReductionTask, kernels::emitReductionTaskCount};
  if (kernels::isTransposition(kernel))
    return {kernels::emitTranspositionTask, kernels::emitTranspositionTaskCount};
  if (kernels::isTiled(kernel))
    return {kernels::emitTileTask, kernels::emitTileTaskCount};
  if (kernel.getFamily() == "attention")
    return {kernels::emitAttentionTask, kernels::emitAttentionTaskCount};
  if (kernel.getFamily() == "scatter")
    return {kernels::emitScatterTask, kernels::emitScatterTaskCount};
  return {kernels::emitPointwiseTask, kernels::emitPointwiseTaskCount};
}

void emitTask(KernelOp kernel, ImplicitLocOpBuilder &b, Family family) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto function =
      LLVM::LLVMFuncOp::create(b, (kernel.getSymName() + ".task").str(),
                               LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                                           {pointer, b.getI64Type()}),
                               LLVM::Linkage::Internal);
  OpBuilder::InsertionGuard guard(b);
  kernels::KernelFunction emitted(kernel, function, b);
  family.task(emitted, function.getArgument(1));
  b.setInsertionPointToEnd(&function.getBody().back());
  LLVM::ReturnOp::create(b, ValueRange());
}

struct EmitKernels : impl::EmitKernelsBase<EmitKernels> {
  void runOnOperation() override {
    for (auto kernel : llvm::to_vector(getOperation().getOps<KernelOp>())) {
      ImplicitLocOpBuilder b(kernel.getLoc(), &getContext());
      b.setInsertionPoint(kernel);
      Family family = familyOf(kernel);
      emitTask(kernel, b, family);
      kernels::emitTaskCounter(kernel, b, family.count);
    }
  }
};

} // namespace
} // namespace mlir::gen
