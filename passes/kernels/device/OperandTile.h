//===- OperandTile.h - what a block of threads copies of an operand -*- C++ -*-===//
//
// In each step of k, the threads of a block copy a tile of an operand to shared memory: 16 bytes at
// once along the axis that is contiguous in memory, or element by element, where sizes or the
// memory's place do not allow that. What lies in memory as the tile wants it is copied while the
// threads go on (cp.async); what is computed, or turned, goes through their registers.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_OPERANDTILE_H
#define GEN_PASSES_KERNELS_DEVICE_OPERANDTILE_H

#include "passes/kernels/device/ProductElements.h"
#include "passes/kernels/device/ProductTile.h"

namespace mlir::gen::kernels {

/// Bytes of the least that is copied asynchronously.
inline constexpr int64_t kLeastCopied = 4;

class OperandTile {
public:
  /// What `thread` copies of operand `number`, which is read from `tensor`, for the tile from row
  /// or column `first` on.
  OperandTile(ProductElements &products, ProductTile &tile, unsigned number, Value tensor,
              Int thread, Int first);

  /// True if operand `number` can be copied 16 bytes at once to a tile of this shape, along the
  /// axis that is contiguous in memory.
  static bool isCopiedWide(ProductElements &products, const TileShape &shape, unsigned number,
                           Value tensor);

  /// The memory of which `tensor` is a shape, or null.
  static BlockArgument memoryOf(Value tensor);

  /// In shared memory, of a step.
  int64_t bytes() const;

  /// True if copies are started, and waited for later; else they are fetched and put.
  bool isAsynchronous() const { return bool(memory); }
  /// Starts the thread's copies of a step to the tile at `to`. The step exists; steps of k that do
  /// not are zeros.
  void start(Int step, Value to);

  /// The thread's elements of a step, some values.
  SmallVector<Value> fetch(Int step);
  size_t fetchedCount() const { return isAsynchronous() ? 0 : copies.size() * lines; }
  /// Copies what was fetched to the tile at `memory`.
  void put(Value memory, ValueRange fetched);

private:
  /// What a thread copies at once: `lines` along k, each an element or those side by side.
  struct Copy {
    Int outer;                ///< The first row or column in the tile,
    SmallVector<Int> digits;  ///< and in the product.
    SmallVector<Int> inDepth; ///< Where the lines are in the step.
  };
  /// A step of k, of those that are copied.
  struct Line {
    SmallVector<Int> digits;
    Value exists; ///< Null: always.
  };
  using Lines = llvm::MapVector<Value, Line>; // by the place in the step
  /// A copy that is on its way.
  struct Started {
    Value from, to, exists;
  };

  /// The first rows or columns of the tile, in the product.
  SmallVector<Int> digitsOf(Int outer);
  void makeCopies(Int thread);
  /// True if all steps are.
  bool isWhole() const;
  Line &lineOf(Lines &known, Int step, Int inDepth);
  Value placeOf(Value shared, Int outer, Int k);
  void store(Value shared, ValueRange elements, Int outer, Int k);
  void startCopy(const Started &copy, int64_t element, int64_t bytes);
  void copyElements(const Started &copy);

  ImplicitLocOpBuilder &b;
  ProductElements &products;
  ProductTile &tile;
  unsigned number;
  Value tensor;
  BlockArgument memory; ///< Where the tensor is, if copies are asynchronous.
  Int first;
  bool isAlongDepth; ///< In memory.
  Value isAligned;   ///< Null if elements are copied one by one.
  int64_t width;     ///< Elements of a line.
  int64_t lines;
  SmallVector<Copy> copies;
};

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_OPERANDTILE_H
