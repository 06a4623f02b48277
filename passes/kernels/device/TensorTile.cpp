//===- TensorTile.cpp - a tile of a product by tensor cores ---------------===//

#include "passes/kernels/device/TensorTile.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen::kernels;

namespace {

/// Keeps neighbouring rows of sums out of each other's banks.
constexpr int64_t kPadding = 8;
constexpr int64_t kMostWarpRows = 2, kMostWarpColumns = 4, kRowsOfTurn = 64;
constexpr int64_t kSums = 4; ///< Of a lane, for one instruction.

} // namespace

TensorTile::TensorTile(ImplicitLocOpBuilder &b, const TileShape &shape, Type multiplied,
                       std::array<bool, 2> alongDepth, int64_t elementsOfCopy)
    : ProductTile(b, shape, b.getF32Type(), storedTypeOf(multiplied), elementsOfCopy),
      multiplied(multiplied), alongDepth(alongDepth),
      warpRows(std::min<int64_t>(shape.rows / kTensorRows, kMostWarpRows)),
      warpColumns(std::min<int64_t>(shape.columns / kTensorColumns, kMostWarpColumns)),
      rowsOfWarp(shape.rows / kTensorRows / warpRows),
      columnsOfWarp(shape.columns / kTensorColumns / warpColumns) {}

Int TensorTile::group(Int thread) const { return thread / (warpsOfGroup() * kWarp); }
Int TensorTile::firstRow(Int thread) const {
  return thread / kWarp % warpsOfGroup() / warpColumns * kTensorRows;
}
Int TensorTile::firstColumn(Int thread) const {
  return thread / kWarp % warpColumns * (columnsOfWarp * kTensorColumns);
}

SmallVector<Value> TensorTile::zeros() {
  Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
  return SmallVector<Value>(rowsOfWarp * columnsOfWarp * kSums, zero);
}

void TensorTile::addProducts(Int thread, Value lhs, Value rhs, MutableArrayRef<Value> sums) {
  int64_t depthOfGroup = shape.depth / shape.groups;
  auto loop =
      scf::ForOp::create(b, Int(b, 0), Int(b, depthOfGroup), Int(b, tensorDepth(multiplied)), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> state(loop.getRegionIterArgs());
  Int k = group(thread) * depthOfGroup + Int(b, loop.getInductionVar());
  Int lane = thread % kWarp;
  SmallVector<Value> columns; // two values for each instruction
  for (int64_t j = 0; j < columnsOfWarp; j += columnsTogether())
    llvm::append_range(
        columns,
        load(rhs, {1, firstColumn(thread), j * kTensorColumns, k, 2 * columnsTogether()}, lane));
  for (int64_t i = 0; i < rowsOfWarp; ++i) {
    SmallVector<Value> rows =
        load(lhs, {0, firstRow(thread), i * warpRows * kTensorRows, k, 4}, lane);
    for (int64_t j = 0; j < columnsOfWarp; ++j)
      multiplyMatrices(b, multiplied, rows, ArrayRef(columns).slice(j * 2, 2),
                       MutableArrayRef(state).slice((i * columnsOfWarp + j) * kSums, kSums));
  }
  scf::YieldOp::create(b, state);
  llvm::copy(loop.getResults(), sums.begin());
}

int64_t TensorTile::rowsOfTurn() { return std::min<int64_t>(shape.rows, kRowsOfTurn); }
int64_t TensorTile::rowStrideOfSums() { return shape.columns + kPadding; }

void TensorTile::storeSums(Int thread, Int turn, ValueRange sums, Value shared) {
  int64_t turns = shape.rows / rowsOfTurn(), rowsOfWarpInTurn = rowsOfWarp / turns;
  auto type = VectorType::get(2, sumType);
  for (int64_t i = 0; i < rowsOfWarpInTurn; ++i)
    for (int64_t j = 0; j < columnsOfWarp; ++j)
      for (int64_t half = 0; half < 2; ++half) {
        auto sumAt = [&](int64_t place) {
          auto of = [&](int64_t rows) {
            return sums[(rows * columnsOfWarp + j) * kSums + half * 2 + place];
          };
          Value sum = of(i);
          if (turns > 1)
            sum = arith::SelectOp::create(b, turn == Int(b, 0), sum, of(rowsOfWarpInTurn + i));
          return sum;
        };
        Value pair = vector::FromElementsOp::create(b, type, ValueRange{sumAt(0), sumAt(1)});
        Int row = firstRow(thread) + i * warpRows * kTensorRows + thread % kWarp / 4 + half * 8;
        Int column = firstColumn(thread) + j * kTensorColumns + thread % 4 * 2;
        Int at = (group(thread) * rowsOfTurn() + row) * rowStrideOfSums() + column;
        Value to = LLVM::GEPOp::create(b, shared.getType(), sumType, shared, ValueRange{at.value});
        LLVM::StoreOp::create(b, pair, to, /*alignment=*/8);
      }
}

TileShape mlir::gen::kernels::chooseTensorTile(const ProductSizes &sizes, Type multiplied) {
  constexpr int64_t kWarps = 8, kUsualDepth = 32, kLarge = 128;
  TileShape shape = chooseSides(sizes, kTensorRows, /*mayBeMany=*/true);
  int64_t depth = tensorDepth(multiplied);
  // So that two blocks find room on a multiprocessor, with all of their steps.
  bool isShort = bytesOf(storedTypeOf(multiplied)) > 2 && shape.rows == kLarge;
  int64_t depthOfStep = isShort ? kUsualDepth / 2 : kUsualDepth;
  int64_t warps = std::min(shape.rows / kTensorRows, kMostWarpRows) *
                  std::min(shape.columns / kTensorColumns, kMostWarpColumns);
  int64_t most = llvm::divideCeil(sizes.depth.value_or(kUsualDepth * kWarps), depth);
  shape.groups =
      std::min<int64_t>(kWarps / warps, llvm::bit_ceil<uint64_t>(std::max<int64_t>(most, 1)));
  shape.depth = std::max(depthOfStep, shape.groups * depth);
  shape.threads = shape.groups * warps * kWarp;
  return shape;
}

std::unique_ptr<ProductTile> mlir::gen::kernels::tensorTile(ImplicitLocOpBuilder &b,
                                                            const TileShape &shape, Type multiplied,
                                                            std::array<bool, 2> liesAlongDepth) {
  return (bytesOf(storedTypeOf(multiplied)) == 2 ? halvesTile : tf32Tile)(b, shape, multiplied,
                                                                          liesAlongDepth);
}
