//===- ScalarTile.cpp - a tile of a product by scalar arithmetic ----------===//
//
// A thread has 4 x 4 sums, or as many in each quarter of the tile. Operands lie k by k, so that it
// reads four neighbours at once.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/ProductTile.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen::kernels;

namespace {

constexpr int64_t kSide = 4;
/// Sides of a tile of whose quarters a thread has a part each.
constexpr int64_t kQuartered = 128;

int64_t parts(int64_t side) { return side == kQuartered ? 2 : 1; }

class ScalarTile : public ProductTile {
public:
  ScalarTile(ImplicitLocOpBuilder &b, const TileShape &shape, Type sumType)
      : ProductTile(b, shape, sumType, sumType, /*elementsOfCopy=*/1),
        vector(VectorType::get(kSide, sumType)), rowParts(parts(shape.rows)),
        columnParts(parts(shape.columns)) {}

  bool liesAlongDepth(unsigned) const override { return false; }
  Int position(unsigned number, Int outer, Int k) override { return k * stride(number) + outer; }
  int64_t elements(unsigned number) override { return shape.depth * stride(number); }

  SmallVector<Value> zeros() override {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(vector));
    return SmallVector<Value>(rowParts * kSide * columnParts, zero);
  }

  void addProducts(Int thread, Value lhs, Value rhs, MutableArrayRef<Value> sums) override {
    int64_t depthOfGroup = shape.depth / shape.groups;
    int64_t together = std::min(depthOfGroup, kMostTogether / std::max(rowParts, columnParts));
    auto loop = scf::ForOp::create(b, Int(b, 0), Int(b, depthOfGroup), Int(b, together), sums);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> state(loop.getRegionIterArgs());
    Int first = group(thread) * depthOfGroup + Int(b, loop.getInductionVar());
    Value left = address(lhs, position(0, row(thread), first)),
          right = address(rhs, position(1, column(thread, 0), first));
    for (int64_t k = 0; k < together; ++k)
      addProducts(k, left, right, state);
    scf::YieldOp::create(b, state);
    llvm::copy(loop.getResults(), sums.begin());
  }

  int64_t rowsOfTurn() override { return shape.rows / rowParts; }
  int64_t rowStrideOfSums() override { return shape.columns; }

  void storeSums(Int thread, Int turn, ValueRange sums, Value shared) override {
    int64_t count = kSide * columnParts;
    for (int64_t i = 0; i < kSide; ++i)
      for (int64_t part = 0; part < columnParts; ++part) {
        Value sum = sums[i * columnParts + part];
        if (rowParts > 1)
          sum = arith::SelectOp::create(b, turn == Int(b, 0), sum,
                                        sums[count + i * columnParts + part]);
        Int at = (group(thread) * rowsOfTurn() + row(thread) + i) * rowStrideOfSums() +
                 column(thread, part);
        LLVM::StoreOp::create(b, sum, address(shared, at), kAlignment);
      }
  }

private:
  static constexpr unsigned kAlignment = 16;
  /// Steps of k that are emitted side by side, so that loads need not wait for sums.
  static constexpr int64_t kMostTogether = 4;

  /// Of step `k` behind this thread's elements.
  void addProducts(int64_t k, Value lhs, Value rhs, MutableArrayRef<Value> sums) {
    SmallVector<Value> right;
    for (int64_t part = 0; part < columnParts; ++part)
      right.push_back(load(rhs, k * stride(1) + part * (shape.columns / columnParts)));
    for (int64_t part = 0; part < rowParts; ++part) {
      Value left = load(lhs, k * stride(0) + part * rowsOfTurn());
      for (int64_t i = 0; i < kSide; ++i) {
        Value spread =
            vector::BroadcastOp::create(b, vector, vector::ExtractOp::create(b, left, i));
        for (int64_t other = 0; other < columnParts; ++other) {
          Value &sum = sums[(part * kSide + i) * columnParts + other];
          sum = math::FmaOp::create(b, spread, right[other], sum);
        }
      }
    }
  }

  /// 16 bytes more keep neighbours along k out of each other's banks.
  int64_t stride(unsigned number) const {
    return shape.side(number) + 128 / sumType.getIntOrFloatBitWidth();
  }
  int64_t threadsOfColumns() const { return shape.columns / columnParts / kSide; }
  int64_t threadsOfGroup() const { return shape.threads / shape.groups; }
  Int group(Int thread) const { return thread / threadsOfGroup(); }
  Int row(Int thread) const { return thread % threadsOfGroup() / threadsOfColumns() * kSide; }
  Int column(Int thread, int64_t part) const {
    return thread % threadsOfColumns() * kSide + part * (shape.columns / columnParts);
  }

  Value address(Value memory, Int at) {
    return LLVM::GEPOp::create(b, memory.getType(), sumType, memory, ValueRange{at.value});
  }
  Value load(Value memory, int64_t offset) {
    Value from = LLVM::GEPOp::create(b, memory.getType(), sumType, memory,
                                     LLVM::GEPArg(static_cast<int32_t>(offset)));
    return LLVM::LoadOp::create(b, vector, from, kAlignment);
  }

  VectorType vector;
  int64_t rowParts, columnParts;
};

} // namespace

/// Groups of threads share the depth of a step.
TileShape mlir::gen::kernels::chooseScalarTile(const ProductSizes &sizes, Type sumType) {
  constexpr int64_t kThreads = 256, kMostGroups = 64, kElementsOfStep = 2304, kUnknown = 128;
  TileShape shape = chooseSides(sizes, kSide, /*mayBeMany=*/sumType.isF32());
  int64_t most = llvm::bit_floor<uint64_t>(kElementsOfStep / (shape.rows + shape.columns));
  int64_t depth = std::max(sizes.depth.value_or(kUnknown), kSide);
  shape.depth = std::min(most, static_cast<int64_t>(llvm::PowerOf2Ceil(depth)));
  int64_t threadsOfGroup =
      shape.rows / parts(shape.rows) * shape.columns / parts(shape.columns) / (kSide * kSide);
  shape.groups = std::min({kThreads / threadsOfGroup, kMostGroups, shape.depth});
  shape.threads = threadsOfGroup * shape.groups;
  return shape;
}

std::unique_ptr<ProductTile> mlir::gen::kernels::scalarTile(ImplicitLocOpBuilder &b,
                                                            const TileShape &shape, Type sumType) {
  return std::make_unique<ScalarTile>(b, shape, sumType);
}
