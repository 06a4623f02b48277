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
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/ValueMapper.h"
#include <mutex>

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

static void setOption(StringRef name, bool value) {
  auto option = cl::getRegisteredOptions().find(name);
  if (option != cl::getRegisteredOptions().end())
    static_cast<cl::opt<bool> *>(option->second)->setValue(value);
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

/// Adds LLVM's passes. The two options, which no function attribute expresses, are read here only:
/// - Machine-level LICM hoists the constants of an epilogue's polynomials over the register tile's
///   loop, whose accumulators are spilled then: a matmul with a sigmoid runs at 80 % of its speed.
/// - Loop strength reduction takes time quadratic in the addresses of a loop, a third of all, and a
///   register tile, whose addresses are one and constants, runs as fast without.
static bool addCodeGeneration(TargetMachine &machine, legacy::PassManager &passes,
                              raw_pwrite_stream &out, CodeGenFileType type, bool isWide) {
  static std::mutex options;
  std::lock_guard<std::mutex> lock(options);
  setOption("disable-machine-licm", true);
  setOption("disable-lsr", isWide);
  return !machine.addPassesToEmitFile(passes, out, nullptr, type, /*DisableVerify=*/true);
}

static Error emit(llvm::Module &module, const CpuTarget &target, CodeGenFileType type, bool isWide,
                  raw_pwrite_stream &out) {
  std::unique_ptr<TargetMachine> machine = target.makeMachine();
  prepare(module, *machine, target.optimization);
  legacy::PassManager passes;
  if (!addCodeGeneration(*machine, passes, out, type, isWide))
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
              assembly ? CodeGenFileType::AssemblyFile : CodeGenFileType::ObjectFile,
              /*isWide=*/false, out);
}

/// Lets several object files know what only the module knew. The name is this level's alone.
static void externalize(llvm::Module &module, StringRef level) {
  for (GlobalValue &value : module.global_values()) {
    if (!value.hasLocalLinkage())
      continue;
    value.setName(value.getName() + "." + level);
    value.setLinkage(GlobalValue::ExternalLinkage);
    value.setVisibility(GlobalValue::HiddenVisibility);
  }
}

namespace {
/// The functions of one object file.
struct Part {
  bool isWide;
  size_t instructions = 0;
  DenseSet<const GlobalValue *> functions = {};
};
} // namespace

/// Whether a block is as long as that of an unrolled register tile. Shorter ones are better with
/// strength reduction: LeNet's first convolution takes 8 % longer without.
static bool isWide(const Function &function) {
  constexpr size_t kWide = 320;
  return any_of(function, [](const BasicBlock &block) { return block.size() > kWide; });
}

/// Adds parts that take about equally long to compile, at least one.
static void divide(ArrayRef<const Function *> functions, bool isWide, std::vector<Part> &parts) {
  constexpr size_t kInstructions = 8192, kMost = 4; // of a part; parts
  size_t instructions = 0, first = parts.size();
  for (const Function *function : functions)
    instructions += function->getInstructionCount();
  parts.resize(first + std::clamp<size_t>(instructions / kInstructions, 1, kMost), {isWide});
  for (const Function *function : functions) {
    auto smaller = [](const Part &a, const Part &b) { return a.instructions < b.instructions; };
    Part &part = *std::min_element(parts.begin() + first, parts.end(), smaller);
    part.instructions += function->getInstructionCount();
    part.functions.insert(function);
  }
}

/// Parts for either kind of functions. The first holds the data, so there always is one.
static std::vector<Part> divide(const llvm::Module &module) {
  SmallVector<const Function *> narrow, wide;
  for (const Function &function : module)
    if (!function.isDeclaration())
      (isWide(function) ? wide : narrow).push_back(&function);
  std::vector<Part> parts;
  divide(narrow, /*isWide=*/false, parts);
  if (!wide.empty())
    divide(wide, /*isWide=*/true, parts);
  return parts;
}

/// The part as bitcode, which another thread's context can read. Data are in the first one.
static SmallVector<char> writePart(const llvm::Module &module, const Part &part, bool isFirst) {
  ValueToValueMapTy values;
  std::unique_ptr<llvm::Module> copy = CloneModule(module, values, [&](const GlobalValue *value) {
    return isa<Function>(value) ? part.functions.contains(value) : isFirst;
  });
  SmallVector<char> bitcode;
  raw_svector_ostream out(bitcode);
  WriteBitcodeToFile(*copy, out);
  return bitcode;
}

Expected<std::vector<SmallString<0>>> emitCpuObjects(llvm::Module &module,
                                                     const CpuTarget &target) {
  externalize(module, target.level);
  std::vector<Part> parts = divide(module);
  std::vector<SmallString<0>> objects(parts.size());
  std::vector<std::string> failures(parts.size());
  DefaultThreadPool pool(hardware_concurrency(parts.size()));
  for (size_t i = 0; i < parts.size(); ++i)
    pool.async([&, i, bitcode = writePart(module, parts[i], i == 0)] {
      LLVMContext context; // one a thread: contexts are not shared
      raw_svector_ostream out(objects[i]);
      auto part = parseBitcodeFile({StringRef(bitcode.data(), bitcode.size()), "part"}, context);
      Error error = part ? emit(**part, target, CodeGenFileType::ObjectFile, parts[i].isWide, out)
                         : part.takeError();
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
