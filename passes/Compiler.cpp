//===- Compiler.cpp - from a module to an artefact ------------------------===//

#include "passes/Compiler.h"

#include "dialect/Gen.h"
#include "dialect/Nesting.h"
#include "passes/EntryProgram.h"
#include "passes/Passes.h"
#include "passes/target/Cpu.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"
#include <chrono>

using namespace mlir;
using namespace mlir::gen;

void mlir::gen::registerCompilerDialects(DialectRegistry &registry) {
  registry.insert<GenDialect, func::FuncDialect, arith::ArithDialect, tensor::TensorDialect,
                  scf::SCFDialect, math::MathDialect, vector::VectorDialect, LLVM::LLVMDialect,
                  cf::ControlFlowDialect>();
  func::registerInlinerExtension(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
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

private:
  LogicalResult runStages(Stage stage, StringRef path) {
    llvm::Expected<CpuTarget> made = makeCpuTarget(options.cpu, options.optimization);
    if (!made)
      return fail(made.takeError());
    CpuTarget target = std::move(*made);
    Builder b(module.getContext());
    if (!module.getSymName())
      module.setSymName(options.name);
    if (stage == Stage::Gen)
      return writeModule(path);
    if (failed(passes("kernels", buildKernelPipeline)))
      return failure();
    if (stage == Stage::Kernels)
      return writeModule(path);
    module->setAttr(kTargetAttr, b.getStringAttr(target.level));
    module->setAttr(kFeaturesAttr, b.getI32IntegerAttr(target.featureBits));
    if (failed(passes("emission", buildEmissionPipeline)))
      return failure();
    if (stage == Stage::Loops)
      return writeModule(path);
    if (failed(passes("lowering", buildLlvmPipeline)))
      return failure();
    return writeCode(stage, path, target);
  }

  LogicalResult passes(StringRef name, void (*build)(OpPassManager &)) {
    auto start = std::chrono::steady_clock::now();
    PassManager pm(module.getContext());
    pm.enableVerifier(true);
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
    LogicalResult result = pm.run(module);
    report(name, start);
    return result;
  }

  void report(StringRef name, std::chrono::steady_clock::time_point start) {
    std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    if (options.verbose)
      llvm::errs() << llvm::formatv("{0,-10} {1,8:f1} ms\n", name, time.count());
  }

  LogicalResult fail(llvm::Error error) {
    return emitError(UnknownLoc::get(module.getContext())) << llvm::toString(std::move(error));
  }

  /// Writes through a temporary file beside `path`, so that an old file survives a failure.
  LogicalResult write(StringRef path,
                      llvm::function_ref<llvm::Error(llvm::raw_pwrite_stream &)> body) {
    if (path == "-") {
      llvm::SmallString<0> buffer;
      llvm::raw_svector_ostream stream(buffer);
      if (llvm::Error error = body(stream))
        return fail(std::move(error));
      llvm::outs() << buffer;
      return success();
    }
    llvm::Expected<llvm::sys::fs::TempFile> file =
        llvm::sys::fs::TempFile::create(path + ".%%%%%%", permissions());
    if (!file)
      return cannotWrite(path, file.takeError());
    llvm::raw_fd_ostream stream(file->FD, /*shouldClose=*/false);
    llvm::Error error = body(stream);
    stream.flush();
    if (stream.has_error()) {
      error = llvm::joinErrors(std::move(error), llvm::errorCodeToError(stream.error()));
      stream.clear_error();
    }
    if (error) {
      llvm::consumeError(file->discard());
      return cannotWrite(path, std::move(error));
    }
    if (llvm::Error kept = file->keep(path))
      return cannotWrite(path, std::move(kept));
    return success();
  }

  static unsigned permissions() { return llvm::sys::fs::all_read | llvm::sys::fs::owner_write; }

  LogicalResult cannotWrite(StringRef path, llvm::Error error) {
    return emitError(UnknownLoc::get(module.getContext()))
           << "cannot write '" << path << "': " << llvm::toString(std::move(error));
  }

  LogicalResult writeModule(StringRef path) {
    return write(path, [&](llvm::raw_pwrite_stream &out) {
      module.print(out);
      out << "\n";
      return llvm::Error::success();
    });
  }

  LogicalResult writeCode(Stage stage, StringRef path, CpuTarget &target) {
    auto start = std::chrono::steady_clock::now();
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, context, options.name);
    if (!code)
      return failure();
    prepareForCpu(*code, target, options.optimization);
    report("mid-end", start);
    start = std::chrono::steady_clock::now();
    if (stage == Stage::Llvm)
      return write(path, [&](llvm::raw_pwrite_stream &out) {
        code->print(out, nullptr);
        return llvm::Error::success();
      });
    if (stage != Stage::So) {
      LogicalResult result = write(path, [&](llvm::raw_pwrite_stream &out) {
        return emitCpuCode(*code, target, stage == Stage::Asm, out);
      });
      report("codegen", start);
      return result;
    }
    return writeSharedObject(path, *code, target);
  }

  LogicalResult writeSharedObject(StringRef path, llvm::Module &code, CpuTarget &target) {
    auto start = std::chrono::steady_clock::now();
    llvm::SmallString<128> object;
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("gencc", "o", object))
      return cannotWrite(object, llvm::errorCodeToError(error));
    llvm::FileRemover removeObject(object);
    std::error_code error;
    llvm::raw_fd_ostream out(object, error);
    if (error)
      return cannotWrite(object, llvm::errorCodeToError(error));
    if (llvm::Error failed = emitCpuCode(code, target, /*assembly=*/false, out))
      return fail(std::move(failed));
    out.close();
    report("codegen", start);
    start = std::chrono::steady_clock::now();
    llvm::SmallString<128> linked;
    llvm::sys::fs::createUniquePath(path + ".%%%%%%", linked, /*MakeAbsolute=*/false);
    llvm::FileRemover removeLinked(linked);
    if (path == "-")
      return emitError(UnknownLoc::get(module.getContext()))
             << "a shared object cannot be written to the terminal; use -o FILE";
    if (llvm::Error failed = checkWritable(linked))
      return cannotWrite(path, std::move(failed));
    if (llvm::Error failed = linkSharedObject(object, linked))
      return fail(std::move(failed));
    if (std::error_code failed = llvm::sys::fs::rename(linked, path))
      return cannotWrite(path, llvm::errorCodeToError(failed));
    removeLinked.releaseFile();
    report("link", start);
    return success();
  }

  /// The linker's own message would not name the cause first.
  static llvm::Error checkWritable(StringRef path) {
    int fd = -1;
    if (std::error_code error = llvm::sys::fs::openFileForWrite(path, fd))
      return llvm::errorCodeToError(error);
    return llvm::errorCodeToError(llvm::sys::fs::closeFile(fd));
  }

  ModuleOp module;
  const CompileOptions &options;
  /// True once the pass of `dumpAfter` has run.
  bool dumped = false;
};

} // namespace

LogicalResult mlir::gen::compile(ModuleOp module, Stage stage, StringRef path,
                                 const CompileOptions &options) {
  return Compilation(module, options).run(stage, path);
}
