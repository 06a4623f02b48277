//===- TensorCore.h - operands and products of tensor cores -----*- C++ -*-===//

#ifndef GEN_PASSES_KERNELS_DEVICE_TENSORCORE_H
#define GEN_PASSES_KERNELS_DEVICE_TENSORCORE_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::gen::kernels {

/// What a lane has of 2 or 4 matrices of 8 x 8 numbers of 16 bits in shared memory, as operands of
/// products: each 8 lanes point to the lines of one. Of a line, or of a transposed matrix's column.
SmallVector<Value> loadMatrices(ImplicitLocOpBuilder &b, Type element, Value from, int64_t count,
                                bool isTransposed);

/// Two numbers of 16 bits, as an operand.
Value operandOf(ImplicitLocOpBuilder &b, Type element, Value pair);

/// Adds a product of 16 x 16 and 16 x 8 numbers to sums in f32.
void multiplyMatrices(ImplicitLocOpBuilder &b, Type element, ValueRange left, ValueRange right,
                      MutableArrayRef<Value> sums);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_TENSORCORE_H
