//===- Elementwise.h - what all elementwise ops share -----------*- C++ -*-===//
//
// Broadcasting, reference evaluation and emission, written once for every elementwise op.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_DIALECT_OPS_ELEMENTWISE_H
#define GEN_DIALECT_OPS_ELEMENTWISE_H

#include "dialect/Broadcasting.h"
#include "dialect/Gen.h"
#include "dialect/Permutation.h"

namespace mlir::gen {

/// Infers the broadcast shape with `elementType`; says at `location`, if given, why there is none.
LogicalResult inferBroadcast(StringRef name, std::optional<Location> location, ValueRange operands,
                             Type elementType, SmallVectorImpl<Type> &types);

/// Checks (C1) that shapes broadcast, (C2) that `numbers` have one element type, and (C3) the
/// result type.
LogicalResult verifyBroadcast(Operation *op, ValueRange numbers, Type resultElementType);

/// The operands' elements for the result's element at `at`.
SmallVector<Value> operandElements(Operation *op, ElementEmitter &emitter, const Indices &at);

/// The broadcast shape of `operands`; an error at `op` if there is none.
FailureOr<SmallVector<int64_t>> broadcastArrays(Operation *op, ArrayRef<Array> operands);

/// Steps of an operand's row-major position along the axes of `shape`; 0 where it is repeated.
SmallVector<int64_t> broadcastStrides(ArrayRef<int64_t> operandShape, ArrayRef<int64_t> shape);

/// The elements of one operand that meet those of the result, in order.
template <typename T>
std::vector<T> broadcastElements(const Array &operand, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides = broadcastStrides(operand.shape, shape);
  std::vector<T> elements;
  forEachIndex(shape, [&](ArrayRef<int64_t> index) {
    int64_t position = 0;
    for (auto [i, stride] : llvm::zip_equal(index, strides))
      position += i * stride;
    elements.push_back(operand.isFloat() ? static_cast<T>(operand.floats[position])
                                         : static_cast<T>(operand.integers[position]));
  });
  return elements;
}

template <typename T, typename Op>
void computeElements(Op op, ArrayRef<Array> operands, Array &result) {
  SmallVector<std::vector<T>> columns;
  for (const Array &operand : operands)
    columns.push_back(broadcastElements<T>(operand, result.shape));
  SmallVector<T> row(operands.size());
  for (int64_t position = 0, size = result.size(); position < size; ++position) {
    for (auto [element, column] : llvm::zip_equal(row, columns))
      element = column[position];
    T value = op.compute(ArrayRef<T>(row));
    if (result.isFloat())
      result.floats[position] = static_cast<double>(value);
    else
      result.setInteger(position, static_cast<int64_t>(value));
  }
}

/// Evaluates an op by its `compute`, in double if its last operand is floating point, else in
/// int64_t.
template <typename Op>
LogicalResult evaluateElementwise(Op op, ArrayRef<Array> operands,
                                  SmallVectorImpl<Array> &results) {
  FailureOr<SmallVector<int64_t>> shape = broadcastArrays(op, operands);
  if (failed(shape))
    return failure();
  Array result(getElementTypeOrSelf(op->getResult(0)), *shape);
  if constexpr (requires { op.compute(ArrayRef<double>()); })
    if (operands.back().isFloat())
      computeElements<double>(op, operands, result);
  if constexpr (requires { op.compute(ArrayRef<int64_t>()); })
    if (!operands.back().isFloat())
      computeElements<int64_t>(op, operands, result);
  results.push_back(std::move(result));
  return success();
}

} // namespace mlir::gen

#endif // GEN_DIALECT_OPS_ELEMENTWISE_H
