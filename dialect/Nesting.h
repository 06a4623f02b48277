//===- Nesting.h - bounding the nesting of MLIR text ------------*- C++ -*-===//
//
// MLIR's parser is recursive without a bound, so that a file of some thousand open brackets ends
// the process. What reads files of others checks them here first.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_DIALECT_NESTING_H
#define GEN_DIALECT_NESTING_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace mlir::gen {

/// How deep brackets, or signs of an affine expression, may be nested.
inline constexpr int64_t kMaxNesting = 256;

/// The line (from 1) on which `text` is nested deeper than kMaxNesting; none if it is not. Bytecode
/// is never nested.
std::optional<int64_t> findDeepNesting(StringRef text);

/// The same as a check: false, after writing an error that names file and line, if the text is
/// nested too deep.
bool checkNesting(StringRef text, StringRef fileName, raw_ostream &errors);

} // namespace mlir::gen

#endif // GEN_DIALECT_NESTING_H
