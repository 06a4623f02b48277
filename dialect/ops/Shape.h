//===- Shape.h - what ops on shapes share -----------------------*- C++ -*-===//

#ifndef GEN_DIALECT_OPS_SHAPE_H
#define GEN_DIALECT_OPS_SHAPE_H

#include "dialect/Gen.h"

namespace mlir::gen {

/// The shape of `type`: static sizes as attributes, dynamic ones from `sizes`, in order.
LogicalResult reifyFromSizes(OpBuilder &b, RankedTensorType type, ValueRange sizes,
                             ReifiedRankedShapedTypeDims &shapes);

} // namespace mlir::gen

#endif // GEN_DIALECT_OPS_SHAPE_H
