//===- ProductKernel.h - Matrix products as functions of a test -----------===//
//
// What the tests and benchmarks of the contraction emitter share: a function that runs all tasks of
// a product, and the products that convolutions are made of.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TEST_UNIT_PRODUCTKERNEL_H
#define GEN_TEST_UNIT_PRODUCTKERNEL_H

#include "passes/kernels/Contraction.h"
#include "test/unit/JitKernel.h"
#include <utility>
#include <vector>

namespace mlir::gen::test {

/// Adds the function "product" of `arguments`: pointers to A, B and C, then whatever `describe`
/// makes the product's sizes of. All tasks run in turn; C is stored dense. Returns the number of
/// tasks, -1 if it depends on the arguments.
int64_t addProductKernel(
    ModuleOp module, TypeRange arguments,
    llvm::function_ref<kernels::Contraction(ImplicitLocOpBuilder &, ValueRange)> describe);

/// A product of f32 whose A and B are walked digit by digit (see kernels::Contraction).
struct Walked {
  struct Row {
    int64_t extent, stride;
  };
  struct Depth {
    int64_t extent, lhsStride, rhsStride;
  };
  std::vector<Row> rows;
  std::vector<Depth> depth;
  int64_t n, rhsStride;
  bool transposeRhs = false;
  int64_t lhsStart = 0, rhsStart = 0; ///< Elements before the first one.

  int64_t m() const;
  int64_t k() const;
  /// Offsets in A of row `i`, in A and B of step `k`, in B of column `j`.
  int64_t row(int64_t i) const;
  std::pair<int64_t, int64_t> step(int64_t k) const;
  int64_t column(int64_t j) const { return transposeRhs ? j * rhsStride : j; }

  /// The product with a packed B: steps of k follow each other, a vector of columns each.
  Walked packed() const;

  /// The product of the operands `lhs` and `rhs`, without a schedule; `known` makes the i64 of a
  /// size or stride, always in the same order.
  kernels::Contraction contraction(Value lhs, Value rhs,
                                   llvm::function_ref<Value(int64_t)> known) const;
};

/// A convolution of images [n, h, w, c], channels last, with weights [kh, kw, c, o].
struct ConvolutionLayer {
  int64_t n, h, w, c, kh, kw, o, stride = 1, dilation = 1;
  int64_t outHeight() const { return (h - dilation * (kh - 1) - 1) / stride + 1; }
  int64_t outWidth() const { return (w - dilation * (kw - 1) - 1) / stride + 1; }

  /// The output, of input and weight.
  Walked forward() const;
  /// The weight's gradient, of the input and the output's gradient.
  Walked weightGradient() const;
  /// The lines and columns of residue 0 of a transposed convolution: of an image [n, h, w, o] that
  /// has the lines and columns read beyond it, and the weight, whose taps are walked backwards.
  Walked phase() const;
};

} // namespace mlir::gen::test

#endif // GEN_TEST_UNIT_PRODUCTKERNEL_H
