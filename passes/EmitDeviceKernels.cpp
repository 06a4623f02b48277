//===- EmitDeviceKernels.cpp - kernels become functions of a device -------===//
//
// In:   gen.kernel @relu(%x: tensor<128x400xf32>) family "pointwise" { ... }
// Out:  module @gen.device { llvm.func ptx_kernelcc @gen_relu(%x: !llvm.ptr, %result: !llvm.ptr) }
//       llvm.func @relu.tasks(%frame: !llvm.ptr, %work: !llvm.ptr) -> i64       how many blocks
//       llvm.func @relu.bytes(%frame: !llvm.ptr, %bytes: !llvm.ptr)    of which memory, by word
//
// What gains by instructions of compute capability 9.0 has a second function in @gen.device.hopper,
// and @relu.blocks.hopper(%frame: !llvm.ptr) -> i64 says how many blocks that has. If these copy
// boxes of tensors, @relu.tensors.hopper(%frame: !llvm.ptr, %tensors: !llvm.ptr) describes them.
//
// The words of the frame (KernelEmitter.h) are the function's parameters. The kernels themselves
// stay until EmitProgram has read their signatures.
//
//===----------------------------------------------------------------------===//

#include "passes/DeviceCode.h"
#include "passes/Passes.h"
#include "passes/kernels/device/DeviceEmitter.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::gen {
#define GEN_PASS_DEF_EMITDEVICEKERNELS
#include "passes/Passes.h.inc"

namespace {

/// Of a multiprocessor.
constexpr int64_t kRegisters = 1 << 16;

/// A parameter for each word of the frame.
SmallVector<Type> parametersOf(KernelOp kernel, Builder &b) {
  SmallVector<Type> types;
  for (BlockArgument argument : kernel.getBody().getArguments())
    types.push_back(argument.getType().isIndex() ? Type(b.getI64Type())
                                                 : LLVM::LLVMPointerType::get(b.getContext()));
  auto yield = cast<YieldOp>(kernel.getBody().front().getTerminator());
  types.append(yield.getValues().size(), LLVM::LLVMPointerType::get(b.getContext()));
  return types;
}

struct EmitDeviceKernels : impl::EmitDeviceKernelsBase<EmitDeviceKernels> {
  void getDependentDialects(DialectRegistry &registry) const override {
    EmitDeviceKernelsBase::getDependentDialects(registry);
    registry.insert<vector::VectorDialect>(); // of tiles and lanes
  }

  void runOnOperation() override {
    if (failed(checkBounds(getOperation())))
      return signalPassFailure();
    OpBuilder b = OpBuilder::atBlockEnd(getOperation().getBody());
    auto device = ModuleOp::create(b, getOperation().getLoc(), kAmpere.module),
         hopper = ModuleOp::create(b, getOperation().getLoc(), kHopper.module);
    for (auto kernel : getOperation().getOps<KernelOp>()) {
      if (isPart(kernel))
        continue;
      if (failed(emit(kernel, device)))
        return signalPassFailure();
      emitForHopper(kernel, hopper);
    }
    if (hopper.getBody()->empty())
      hopper.erase();
  }

  /// True if only groups launch it.
  static bool isPart(KernelOp kernel) {
    auto uses = SymbolTable::getSymbolUses(kernel.getSymNameAttr(), kernel->getParentOp());
    return !uses->empty() && llvm::all_of(*uses, [](const SymbolTable::SymbolUse &use) {
      return isa<KernelOp>(use.getUser()->getParentOp());
    });
  }

  /// Launches are queued: what they compute is not known when the next ones are made.
  static LogicalResult checkBounds(ModuleOp module) {
    WalkResult walked = module.walk([](tensor::ExtractOp extract) {
      extract.emitOpError("expected branches and numbers of steps that do not depend on computed "
                          "values for --target=cuda");
      return WalkResult::interrupt();
    });
    return failure(walked.wasInterrupted());
  }

  static LogicalResult emit(KernelOp kernel, ModuleOp device) {
    ImplicitLocOpBuilder b(kernel.getLoc(), kernel.getContext());
    SmallVector<Type> parameters = parametersOf(kernel, b);
    if (static_cast<int64_t>(parameters.size()) > kernels::kMostParameters)
      return emitError(kernel.getLoc())
             << "kernel '" << kernel.getSymName() << "' has " << parameters.size()
             << " arguments and results, expected at most " << kernels::kMostParameters
             << " for --target=cuda";
    LLVM::LLVMFuncOp function = makeFunction(kernel, device, b);
    kernels::KernelFunction emitted(kernel, function, b,
                                    kernels::KernelFunction::Words::AsArguments);
    emitBody(kernel, *kernels::makeDeviceEmitter(emitted), emitted, kAmpere);
    b.setInsertionPoint(kernel);
    kernels::emitTaskCounter(kernel, b, [](kernels::KernelFunction &host) {
      return kernels::makeDeviceEmitter(host)->blocks();
    });
    emitBytes(kernel);
    return success();
  }

  /// What orders a recorded call: which memory a launch touches.
  static void emitBytes(KernelOp kernel) {
    auto pointer = LLVM::LLVMPointerType::get(kernel.getContext());
    emitHost(kernel, kBytes, LLVM::LLVMVoidType::get(kernel.getContext()), {pointer, pointer},
             [&](kernels::KernelFunction &host) {
               for (auto [word, bytes] : llvm::enumerate(kernels::emitBytes(host))) {
                 LLVM::GEPArg offset = static_cast<int32_t>(word);
                 Value place = LLVM::GEPOp::create(host.b, pointer, host.b.getI64Type(),
                                                   host.function.getArgument(1), offset);
                 LLVM::StoreOp::create(host.b, bytes, place);
               }
               return SmallVector<Value>();
             });
  }

  static void emitForHopper(KernelOp kernel, ModuleOp hopper) {
    ImplicitLocOpBuilder b(kernel.getLoc(), kernel.getContext());
    LLVM::LLVMFuncOp function = makeFunction(kernel, hopper, b);
    kernels::KernelFunction emitted(kernel, function, b,
                                    kernels::KernelFunction::Words::AsArguments);
    std::unique_ptr<kernels::DeviceEmitter> emitter = kernels::makeHopperEmitter(emitted);
    if (!emitter)
      return function.erase();
    emitBody(kernel, *emitter, emitted, kHopper);
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    emitHost(kernel, kHopper.blocks, b.getI64Type(), pointer, [&](kernels::KernelFunction &host) {
      return SmallVector<Value>{kernels::makeHopperEmitter(host)->blocks()};
    });
    if (emitter->takesTensors())
      emitHost(kernel, kHopper.tensors, LLVM::LLVMVoidType::get(b.getContext()), {pointer, pointer},
               [&](kernels::KernelFunction &host) {
                 Value tensors = host.function.getArgument(1);
                 kernels::makeHopperEmitter(host)->describeTensors(tensors);
                 return SmallVector<Value>();
               });
  }

  /// Emits a function of the CPU; `body` returns what it returns.
  static void emitHost(KernelOp kernel, StringRef suffix, Type result, ArrayRef<Type> parameters,
                       llvm::function_ref<SmallVector<Value>(kernels::KernelFunction &)> body) {
    ImplicitLocOpBuilder b(kernel.getLoc(), kernel.getOperation());
    auto function = LLVM::LLVMFuncOp::create(b, (kernel.getSymName() + suffix).str(),
                                             LLVM::LLVMFunctionType::get(result, parameters),
                                             LLVM::Linkage::Internal);
    kernels::KernelFunction host(kernel, function, b);
    LLVM::ReturnOp::create(b, body(host));
  }

  static LLVM::LLVMFuncOp makeFunction(KernelOp kernel, ModuleOp device, ImplicitLocOpBuilder &b) {
    b.setInsertionPointToEnd(device.getBody());
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                            parametersOf(kernel, b));
    auto function = LLVM::LLVMFuncOp::create(b, deviceFunctionName(kernel), type);
    function.setCConv(LLVM::CConv::PTX_Kernel);
    return function;
  }

  /// Emits what a thread does, and says on the kernel what its launch asks for.
  static void emitBody(KernelOp kernel, kernels::DeviceEmitter &emitter,
                       kernels::KernelFunction &emitted, const DeviceNames &names) {
    ImplicitLocOpBuilder &b = emitted.b;
    auto number = [&](Value special) {
      return kernels::Int(b, arith::ExtUIOp::create(b, b.getI64Type(), special));
    };
    auto block = number(NVVM::BlockIdXOp::create(b, b.getI32Type()));
    auto thread = number(NVVM::ThreadIdXOp::create(b, b.getI32Type()));
    emitter.emitThread(block, thread);
    LLVM::ReturnOp::create(b, ValueRange());
    // So many blocks side by side leave each thread these registers.
    int64_t threads = emitter.threads(),
            blocks = std::max<int64_t>(kRegisters / emitter.registers() / threads, 1);
    emitted.function.setPassthroughAttr(
        b.getArrayAttr({b.getStrArrayAttr({"nvvm.maxntid", std::to_string(threads)}),
                        b.getStrArrayAttr({"nvvm.minctasm", std::to_string(blocks)})}));
    kernel->setAttr(names.threads, b.getI64IntegerAttr(threads));
    kernel->setAttr(names.shared, b.getI64IntegerAttr(emitter.sharedOfLaunch()));
  }
};

} // namespace
} // namespace mlir::gen
