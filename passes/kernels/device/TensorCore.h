//===- TensorCore.h - operands and products of tensor cores -----*- C++ -*-===//
//
// `multiplied` is what tensor cores multiply: bf16, f16 or tf32. The last one has the range of f32
// and ten bits of mantissa, and is f32 in memory, rounded on the way.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_TENSORCORE_H
#define GEN_PASSES_KERNELS_DEVICE_TENSORCORE_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::gen::kernels {

/// Rows, columns and depth of one instruction's product.
inline constexpr int64_t kTensorRows = 16, kTensorColumns = 8;
int64_t tensorDepth(Type multiplied);

/// What such numbers are in memory.
Type storedTypeOf(Type multiplied);

/// What a lane has of 2 or 4 matrices of 8 lines of 16 bytes in shared memory, as operands of
/// products: each 8 lanes point to the lines of one. Of a line, or (16 bits) of a transposed
/// matrix's column.
SmallVector<Value> loadMatrices(ImplicitLocOpBuilder &b, Type multiplied, Value from, int64_t count,
                                bool isTransposed);

/// 32 bits as an operand: two numbers of 16 bits, or one of f32, which is rounded.
Value operandOf(ImplicitLocOpBuilder &b, Type multiplied, Value bits);

/// Numbers of f32, rounded to what is multiplied.
Value roundedTo(ImplicitLocOpBuilder &b, Type multiplied, Value number);

/// Adds a product of 16 x `tensorDepth` and `tensorDepth` x 8 numbers to sums in f32.
void multiplyMatrices(ImplicitLocOpBuilder &b, Type multiplied, ValueRange left, ValueRange right,
                      MutableArrayRef<Value> sums);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_TENSORCORE_H
