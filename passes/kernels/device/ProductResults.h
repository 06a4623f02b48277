//===- ProductResults.h - from sums to a kernel's results -------*- C++ -*-===//
//
// A tile's sums go to shared memory, and from there each thread takes some, neighbours for
// neighbouring columns, and stores the kernel's results at their places: one, or in large tiles
// four, 16 bytes at once, where sizes and the memory's place allow that.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_PRODUCTRESULTS_H
#define GEN_PASSES_KERNELS_DEVICE_PRODUCTRESULTS_H

#include "passes/kernels/device/ProductElements.h"
#include "passes/kernels/device/ProductTile.h"

namespace mlir::gen::kernels {

class ProductResults {
public:
  /// The sums are those of `sums`, a value of the kernel.
  ProductResults(KernelFunction &function, Value sums, ProductElements &products, ProductTile &tile,
                 Value shared);

  /// Says that results have one more axis in front, and which is the place there.
  void setPart(Int number) { part = number; }

  /// Bytes of shared memory that sums take.
  static int64_t bytes(ProductTile &tile);

  /// Has the `threads` of a block store what follows from the tile's sums; only the first ones, as
  /// many as the tile has, have `sums`. The tile begins at `row` and `column`.
  void store(Int thread, int64_t threads, Int row, Int column, ValueRange sums);

private:
  bool areFourAtOnce(Value tensor);
  /// Stores the results of a turn, which begin at `row`, so many columns at once.
  void storeTurn(Int thread, int64_t threads, Int row, Int column, int64_t width);
  Value sumsAt(Int row, Int column, int64_t width);

  KernelFunction &function;
  ImplicitLocOpBuilder &b;
  Value product;
  std::optional<Int> part;
  ProductElements &products;
  ProductTile &tile;
  Value shared;
  Value isAligned;                      ///< Null if results are stored one by one.
  SmallVector<BlockArgument> arguments; ///< Those of which four elements are read at once.
};

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_PRODUCTRESULTS_H
