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
  if (kernel.getFamily() == "attention")
    return {kernels::emitAttentionTask, kernels::emitAttentionTaskCount};
  if (kernel.getFamily() == "scatter")
    return {kernels::emitScatterTask, kernels::emitScatterTaskCount};
  return {kernels::emitPointwiseTask, kernels::emitPointwiseTaskCount};
}

LLVM::LLVMFuncOp makeFunction(ImplicitLocOpBuilder &b, KernelOp kernel, StringRef suffix,
                              Type result, ArrayRef<Type> arguments) {
  auto type = LLVM::LLVMFunctionType::get(result, arguments);
  return LLVM::LLVMFuncOp::create(b, (kernel.getSymName() + suffix).str(), type,
                                  LLVM::Linkage::Internal);
}

/// Bytes of all arguments and results, once each.
Value emitBytes(kernels::KernelFunction &function) {
  ImplicitLocOpBuilder &b = function.b;
  Value sum = kernels::i64Constant(b, 0);
  auto add = [&](Value tensor) {
    auto type = dyn_cast<RankedTensorType>(tensor.getType());
    if (!type)
      return;
    int64_t width = std::max(1u, type.getElementTypeBitWidth() / 8);
    auto axes = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
    Value bytes = b.createOrFold<arith::MulIOp>(function.product(tensor, axes),
                                                kernels::i64Constant(b, width));
    sum = b.createOrFold<arith::AddIOp>(sum, bytes);
  };
  for (BlockArgument argument : function.kernel.getBody().getArguments())
    add(argument);
  for (Value value : function.yield.getValues())
    add(value);
  return sum;
}

/// Floating-point operations of the kernel's products.
Value emitFlops(kernels::KernelFunction &function) {
  ImplicitLocOpBuilder &b = function.b;
  Value sum = kernels::i64Constant(b, 0);
  for (auto op : function.kernel.getBody().front().getOps<ProductsOpInterface>()) {
    SmallVector<std::pair<Value, int64_t>> sizes;
    Value flops = kernels::i64Constant(b, 2 * op.countProducts(sizes));
    for (auto [tensor, axis] : sizes)
      flops = b.createOrFold<arith::MulIOp>(flops, function.size(tensor, axis));
    sum = b.createOrFold<arith::AddIOp>(sum, flops);
  }
  return sum;
}

void emitTask(KernelOp kernel, ImplicitLocOpBuilder &b, Family family) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto function = makeFunction(b, kernel, ".task", LLVM::LLVMVoidType::get(b.getContext()),
                               {pointer, b.getI64Type()});
  OpBuilder::InsertionGuard guard(b);
  kernels::KernelFunction emitted(kernel, function, b);
  family.task(emitted, function.getArgument(1));
  b.setInsertionPointToEnd(&function.getBody().back());
  LLVM::ReturnOp::create(b, ValueRange());
}

void emitTaskCount(KernelOp kernel, ImplicitLocOpBuilder &b, Family family) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto function = makeFunction(b, kernel, ".tasks", b.getI64Type(), {pointer, pointer});
  OpBuilder::InsertionGuard guard(b);
  kernels::KernelFunction emitted(kernel, function, b);
  Value work = function.getArgument(1);
  LLVM::StoreOp::create(b, emitFlops(emitted), work);
  Value second = LLVM::GEPOp::create(b, pointer, b.getI64Type(), work, ArrayRef<LLVM::GEPArg>{1});
  LLVM::StoreOp::create(b, emitBytes(emitted), second);
  LLVM::ReturnOp::create(b, family.count(emitted));
}

struct EmitKernels : impl::EmitKernelsBase<EmitKernels> {
  void runOnOperation() override {
    for (auto kernel : llvm::to_vector(getOperation().getOps<KernelOp>())) {
      ImplicitLocOpBuilder b(kernel.getLoc(), &getContext());
      b.setInsertionPoint(kernel);
      Family family = familyOf(kernel);
      emitTask(kernel, b, family);
      emitTaskCount(kernel, b, family);
    }
  }
};

} // namespace
} // namespace mlir::gen
