//===- Indexing.cpp - rows chosen by numbers ------------------------------===//

#include "dialect/ops/Shape.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen;

#define GET_OP_CLASSES
#include "dialect/ops/Indexing.cpp.inc"

/// The sizes of `indices`, then those of a row.
static SmallVector<int64_t> rowsShape(ArrayRef<int64_t> indices, ArrayRef<int64_t> table) {
  SmallVector<int64_t> shape(indices);
  llvm::append_range(shape, table.drop_front());
  return shape;
}

//===----------------------------------------------------------------------===//
// GatherOp
//===----------------------------------------------------------------------===//

LogicalResult GatherOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                         ValueRange operands, DictionaryAttr attributes,
                                         OpaqueProperties properties, RegionRange regions,
                                         SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto table = dyn_cast<RankedTensorType>(adaptor.getTable().getType());
  auto indices = dyn_cast<RankedTensorType>(adaptor.getIndices().getType());
  if (!table || !indices)
    return failure();
  if (table.getRank() < 1)
    return emitOptionalError(
        location, "'gen.gather' op expected a table of rank 1 or more (C1), got ", table);
  types.push_back(RankedTensorType::get(rowsShape(indices.getShape(), table.getShape()),
                                        table.getElementType()));
  return success();
}

LogicalResult GatherOp::refineReturnTypes(MLIRContext *, std::optional<Location>, ValueRange,
                                          DictionaryAttr, OpaqueProperties, RegionRange,
                                          SmallVectorImpl<Type> &) {
  return success(); // the verifier compares the types, with a better message
}

LogicalResult GatherOp::verify() {
  RankedTensorType table = getTable().getType();
  if (table.getRank() < 1)
    return emitOpError("expected a table of rank 1 or more (C1), got ") << table;
  auto expected = RankedTensorType::get(
      rowsShape(getIndices().getType().getShape(), table.getShape()), table.getElementType());
  if (expected.getElementType() == getType().getElementType() &&
      succeeded(verifyCompatibleShape(expected, getType())))
    return success();
  return emitOpError("expected a result of ") << expected << " (C2), got " << getType();
}

LogicalResult GatherOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  int64_t leading = getIndices().getType().getRank();
  SmallVector<OpFoldResult> &shape = shapes.emplace_back();
  for (auto [axis, size] : llvm::enumerate(getType().getShape())) {
    if (!ShapedType::isDynamic(size)) {
      shape.push_back(b.getIndexAttr(size));
      continue;
    }
    auto number = static_cast<int64_t>(axis);
    OpFoldResult found = number < leading
                             ? tensor::getMixedSize(b, getLoc(), getIndices(), number)
                             : tensor::getMixedSize(b, getLoc(), getTable(), number - leading + 1);
    shape.push_back(getValueOrCreateConstantIndexOp(b, getLoc(), found));
  }
  return success();
}

LogicalResult GatherOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                 SmallVectorImpl<Array> &results) {
  const Array &table = operands[0], &indices = operands[1];
  Array result(table.elementType, rowsShape(indices.shape, table.shape));
  int64_t row = indices.size() == 0 ? 0 : result.size() / indices.size();
  for (auto [i, index] : llvm::enumerate(indices.integers)) {
    if (index < 0 || index >= table.shape[0])
      continue;
    auto to = static_cast<int64_t>(i) * row;
    if (table.isFloat())
      std::copy_n(table.floats.begin() + index * row, row, result.floats.begin() + to);
    else
      std::copy_n(table.integers.begin() + index * row, row, result.integers.begin() + to);
  }
  results.push_back(std::move(result));
  return success();
}

// Z = O T with O = one_hot(indices):  dT = O^T dZ
SmallVector<Value> GatherOp::derivative(GenBuilder &b, ValueRange dz) {
  if (!isa<FloatType>(getType().getElementType()))
    return {Value(), Value()};
  return {
      b.make<ScatterAddOp>(getTable().getType(), getIndices(), dz[0], b.dynamicSizes(getTable())),
      Value()};
}

bool GatherOp::isElementwise() { return false; }

Value GatherOp::emitAt(ElementEmitter &emitter, Indices at) {
  ImplicitLocOpBuilder &b = emitter.b;
  int64_t leading = getIndices().getType().getRank();
  Indices which(at.begin(), at.begin() + leading);
  Index row{emitter.elementAt(getIndices(), which), Index::PerLane};
  if (llvm::all_of(which, [](const Index &index) { return index.kind == Index::Uniform; })) {
    row.kind = Index::Uniform;
    if (emitter.lanes() > 1)
      row.value = b.createOrFold<vector::ExtractOp>(row.value, 0);
  }
  if (getElementTypeOrSelf(row.value) != b.getI64Type()) {
    Type type = emitter.lanes() > 1 && row.kind == Index::PerLane ? emitter.laneType(b.getI64Type())
                                                                  : Type(b.getI64Type());
    row.value = arith::ExtSIOp::create(b, type, row.value);
  }
  // One comparison without sign: a negative number is a large one.
  Value rows = emitter.size(getTable(), 0);
  if (row.value.getType() != rows.getType())
    rows = emitter.splat(rows);
  Value exists = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, row.value, rows);
  if (row.kind == Index::Uniform)
    exists = emitter.splat(exists);
  Value element = emitter.masked(exists, [&] {
    Indices inTable{row};
    inTable.append(at.begin() + leading, at.end());
    return emitter.elementAt(getTable(), inTable);
  });
  Value zero = emitter.constant(getType().getElementType(), 0.0);
  return arith::SelectOp::create(b, exists, element, zero);
}

//===----------------------------------------------------------------------===//
// ScatterAddOp
//===----------------------------------------------------------------------===//

LogicalResult ScatterAddOp::verify() {
  RankedTensorType updates = getUpdates().getType(), result = getType();
  int64_t dynamic = result.getNumDynamicDims();
  if (static_cast<int64_t>(getSizes().size()) != dynamic)
    return emitOpError("expected ")
           << dynamic << " sizes, one for each dynamic dimension of the result " << result
           << " (C1), got " << getSizes().size();
  auto complain = [&](const char *what) {
    return emitOpError("expected ") << what << ", got indices of " << getIndices().getType()
                                    << ", updates of " << updates << " and a result of " << result;
  };
  if (result.getRank() < 1 ||
      failed(verifyCompatibleShape(rowsShape(getIndices().getType().getShape(), result.getShape()),
                                   updates.getShape())))
    return complain("updates of the shape of the indices, then that of a row of the result (C2)");
  if (updates.getElementType() != result.getElementType())
    return complain("updates and result of one element type (C3)");
  return success();
}

LogicalResult ScatterAddOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyFromSizes(b, getType(), getSizes(), shapes);
}

LogicalResult ScatterAddOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                     SmallVectorImpl<Array> &results) {
  const Array &indices = operands[0], &updates = operands[1];
  SmallVector<int64_t> sizes = llvm::map_to_vector(
      operands.drop_front(2), [](const Array &size) { return size.integers[0]; });
  Array result(updates.elementType, EvaluationContext::resolveShape(getType(), sizes));
  if (rowsShape(indices.shape, result.shape) != updates.shape)
    return emitOpError("expected updates of the shape of the indices, then that of a row of the "
                       "result (C2), got ")
           << indices.type() << ", " << updates.type() << " and " << result.type();
  int64_t row = indices.size() == 0 ? 0 : updates.size() / indices.size();
  for (auto [i, index] : llvm::enumerate(indices.integers)) {
    if (index < 0 || index >= result.shape[0])
      continue;
    for (int64_t j = 0; j < row; ++j) {
      int64_t from = static_cast<int64_t>(i) * row + j, to = index * row + j;
      if (result.isFloat())
        result.floats[to] += updates.floats[from];
      else
        result.setInteger(to, result.integers[to] + updates.integers[from]);
    }
  }
  results.push_back(std::move(result));
  return success();
}

StringRef ScatterAddOp::kernelFamily() { return "scatter"; }
bool ScatterAddOp::readsThroughIndices(unsigned) { return true; }
bool ScatterAddOp::readsOnce(unsigned number) { return number == 1; }

// Z = O^T U with O = one_hot(indices):  dU = O dZ
SmallVector<Value> ScatterAddOp::derivative(GenBuilder &b, ValueRange dz) {
  SmallVector<Value> gradients(getNumOperands());
  if (isa<FloatType>(getType().getElementType()))
    gradients[1] = b.make<GatherOp>(dz[0], getIndices());
  return gradients;
}
