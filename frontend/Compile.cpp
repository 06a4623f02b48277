//===- Compile.cpp - compiling a program in process -----------------------===//

#include "gen/compile.hpp"
#include "Entry.h"

#include "passes/Compiler.h"

#include <cstdlib>
#include <filesystem>

namespace gen {

void compileTo(const Program &program, const std::string &path, const CompileOptions &options) {
  detail::ProgramState &state = *program.handle();
  mlir::DialectRegistry registry;
  mlir::gen::registerCompilerDialects(registry);
  state.context.appendDialectRegistry(registry);

  std::string messages;
  mlir::ScopedDiagnosticHandler handler(&state.context, [&](mlir::Diagnostic &diagnostic) {
    llvm::raw_string_ostream stream(messages);
    if (auto place = mlir::dyn_cast<mlir::FileLineColLoc>(diagnostic.getLocation()))
      stream << place.getFilename().getValue() << ':' << place.getLine() << ':' << place.getColumn()
             << ": ";
    stream << diagnostic << '\n';
    return mlir::success();
  });
  mlir::OwningOpRef<mlir::ModuleOp> module = state.finish();
  mlir::gen::CompileOptions compileOptions;
  compileOptions.cpu = options.cpu;
  compileOptions.optimization = options.optimization;
  compileOptions.name = program.name();
  if (mlir::failed(mlir::gen::compile(*module, mlir::gen::Stage::So, path, compileOptions)))
    throw BuildError(messages.empty() ? path + ": cannot be compiled" : messages, SourceLocation());
}

Model compile(const Program &program, const CompileOptions &options) {
  namespace fs = std::filesystem;
  std::string folder = (fs::temp_directory_path() / "gencc-XXXXXX").string();
  if (!mkdtemp(folder.data()))
    throw std::system_error(errno, std::generic_category(), folder);
  struct Removal {
    const std::string &folder;
    ~Removal() {
      std::error_code ignored;
      fs::remove_all(folder, ignored);
    }
  } removal{folder};
  const std::string path = folder + "/" + program.name() + ".so";
  compileTo(program, path, options);
  return Model::open(path);
}

} // namespace gen
