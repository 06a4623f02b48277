//===- TensorTile.cpp - a tile of a product by tensor cores ---------------===//
//
// mma.sync of 16 x 8 x 16: a warp has rows of 16, `warpRows` * 16 apart, and neighbouring columns
// of 8. Lane l has row l / 4 of A and column l / 4 of B, at k = l % 4 * 2, that and the next, and 8
// further; of the sums row l / 4 (and 8 further), columns l % 4 * 2 and the next.
//
// Operands of 16 bits lie in shared memory as they do in the GPU's: lines along k, which ldmatrix
// loads as they are, or lines along rows or columns, which it transposes. It reads 16 bytes of
// eight lines at once, so pieces of 16 bytes change places within their line: all banks are read,
// and written, once.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/ProductTile.h"
#include "passes/kernels/device/TensorCore.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen::kernels;

namespace {

constexpr int64_t kWarp = 32, kRows = 16, kColumns = 8, kDepth = 16;
/// Keeps neighbouring rows of sums out of each other's banks.
constexpr int64_t kPadding = 8;
/// A matrix of ldmatrix has so many lines of as many elements, 16 bytes each.
constexpr int64_t kPiece = 8;

class TensorTile : public ProductTile {
public:
  TensorTile(ImplicitLocOpBuilder &b, const TileShape &shape, Type storedType,
             std::array<bool, 2> alongDepth)
      : ProductTile(b, shape, b.getF32Type(), storedType, /*elementsOfCopy=*/2),
        alongDepth(alongDepth), warpRows(std::min<int64_t>(shape.rows / kRows, kMostWarpRows)),
        warpColumns(std::min<int64_t>(shape.columns / kColumns, kMostWarpColumns)),
        rowsOfWarp(shape.rows / kRows / warpRows),
        columnsOfWarp(shape.columns / kColumns / warpColumns) {}

  bool liesAlongDepth(unsigned number) const override { return alongDepth[number]; }
  Int position(unsigned number, Int outer, Int k) override {
    return alongDepth[number] ? swizzled(outer, k, shape.depth)
                              : swizzled(k, outer, shape.side(number));
  }
  int64_t elements(unsigned number) override { return shape.side(number) * shape.depth; }

  SmallVector<Value> zeros() override {
    Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
    return SmallVector<Value>(rowsOfWarp * columnsOfWarp * kSums, zero);
  }

  void addProducts(Int thread, Value lhs, Value rhs, MutableArrayRef<Value> sums) override {
    int64_t depthOfGroup = shape.depth / shape.groups;
    auto loop = scf::ForOp::create(b, Int(b, 0), Int(b, depthOfGroup), Int(b, kDepth), sums);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> state(loop.getRegionIterArgs());
    Int k = group(thread) * depthOfGroup + Int(b, loop.getInductionVar());
    Int lane = thread % kWarp;
    SmallVector<SmallVector<Value>> columns;
    for (int64_t j = 0; j < columnsOfWarp; j += columnsTogether())
      llvm::append_range(columns, loadColumns(rhs, firstColumn(thread), j, k, lane));
    for (int64_t i = 0; i < rowsOfWarp; ++i) {
      SmallVector<Value> rows = loadRows(lhs, firstRow(thread), i, k, lane);
      for (int64_t j = 0; j < columnsOfWarp; ++j)
        multiplyMatrices(b, storedType, rows, columns[j],
                         MutableArrayRef(state).slice((i * columnsOfWarp + j) * kSums, kSums));
    }
    scf::YieldOp::create(b, state);
    llvm::copy(loop.getResults(), sums.begin());
  }

  int64_t rowsOfTurn() override { return std::min<int64_t>(shape.rows, kRowsOfTurn); }
  int64_t rowStrideOfSums() override { return shape.columns + kPadding; }

  void storeSums(Int thread, Int turn, ValueRange sums, Value shared) override {
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
          Int row = firstRow(thread) + i * warpRows * kRows + thread % kWarp / 4 + half * 8;
          Int column = firstColumn(thread) + j * kColumns + thread % 4 * 2;
          Int at = (group(thread) * rowsOfTurn() + row) * rowStrideOfSums() + column;
          Value to =
              LLVM::GEPOp::create(b, shared.getType(), sumType, shared, ValueRange{at.value});
          LLVM::StoreOp::create(b, pair, to, /*alignment=*/8);
        }
  }

private:
  static constexpr int64_t kMostWarpRows = 2, kMostWarpColumns = 4, kRowsOfTurn = 64;
  static constexpr int64_t kSums = 4; ///< Of a lane, for one instruction.

  int64_t warpsOfGroup() const { return warpRows * warpColumns; }
  Int group(Int thread) const { return thread / (warpsOfGroup() * kWarp); }
  Int firstRow(Int thread) const { return thread / kWarp % warpsOfGroup() / warpColumns * kRows; }
  Int firstColumn(Int thread) const {
    return thread / kWarp % warpColumns * (columnsOfWarp * kColumns);
  }

  /// The 16 rows of instruction `i`, both halves of k: four matrices.
  SmallVector<Value> loadRows(Value memory, Int first, int64_t i, Int k, Int lane) {
    Int half = lane / kPiece % 2 * kPiece, line = lane % kPiece, other = lane / kRows * kPiece;
    int64_t further = i * warpRows * kRows;
    return alongDepth[0] ? loadMatrices(memory, 0, first + half + line, further, k + other, 4)
                         : loadMatrices(memory, 0, first + half, further, k + other + line, 4);
  }

  /// The columns of one instruction, or of two at once: both halves of k, then the next 8 columns.
  int64_t columnsTogether() const { return columnsOfWarp % 2 == 0 ? 2 : 1; }
  SmallVector<SmallVector<Value>> loadColumns(Value memory, Int first, int64_t j, Int k, Int lane) {
    if (columnsTogether() == 1)
      lane = lane % (2 * kPiece); // the others point nowhere
    Int half = lane / kPiece % 2 * kPiece, line = lane % kPiece;
    Int next = first + lane / (2 * kPiece) * kColumns;
    int64_t further = j * kColumns, count = 2 * columnsTogether();
    SmallVector<Value> all = alongDepth[1]
                                 ? loadMatrices(memory, 1, next + line, further, k + half, count)
                                 : loadMatrices(memory, 1, next, further, k + half + line, count);
    SmallVector<SmallVector<Value>> columns;
    for (ArrayRef<Value> rest = all; !rest.empty(); rest = rest.drop_front(2))
      columns.emplace_back(rest.take_front(2));
    return columns;
  }

  /// `count` matrices of 8 x 8 of operand `number`, of which each 8 lanes point to the lines of
  /// one: at (outer + further, k).
  SmallVector<Value> loadMatrices(Value memory, unsigned number, Int outer, int64_t further, Int k,
                                  int64_t count) {
    // Multiples of 8 lines further the exchange of pieces is the same.
    bool isOffset = alongDepth[number];
    Int at = position(number, isOffset ? outer : outer + further, k);
    Value from = LLVM::GEPOp::create(b, memory.getType(), storedType, memory, ValueRange{at.value});
    if (isOffset && further)
      from = LLVM::GEPOp::create(b, memory.getType(), storedType, from,
                                 LLVM::GEPArg(static_cast<int32_t>(further * shape.depth)));
    return mlir::gen::kernels::loadMatrices(b, storedType, from, count,
                                            /*isTransposed=*/!alongDepth[number]);
  }

  std::array<bool, 2> alongDepth;    ///< How the operands lie.
  int64_t warpRows, warpColumns;     ///< Of the tile.
  int64_t rowsOfWarp, columnsOfWarp; ///< Of instructions.
};

} // namespace

TileShape mlir::gen::kernels::chooseTensorTile(const ProductSizes &sizes) {
  constexpr int64_t kWarps = 8, kDepthOfStep = 32;
  TileShape shape = chooseSides(sizes, kRows, /*mayBeMany=*/true);
  int64_t warps =
      std::min<int64_t>(shape.rows / kRows, 2) * std::min<int64_t>(shape.columns / kColumns, 4);
  int64_t most = llvm::divideCeil(sizes.depth.value_or(kDepthOfStep * kWarps), kDepth);
  shape.groups =
      std::min<int64_t>(kWarps / warps, llvm::bit_ceil<uint64_t>(std::max<int64_t>(most, 1)));
  shape.depth = std::max(kDepthOfStep, shape.groups * kDepth);
  shape.threads = shape.groups * warps * kWarp;
  return shape;
}

std::unique_ptr<ProductTile> mlir::gen::kernels::tensorTile(ImplicitLocOpBuilder &b,
                                                            const TileShape &shape, Type storedType,
                                                            std::array<bool, 2> liesAlongDepth) {
  return std::make_unique<TensorTile>(b, shape, storedType, liesAlongDepth);
}
