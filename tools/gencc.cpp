//===- gencc.cpp - the compiler's command line ----------------------------===//

#include "passes/Compiler.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <CLI/CLI.hpp>

using namespace mlir;
using namespace mlir::gen;

namespace {

struct Arguments {
  std::string model, output, emit = "so", target = "cpu", cpu = "native", dumpAfter;
  int optimization = 3;
  bool verbose = false;
};

const std::map<std::string, std::pair<Stage, const char *>> &stages() {
  static const std::map<std::string, std::pair<Stage, const char *>> table = {
      {"gen", {Stage::Gen, ".gen.mlir"}},
      {"kernels", {Stage::Kernels, ".kernels.mlir"}},
      {"loops", {Stage::Loops, ".loops.mlir"}},
      {"llvm", {Stage::Llvm, ".ll"}},
      {"asm", {Stage::Asm, ".s"}},
      {"obj", {Stage::Obj, ".o"}},
      {"so", {Stage::So, ".so"}}};
  return table;
}

void addOptions(CLI::App &app, Arguments &arguments) {
  std::vector<std::string> names;
  for (const auto &[name, stage] : stages())
    names.push_back(name);
  app.add_option("MODEL", arguments.model, "the model: MLIR text of the gen dialect (- is stdin)")
      ->required();
  app.add_option("-o", arguments.output,
                 "output file (default: beside the input; - is stdout for text)")
      ->type_name("FILE");
  app.add_option("--emit", arguments.emit,
                 "how far to compile: gen, kernels, loops, llvm, asm, obj or so (default)")
      ->check(CLI::IsMember(names));
  app.add_option("--target", arguments.target, "cpu")->check(CLI::IsMember({"cpu"}));
  app.add_option("--mcpu", arguments.cpu, "native (default), x86-64-v2, x86-64-v3 or x86-64-v4")
      ->check(CLI::IsMember({"native", "x86-64-v2", "x86-64-v3", "x86-64-v4"}));
  app.add_option(
         "-O", arguments.optimization,
         "optimization of the generated code, 0 to 3 (default 3); results do not depend on it")
      ->check(CLI::Range(0, 3));
  app.add_option("--dump-after", arguments.dumpAfter,
                 "print the module after this pass (gen-fuse-kernels, ...) or after all")
      ->type_name("PASS|all");
  app.add_flag("-v", arguments.verbose, "report the time of each stage");
}

/// MODEL.mlir -> MODEL.so beside it.
std::string defaultOutput(const Arguments &arguments) {
  if (arguments.model == "-")
    return "-";
  llvm::SmallString<128> path(arguments.model);
  llvm::sys::path::replace_extension(path, stages().at(arguments.emit).second);
  return std::string(path);
}

int run(const Arguments &arguments) {
  DialectRegistry registry;
  registerCompilerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  bool shown = false;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      shown = true;
    auto file = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>();
    if (file)
      llvm::errs() << file.getFilename().getValue() << ":" << file.getLine() << ":"
                   << file.getColumn() << ": ";
    static const char *severities[] = {"note", "warning", "error", "remark"};
    llvm::errs() << severities[static_cast<int>(diagnostic.getSeverity())] << ": "
                 << diagnostic.str() << "\n";
    for (Diagnostic &note : diagnostic.getNotes())
      llvm::errs() << "note: " << note.str() << "\n";
    return success();
  });
  OwningOpRef<ModuleOp> module = parseModel(arguments.model, context);
  CompileOptions options;
  options.cpu = arguments.cpu;
  options.optimization = arguments.optimization;
  options.dumpAfter = arguments.dumpAfter;
  options.verbose = arguments.verbose;
  options.name = llvm::sys::path::stem(arguments.model).str();
  std::string output = arguments.output.empty() ? defaultOutput(arguments) : arguments.output;
  if (module && succeeded(compile(*module, stages().at(arguments.emit).first, output, options)))
    return 0;
  if (!shown)
    llvm::errs() << "error: '" << arguments.model
                 << "' could not be compiled; --dump-after=all shows how far it came\n";
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Compiles a model of the gen dialect into a self-contained artefact.", "gencc");
  Arguments arguments;
  addOptions(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp &help) {
    return app.exit(help);
  } catch (const CLI::ParseError &error) {
    app.exit(error);
    return 2;
  }
  return run(arguments);
}
