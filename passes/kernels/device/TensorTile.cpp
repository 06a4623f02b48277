//===- TensorTile.cpp - a tile of a product by tensor cores ---------------===//
//
// mma.sync of 16 x 8 x 16: a warp has rows of 16, `warpRows` * 16 apart, and neighbouring columns
// of 8. Operands of 16 bits lie row by row and column by column, neighbours along k side by side,
// as lanes have them: lane l has row l / 4 of A and column l / 4 of B, at k = l % 4 * 2, that and
// the next, and 8 further; of the sums row l / 4 (and 8 further), columns l % 4 * 2 and the next.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/ProductTile.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen::kernels;

namespace {

constexpr int64_t kWarp = 32, kRows = 16, kColumns = 8, kDepth = 16;
/// Keeps neighbouring rows out of each other's banks.
constexpr int64_t kPadding = 8;

class TensorTile : public ProductTile {
public:
  TensorTile(ImplicitLocOpBuilder &b, const TileShape &shape, Type storedType)
      : ProductTile(b, shape, b.getF32Type(), storedType, /*elementsOfCopy=*/2),
        warpRows(std::min<int64_t>(shape.rows / kRows, kMostWarpRows)),
        warpColumns(std::min<int64_t>(shape.columns / kColumns, kMostWarpColumns)),
        rowsOfWarp(shape.rows / kRows / warpRows),
        columnsOfWarp(shape.columns / kColumns / warpColumns) {}

  Int position(unsigned, Int outer, Int k) override { return outer * (shape.depth + kPadding) + k; }
  int64_t elements(unsigned number) override {
    return (number == 0 ? shape.rows : shape.columns) * (shape.depth + kPadding);
  }

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
    // Whose rows of eight numbers this lane points to: those of A, and both halves of k; those of
    // B.
    Value left = address(lhs, firstRow(thread) + lane % kRows, k + lane / kRows * 8),
          right = address(rhs, firstColumn(thread) + lane % kColumns, k + lane / kColumns % 2 * 8);
    SmallVector<SmallVector<Value>> columns;
    for (int64_t j = 0; j < columnsOfWarp; ++j)
      columns.push_back(loadMatrices(right, j * kColumns, 2));
    for (int64_t i = 0; i < rowsOfWarp; ++i) {
      SmallVector<Value> rows = loadMatrices(left, i * warpRows * kRows, 4);
      for (int64_t j = 0; j < columnsOfWarp; ++j)
        multiply(rows, columns[j],
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

  Value address(Value memory, Int outer, Int k) {
    return LLVM::GEPOp::create(b, memory.getType(), storedType, memory,
                               ValueRange{position(0, outer, k).value});
  }

  /// `count` matrices of 8 x 8, `outer` rows or columns behind those at `memory`, as operands.
  SmallVector<Value> loadMatrices(Value memory, int64_t outer, int64_t count) {
    Value from =
        LLVM::GEPOp::create(b, memory.getType(), storedType, memory,
                            LLVM::GEPArg(static_cast<int32_t>(outer * (shape.depth + kPadding))));
    auto type =
        LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(count, b.getI32Type()));
    Value all = NVVM::LdMatrixOp::create(
        b, type, from, static_cast<uint32_t>(count), NVVM::MMALayout::row,
        NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8), NVVM::LdStMatrixEltType::B16);
    SmallVector<Value> result;
    for (int64_t i = 0; i < count; ++i) {
      Value bits = LLVM::ExtractValueOp::create(b, all, i);
      result.push_back(storedType.isBF16()
                           ? bits
                           : LLVM::BitcastOp::create(b, VectorType::get(2, storedType), bits));
    }
    return result;
  }

  void multiply(ValueRange left, ValueRange right, MutableArrayRef<Value> sums) {
    auto type =
        LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(kSums, b.getF32Type()));
    auto numbers = storedType.isBF16() ? NVVM::MMATypes::bf16 : NVVM::MMATypes::f16;
    Value result = NVVM::MmaOp::create(b, type, left, right, ValueRange(ArrayRef<Value>(sums)),
                                       ArrayRef<int64_t>{kRows, kColumns, kDepth}, std::nullopt,
                                       std::nullopt, std::array{numbers, numbers},
                                       std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
    for (auto [i, sum] : llvm::enumerate(sums))
      sum = LLVM::ExtractValueOp::create(b, result, static_cast<int64_t>(i));
  }

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

std::unique_ptr<ProductTile>
mlir::gen::kernels::tensorTile(ImplicitLocOpBuilder &b, const TileShape &shape, Type storedType) {
  return std::make_unique<TensorTile>(b, shape, storedType);
}
