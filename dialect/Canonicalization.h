//===- Canonicalization.h - patterns of the canonicalizer -------*- C++ -*-===//

#ifndef GEN_DIALECT_CANONICALIZATION_H
#define GEN_DIALECT_CANONICALIZATION_H

#include "mlir/IR/PatternMatch.h"

namespace mlir::gen {

/// Patterns that need to make new ops, which folds may not.
void populateElementwisePatterns(RewritePatternSet &patterns);
void populateReductionPatterns(RewritePatternSet &patterns);
void populateShapePatterns(RewritePatternSet &patterns);

} // namespace mlir::gen

#endif // GEN_DIALECT_CANONICALIZATION_H
