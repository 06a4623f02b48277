//===- Cpu.cpp - machine code for CPUs ------------------------------------===//

#include "passes/target/Cpu.h"

#include "gen/artefact.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Utils/SplitModule.h"

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
  if (!all({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}))
    return "x86-64-v3";
  return all({"avx512vnni"}) ? "x86-64-v4-vnni" : "x86-64-v4";
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
  StringRef triple, llvmName, llvmFeatures = "";
};
} // namespace

static constexpr const char *kX86 = "x86_64-unknown-linux-gnu";
static const CpuLevel kLevels[] = {
    {"x86-64-v2", GEN_X86_64_V2, kX86, "x86-64-v2"},
    {"x86-64-v3", GEN_X86_64_V2 | GEN_X86_64_V3, kX86, "x86-64-v3"},
    {"x86-64-v4", GEN_X86_64_V2 | GEN_X86_64_V3 | GEN_X86_64_V4, kX86, "x86-64-v4"},
    {"x86-64-v4-vnni", GEN_X86_64_V2 | GEN_X86_64_V3 | GEN_X86_64_V4 | GEN_AVX512_VNNI, kX86,
     "x86-64-v4", "+avx512vnni"},
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

static std::unique_ptr<TargetMachine> makeMachine(const Target &found, const CpuLevel &level,
                                                  int optimization) {
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Strict; // fused where the emitters say so, nowhere else
  options.DataSections = true;                  // data that variants share is linked once
  auto effort = optimization == 0 ? CodeGenOptLevel::Less : CodeGenOptLevel::Default;
  return std::unique_ptr<TargetMachine>(
      found.createTargetMachine(Triple(level.triple), level.llvmName, level.llvmFeatures, options,
                                Reloc::PIC_, std::nullopt, effort));
}

static Expected<CpuTarget> makeCpuTarget(const CpuLevel &level, int optimization) {
  std::string error;
  const Target *found = TargetRegistry::lookupTarget(Triple(level.triple), error);
  if (!found)
    return createStringError(error);
  return CpuTarget{level.name.str(), level.featureBits, optimization,
                   [=, &level] { return makeMachine(*found, level, optimization); }};
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

/// Sets the target's attributes on all functions and runs the light mid-end.
static void prepare(llvm::Module &module, TargetMachine &machine, int optimization) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    if (!machine.getTargetFeatureString().empty())
      function.addFnAttr("target-features", machine.getTargetFeatureString());
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
  PassBuilder builder(&machine, tuning);
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

static Error emit(llvm::Module &module, const CpuTarget &target, CodeGenFileType type,
                  raw_pwrite_stream &out) {
  std::unique_ptr<TargetMachine> machine = target.makeMachine();
  prepare(module, *machine, target.optimization);
  legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, out, nullptr, type))
    return createStringError("this LLVM cannot write code for " + target.level);
  passes.run(module);
  return Error::success();
}

void prepareForCpu(llvm::Module &module, const CpuTarget &target) {
  prepare(module, *target.makeMachine(), target.optimization);
}

Error emitCpuCode(llvm::Module &module, const CpuTarget &target, bool assembly,
                  raw_pwrite_stream &out) {
  return emit(module, target,
              assembly ? CodeGenFileType::AssemblyFile : CodeGenFileType::ObjectFile, out);
}

/// Gives what is known inside only a name that no other level's code has.
static void renameLocals(llvm::Module &module, StringRef level) {
  for (GlobalValue &value : module.global_values())
    if (value.hasLocalLinkage())
      value.setName(value.getName() + "." + level);
}

Expected<std::vector<SmallString<0>>> emitCpuObjects(llvm::Module &module,
                                                     const CpuTarget &target) {
  constexpr size_t kFunctions = 128, kMost = 8; // in a part; parts
  size_t count = std::clamp<size_t>(module.size() / kFunctions, 1, kMost);
  std::vector<SmallString<0>> objects(count), parts;
  if (count == 1) {
    raw_svector_ostream out(objects[0]);
    if (Error error = emitCpuCode(module, target, /*assembly=*/false, out))
      return std::move(error);
    return objects;
  }
  renameLocals(module, target.level);
  SplitModule(module, count, [&](std::unique_ptr<llvm::Module> part) {
    raw_svector_ostream out(parts.emplace_back());
    WriteBitcodeToFile(*part, out);
  });
  std::vector<std::string> failures(count);
  DefaultThreadPool pool(hardware_concurrency(count));
  for (size_t i = 0; i < count; ++i)
    pool.async([&, i] {
      LLVMContext context; // one a thread: contexts are not shared
      raw_svector_ostream out(objects[i]);
      auto part = parseBitcodeFile(MemoryBufferRef(parts[i], "part"), context);
      Error error = part ? emitCpuCode(**part, target, /*assembly=*/false, out) : part.takeError();
      failures[i] = toString(std::move(error));
    });
  pool.wait();
  for (const std::string &failure : failures)
    if (!failure.empty())
      return createStringError(failure);
  return objects;
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
