//===- ProductElements.h - a contraction, element by element ----*- C++ -*-===//
//
// What an op computes as products of equal size, one a batch element, or group of channels and
// phase of a stride: sums over `depth` of lhs(row, k) * rhs(k, column). Operands are asked for by
// element, so casts and views cost nothing; channels of convolutions are last.
//
//     output        [n, p...; o]    += input [n, p * stride + k * dilation, c] * weight[k..., c; o]
//     weight        [k..., c; o]    += input [n, p * stride + k * dilation, c] * output[n, p...; o]
//     input (phase) [n, q...; c]    += output[n, first + q + t, o] * weight[taps(t)..., c; o]
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_PRODUCTELEMENTS_H
#define GEN_PASSES_KERNELS_DEVICE_PRODUCTELEMENTS_H

#include "passes/kernels/Int.h"
#include "passes/kernels/KernelEmitter.h"

#include <memory>

namespace mlir::gen::kernels {

class ProductElements {
public:
  ProductElements(KernelFunction &function, ContractionOpInterface op);
  virtual ~ProductElements() = default;

  /// How many products there are, and their sizes: a row or a column may have no result.
  virtual Int count() = 0;
  virtual Int rows() = 0;
  virtual Int columns() = 0;
  /// What follows is about product `number`.
  virtual void moveTo(Int number) = 0;
  virtual Int depth() = 0;

  /// What rows or columns, and steps of k, are made of: computed once for several elements.
  virtual SmallVector<Int> outerDigits(unsigned operand, Int outer) = 0;
  virtual SmallVector<Int> depthDigits(Int k) = 0;
  /// The places of the elements of operand 0 at (row, k) and of operand 1 at (column, k).
  struct Place {
    Indices at;
    Value exists; ///< Null: always.
  };
  virtual Place lhs(ArrayRef<Int> row, ArrayRef<Int> k) = 0;
  virtual Place rhs(ArrayRef<Int> column, ArrayRef<Int> k) = 0;
  /// True if neighbours along k lie side by side in memory; else those along rows or columns do.
  virtual bool isContiguousAlongDepth(unsigned operand) = 0;
  /// So many of them lie side by side, or a multiple of it.
  virtual Int contiguousExtent(unsigned operand) = 0;

  /// True if operands are matrices, one for each product, that follow each other in memory.
  virtual bool isOfMatrices() const { return false; }

  /// Emits `body` for the place of (row, column) in the op's result, if there is one.
  virtual void atResult(Int row, Int column, llvm::function_ref<void(const Indices &)> body) = 0;

  /// The element of operand `number` at (row or column, k), read from `tensor`, which is the
  /// operand or what it is converted from; zero where there is none. `exists` may be null.
  Value element(unsigned number, Value tensor, ArrayRef<Int> outer, ArrayRef<Int> k, Value exists);
  /// That element and the next ones that lie side by side, a vector of `count`: read at once where
  /// `isAligned`. The place has to be a multiple of `count`, and so the extent.
  Value elements(unsigned number, Value tensor, ArrayRef<Int> outer, ArrayRef<Int> k, Value exists,
                 int64_t count, Value isAligned);

  /// True if what lies side by side in `tensor` does so in the memory that it is computed of.
  static bool isPositional(Value tensor);
  /// True where that memory begins at a multiple of `kBytesAtOnce`. Emitted.
  Value isAligned(Value tensor);

  /// The address of that element in the memory of `argument`, of which `tensor` is a shape.
  /// `exists` becomes null or the condition of all.
  Value address(unsigned number, BlockArgument argument, Value tensor, ArrayRef<Int> outer,
                ArrayRef<Int> k, Value &exists);

private:
  Place placeOf(unsigned number, ArrayRef<Int> outer, ArrayRef<Int> k, Value &exists);

protected:
  Int size(Value tensor, int64_t axis) { return {b, function.size(tensor, axis)}; }
  /// The digits of `number` to the bases `extents`, the last one fastest.
  SmallVector<Int> digits(Int number, ArrayRef<Int> extents);

  KernelFunction &function;
  ImplicitLocOpBuilder &b;
  ContractionOpInterface op;
};

std::unique_ptr<ProductElements> productElements(KernelFunction &function,
                                                 ContractionOpInterface op);
std::unique_ptr<ProductElements> convolutionElements(KernelFunction &function,
                                                     ConvolutionOpInterface op);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_PRODUCTELEMENTS_H
