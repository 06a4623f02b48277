//===- TileOrder.h - which tile of a product a block has --------*- C++ -*-===//
//
// Blocks run about in the order of their numbers, as many at a time as a GPU has room for, and what
// these read of the operands has to pass through its L2 cache. So they have a compact part of the
// result: rows of tiles come in groups, whose columns are gone through one after another.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_TILEORDER_H
#define GEN_PASSES_KERNELS_DEVICE_TILEORDER_H

#include "passes/kernels/Int.h"

namespace mlir::gen::kernels {

/// A tile of a matrix of tiles, by its row and column there.
struct TilePlace {
  Int row, column;
};

/// The tile of block `number`, of rows * columns. A bijection.
inline TilePlace tileOfBlock(Int number, Int rows, Int columns) {
  // Tiles are at least as wide as high, so a group is higher than the part of it at a time is wide.
  constexpr int64_t kRowsOfGroup = 16;
  if (columns.is(1))
    return {number, Int(*rows.b, 0)};
  if (rows.constant().value_or(kRowsOfGroup + 1) <= kRowsOfGroup)
    return {number % rows, number / rows};
  Int blocksOfGroup = columns * kRowsOfGroup, firstRow = number / blocksOfGroup * kRowsOfGroup,
      inGroup = number % blocksOfGroup;
  Int rowsOfGroup = (rows % kRowsOfGroup).is(0) ? Int(*rows.b, kRowsOfGroup)
                                                : min(rows - firstRow, Int(*rows.b, kRowsOfGroup));
  return {firstRow + inGroup % rowsOfGroup, inGroup / rowsOfGroup};
}

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_TILEORDER_H
