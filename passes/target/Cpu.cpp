//===- Cpu.cpp - machine code for CPUs ------------------------------------===//

#include "passes/target/Cpu.h"

#include "gen/artefact.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
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

namespace {
/// What an instruction set is called, here and in LLVM.
struct CpuLevel {
  StringRef name;
  uint32_t featureBits;
  StringRef triple, llvmName;
};
} // namespace

static constexpr const char *kX86 = "x86_64-unknown-linux-gnu";
static const CpuLevel kLevels[] = {
    {"x86-64-v2", GEN_X86_64_V2, kX86, "x86-64-v2"},
    {"x86-64-v3", GEN_X86_64_V2 | GEN_X86_64_V3, kX86, "x86-64-v3"},
    {"x86-64-v4", GEN_X86_64_V2 | GEN_X86_64_V3 | GEN_X86_64_V4, kX86, "x86-64-v4"},
    {"aarch64", GEN_AARCH64, "aarch64-unknown-linux-gnu", "generic"}};

ArrayRef<StringRef> cpuNames() {
  static const std::vector<StringRef> names = [] {
    std::vector<StringRef> all = {"native"};
    for (const CpuLevel &level : kLevels)
      all.push_back(level.name);
    return all;
  }();
  return names;
}

static Expected<CpuTarget> makeCpuTarget(const CpuLevel &level, int optimization) {
  Triple triple(level.triple);
  std::string error;
  const Target *found = TargetRegistry::lookupTarget(triple, error);
  if (!found)
    return createStringError(error);
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Strict; // fused where the emitters say so, nowhere else
  options.DataSections = true;                  // data that variants share is linked once
  auto effort = optimization == 0 ? CodeGenOptLevel::Less : CodeGenOptLevel::Default;
  CpuTarget target;
  target.level = level.name.str();
  target.featureBits = level.featureBits;
  target.machine.reset(found->createTargetMachine(triple, level.llvmName, "", options, Reloc::PIC_,
                                                  std::nullopt, effort));
  return target;
}

static void initializeTargets() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64Target();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64AsmPrinter();
}

Expected<std::vector<CpuTarget>> makeCpuTargets(StringRef cpus, int optimization) {
  SmallVector<StringRef> names;
  cpus.split(names, ',');
  for (StringRef &name : names) {
    if (name == "native")
      name = nativeLevel();
    if (!is_contained(cpuNames(), name))
      return createStringError("unknown CPU '" + name + "': expected " + join(cpuNames(), ", "));
  }
  if (names.size() > 1 && is_contained(names, "aarch64"))
    return createStringError("'" + cpus +
                             "': one file holds code for x86-64 levels, or for aarch64");
  keepConstantsNearTheirUse();
  initializeTargets();
  std::vector<CpuTarget> targets;
  for (const CpuLevel &level : kLevels) {
    if (!is_contained(names, level.name))
      continue;
    Expected<CpuTarget> target = makeCpuTarget(level, optimization);
    if (!target)
      return target.takeError();
    targets.push_back(std::move(*target));
  }
  return targets;
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

Error linkObjects(ArrayRef<std::string> objects, StringRef output, bool relocatable) {
  ErrorOr<std::string> lld = sys::findProgramByName("ld.lld-22");
  for (StringRef name : {"ld.lld", "ld.mold", "ld"})
    if (!lld)
      lld = sys::findProgramByName(name);
  if (!lld)
    return createStringError("no linker found: expected ld.lld-22, ld.lld, ld.mold or ld in PATH");
  std::string error;
  SmallVector<StringRef> command{*lld, "-o", output};
  if (relocatable)
    command.push_back("-r");
  else
    command.append(
        {"-shared", "-s", "--gc-sections", "-z", "noexecstack", "-z", "relro", "--hash-style=gnu"});
  command.append(objects.begin(), objects.end());
  if (sys::ExecuteAndWait(*lld, command, std::nullopt, {}, 60, 0, &error) != 0)
    return createStringError("the linker failed on '" + output + "'" +
                             (error.empty() ? "" : ": " + error));
  return Error::success();
}

} // namespace mlir::gen
