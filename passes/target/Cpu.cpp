//===- Cpu.cpp - machine code for CPUs ------------------------------------===//

#include "passes/target/Cpu.h"

#include "gen/artefact.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

namespace mlir::gen {

/// The highest x86-64 level of this machine.
static StringRef nativeLevel() {
  StringMap<bool> features = sys::getHostCPUFeatures();
  auto all = [&](ArrayRef<StringRef> names) {
    return llvm::all_of(names, [&](StringRef name) { return features.lookup(name); });
  };
  if (!all({"avx2", "fma", "bmi", "bmi2", "f16c", "lzcnt", "movbe"}))
    return "x86-64-v2";
  return all({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}) ? "x86-64-v4"
                                                                          : "x86-64-v3";
}

/// Machine-level LICM hoists the constants of an epilogue's polynomials over the register tile's
/// loop, whose accumulators are spilled then: a matmul with a sigmoid runs at 80 % of its speed
/// without.
static void keepConstantsNearTheirUse() {
  auto option = cl::getRegisteredOptions().find("disable-machine-licm");
  if (option != cl::getRegisteredOptions().end())
    static_cast<cl::opt<bool> *>(option->second)->setValue(true);
}

Expected<CpuTarget> makeCpuTarget(StringRef cpu, int optimization) {
  if (cpu == "native")
    cpu = nativeLevel();
  CpuTarget target;
  target.level = cpu.str();
  if (cpu == "x86-64-v2")
    target.featureBits = GEN_X86_64_V2;
  else if (cpu == "x86-64-v3")
    target.featureBits = GEN_X86_64_V2 | GEN_X86_64_V3;
  else if (cpu == "x86-64-v4")
    target.featureBits = GEN_X86_64_V2 | GEN_X86_64_V3 | GEN_X86_64_V4;
  else
    return createStringError("unknown CPU '" + cpu +
                             "': expected native, x86-64-v2, x86-64-v3 or x86-64-v4");

  keepConstantsNearTheirUse();
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  Triple triple("x86_64-unknown-linux-gnu");
  std::string error;
  const Target *found = TargetRegistry::lookupTarget(triple, error);
  if (!found)
    return createStringError(error);
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Strict; // fused where the emitters say so, nowhere else
  auto level = optimization == 0 ? CodeGenOptLevel::Less : CodeGenOptLevel::Default;
  target.machine.reset(
      found->createTargetMachine(triple, cpu, "", options, Reloc::PIC_, std::nullopt, level));
  return target;
}

void prepareForCpu(llvm::Module &module, CpuTarget &target, int optimization) {
  module.setTargetTriple(target.machine->getTargetTriple());
  module.setDataLayout(target.machine->createDataLayout());
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.machine->getTargetCPU());
    function.addFnAttr("prefer-vector-width", "512");
    function.addFnAttr("min-legal-vector-width", "512");
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
  if (optimization == 0)
    return;
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopInterleaving =
      tuning.LoopUnrolling = false;
  PassBuilder builder(target.machine.get(), tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  // The kernels are tiled, vectorized and unrolled as they shall be: what is left is folding
  // addresses and loop invariants.
  ModulePassManager passes;
  if (Error error =
          builder.parsePassPipeline(passes, "function(early-cse,instcombine<no-verify-fixpoint>,"
                                            "simplifycfg,loop-mssa(licm),early-cse)"))
    report_fatal_error(std::move(error)); // the text above is a constant
  passes.run(module, modules);
}

Error emitCpuCode(llvm::Module &module, CpuTarget &target, bool assembly, raw_pwrite_stream &out) {
  legacy::PassManager passes;
  auto type = assembly ? CodeGenFileType::AssemblyFile : CodeGenFileType::ObjectFile;
  if (target.machine->addPassesToEmitFile(passes, out, nullptr, type))
    return createStringError("this LLVM cannot write code for " + target.level);
  passes.run(module);
  return Error::success();
}

Error linkSharedObject(StringRef object, StringRef output) {
  ErrorOr<std::string> lld = sys::findProgramByName("ld.lld-22");
  for (StringRef name : {"ld.lld", "ld.mold", "ld"})
    if (!lld)
      lld = sys::findProgramByName(name);
  if (!lld)
    return createStringError("no linker found: expected ld.lld-22, ld.lld, ld.mold or ld in PATH");
  std::string error;
  SmallVector<StringRef> command{*lld,    "-shared",          "-s", "-z",   "noexecstack", "-z",
                                 "relro", "--hash-style=gnu", "-o", output, object};
  if (sys::ExecuteAndWait(*lld, command, std::nullopt, {}, 60, 0, &error) != 0)
    return createStringError("the linker failed on '" + output + "'" +
                             (error.empty() ? "" : ": " + error));
  return Error::success();
}

} // namespace mlir::gen
