//===- Loss.cpp - losses kept whole until fusion --------------------------===//

#include "dialect/Broadcasting.h"
#include "dialect/Gen.h"
#include <cmath>

using namespace mlir;
using namespace mlir::gen;

#define GET_OP_CLASSES
#include "dialect/ops/Loss.cpp.inc"

LogicalResult BceWithLogitsOp::verify() {
  for (Type type : {getTargets().getType(), getType()})
    if (getElementTypeOrSelf(type) != getLogits().getType().getElementType() ||
        failed(verifyCompatibleShape(getLogits().getType(), type)))
      return emitOpError("expected logits, targets and result of one type (C1), got ")
             << getLogits().getType() << ", " << getTargets().getType() << " and " << getType();
  return success();
}

LogicalResult BceWithLogitsOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                                ValueRange operands, DictionaryAttr,
                                                OpaqueProperties, RegionRange,
                                                SmallVectorImpl<Type> &types) {
  types.push_back(operands[0].getType());
  return success();
}

LogicalResult BceWithLogitsOp::refineReturnTypes(MLIRContext *, std::optional<Location>, ValueRange,
                                                 DictionaryAttr, OpaqueProperties, RegionRange,
                                                 SmallVectorImpl<Type> &) {
  return success(); // the verifier compares the types, with a better message
}

LogicalResult BceWithLogitsOp::reifyResultShapes(OpBuilder &b,
                                                 ReifiedRankedShapedTypeDims &shapes) {
  return reifyBroadcast(*this, b, shapes);
}

LogicalResult BceWithLogitsOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                        SmallVectorImpl<Array> &results) {
  const Array &logits = operands[0], &targets = operands[1];
  if (logits.shape != targets.shape)
    return emitOpError("expected logits, targets and result of one type (C1), got ")
           << logits.type() << " and " << targets.type();
  Array result(logits.elementType, logits.shape);
  for (auto [z, x, t] : llvm::zip_equal(result.floats, logits.floats, targets.floats))
    z = std::fmax(x, 0.0) - x * t + std::log1p(std::exp(-std::fabs(x)));
  results.push_back(std::move(result));
  return success();
}

// With z = max(x, 0) - x t + log(1 + exp(-|x|)):  dx = dz (sigmoid(x) - t),  dt = -dz x
SmallVector<Value> BceWithLogitsOp::derivative(GenBuilder &b, ValueRange dz) {
  Value x = getLogits(), t = getTargets();
  return {b.sumTo(b.mul(dz[0], b.sub(b.sigmoid(x), t)), x), b.sumTo(b.neg(b.mul(dz[0], x)), t)};
}

SmallVector<Value> BceWithLogitsOp::decompose(GenBuilder &b) {
  Value x = getLogits(), t = getTargets();
  Value tail = b.log1p(b.exp(b.neg(b.abs(x))));
  return {b.add(b.sub(b.relu(x), b.mul(x, t)), tail)};
}
