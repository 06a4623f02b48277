//===- DeviceEmitter.cpp - kernels for the threads of a GPU ---------------===//

#include "passes/kernels/device/DeviceEmitter.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

Value mlir::gen::kernels::areAligned(ImplicitLocOpBuilder &b, ValueRange addresses) {
  Int all(b, 0);
  for (Value address : addresses)
    all = foldInt<arith::OrIOp>(all, {b, LLVM::PtrToIntOp::create(b, b.getI64Type(), address)});
  return all % kBytesAtOnce == Int(b, 0);
}

SmallVector<Value> mlir::gen::kernels::emitChoice(ImplicitLocOpBuilder &b, TypeRange types,
                                                  Value condition,
                                                  llvm::function_ref<SmallVector<Value>()> chosen,
                                                  llvm::function_ref<SmallVector<Value>()> other) {
  auto branch = scf::IfOp::create(b, types, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  auto emit = [&](Block *block, llvm::function_ref<SmallVector<Value>()> body) {
    b.setInsertionPointToStart(block);
    SmallVector<Value> values = body();
    if (!types.empty())
      scf::YieldOp::create(b, values);
  };
  emit(branch.thenBlock(), chosen);
  emit(branch.elseBlock(), other);
  return SmallVector<Value>(branch.getResults());
}

Value mlir::gen::kernels::emitChoice(ImplicitLocOpBuilder &b, Type type, Value condition,
                                     llvm::function_ref<Value()> chosen,
                                     llvm::function_ref<Value()> other) {
  return emitChoice(
             b, TypeRange(type), condition, [&] { return SmallVector<Value>{chosen()}; },
             [&] { return SmallVector<Value>{other()}; })
      .front();
}

bool DeviceEmitter::areTogether(Value shape, int64_t lanes) const {
  ArrayRef<int64_t> sizes = cast<RankedTensorType>(shape.getType()).getShape();
  if (sizes.empty() || sizes.back() <= 0 || sizes.back() % lanes != 0)
    return false;
  return llvm::all_of(function.kernel.getBody().front(), [](Operation &op) {
    if (auto reshape = dyn_cast<ReshapeOp>(op))
      return isa<BlockArgument>(reshape.getInput());
    auto pointwise = dyn_cast<PointwiseOpInterface>(op);
    return !pointwise || pointwise.isElementwise() || pointwise.isPositional() ||
           pointwise.elementCost() == 0;
  });
}

SmallVector<Value> DeviceEmitter::memory() {
  SmallVector<Value> addresses;
  for (BlockArgument argument : function.kernel.getBody().getArguments())
    if (auto type = dyn_cast<RankedTensorType>(argument.getType()); type && !isOneElement(type))
      addresses.push_back(function.pointer(argument));
  for (unsigned i = 0; i < function.yield.getValues().size(); ++i)
    addresses.push_back(function.resultPointer(i));
  return addresses;
}

std::string mlir::gen::kernels::sharedMemoryOf(LLVM::LLVMFuncOp function) {
  return (function.getSymName() + "_shared").str();
}

void DeviceEmitter::emitBarrier() { NVVM::BarrierOp::create(b); }

Value DeviceEmitter::sharedMemory(int64_t bytes, int64_t alignment) {
  if (shared)
    return shared;
  constexpr unsigned kShared = 3;
  bool isDynamic = bytes > kMostStaticBytes;
  if (isDynamic)
    dynamicBytes = bytes;
  std::string name = sharedMemoryOf(function.function);
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), isDynamic ? 0 : bytes);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(function.function->getParentOfType<ModuleOp>().getBody());
  auto global = LLVM::GlobalOp::create(
      b, type, /*isConstant=*/false, isDynamic ? LLVM::Linkage::External : LLVM::Linkage::Internal,
      name, Attribute(), static_cast<uint64_t>(alignment), kShared);
  if (!isDynamic) {
    ImplicitLocOpBuilder inside(b.getLoc(), b.getContext());
    inside.setInsertionPointToStart(inside.createBlock(&global.getInitializerRegion()));
    LLVM::ReturnOp::create(inside, LLVM::UndefOp::create(inside, global.getType()).getResult());
  }
  b.setInsertionPointToStart(&function.function.getBody().front());
  return shared = LLVM::AddressOfOp::create(b, global);
}

void mlir::gen::kernels::emitIf(ImplicitLocOpBuilder &b, Value condition,
                                llvm::function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

SmallVector<Value>
mlir::gen::kernels::emitLoop(Int from, Int to, int64_t step, ValueRange initial,
                             llvm::function_ref<void(Int, MutableArrayRef<Value>)> body) {
  ImplicitLocOpBuilder &b = *from.b;
  auto loop = scf::ForOp::create(b, from, to, Int(b, step), initial);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> state(loop.getRegionIterArgs());
  body(Int(b, loop.getInductionVar()), state);
  if (!initial.empty())
    scf::YieldOp::create(b, state);
  return SmallVector<Value>(loop.getResults());
}

std::unique_ptr<DeviceEmitter> mlir::gen::kernels::makeDeviceEmitter(KernelFunction &function) {
  if (function.kernel.getFamily() == "reduction")
    return makeRowsEmitter(function);
  if (function.kernel.getFamily() == "contraction")
    return makeContractionEmitter(function);
  if (function.kernel.getFamily() == "attention")
    return makeAttentionEmitter(function);
  if (function.kernel.getFamily() == "group")
    return makeGroupEmitter(function);
  return makeElementsEmitter(function);
}

std::optional<int64_t> mlir::gen::kernels::deviceThreads(KernelOp kernel) {
  ImplicitLocOpBuilder b(kernel.getLoc(), kernel.getContext());
  OwningOpRef<ModuleOp> aside = ModuleOp::create(b, kernel.getLoc());
  b.setInsertionPointToStart(aside->getBody());
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), pointer);
  KernelFunction function(kernel, LLVM::LLVMFuncOp::create(b, "aside", type), b);
  if (makeHopperEmitter(function))
    return std::nullopt;
  return makeDeviceEmitter(function)->threads();
}

static Value fold(ImplicitLocOpBuilder &b, ArrayRef<Int> extents, SmallVector<Int> &at,
                  Value running, llvm::function_ref<Value(ArrayRef<Int>, Value)> body) {
  if (at.size() == extents.size())
    return body(at, running);
  auto loop = scf::ForOp::create(b, Int(b, 0), extents[at.size()], Int(b, 1), running);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  at.push_back(Int(b, loop.getInductionVar()));
  Value next = fold(b, extents, at, loop.getRegionIterArg(0), body);
  at.pop_back();
  scf::YieldOp::create(b, next);
  return loop.getResult(0);
}

Value mlir::gen::kernels::emitFold(ImplicitLocOpBuilder &b, ArrayRef<Int> extents, Value initial,
                                   llvm::function_ref<Value(ArrayRef<Int>, Value)> body) {
  SmallVector<Int> at;
  return fold(b, extents, at, initial, body);
}
