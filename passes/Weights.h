//===- Weights.h - initial values from a file -------------------*- C++ -*-===//

#ifndef GEN_PASSES_WEIGHTS_H
#define GEN_PASSES_WEIGHTS_H

#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace mlir::gen {

/// Gives the variables of `module` the values that a safetensors file has under their names, in
/// place of those that the entry `init` would assign. Variables that the file lacks keep theirs; a
/// warning names them. Tensors that are no variable or have another dtype or shape are errors, as
/// is a file without any variable of the model. Diagnostics go to the context's handler.
LogicalResult setInitialValues(ModuleOp module, const std::string &path);

} // namespace mlir::gen

#endif // GEN_PASSES_WEIGHTS_H
