//===- JitKernel.h - Runs emitted kernels inside a test -------------------===//
//
// Lowers a module of func, scf, arith, math, vector and llvm ops to machine code in process. The
// backend may not fuse or reassociate floating point, as in the compiler's own pipeline.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TEST_UNIT_JITKERNEL_H
#define GEN_TEST_UNIT_JITKERNEL_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include <functional>
#include <memory>
#include <string>

namespace mlir::gen::test {

/// A context with every dialect that the emitters use, loaded.
std::unique_ptr<MLIRContext> makeContext();

/// Adds to `module` a function of `arguments` (and no result) whose body `emit` builds.
void addKernel(ModuleOp module, StringRef name, TypeRange arguments,
               llvm::function_ref<void(ImplicitLocOpBuilder &, ValueRange)> emit);

/// Machine code of a module. The module is lowered in place.
class JitModule {
public:
  /// `cpu`: a name of LLVM's x86 backend, or "" for the host. Exits with a message on failure.
  explicit JitModule(ModuleOp module, StringRef cpu = "");
  template <typename Function> Function *lookup(StringRef name) {
    return reinterpret_cast<Function *>(address(name));
  }

private:
  void *address(StringRef name);
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace mlir::gen::test

#endif // GEN_TEST_UNIT_JITKERNEL_H
