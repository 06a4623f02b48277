//===- OperandTile.h - what a block of threads copies of an operand -*- C++ -*-===//
//
// In each step of k, the threads of a block copy a tile of an operand to shared memory: 16 bytes at
// once along the axis that is contiguous in memory, or element by element, where sizes or the
// memory's place do not allow that.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_OPERANDTILE_H
#define GEN_PASSES_KERNELS_DEVICE_OPERANDTILE_H

#include "passes/kernels/device/ProductElements.h"
#include "passes/kernels/device/ProductTile.h"

namespace mlir::gen::kernels {

class OperandTile {
public:
  /// What `thread` copies of operand `number`, which is read from `tensor`, for the tile from row
  /// or column `first` on.
  OperandTile(ProductElements &products, ProductTile &tile, unsigned number, Value tensor,
              Int thread, Int first);

  /// In shared memory, of a step.
  int64_t bytes() const;
  /// The thread's elements of a step, some values. Steps of k that are not there are zeros.
  SmallVector<Value> fetch(Int step);
  size_t fetchedCount() const { return copies.size() * lines; }
  /// Copies what was fetched to the tile at `memory`.
  void put(Value memory, ValueRange fetched);

private:
  /// What a thread copies at once: `lines` along k, each an element or those side by side.
  struct Copy {
    Int outer;                ///< The first row or column in the tile,
    SmallVector<Int> digits;  ///< and in the product.
    SmallVector<Int> inDepth; ///< Where the lines are in the step.
  };
  /// The first rows or columns of the tile, in the product.
  SmallVector<Int> digitsOf(Int outer);
  void makeCopies(Int thread);
  void store(Value memory, ValueRange elements, Int outer, Int k);

  ImplicitLocOpBuilder &b;
  ProductElements &products;
  ProductTile &tile;
  unsigned number;
  Value tensor;
  Int first;
  bool isAlongDepth; ///< In memory.
  Value isAligned;   ///< Null if elements are copied one by one.
  int64_t width;     ///< Elements of a line.
  int64_t lines;
  SmallVector<Copy> copies;
};

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_OPERANDTILE_H
