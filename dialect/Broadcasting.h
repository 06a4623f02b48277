//===- Broadcasting.h - NumPy broadcasting of shapes ------------*- C++ -*-===//

#ifndef GEN_DIALECT_BROADCASTING_H
#define GEN_DIALECT_BROADCASTING_H

#include "dialect/ElementEmitter.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"

namespace mlir::gen {

/// The shape of an elementwise op on operands of these shapes, or failure if two sizes do not
/// agree. A dynamic size agrees with any; it gives way to a static one other than 1.
FailureOr<SmallVector<int64_t>> broadcastShapes(ArrayRef<ArrayRef<int64_t>> shapes);

/// Where an operand of `operandType` is read for the element at `at` of the broadcast result.
Indices broadcastIndices(ElementEmitter &emitter, RankedTensorType operandType, const Indices &at);

/// Sizes of an elementwise op's result in terms of its operands' sizes.
LogicalResult reifyBroadcast(Operation *op, OpBuilder &b, ReifiedRankedShapedTypeDims &shapes);

} // namespace mlir::gen

#endif // GEN_DIALECT_BROADCASTING_H
