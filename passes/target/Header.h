//===- Header.h - a C++ header for a linked model ---------------*- C++ -*-===//

#ifndef GEN_PASSES_TARGET_HEADER_H
#define GEN_PASSES_TARGET_HEADER_H

#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace mlir::gen {

/// `text` as a C++ identifier: other characters become '_'; keywords get one behind.
std::string identifier(StringRef text, StringRef prefix = "");

/// The symbol that holds the artefact's tables in an object file: several models can be linked into
/// one program.
std::string linkedSymbol(StringRef modelName);

/// A C++17 header with one typed function for each entry of a planned module (Stage::Kernels), over
/// gen/runtime.hpp.
std::string writeCppHeader(ModuleOp module);

} // namespace mlir::gen

#endif // GEN_PASSES_TARGET_HEADER_H
