//===- TensorScores.cpp - scores of attention by tensor cores -------------===//
//
// mma.sync of 16 x 8 x 16: a warp multiplies its sixteen queries with 8 keys at once. Lane l has of
// the scores rows l / 4 (and 8 further), columns l % 4 * 2 and the next: four lanes share two
// queries. That is where the next product wants its left operand, so weights stay in registers.
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
static_assert(kRows == ScoreShape::kQueriesOfWarp);
/// Keeps neighbouring rows out of each other's banks.
constexpr int64_t kPadding = 8;

class TensorScores : public ScoreTile {
public:
  using ScoreTile::ScoreTile;

  int64_t strideOfDepth() const override { return shape.depth + kPadding; }
  int64_t strideOfWidth() const override { return columns() + kPadding; }
  int64_t strideOfSums() const override { return columns() + kPadding; }
  int64_t strideOfScores() const override { return shape.keys + kPadding; }
  bool storesWeights() const override { return false; }

  int64_t queries() const override { return 2; }
  int64_t keys() const override { return shape.keys / 4; }
  int64_t threadsOfQuery() const override { return 4; }
  Int query(Int thread, Int number) const override {
    return firstQuery(thread) + thread % kWarp / 4 + number * 8;
  }
  Int key(Int thread, Int number) const override {
    return number / 2 * kColumns + thread % 4 * 2 + number % 2;
  }

  SmallVector<Value> products(Int thread, Value queries, Value keys) override {
    SmallVector<Value> initial(shape.keys / kColumns * kSums, zero());
    auto loop = scf::ForOp::create(b, Int(b, 0), Int(b, shape.depth), Int(b, kDepth), initial);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      Int k(b, loop.getInductionVar()), lane = thread % kWarp;
      SmallVector<Value> sums(loop.getRegionIterArgs());
      // Each lane points to a row of a matrix of 8 x 8: of both halves of the queries, then of k;
      // of both halves of k, then of the keys.
      SmallVector<Value> left = load(
          queries, (firstQuery(thread) + lane % kRows) * strideOfDepth() + k + lane / kRows * 8,
          /*isTransposed=*/false);
      for (int64_t first = 0; first < shape.keys; first += 2 * kColumns) {
        Int row = lane / 16 * kColumns + lane % 8 + first;
        multiplyTwo(left, load(keys, row * strideOfDepth() + k + lane / 8 % 2 * 8, false),
                    MutableArrayRef(sums).slice(first / kColumns * kSums, 2 * kSums));
      }
      scf::YieldOp::create(b, sums);
    }
    SmallVector<Value> rows;
    for (int64_t half = 0; half < 2; ++half) {
      SmallVector<Value> row;
      for (int64_t i = 0; i < this->keys(); ++i)
        row.push_back(loop.getResult(i / 2 * kSums + half * 2 + i % 2));
      auto type = VectorType::get(this->keys(), b.getF32Type());
      rows.push_back(vector::FromElementsOp::create(b, type, row));
    }
    return rows;
  }

  SmallVector<Value> zeros() override {
    return SmallVector<Value>(columns() / kColumns * kSums, zero());
  }

  void addProducts(Int thread, ValueRange weights, Value values, Value,
                   MutableArrayRef<Value> sums) override {
    Int lane = thread % kWarp;
    for (int64_t k = 0; k < shape.keys; k += kDepth) {
      SmallVector<Value> left;
      for (int64_t half = 0; half < 2; ++half) // of k
        for (Value row : weights)
          left.push_back(pair(row, k / 4 + half * 2));
      for (int64_t column = 0; column < columns(); column += 2 * kColumns) {
        Int at = (lane % kDepth + k) * strideOfWidth() + lane / kDepth * kColumns + column;
        multiplyTwo(left, load(values, at, /*isTransposed=*/true),
                    sums.slice(column / kColumns * kSums, 2 * kSums));
      }
    }
  }

  void scale(MutableArrayRef<Value> sums, ValueRange factors) override {
    for (auto [i, sum] : llvm::enumerate(sums))
      sum = arith::MulFOp::create(b, sum, factors[i / 2 % 2]);
  }

  void storeSums(Int thread, ValueRange sums, Value memory) override {
    auto type = VectorType::get(2, b.getF32Type());
    for (int64_t i = 0; i < static_cast<int64_t>(sums.size()); i += 2) {
      Int column = thread % 4 * 2 + i / kSums * kColumns;
      Int at = query(thread, Int(b, i / 2 % 2)) * strideOfSums() + column;
      Value to = LLVM::GEPOp::create(b, memory.getType(), b.getF32Type(), memory, ValueRange{at});
      LLVM::StoreOp::create(b, vector::FromElementsOp::create(b, type, sums.slice(i, 2)), to,
                            /*alignment=*/8);
    }
  }

private:
  static constexpr int64_t kSums = 4; ///< Of a lane, for one instruction.

  int64_t columns() const { return llvm::alignTo(shape.width, 2 * kColumns); }
  Int firstQuery(Int thread) const { return thread / kWarp * kRows; }
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
