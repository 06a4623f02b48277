//===- gencc.cpp - the compiler's command line ----------------------------===//

#include "passes/Compiler.h"
#include "passes/Tune.h"
#include "passes/Weights.h"
#include "passes/target/Cpu.h"
#include "tools/CommandLine.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>

using namespace mlir;
using namespace mlir::gen;

namespace {

struct Arguments {
  std::string model, output, emit = "so", target = "cpu", cpu = "native", precision = "f32";
  std::string weights, header, report, dumpAfter, schedules, tune, deviceCode = "ptx";
  int optimization = 3;
  int64_t memoryBudget = -1;
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
  auto oneOf = [](const std::vector<std::string> &values, const std::string &what,
                  bool several = false) {
    std::string list;
    for (const std::string &value : values)
      list += (list.empty() ? "" : ", ") + value;
    return CLI::Validator(
        [=](std::string &value) {
          bool isKnown = several ? llvm::all_of(llvm::split(value, ','),
                                                [&](llvm::StringRef part) {
                                                  return llvm::is_contained(values, part);
                                                })
                                 : llvm::is_contained(values, value);
          return isKnown ? std::string() : "'" + value + "' is " + what + "; expected " + list;
        },
        "");
  };
  app.add_option("MODEL", arguments.model, "the model: MLIR text of the gen dialect (- is stdin)")
      ->required()
      ->type_name("FILE");
  app.add_option("-o", arguments.output, "output file (default: beside the input; - is stdout)")
      ->type_name("FILE");
  app.add_option("--emit", arguments.emit,
                 "how far to compile: gen (the model as read), kernels, loops, llvm, asm, obj "
                 "(to link into a program, see --header) or so (the default)")
      ->type_name("STAGE")
      ->check(oneOf(names, "no stage"));
  app.add_option("--header", arguments.header,
                 "also write a C++ header with one typed function for each entry, to link the "
                 "object file into a program")
      ->type_name("FILE");
  app.add_option("--target", arguments.target,
                 "cpu (default), cuda (NVIDIA GPUs; --emit=llvm and asm show their code), or both, "
                 "separated by a comma, in one file")
      ->type_name("TARGET")
      ->check(oneOf({"cpu", "cuda"}, "no target of this version", /*several=*/true));
  app.add_option("--device-code", arguments.deviceCode,
                 "what the code for GPUs is in the file: ptx (default), which the driver compiles "
                 "when a model is opened; cubin: machine code for compute capability 8.x and 9.0, "
                 "too, by the CUDA toolkit's ptxas; or bitcode, for the emulator of the tests")
      ->type_name("KIND")
      ->check(oneOf({"ptx", "cubin", "bitcode"}, "no kind of code"));
  std::vector<std::string> cpus(cpuNames().begin(), cpuNames().end());
  app.add_option("--mcpu", arguments.cpu,
                 "native (default), x86-64-v2, x86-64-v3, x86-64-v4, x86-64-v4-vnni, aarch64; "
                 "several x86-64 "
                 "levels, separated by commas, are put into one file, and the best is taken when "
                 "it is opened")
      ->type_name("CPU")
      ->check(oneOf(cpus, "no CPU known here", /*several=*/true));
  app.add_option("-O", arguments.optimization,
                 "-O0 to -O3: optimization of the generated code (default 3); results do not "
                 "depend on it")
      ->type_name("N")
      ->check(CLI::Range(0, 3).description(""));
  app.add_option(
         "--precision", arguments.precision,
         "f32: as the model is written (default); tf32: GPUs multiply f32 on tensor cores, with "
         "ten "
         "bits of mantissa, CPUs as it is written; bf16, f16: operands of products in "
         "16 bits; int8w: weights that an entry only reads "
         "in eight bits, a scale a column, for decoding at up to four times the speed; int8: "
         "what they are multiplied with, too, a scale a row")
      ->type_name("PRECISION")
      ->check(
          oneOf({"f32", "tf32", "bf16", "f16", "int8", "int8w"}, "no precision of this version"));
  app.add_option("--memory-budget", arguments.memoryBudget,
                 "what the variables and intermediate values of an entry may take at most (64MB, "
                 "1GiB, ...): values are computed again rather than kept until it fits")
      ->type_name("BYTES")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true));
  app.add_option("--schedules", arguments.schedules,
                 "file of measured schedules, made by --tune: products that it knows take them")
      ->type_name("FILE");
  app.add_option("--tune", arguments.tune,
                 "measure schedules of this model's products on this machine first, for "
                 "--target=cuda also cuBLASLt and cuDNN on its GPU, and add those that are faster "
                 "than the rule's to this file of schedules")
      ->type_name("FILE");
  app.add_option("--weights", arguments.weights,
                 "safetensors file with initial values of the variables, by name; they become "
                 "part of the artefact")
      ->type_name("FILE");
  app.add_option("--dump-after", arguments.dumpAfter,
                 "print the module to stderr after this pass (gen-fuse-kernels, ...) or after all")
      ->type_name("PASS|all");
  app.add_option("--report", arguments.report,
                 "also write an HTML page: entries, kernels, work, memory plan")
      ->type_name("FILE");
  app.add_flag("-v", arguments.verbose,
               "report the time of each stage, and the memory of each entry");
}

/// MODEL.mlir -> MODEL.so beside it.
std::string defaultOutput(const Arguments &arguments) {
  if (arguments.model == "-")
    return "-";
  llvm::SmallString<128> path(arguments.model);
  llvm::sys::path::replace_extension(path, stages().at(arguments.emit).second);
  return std::string(path);
}

/// Options that fit each one alone, but not together: what is wrong, or "".
std::string findContradiction(const Arguments &arguments, const std::string &output) {
  Stage stage = stages().at(arguments.emit).first;
  if (!arguments.header.empty() && stage != Stage::Obj && stage != Stage::So)
    return "--header: expected --emit=obj or so, got " + arguments.emit;
  if (!arguments.tune.empty() && !arguments.schedules.empty())
    return "--tune adds to its own file; expected no --schedules beside it";
  if (!arguments.tune.empty() && arguments.cpu != "native")
    return "--tune measures on this machine: expected --mcpu=native, got " + arguments.cpu;
  if (!arguments.report.empty() && stage == Stage::Gen)
    return "--report: expected --emit=kernels or later, got gen";
  std::vector<std::string> files{output, arguments.header, arguments.report};
  llvm::erase(files, "");
  llvm::sort(files);
  auto twice = std::adjacent_find(files.begin(), files.end());
  if (twice != files.end())
    return "two outputs are to be written to '" + *twice + "'";
  if (output == "-" && llvm::sys::Process::StandardOutIsDisplayed() &&
      (stage == Stage::Obj || stage == Stage::So))
    return "code cannot be shown on a terminal; use -o FILE";
  return "";
}

/// Prints diagnostics as "file:line:column: error: ...", notes behind them.
class DiagnosticPrinter {
public:
  explicit DiagnosticPrinter(MLIRContext &context)
      : handler(&context, [this](Diagnostic &diagnostic) { return print(diagnostic); }) {}
  bool shownError = false;

private:
  LogicalResult print(Diagnostic &diagnostic) {
    shownError |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
    if (auto file = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>()) {
      llvm::errs() << file.getFilename().getValue() << ":";
      if (file.getLine() > 0)
        llvm::errs() << file.getLine() << ":" << file.getColumn() << ":";
      llvm::errs() << " ";
    }
    // The parser's own hint is an option of another tool.
    std::string text = diagnostic.str();
    StringRef message = StringRef(text).split(". If this is intended").first;
    static const char *const severities[] = {"note", "warning", "error", "remark"};
    llvm::errs() << severities[static_cast<int>(diagnostic.getSeverity())] << ": " << message
                 << "\n";
    for (Diagnostic &note : diagnostic.getNotes())
      llvm::errs() << "note: " << note.str() << "\n";
    return success();
  }

  ScopedDiagnosticHandler handler;
};

/// Adds what is found to the file that `options` will read.
LogicalResult tune(ModuleOp module, CompileOptions options, MLIRContext &context) {
  std::string path = std::exchange(options.schedules, "");
  auto fail = [&](llvm::Error error) {
    return emitError(UnknownLoc::get(&context)) << llvm::toString(std::move(error));
  };
  ScheduleTable table;
  if (llvm::sys::fs::exists(path)) {
    llvm::Expected<ScheduleTable> known = ScheduleTable::read(path);
    if (!known)
      return fail(known.takeError());
    table = std::move(*known);
  }
  auto tell = [](StringRef line) { llvm::errs() << line << "\n"; };
  if (failed(tuneSchedules(module, options, table, tell)))
    return failure();
  if (llvm::Error error = table.write(path))
    return fail(std::move(error));
  return success();
}

LogicalResult compileModel(const Arguments &arguments, const std::string &output,
                           MLIRContext &context) {
  OwningOpRef<ModuleOp> module = parseModel(arguments.model, context);
  if (!module)
    return failure();
  if (!arguments.weights.empty() && failed(setInitialValues(*module, arguments.weights)))
    return failure();
  CompileOptions options;
  options.cpu = arguments.cpu;
  options.target = arguments.target;
  options.deviceCode = arguments.deviceCode == "ptx"     ? DeviceCode::Ptx
                       : arguments.deviceCode == "cubin" ? DeviceCode::Cubin
                                                         : DeviceCode::Bitcode;
  options.optimization = arguments.optimization;
  options.precision = arguments.precision;
  options.memoryBudget = arguments.memoryBudget;
  options.schedules = arguments.tune.empty() ? arguments.schedules : arguments.tune;
  options.header = arguments.header;
  options.report = arguments.report;
  options.verbose = arguments.verbose;
  if (!arguments.tune.empty() && failed(tune(*module, options, context)))
    return failure();
  options.dumpAfter = arguments.dumpAfter;
  options.name = arguments.model == "-" ? "model" : llvm::sys::path::stem(arguments.model).str();
  return compile(*module, stages().at(arguments.emit).first, output, options);
}

int run(const Arguments &arguments, const std::string &output) {
  DialectRegistry registry;
  registerCompilerDialects(registry);
  MLIRContext context(registry);
  context.printOpOnDiagnostic(false);
  DiagnosticPrinter printer(context);
  if (succeeded(compileModel(arguments, output, context)))
    return 0;
  if (!printer.shownError)
    llvm::errs() << "error: '" << arguments.model
                 << "' could not be compiled; --dump-after=all shows how far it came\n";
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  std::signal(SIGXFSZ, SIG_IGN); // a full disk is an error message, not a death
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Compiles a model of the gen dialect into a self-contained artefact.", "gencc");
  Arguments arguments;
  addOptions(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return ::gen::tools::exitStatus(app, error);
  }
  std::string output = arguments.output.empty() ? defaultOutput(arguments) : arguments.output;
  std::string wrong = findContradiction(arguments, output);
  return wrong.empty() ? run(arguments, output) : ::gen::tools::wrongUsage("gencc", wrong);
}
