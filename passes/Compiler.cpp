//===- Compiler.cpp - from a module to an artefact ------------------------===//

#include "passes/Compiler.h"

#include "dialect/Gen.h"
#include "dialect/Nesting.h"
#include "passes/DeviceCode.h"
#include "passes/EntryProgram.h"
#include "passes/OutputFile.h"
#include "passes/Passes.h"
#include "passes/Report.h"
#include "passes/target/Cpu.h"
#include "passes/target/Cuda.h"
#include "passes/target/DeviceImage.h"
#include "passes/target/Header.h"

#include "gen/artefact.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SourceMgr.h"
#include <chrono>

using namespace mlir;
using namespace mlir::gen;

void mlir::gen::registerCompilerDialects(DialectRegistry &registry) {
  registry.insert<GenDialect, func::FuncDialect, arith::ArithDialect, tensor::TensorDialect,
                  scf::SCFDialect, math::MathDialect, vector::VectorDialect, LLVM::LLVMDialect,
                  NVVM::NVVMDialect, cf::ControlFlowDialect>();
  func::registerInlinerExtension(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
}

OwningOpRef<ModuleOp> mlir::gen::parseModel(StringRef path, MLIRContext &context) {
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(path, &error);
  if (!file) {
    emitError(UnknownLoc::get(&context)) << error;
    return {};
  }
  if (std::optional<int64_t> line = findDeepNesting(file->getBuffer())) {
    emitError(FileLineColLoc::get(&context, path, *line, 1))
        << "nested more than " << kMaxNesting << " deep";
    return {};
  }
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(file), llvm::SMLoc());
  return parseSourceFile<ModuleOp>(sources, &context);
}

namespace {

/// Runs the stages one after another and writes the last one's output.
class Compilation {
public:
  Compilation(ModuleOp module, const CompileOptions &options) : module(module), options(options) {}

  LogicalResult run(Stage stage, StringRef path) {
    if (failed(runStages(stage, path)))
      return failure();
    if (options.dumpAfter.empty() || options.dumpAfter == "all" || dumped)
      return success();
    return emitError(UnknownLoc::get(module.getContext()))
           << "--dump-after=" << options.dumpAfter
           << ": no pass of this name ran; hint: --dump-after=all shows the names";
  }

  LogicalResult makeKernels() {
    auto targets = makeTargets();
    if (!targets)
      return fail(targets.takeError());
    if (targets->size() > 1)
      return fail(llvm::createStringError("expected one CPU, or a GPU alone, got '" + options.cpu +
                                          "' for '" + options.target + "'"));
    makeVariants(*targets, GEN_ARTEFACT_SYMBOL);
    return passes("kernels", [&](OpPassManager &pm) {
      buildKernelPipeline(pm, options, isForDevice(module));
    });
  }

private:
  LogicalResult runStages(Stage stage, StringRef path) {
    auto targets = makeTargets();
    if (!targets)
      return fail(targets.takeError());
    if (!module.getSymName())
      module.setSymName(options.name);
    if (stage == Stage::Gen)
      return writeModule(path);
    bool isLinked = stage == Stage::Obj || stage == Stage::So;
    if (targets->size() > 1 && !isLinked)
      return fail(llvm::createStringError(
          (options.target == "cpu" ? "expected one CPU, got '" + options.cpu
                                   : "expected one target, got '" + options.target) +
          "'; hint: only object files and shared objects hold code for several"));
    StringRef root = GEN_ARTEFACT_SYMBOL;
    std::string linked = linkedSymbol(*module.getSymName());
    if (stage == Stage::Obj) {
      root = linked;
      module->setAttr(kSymbolAttr, StringAttr::get(module.getContext(), root));
    }
    SmallVector<ModuleOp> variants = makeVariants(*targets, root);
    std::vector<llvm::SmallString<0>> objects;
    // Companions are about the highest CPU, if there is one.
    bool isDeviceLast = targets->size() > 1 && isForDevice(variants.back());
    const CpuTarget &described = isDeviceLast ? *std::prev(targets->end(), 2) : targets->back();
    for (auto [variant, target] : llvm::zip_equal(variants, *targets)) {
      module = variant;
      if (failed(lower(stage, path, target, &target == &described, objects)))
        return failure();
    }
    if (!isLinked)
      return success();
    if (stage == Stage::Obj && objects.size() == 1)
      return write(path, objects.front());
    return link(path, objects, /*relocatable=*/stage == Stage::Obj);
  }

  /// CPUs from the lowest on, then the GPU, whose launches are code for the lowest.
  llvm::Expected<std::vector<CpuTarget>> makeTargets() {
    auto targets = makeCpuTargets(options.cpu, options.optimization);
    SmallVector<StringRef> names;
    StringRef(options.target).split(names, ',');
    if (!targets || !llvm::is_contained(names, "cuda"))
      return targets;
    if (StringRef(options.precision).starts_with("int8"))
      return llvm::createStringError("--target=cuda: --precision=" + options.precision +
                                     " has no code for GPUs; hint: f32, tf32, bf16 and f16 have");
    CpuTarget device = targets->front();
    device.level = "cuda";
    device.featureBits |= GEN_CUDA;
    if (!llvm::is_contained(names, "cpu"))
      targets->clear();
    targets->push_back(std::move(device));
    return targets;
  }

  /// A module for each target. The lowest one is the artefact, which knows the others.
  SmallVector<ModuleOp> makeVariants(ArrayRef<CpuTarget> targets, StringRef root) {
    Builder b(module.getContext());
    SmallVector<ModuleOp> variants{module};
    SmallVector<Attribute> symbols;
    for (const CpuTarget &target : targets.drop_front()) {
      copies.push_back(module.clone());
      symbols.push_back(b.getStringAttr(root + "." + target.level));
      copies.back().get()->setAttr(kVariantAttr, symbols.back());
      variants.push_back(copies.back().get());
    }
    if (!symbols.empty())
      module->setAttr(kVariantsAttr, b.getArrayAttr(symbols));
    for (auto [variant, target] : llvm::zip_equal(variants, targets)) {
      variant->setAttr(kTargetAttr, b.getStringAttr(target.level));
      variant->setAttr(kFeaturesAttr, b.getI32IntegerAttr(target.featureBits));
    }
    return variants;
  }

  /// Runs the passes on `module`. Writes the file of a stage before machine code, or adds objects.
  LogicalResult lower(Stage stage, StringRef path, const CpuTarget &target, bool isDescribed,
                      std::vector<llvm::SmallString<0>> &objects) {
    bool onDevice = isForDevice(module);
    auto kernels = [&](OpPassManager &pm) { buildKernelPipeline(pm, options, onDevice); };
    if (failed(passes("kernels", kernels)))
      return failure();
    if (options.verbose)
      reportMemory();
    if (isDescribed && failed(writeCompanions(target.level)))
      return failure();
    if (stage == Stage::Kernels)
      return writeModule(path);
    auto emission = [&](OpPassManager &pm) { buildEmissionPipeline(pm, onDevice); };
    if (failed(passes("emission", emission)))
      return failure();
    if (stage == Stage::Loops)
      return writeModule(path);
    bool isText = stage == Stage::Llvm || stage == Stage::Asm;
    if (onDevice && failed(generateDeviceCode(stage, path)))
      return failure();
    if (onDevice && isText)
      return success();
    if (failed(passes("lowering", buildLlvmPipeline)))
      return failure();
    return generateCode(stage, path, target, objects);
  }

  LogicalResult passes(StringRef name, llvm::function_ref<void(OpPassManager &)> build) {
    auto start = std::chrono::steady_clock::now();
    PassManager pm(module.getContext());
    pm.enableVerifier(options.dumpAfter ==
                      "all"); // else once a stage: it takes a fifth of the time
    if (!options.dumpAfter.empty()) {
      module.getContext()->disableMultithreading();
      bool all = options.dumpAfter == "all";
      pm.enableIRPrinting([](Pass *, Operation *) { return false; },
                          [this, all](Pass *pass, Operation *) {
                            bool wanted = all || pass->getArgument() == options.dumpAfter;
                            dumped |= wanted;
                            return wanted;
                          },
                          /*printModuleScope=*/true, /*printAfterOnlyOnChange=*/all);
    }
    build(pm);
    LogicalResult result = failure(failed(pm.run(module)) || failed(verify(module)));
    report(name, start);
    return result;
  }

  void report(StringRef name, std::chrono::steady_clock::time_point start) {
    std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    if (options.verbose)
      llvm::errs() << llvm::formatv("{0,-10} {1,8:f1} ms\n", name, time.count());
  }

  /// The arena of each entry, and what no plan can undercut: the most that is alive at once.
  void reportMemory() {
    for (auto function : module.getOps<func::FuncOp>())
      if (auto bytes = function->getAttrOfType<IntegerAttr>(kArenaBytesAttr);
          bytes && function.isPublic())
        llvm::errs() << llvm::formatv(
            "{0,-10} arena of {1} bytes, {2} alive at once\n", function.getSymName(),
            bytes.getInt(), function->getAttrOfType<IntegerAttr>(kArenaLowerBoundAttr).getInt());
  }

  LogicalResult fail(llvm::Error error) {
    return emitError(UnknownLoc::get(module.getContext())) << llvm::toString(std::move(error));
  }

  LogicalResult write(StringRef path, StringRef contents) {
    if (llvm::Error error = writeFile(path, contents))
      return fail(std::move(error));
    return success();
  }

  LogicalResult writeModule(StringRef path) {
    std::string text;
    llvm::raw_string_ostream out(text);
    module.print(out);
    out << "\n";
    return write(path, text);
  }

  /// What is written beside the code.
  LogicalResult writeCompanions(StringRef level) {
    if (!options.header.empty() && failed(write(options.header, writeCppHeader(module))))
      return failure();
    if (!options.report.empty() && failed(write(options.report, writeReport(module, level))))
      return failure();
    return success();
  }

  /// Makes the modules of kernels images of the artefact, or one text after another.
  LogicalResult generateDeviceCode(Stage stage, StringRef path) {
    auto nested = [](OpPassManager &pm) { buildLlvmPipeline(pm.nest<ModuleOp>()); };
    if (failed(passes("device", nested)))
      return failure();
    auto start = std::chrono::steady_clock::now();
    std::string text;
    for (const DeviceNames *names : {&kAmpere, &kHopper}) {
      auto kernels = cast_or_null<ModuleOp>(module.lookupSymbol(names->module));
      if (!kernels)
        continue;
      bool isText = stage == Stage::Llvm || stage == Stage::Asm;
      auto code = isText ? makeDeviceText(kernels, names->capability, stage)
                         : makeDeviceImage(kernels, names->capability);
      if (!code)
        return fail(code.takeError());
      if (isText) {
        text += *code;
        continue;
      }
      kernels.erase();
      setDeviceImage(module, names->image, *code);
    }
    report("device", start);
    return text.empty() ? success() : write(path, text);
  }

  llvm::Expected<std::unique_ptr<llvm::Module>>
  translateForDevice(ModuleOp kernels, Capability capability, llvm::LLVMContext &context) {
    std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(kernels, context, options.name);
    if (!code)
      return llvm::createStringError("the kernels of the GPU cannot be translated");
    if (llvm::Error error = prepareForCuda(*code, capability, options.optimization))
      return error;
    return code;
  }

  llvm::Expected<std::string> makeDeviceText(ModuleOp kernels, Capability capability, Stage stage) {
    llvm::LLVMContext context;
    auto code = translateForDevice(kernels, capability, context);
    if (!code)
      return code.takeError();
    if (stage == Stage::Asm) {
      auto ptx = emitPtx(**code, capability, options.optimization);
      return ptx ? llvm::Expected<std::string>(ptx->str().str()) : ptx.takeError();
    }
    std::string text;
    llvm::raw_string_ostream out(text);
    (*code)->print(out, nullptr);
    return text;
  }

  llvm::Expected<std::string> makeDeviceImage(ModuleOp kernels, Capability capability) {
    llvm::LLVMContext context;
    auto code = translateForDevice(kernels, capability, context);
    if (!code)
      return code.takeError();
    if (options.deviceCode == DeviceCode::Bitcode) {
      llvm::SmallString<0> bitcode;
      llvm::raw_svector_ostream out(bitcode);
      llvm::WriteBitcodeToFile(**code, out);
      return packDeviceImage(codeForAll(capability, std::move(bitcode)));
    }
    auto ptx = emitPtx(**code, capability, options.optimization);
    if (!ptx)
      return ptx.takeError();
    if (options.deviceCode == DeviceCode::Ptx)
      return packDeviceImage(codeForAll(capability, std::move(*ptx)));
    auto binaries = assembleForDevices(*ptx, capability);
    return binaries ? llvm::Expected<std::string>(packDeviceImage(*binaries))
                    : binaries.takeError();
  }

  LogicalResult generateCode(Stage stage, StringRef path, const CpuTarget &target,
                             std::vector<llvm::SmallString<0>> &objects) {
    auto start = std::chrono::steady_clock::now();
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, context, options.name);
    if (!code)
      return failure();
    report("translation", start);
    start = std::chrono::steady_clock::now();
    if (stage == Stage::So) {
      auto parts = emitCpuObjects(*code, target);
      if (!parts)
        return fail(parts.takeError());
      llvm::append_range(objects, *parts);
      report("code", start);
      return success();
    }
    llvm::SmallString<0> text;
    llvm::raw_svector_ostream out(text);
    if (stage == Stage::Llvm) {
      prepareForCpu(*code, target);
      code->print(out, nullptr);
      return write(path, text);
    }
    if (llvm::Error failed = emitCpuCode(*code, target, stage == Stage::Asm, out))
      return fail(std::move(failed));
    report("code", start);
    if (stage == Stage::Asm)
      return write(path, text);
    objects.push_back(std::move(text));
    return success();
  }

  /// Links in the folder for temporary files, so that `path` sees a whole file or none.
  LogicalResult link(StringRef path, ArrayRef<llvm::SmallString<0>> objects, bool relocatable) {
    auto start = std::chrono::steady_clock::now();
    std::vector<std::string> files;
    std::vector<std::unique_ptr<llvm::FileRemover>> removers;
    for (size_t i = 0; i <= objects.size(); ++i) { // the last one is the result
      llvm::SmallString<128> name;
      if (std::error_code error = llvm::sys::fs::createTemporaryFile("gencc", "o", name))
        return fail(llvm::createStringError("cannot write a temporary file: " + error.message() +
                                            "; hint: TMPDIR names the folder"));
      files.push_back(name.str().str());
      removers.push_back(std::make_unique<llvm::FileRemover>(name));
      if (i < objects.size() && failed(write(name, objects[i])))
        return failure();
    }
    std::string result = files.back();
    files.pop_back();
    if (llvm::Error failed = linkObjects(files, result, relocatable))
      return fail(std::move(failed));
    auto linked = llvm::MemoryBuffer::getFile(result);
    if (!linked)
      return fail(llvm::errorCodeToError(linked.getError()));
    report("link", start);
    return write(path, (*linked)->getBuffer());
  }

  ModuleOp module;
  std::vector<OwningOpRef<ModuleOp>> copies; ///< for further targets
  const CompileOptions &options;
  /// True once the pass of `dumpAfter` has run.
  bool dumped = false;
};

} // namespace

LogicalResult mlir::gen::makeKernels(ModuleOp module, const CompileOptions &options) {
  return Compilation(module, options).makeKernels();
}

LogicalResult mlir::gen::compile(ModuleOp module, Stage stage, StringRef path,
                                 const CompileOptions &options) {
  return Compilation(module, options).run(stage, path);
}
