//===- ProductTile.cpp - a tile of a product, by a block of threads -------===//

#include "passes/kernels/device/ProductTile.h"

using namespace mlir;
using namespace mlir::gen::kernels;

/// A tile is as large as the product, up to 64 x 64, or 128 x 128 where there are many. Where there
/// are too few to keep a GPU busy with long sums, they become smaller.
TileShape mlir::gen::kernels::chooseSides(const ProductSizes &sizes, int64_t least,
                                          bool mayBeMany) {
  constexpr int64_t kLeast = 16, kUsual = 64, kLarge = 128;
  constexpr int64_t kFewTiles = 64, kManyTiles = 256, kLongDepth = 128, kUnknown = 1024;
  auto side = [&](std::optional<int64_t> size) {
    int64_t side = std::min(least, kLeast);
    while (side < kUsual && side < size.value_or(kUsual))
      side = std::max(side * 2, kLeast);
    return side;
  };
  int64_t count = sizes.count.value_or(1);
  auto tiles = [&](int64_t rows, int64_t columns) {
    return count * llvm::divideCeil(sizes.rows.value_or(kUnknown), rows) *
           llvm::divideCeil(sizes.columns.value_or(kUnknown), columns);
  };
  bool isLong = sizes.depth.value_or(kLongDepth) >= kLongDepth;
  if (mayBeMany && isLong &&
      std::min(sizes.rows.value_or(0), sizes.columns.value_or(0)) >= kLarge &&
      tiles(kLarge, kLarge) >= kManyTiles)
    return {kLarge, kLarge, 0, 0, 0};
  int64_t rows = side(sizes.rows), columns = side(sizes.columns);
  while (isLong && tiles(rows, columns) < kFewTiles && std::max(rows, columns) > kLeast)
    (rows > columns ? rows : columns) /= 2;
  return {rows, columns, 0, 0, 0};
}

Int mlir::gen::kernels::swizzled(Int line, Int place, int64_t extent) {
  constexpr int64_t kPiece = 8, kPiecesOfBanks = 8;
  int64_t pieces = std::min(extent / kPiece, kPiecesOfBanks);
  Int turn = line / (kPiecesOfBanks / pieces) % pieces;
  return line * extent + foldInt<arith::XOrIOp>(place / kPiece, turn) * kPiece + place % kPiece;
}
