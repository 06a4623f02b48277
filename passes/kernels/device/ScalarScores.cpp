//===- ScalarScores.cpp - scores of attention by scalar arithmetic --------===//
//
// Eight threads share four rows: each has every eighth column, and of lines of sums four numbers
// side by side, and those 32 and more further. All lines lie as in memory, so that four neighbours
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
constexpr int64_t kRows = ScoreShape::kRowsOfWarp;
static_assert(kRows / kSide * kThreads == kWarp);

class ScalarScores : public ScoreTile {
public:
  ScalarScores(ImplicitLocOpBuilder &b, const ScoreShape &shape)
      : ScoreTile(b, shape, b.getF32Type()), vector(VectorType::get(kSide, b.getF32Type())) {}

  /// Lines of neighbouring threads lie in different banks: an odd number of vectors apart.
  int64_t stride(int64_t length) const override {
    return (partsOf(length) * kApart / kSide | 1) * kSide;
  }
  int64_t filled(int64_t length) const override {
    return static_cast<int64_t>(llvm::alignTo(length, kSide));
  }
  int64_t strideOfScores() const override { return shape.columns + 2 * kSide; }
  bool storesWeights() const override { return true; }

  int64_t rows() const override { return kSide; }
  int64_t columns() const override { return shape.columns / kThreads; }
  int64_t threadsOfRow() const override { return kThreads; }
  Int row(Int thread, Int number) const override {
    return thread / kWarp * kRows + thread % kWarp / kThreads + number * (kWarp / kThreads);
  }
  Int column(Int thread, Int number) const override {
    return thread % kThreads + number * kThreads;
  }

  SmallVector<Value> products(Int thread, Value ofRows, Value ofColumns, int64_t length) override {
    Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
    SmallVector<Value> initial(kSide * columns(), zero);
    auto loop = scf::ForOp::create(b, Int(b, 0), Int(b, filled(length)), Int(b, kSide), initial);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      Int k(b, loop.getInductionVar());
      SmallVector<Value> left, right, sums(loop.getRegionIterArgs());
      for (int64_t i = 0; i < kSide; ++i)
        left.push_back(load(ofRows, row(thread, Int(b, i)) * stride(length) + k));
      for (int64_t j = 0; j < columns(); ++j)
        right.push_back(load(ofColumns, column(thread, Int(b, j)) * stride(length) + k));
      for (int64_t step = 0; step < kSide; ++step)
        for (auto [number, sum] : llvm::enumerate(sums)) {
          Value x = vector::ExtractOp::create(b, left[number / columns()], step);
          Value y = vector::ExtractOp::create(b, right[number % columns()], step);
          sum = math::FmaOp::create(b, x, y, sum);
        }
      scf::YieldOp::create(b, sums);
    }
    SmallVector<Value> scores;
    auto type = VectorType::get(columns(), b.getF32Type());
    for (int64_t i = 0; i < kSide; ++i)
      scores.push_back(vector::FromElementsOp::create(
          b, type, loop.getResults().slice(i * columns(), columns())));
    return scores;
  }

  SmallVector<Value> zeros(int64_t length) override {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(vector));
    return SmallVector<Value>(kSide * partsOf(length), zero);
  }

  // The threads of a warp read each other's weights, of its own rows.
  void addProducts(Int thread, ValueRange weights, Value ofColumns, int64_t length, Value scores,
                   MutableArrayRef<Value> sums) override {
    for (int64_t i = 0; i < kSide; ++i)
      for (int64_t j = 0; j < columns(); ++j)
        LLVM::StoreOp::create(b, vector::ExtractOp::create(b, weights[i], j),
                              scoreAt(scores, row(thread, Int(b, i)), column(thread, Int(b, j))));
    emitWarpBarrier(b);
    auto loop = scf::ForOp::create(b, Int(b, 0), Int(b, shape.columns), Int(b, kSide), sums);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> left, state(loop.getRegionIterArgs());
    Int k(b, loop.getInductionVar());
    for (int64_t i = 0; i < kSide; ++i)
      left.push_back(
          LLVM::LoadOp::create(b, vector, scoreAt(scores, row(thread, Int(b, i)), k), kAlignment));
    for (int64_t step = 0; step < kSide; ++step)
      addProducts(step, left, (k + step) * stride(length) + place(thread), ofColumns, state);
    scf::YieldOp::create(b, state);
    llvm::copy(loop.getResults(), sums.begin());
  }

  void scale(MutableArrayRef<Value> sums, ValueRange factors) override {
    int64_t parts = static_cast<int64_t>(sums.size()) / kSide;
    for (auto [i, sum] : llvm::enumerate(sums)) {
      Value factor = vector::BroadcastOp::create(b, vector, factors[i / parts]);
      sum = arith::MulFOp::create(b, sum, factor);
    }
  }

  void storeSums(Int thread, ValueRange sums, int64_t length, Value memory) override {
    int64_t parts = partsOf(length);
    for (int64_t i = 0; i < kSide * parts; ++i) {
      Int line = row(thread, Int(b, i / parts)) * stride(length);
      LLVM::StoreOp::create(b, sums[i], address(memory, line + place(thread) + i % parts * kApart),
                            kAlignment);
    }
  }

private:
  static constexpr unsigned kAlignment = 16;
  static constexpr int64_t kApart = kThreads * kSide; ///< From one vector of sums to the next.

  /// Vectors of sums that a thread has of a line.
  static int64_t partsOf(int64_t length) {
    return static_cast<int64_t>(llvm::divideCeil(length, kApart));
  }
  /// Of the thread's first sum in a line.
  Int place(Int thread) const { return thread % kThreads * kSide; }

  /// Of one column: its weights, at `step` of vectors, and its line behind `at`.
  void addProducts(int64_t step, ValueRange weights, Int at, Value ofColumns,
                   MutableArrayRef<Value> sums) {
    SmallVector<Value> spread;
    for (Value weight : weights)
      spread.push_back(
          vector::BroadcastOp::create(b, vector, vector::ExtractOp::create(b, weight, step)));
    int64_t parts = static_cast<int64_t>(sums.size()) / kSide;
    for (int64_t part = 0; part < parts; ++part) {
      Value right = load(ofColumns, at + part * kApart);
      for (int64_t i = 0; i < kSide; ++i) {
        Value &sum = sums[i * parts + part];
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
