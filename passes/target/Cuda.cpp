//===- Cuda.cpp - code for NVIDIA GPUs ------------------------------------===//
//
// PTX for compute capability 8.0 (A100 and later), and for kernels that have code of their own for
// it 9.0 (H100), by the NVPTX backend of this LLVM. Elementary functions are the project's own
// polynomials, so no library of the CUDA toolkit takes part.
//
//===----------------------------------------------------------------------===//

#include "passes/target/Cuda.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;

namespace mlir::gen {

static Expected<std::unique_ptr<TargetMachine>> makeMachine(Capability capability,
                                                            int optimization) {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
  Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const Target *found = TargetRegistry::lookupTarget(triple, error);
  if (!found)
    return createStringError(error);
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Strict; // fused where the emitters say so, nowhere else
  bool isHopper = capability == Capability::Hopper;
  auto effort = optimization == 0 ? CodeGenOptLevel::Less : CodeGenOptLevel::Default;
  return std::unique_ptr<TargetMachine>(found->createTargetMachine(
      triple, isHopper ? "sm_90a" : "sm_80", isHopper ? "+ptx80" : "+ptx70", options, std::nullopt,
      std::nullopt, effort));
}

Error prepareForCuda(llvm::Module &module, Capability capability, int optimization) {
  auto machine = makeMachine(capability, optimization);
  if (!machine)
    return machine.takeError();
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  for (Function &function : module)
    function.addFnAttr(llvm::Attribute::NoUnwind);
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  PipelineTuningOptions tuning; // threads are the vectors
  tuning.LoopVectorization = tuning.LoopInterleaving = tuning.SLPVectorization = false;
  PassBuilder builder(machine->get(), tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  auto level = optimization == 0 ? OptimizationLevel::O1 : OptimizationLevel::O2;
  builder.buildPerModuleDefaultPipeline(level).run(module, modules);
  return Error::success();
}

Expected<SmallString<0>> emitPtx(llvm::Module &module, Capability capability, int optimization) {
  auto machine = makeMachine(capability, optimization);
  if (!machine)
    return machine.takeError();
  SmallString<0> text;
  raw_svector_ostream out(text);
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, out, nullptr, CodeGenFileType::AssemblyFile))
    return createStringError("this LLVM cannot write PTX");
  passes.run(module);
  return text;
}

} // namespace mlir::gen
