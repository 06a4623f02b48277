//===- device-order.cpp - which tile of a product a block of a GPU has ----===//

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "passes/kernels/device/TileOrder.h"
#include <gtest/gtest.h>
#include <set>

using namespace mlir;
using namespace mlir::gen::kernels;

namespace {

using Tiles = std::vector<std::pair<int64_t, int64_t>>; // by block

/// Of constants, the emitted arithmetic folds.
Tiles tilesOf(int64_t rows, int64_t columns) {
  MLIRContext context;
  context.loadDialect<arith::ArithDialect>();
  Tiles tiles;
  for (int64_t block = 0; block < rows * columns; ++block) {
    OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
    auto b = ImplicitLocOpBuilder::atBlockBegin(module->getLoc(), module->getBody());
    TilePlace place = tileOfBlock(Int(b, block), Int(b, rows), Int(b, columns));
    tiles.push_back({*place.row.constant(), *place.column.constant()});
  }
  return tiles;
}

TEST(TileOrder, EachTileHasABlock) {
  for (auto [rows, columns] : Tiles{{1, 1}, {3, 7}, {16, 5}, {17, 1}, {37, 6}, {64, 3}}) {
    Tiles tiles = tilesOf(rows, columns);
    std::set<std::pair<int64_t, int64_t>> different(tiles.begin(), tiles.end());
    EXPECT_EQ(different.size(), tiles.size()) << rows << " x " << columns;
    for (auto [row, column] : different)
      EXPECT_TRUE(row >= 0 && row < rows && column >= 0 && column < columns);
  }
}

// 132 blocks at a time, of 8192 x 8192 results: 16 rows of tiles and a few columns, where one
// column after another would be 64 and 3, or 66.
TEST(TileOrder, BlocksOfATimeShareOperands) {
  constexpr size_t kAtATime = 132;
  constexpr int64_t kRows = 64, kColumns = 32, kRowsOfTile = 128, kColumnsOfTile = 256;
  Tiles tiles = tilesOf(kRows, kColumns);
  for (size_t first = 0; first + kAtATime <= tiles.size(); first += kAtATime) {
    std::set<int64_t> rows, columns;
    for (size_t block = first; block < first + kAtATime; ++block) {
      rows.insert(tiles[block].first);
      columns.insert(tiles[block].second);
    }
    size_t lines = rows.size() * kRowsOfTile + columns.size() * kColumnsOfTile;
    EXPECT_LE(lines, size_t(6400)) << "from block " << first;
  }
}

} // namespace
