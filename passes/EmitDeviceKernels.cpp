//===- EmitDeviceKernels.cpp - kernels become functions of a device -------===//
//
// In:   gen.kernel @relu(%x: tensor<128x400xf32>) family "pointwise" { ... }
// Out:  module @gen.device { llvm.func ptx_kernelcc @gen_relu(%x: !llvm.ptr, %result: !llvm.ptr) }
//       llvm.func @relu.tasks(%frame: !llvm.ptr, %work: !llvm.ptr) -> i64       how many blocks
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

/// Parameters of a function of a device: 4096 bytes in all.
constexpr int64_t kMostWords = 512;
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
    auto device = ModuleOp::create(b, getOperation().getLoc(), kDeviceModule);
    for (auto kernel : getOperation().getOps<KernelOp>())
      if (failed(emit(kernel, device)))
        return signalPassFailure();
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
    if (static_cast<int64_t>(parameters.size()) > kMostWords)
      return emitError(kernel.getLoc())
             << "kernel '" << kernel.getSymName() << "' has " << parameters.size()
             << " arguments and results, expected at most " << kMostWords << " for --target=cuda";
    b.setInsertionPointToEnd(device.getBody());
    auto function = LLVM::LLVMFuncOp::create(
        b, deviceFunctionName(kernel),
        LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), parameters));
    function.setCConv(LLVM::CConv::PTX_Kernel);
    Launch launch = emitBody(kernel, function, b);
    // So many blocks side by side leave each thread these registers.
    int64_t blocks = std::max<int64_t>(kRegisters / launch.registers / launch.threads, 1);
    function.setPassthroughAttr(
        b.getArrayAttr({b.getStrArrayAttr({"nvvm.maxntid", std::to_string(launch.threads)}),
                        b.getStrArrayAttr({"nvvm.minctasm", std::to_string(blocks)})}));
    kernel->setAttr(kDeviceThreadsAttr, b.getI64IntegerAttr(launch.threads));
    kernel->setAttr(kDeviceSharedAttr, b.getI64IntegerAttr(launch.shared));
    b.setInsertionPoint(kernel);
    kernels::emitTaskCounter(kernel, b, [](kernels::KernelFunction &host) {
      return kernels::makeDeviceEmitter(host)->blocks();
    });
    return success();
  }

  struct Launch {
    int64_t threads;   ///< Of a block.
    int64_t registers; ///< Of a thread.
    int64_t shared;    ///< Memory that it asks for.
  };

  static Launch emitBody(KernelOp kernel, LLVM::LLVMFuncOp function, ImplicitLocOpBuilder &b) {
    kernels::KernelFunction emitted(kernel, function, b,
                                    kernels::KernelFunction::Words::AsArguments);
    auto number = [&](Value special) {
      return kernels::Int(b, arith::ExtUIOp::create(b, b.getI64Type(), special));
    };
    auto block = number(NVVM::BlockIdXOp::create(b, b.getI32Type()));
    auto thread = number(NVVM::ThreadIdXOp::create(b, b.getI32Type()));
    std::unique_ptr<kernels::DeviceEmitter> emitter = kernels::makeDeviceEmitter(emitted);
    emitter->emitThread(block, thread);
    LLVM::ReturnOp::create(b, ValueRange());
    return {emitter->threads(), emitter->registers(), emitter->sharedOfLaunch()};
  }
};

} // namespace
} // namespace mlir::gen
