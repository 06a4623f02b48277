//===- gen/compile.hpp - compiling a program in process ---------*- C++ -*-===//
//
//   gen::Program program("vae");
//   ...
//   gen::Model model = gen::compile(program);
//   gen::Session session(model, {.seed = 1});
//
//===----------------------------------------------------------------------===//

#ifndef GEN_COMPILE_HPP
#define GEN_COMPILE_HPP

#include "gen/program.hpp"
#include "gen/runtime.hpp"

namespace gen {

struct CompileOptions {
  std::string cpu = "native"; ///< or "x86-64-v2", "x86-64-v3", "x86-64-v4", or several: "a,b"
  int optimization = 3;       ///< 0 to 3; results do not depend on it
};

/// Compiles to an artefact, the shared object that `gencc` would write. An existing file is
/// replaced only by a whole new one. Throws BuildError with the compiler's messages, which name the
/// program's lines.
void compileTo(const Program &program, const std::string &path, const CompileOptions &options = {});

/// Compiles and opens. The artefact is a temporary file that is gone when this returns. Throws as
/// `compileTo`, and gen::Error where it cannot be opened.
Model compile(const Program &program, const CompileOptions &options = {});

} // namespace gen

#endif // GEN_COMPILE_HPP
