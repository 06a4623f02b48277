//===- Products.h - the products that an op is made of ----------*- C++ -*-===//
//
// Between an op (matrix product, convolution) and the contraction emitter: what the op computes as
// products of equal size, one a batch element, group of channels, or phase of a stride, and where
// their elements are in the op's result.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_PRODUCTS_H
#define GEN_PASSES_KERNELS_PRODUCTS_H

#include "dialect/ops/Convolution.h"
#include "passes/kernels/Contraction.h"
#include "passes/kernels/Int.h"
#include "passes/kernels/KernelEmitter.h"

namespace mlir::gen::kernels {

/// The products of one op, for one piece of code.
class Products {
public:
  virtual ~Products() = default;

  /// The schedule of each by rule, from types alone.
  virtual ContractionSchedule chooseSchedule() const = 0;
  /// How many there are, an i64.
  virtual Value count(KernelFunction &function) = 0;
  /// The first one, without its schedule.
  virtual Contraction first(KernelFunction &function) = 0;
  /// Makes it number `number`. What follows is about that one.
  virtual void moveTo(KernelFunction &function, Contraction &contraction, Value number) = 0;
  /// Emits `body` for the place of (row, column...) in the op's result, if there is one.
  virtual void atResult(KernelFunction &function, Value row, Value column,
                        llvm::function_ref<void(const Indices &)> body) = 0;
  /// True if the one product is the result, row by row.
  virtual bool isWhole() const = 0;
};

/// The registers of the module's instruction set; AVX-512 where it is not said.
VectorTarget vectorTargetOf(Operation *op);

/// Elements between two positions along each axis of a tensor.
SmallVector<Int> stridesOf(KernelFunction &function, Value tensor);

std::unique_ptr<Products> matrixProducts(ContractionOpInterface op);
std::unique_ptr<Products> convolutionProducts(ConvolutionOpInterface op);
std::unique_ptr<Products> batchLastProducts(ConvolutionOpInterface op);

inline std::unique_ptr<Products> productsOf(ContractionOpInterface op) {
  if (auto convolution = dyn_cast<ConvolutionOpInterface>(op.getOperation()))
    return hasBatchLast(convolution) ? batchLastProducts(convolution)
                                     : convolutionProducts(convolution);
  return matrixProducts(op);
}

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_PRODUCTS_H
