//===- Broadcasting.cpp - NumPy broadcasting of shapes --------------------===//

#include "dialect/Broadcasting.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::gen;

/// The size that two sizes of one axis give, or nothing.
static std::optional<int64_t> broadcastSizes(int64_t lhs, int64_t rhs) {
  if (lhs == rhs || rhs == 1)
    return lhs;
  if (lhs == 1 || ShapedType::isDynamic(lhs))
    return rhs;
  if (ShapedType::isDynamic(rhs))
    return lhs;
  return std::nullopt;
}

FailureOr<SmallVector<int64_t>> mlir::gen::broadcastShapes(ArrayRef<ArrayRef<int64_t>> shapes) {
  size_t rank = 0;
  for (ArrayRef<int64_t> shape : shapes)
    rank = std::max(rank, shape.size());
  SmallVector<int64_t> result(rank, 1);
  for (ArrayRef<int64_t> shape : shapes) {
    size_t missing = rank - shape.size();
    for (auto [axis, size] : llvm::enumerate(shape)) {
      std::optional<int64_t> both = broadcastSizes(result[missing + axis], size);
      if (!both)
        return failure();
      result[missing + axis] = *both;
    }
  }
  return result;
}

Indices mlir::gen::broadcastIndices(ElementEmitter &emitter, RankedTensorType operandType,
                                    const Indices &at) {
  Index first{emitter.i64(0), Index::Uniform};
  if (emitter.isFlat()) {
    bool isOneElement =
        llvm::all_of(operandType.getShape(), [](int64_t size) { return size == 1; });
    return isOneElement ? Indices{first} : at;
  }
  Indices indices;
  size_t missing = at.size() - operandType.getRank();
  for (auto [axis, size] : llvm::enumerate(operandType.getShape()))
    indices.push_back(size == 1 ? first : at[missing + axis]);
  return indices;
}

/// The operand that has the size of axis `axis` of the result: one that is not repeated along it.
static Value sizeSource(Operation *op, int64_t rank, int64_t axis, int64_t &operandAxis) {
  for (Value operand : op->getOperands()) {
    auto type = cast<RankedTensorType>(operand.getType());
    operandAxis = axis - (rank - type.getRank());
    if (operandAxis >= 0 && type.getDimSize(operandAxis) != 1)
      return operand;
  }
  return {};
}

LogicalResult mlir::gen::reifyBroadcast(Operation *op, OpBuilder &b,
                                        ReifiedRankedShapedTypeDims &shapes) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<OpFoldResult> sizes;
  for (auto [axis, size] : llvm::enumerate(type.getShape())) {
    int64_t operandAxis = 0;
    Value source;
    if (ShapedType::isDynamic(size))
      source = sizeSource(op, type.getRank(), axis, operandAxis);
    if (!source) {
      sizes.push_back(b.getIndexAttr(ShapedType::isDynamic(size) ? 1 : size));
      continue;
    }
    OpFoldResult known = tensor::getMixedSize(b, op->getLoc(), source, operandAxis);
    // A dynamic axis of the result wants a value, even of a known size.
    sizes.push_back(getValueOrCreateConstantIndexOp(b, op->getLoc(), known));
  }
  shapes.push_back(std::move(sizes));
  return success();
}
