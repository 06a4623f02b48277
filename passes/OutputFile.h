//===- OutputFile.h - files that appear whole or not at all -----*- C++ -*-===//

#ifndef GEN_PASSES_OUTPUTFILE_H
#define GEN_PASSES_OUTPUTFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace mlir::gen {

/// Writes a file ("-" is stdout) through a temporary one beside it, so that an old file survives a
/// failure. The error says which file cannot be written, and why.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef contents);

} // namespace mlir::gen

#endif // GEN_PASSES_OUTPUTFILE_H
