//===- ScalarScores.cpp - scores of attention by scalar arithmetic --------===//
//
// Eight threads share four queries: each has every eighth key, and of the result's columns four
// side by side, and those 32 and more further. All rows lie as in memory, so that four neighbours
// are read at once, and neighbouring threads read other banks.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/ScoreTile.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen::kernels;

namespace {

constexpr int64_t kSide = 4, kThreads = 8;
constexpr int64_t kQueries = ScoreShape::kQueriesOfWarp;
static_assert(kQueries / kSide * kThreads == kWarp);

class ScalarScores : public ScoreTile {
public:
  ScalarScores(ImplicitLocOpBuilder &b, const ScoreShape &shape)
      : ScoreTile(b, shape, b.getF32Type()), vector(VectorType::get(kSide, b.getF32Type())) {}

  int64_t strideOfDepth() const override { return oddMultiple(shape.depth); }
  int64_t strideOfWidth() const override { return oddMultiple(parts() * kThreads * kSide); }
  int64_t strideOfSums() const override { return strideOfWidth(); }
  int64_t strideOfScores() const override { return shape.keys + 2 * kSide; }
  bool storesWeights() const override { return true; }

  int64_t queries() const override { return kSide; }
  int64_t keys() const override { return shape.keys / kThreads; }
  int64_t threadsOfQuery() const override { return kThreads; }
  Int query(Int thread, Int number) const override {
    return thread / kWarp * kQueries + thread % kWarp / kThreads + number * (kWarp / kThreads);
  }
  Int key(Int thread, Int number) const override { return thread % kThreads + number * kThreads; }

  SmallVector<Value> products(Int thread, Value queries, Value keys) override {
    Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
    SmallVector<Value> initial(kSide * this->keys(), zero);
    auto loop = scf::ForOp::create(b, Int(b, 0), Int(b, shape.depth), Int(b, kSide), initial);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      Int k(b, loop.getInductionVar());
      SmallVector<Value> left, right, sums(loop.getRegionIterArgs());
      for (int64_t i = 0; i < kSide; ++i)
        left.push_back(load(queries, query(thread, Int(b, i)) * strideOfDepth() + k));
      for (int64_t j = 0; j < this->keys(); ++j)
        right.push_back(load(keys, key(thread, Int(b, j)) * strideOfDepth() + k));
      for (int64_t step = 0; step < kSide; ++step)
        for (auto [number, sum] : llvm::enumerate(sums)) {
          Value x = vector::ExtractOp::create(b, left[number / this->keys()], step);
          Value y = vector::ExtractOp::create(b, right[number % this->keys()], step);
          sum = math::FmaOp::create(b, x, y, sum);
        }
      scf::YieldOp::create(b, sums);
    }
    SmallVector<Value> rows;
    auto type = VectorType::get(this->keys(), b.getF32Type());
    for (int64_t i = 0; i < kSide; ++i)
      rows.push_back(vector::FromElementsOp::create(
          b, type, loop.getResults().slice(i * this->keys(), this->keys())));
    return rows;
  }

  SmallVector<Value> zeros() override {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(vector));
    return SmallVector<Value>(kSide * parts(), zero);
  }

  // The threads of a warp read each other's weights, of its own queries.
  void addProducts(Int thread, ValueRange weights, Value values, Value scores,
                   MutableArrayRef<Value> sums) override {
    for (int64_t i = 0; i < kSide; ++i)
      for (int64_t j = 0; j < keys(); ++j)
        LLVM::StoreOp::create(b, vector::ExtractOp::create(b, weights[i], j),
                              scoreAt(scores, query(thread, Int(b, i)), key(thread, Int(b, j))));
    emitWarpBarrier(b);
    auto loop = scf::ForOp::create(b, Int(b, 0), Int(b, shape.keys), Int(b, kSide), sums);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> left, state(loop.getRegionIterArgs());
    Int k(b, loop.getInductionVar());
    for (int64_t i = 0; i < kSide; ++i)
      left.push_back(LLVM::LoadOp::create(b, vector, scoreAt(scores, query(thread, Int(b, i)), k),
                                          kAlignment));
    for (int64_t step = 0; step < kSide; ++step)
      addProducts(step, left, (k + step) * strideOfWidth() + column(thread), values, state);
    scf::YieldOp::create(b, state);
    llvm::copy(loop.getResults(), sums.begin());
  }

  void scale(MutableArrayRef<Value> sums, ValueRange factors) override {
    for (auto [i, sum] : llvm::enumerate(sums)) {
      Value factor = vector::BroadcastOp::create(b, vector, factors[i / parts()]);
      sum = arith::MulFOp::create(b, sum, factor);
    }
  }

  void storeSums(Int thread, ValueRange sums, Value memory) override {
    for (auto [i, sum] : llvm::enumerate(sums)) {
      Int row = query(thread, Int(b, static_cast<int64_t>(i) / parts()));
      Int at = row * strideOfSums() + column(thread) + static_cast<int64_t>(i) % parts() * kApart;
      LLVM::StoreOp::create(b, sum, address(memory, at), kAlignment);
    }
  }

private:
  static constexpr unsigned kAlignment = 16;
  static constexpr int64_t kApart = kThreads * kSide; ///< From one vector of columns to the next.

  /// Rows of neighbouring threads lie in different banks: an odd number of vectors apart.
  static int64_t oddMultiple(int64_t length) { return (length / kSide | 1) * kSide; }
  int64_t parts() const { return llvm::divideCeil(shape.width, kApart); }
  Int column(Int thread) const { return thread % kThreads * kSide; }

  /// Of one key: its weights for the queries, at `step` of vectors, and its value.
  void addProducts(int64_t step, ValueRange weights, Int value, Value values,
                   MutableArrayRef<Value> sums) {
    SmallVector<Value> spread;
    for (Value weight : weights)
      spread.push_back(
          vector::BroadcastOp::create(b, vector, vector::ExtractOp::create(b, weight, step)));
    for (int64_t part = 0; part < parts(); ++part) {
      Value right = load(values, value + part * kApart);
      for (int64_t i = 0; i < kSide; ++i) {
        Value &sum = sums[i * parts() + part];
        sum = math::FmaOp::create(b, spread[i], right, sum);
      }
    }
  }

  Value address(Value memory, Int at) {
    return LLVM::GEPOp::create(b, memory.getType(), storedType, memory, ValueRange{at.value});
  }
  Value load(Value memory, Int at) {
    return LLVM::LoadOp::create(b, vector, address(memory, at), kAlignment);
  }

  VectorType vector;
};

} // namespace

std::unique_ptr<ScoreTile> mlir::gen::kernels::scalarScores(ImplicitLocOpBuilder &b,
                                                            const ScoreShape &shape) {
  return std::make_unique<ScalarScores>(b, shape);
}
