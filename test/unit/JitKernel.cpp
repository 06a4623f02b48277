//===- JitKernel.cpp - Runs emitted kernels inside a test -----------------===//
#include "test/unit/JitKernel.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "passes/kernels/VectorMath.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/TargetSelect.h"

namespace mlir::gen::test {

std::unique_ptr<MLIRContext> makeContext() {
  DialectRegistry registry;
  registry.insert<arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect, LLVM::LLVMDialect,
                  math::MathDialect, scf::SCFDialect, vector::VectorDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  auto context = std::make_unique<MLIRContext>(registry);
  context->loadAllAvailableDialects();
  return context;
}

void addKernel(ModuleOp module, StringRef name, TypeRange arguments,
               llvm::function_ref<void(ImplicitLocOpBuilder &, ValueRange)> emit) {
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  auto function = func::FuncOp::create(b, name, b.getFunctionType(arguments, {}));
  b.setInsertionPointToStart(function.addEntryBlock());
  emit(b, function.getArguments());
  func::ReturnOp::create(b);
}

static void lower(ModuleOp module) {
  PassManager pm(module.getContext());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  if (failed(gen::kernels::scalarizeF64Math(module)) || failed(pm.run(module)))
    llvm::report_fatal_error("the kernel could not be lowered");
}

JitModule::JitModule(ModuleOp module, StringRef cpu) {
  llvm::ExitOnError exitOnError("jit: ");
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  lower(module);
  auto context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> llvmModule = translateModuleToLLVMIR(module, *context);

  auto machine = exitOnError(llvm::orc::JITTargetMachineBuilder::detectHost());
  if (!cpu.empty()) {
    machine.setCPU(cpu.str());
    machine.getFeatures() = llvm::SubtargetFeatures();
  }
  machine.setCodeGenOptLevel(llvm::CodeGenOptLevel::Aggressive);
  machine.getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;
  for (llvm::Function &function : *llvmModule) {
    function.addFnAttr("prefer-vector-width", "512");
    function.addFnAttr("min-legal-vector-width", "512");
  }
  jit = exitOnError(
      llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(machine)).create());
  llvmModule->setDataLayout(jit->getDataLayout());
  exitOnError(jit->addIRModule({std::move(llvmModule), std::move(context)}));
}

void *JitModule::address(StringRef name) {
  return llvm::ExitOnError("jit: ")(jit->lookup(name)).toPtr<void *>();
}

} // namespace mlir::gen::test
