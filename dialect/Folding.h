//===- Folding.h - folding by the reference semantics -----------*- C++ -*-===//

#ifndef GEN_DIALECT_FOLDING_H
#define GEN_DIALECT_FOLDING_H

#include "dialect/Gen.h"

namespace mlir::gen {

/// The elements as an attribute, rounded to the element type.
DenseElementsAttr toAttribute(const Array &array);

/// Evaluates `op` on constant operands (one attribute an operand, null if not constant). Returns
/// null if one is not constant or the result is neither small nor a splat.
OpFoldResult foldConstants(ReferenceOpInterface op, ArrayRef<Attribute> operands);

/// The one number that all elements of a constant have.
std::optional<double> splatNumber(Attribute constant);

} // namespace mlir::gen

#endif // GEN_DIALECT_FOLDING_H
