//===- TaskCount.cpp - how much a launch has to do ------------------------===//

#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

SmallVector<Value> mlir::gen::kernels::emitBytes(KernelFunction &function) {
  ImplicitLocOpBuilder &b = function.b;
  SmallVector<Value> all;
  auto add = [&](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type)
      return all.push_back(i64Constant(b, 0));
    int64_t width = std::max(1u, type.getElementTypeBitWidth() / 8);
    auto axes = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
    all.push_back(
        b.createOrFold<arith::MulIOp>(function.product(value, axes), i64Constant(b, width)));
  };
  for (BlockArgument argument : function.kernel.getBody().getArguments())
    add(argument);
  for (Value value : function.yield.getValues())
    add(value);
  return all;
}

/// Bytes of all arguments and results, once each.
static Value emitSumOfBytes(KernelFunction &function) {
  Value sum = i64Constant(function.b, 0);
  for (Value bytes : emitBytes(function))
    sum = function.b.createOrFold<arith::AddIOp>(sum, bytes);
  return sum;
}

/// Floating-point operations of the kernel's products.
static Value emitFlops(KernelFunction &function) {
  ImplicitLocOpBuilder &b = function.b;
  Value sum = i64Constant(b, 0);
  for (auto op : function.kernel.getBody().front().getOps<ProductsOpInterface>()) {
    SmallVector<std::pair<Value, int64_t>> sizes;
    Value flops = i64Constant(b, 2 * op.countProducts(sizes));
    for (auto [tensor, axis] : sizes)
      flops = b.createOrFold<arith::MulIOp>(flops, function.size(tensor, axis));
    sum = b.createOrFold<arith::AddIOp>(sum, flops);
  }
  for (auto part : function.kernel.getBody().front().getOps<LaunchOp>()) { // of a group
    auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(part, part.getKernelAttr());
    KernelFunction inside(kernel, function, function.wordsOf(part));
    sum = b.createOrFold<arith::AddIOp>(sum, emitFlops(inside));
  }
  return sum;
}

void mlir::gen::kernels::emitTaskCounter(KernelOp kernel, ImplicitLocOpBuilder &b,
                                         llvm::function_ref<Value(KernelFunction &)> count) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto function = LLVM::LLVMFuncOp::create(
      b, (kernel.getSymName() + ".tasks").str(),
      LLVM::LLVMFunctionType::get(b.getI64Type(), {pointer, pointer}), LLVM::Linkage::Internal);
  OpBuilder::InsertionGuard guard(b);
  KernelFunction emitted(kernel, function, b);
  Value work = function.getArgument(1);
  LLVM::StoreOp::create(b, emitFlops(emitted), work);
  Value second = LLVM::GEPOp::create(b, pointer, b.getI64Type(), work, ArrayRef<LLVM::GEPArg>{1});
  LLVM::StoreOp::create(b, emitSumOfBytes(emitted), second);
  LLVM::ReturnOp::create(b, count(emitted));
}
