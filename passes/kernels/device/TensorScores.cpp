//===- TensorScores.cpp - scores of attention by tensor cores -------------===//
//
// mma.sync of 16 x 8 x 16: a warp multiplies its sixteen rows with 8 columns at once. Lane l has of
// the scores rows l / 4 (and 8 further), columns l % 4 * 2 and the next: four lanes share two rows.
// That is where the next product wants its left operand, so weights stay in registers.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/ScoreTile.h"
#include "passes/kernels/device/TensorCore.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen::kernels;

namespace {

constexpr int64_t kRows = 16, kColumns = 8, kDepth = 16;
static_assert(kRows == ScoreShape::kRowsOfWarp);
/// Keeps neighbouring lines out of each other's banks.
constexpr int64_t kPadding = 8;

class TensorScores : public ScoreTile {
public:
  using ScoreTile::ScoreTile;

  int64_t stride(int64_t length) const override { return filled(length) + kPadding; }
  int64_t filled(int64_t length) const override {
    return static_cast<int64_t>(llvm::alignTo(length, kDepth));
  }
  int64_t strideOfScores() const override { return shape.columns + kPadding; }
  bool storesWeights() const override { return false; }

  int64_t rows() const override { return 2; }
  int64_t columns() const override { return shape.columns / 4; }
  int64_t threadsOfRow() const override { return 4; }
  Int row(Int thread, Int number) const override {
    return firstRow(thread) + thread % kWarp / 4 + number * 8;
  }
  Int column(Int thread, Int number) const override {
    return number / 2 * kColumns + thread % 4 * 2 + number % 2;
  }

  SmallVector<Value> products(Int thread, Value ofRows, Value ofColumns, int64_t length) override {
    SmallVector<Value> initial(shape.columns / kColumns * kSums, zero());
    auto loop = scf::ForOp::create(b, Int(b, 0), Int(b, filled(length)), Int(b, kDepth), initial);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      Int k(b, loop.getInductionVar()), lane = thread % kWarp;
      SmallVector<Value> sums(loop.getRegionIterArgs());
      // Each lane points to a line of a matrix of 8 x 8: of both halves of the rows, then of k; of
      // both halves of k, then of the columns.
      Int line = firstRow(thread) + lane % kRows;
      SmallVector<Value> left =
          load(ofRows, line * stride(length) + k + lane / kRows * 8, /*isTransposed=*/false);
      for (int64_t first = 0; first < shape.columns; first += 2 * kColumns) {
        Int column = lane / 16 * kColumns + lane % 8 + first;
        multiplyTwo(left, load(ofColumns, column * stride(length) + k + lane / 8 % 2 * 8, false),
                    MutableArrayRef(sums).slice(first / kColumns * kSums, 2 * kSums));
      }
      scf::YieldOp::create(b, sums);
    }
    SmallVector<Value> scores;
    for (int64_t half = 0; half < 2; ++half) {
      SmallVector<Value> row;
      for (int64_t i = 0; i < columns(); ++i)
        row.push_back(loop.getResult(i / 2 * kSums + half * 2 + i % 2));
      auto type = VectorType::get(columns(), b.getF32Type());
      scores.push_back(vector::FromElementsOp::create(b, type, row));
    }
    return scores;
  }

  SmallVector<Value> zeros(int64_t length) override {
    return SmallVector<Value>(filled(length) / kColumns * kSums, zero());
  }

  void addProducts(Int thread, ValueRange weights, Value ofColumns, int64_t length, Value,
                   MutableArrayRef<Value> sums) override {
    Int lane = thread % kWarp;
    for (int64_t k = 0; k < shape.columns; k += kDepth) {
      SmallVector<Value> left;
      for (int64_t half = 0; half < 2; ++half) // of k
        for (Value row : weights)
          left.push_back(pair(row, k / 4 + half * 2));
      for (int64_t place = 0; place < filled(length); place += 2 * kColumns) {
        Int at = (lane % kDepth + k) * stride(length) + lane / kDepth * kColumns + place;
        multiplyTwo(left, load(ofColumns, at, /*isTransposed=*/true),
                    sums.slice(place / kColumns * kSums, 2 * kSums));
      }
    }
  }

  void scale(MutableArrayRef<Value> sums, ValueRange factors) override {
    for (auto [i, sum] : llvm::enumerate(sums))
      sum = arith::MulFOp::create(b, sum, factors[i / 2 % 2]);
  }

  void storeSums(Int thread, ValueRange sums, int64_t length, Value memory) override {
    auto type = VectorType::get(2, b.getF32Type());
    for (int64_t i = 0; i < static_cast<int64_t>(sums.size()); i += 2) {
      Int place = thread % 4 * 2 + i / kSums * kColumns;
      Int at = row(thread, Int(b, i / 2 % 2)) * stride(length) + place;
      Value to = LLVM::GEPOp::create(b, memory.getType(), b.getF32Type(), memory, ValueRange{at});
      LLVM::StoreOp::create(b, vector::FromElementsOp::create(b, type, sums.slice(i, 2)), to,
                            /*alignment=*/8);
    }
  }

private:
  static constexpr int64_t kSums = 4; ///< Of a lane, for one instruction.

  static Int firstRow(Int thread) { return thread / kWarp * kRows; }
  Value zero() { return arith::ConstantOp::create(b, b.getF32FloatAttr(0)); }

  /// Two neighbouring numbers of a vector, rounded.
  Value pair(Value numbers, int64_t first) {
    SmallVector<Value> two;
    for (int64_t i : {first, first + 1})
      two.push_back(vector::ExtractOp::create(b, numbers, i));
    Value wide = vector::FromElementsOp::create(b, VectorType::get(2, b.getF32Type()), two);
    Value narrow = arith::TruncFOp::create(b, VectorType::get(2, storedType), wide);
    return operandOf(b, storedType, narrow);
  }

  SmallVector<Value> load(Value memory, Int at, bool isTransposed) {
    Value from = LLVM::GEPOp::create(b, memory.getType(), storedType, memory, ValueRange{at.value});
    return loadMatrices(b, storedType, from, 4, isTransposed);
  }

  /// With the columns of two instructions.
  void multiplyTwo(ValueRange left, ValueRange right, MutableArrayRef<Value> sums) {
    for (int64_t i = 0; i < 2; ++i)
      multiplyMatrices(b, storedType, left, right.slice(i * 2, 2), sums.slice(i * kSums, kSums));
  }
};

} // namespace

std::unique_ptr<ScoreTile> mlir::gen::kernels::tensorScores(ImplicitLocOpBuilder &b,
                                                            const ScoreShape &shape,
                                                            Type storedType) {
  return std::make_unique<TensorScores>(b, shape, storedType);
}
