//===- AttentionScores.cpp - from products to scores ----------------------===//

#include "passes/kernels/device/AttentionScores.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

// In a loop, so that the code for an element is there once.
void AttentionScores::readMask(Int firstColumn, Value memory) {
  if (!attention.mask)
    return;
  auto loop = scf::ForOp::create(b, Int(b, 0), Int(b, tile.rows() * tile.columns()), Int(b, 1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Int i(b, loop.getInductionVar());
  Int row = tile.row(place.thread, i / tile.columns()),
      column = tile.column(place.thread, i % tile.columns());
  Int inRows = min(place.firstRow + row, rowCount() - 1),
      inColumns = min(firstColumn + column, columnCount() - 1);
  Indices at = {{place.batch},
                {place.head},
                {rowsAreQueries() ? inRows : inColumns},
                {rowsAreQueries() ? inColumns : inRows}};
  auto type = cast<RankedTensorType>(attention.mask.getType());
  for (auto [index, extent] : llvm::zip_equal(at, type.getShape()))
    if (extent == 1)
      index = {Int(b, 0)};
  Value element = KernelEmitter(function, /*lanes=*/1).elementAt(attention.mask, at);
  LLVM::StoreOp::create(b, element, tile.scoreAt(memory, row, column));
}

Value AttentionScores::fromProducts(int64_t number, Value products, Value memory) {
  auto type = cast<VectorType>(products.getType());
  auto factor =
      DenseElementsAttr::get(type, b.getF32FloatAttr(static_cast<float>(attention.scale)));
  Value scores = arith::MulFOp::create(b, products, arith::ConstantOp::create(b, factor));
  if (!attention.mask)
    return scores;
  Int row = tile.row(place.thread, Int(b, number));
  SmallVector<Value> added;
  for (int64_t j = 0; j < tile.columns(); ++j)
    added.push_back(LLVM::LoadOp::create(
        b, b.getF32Type(), tile.scoreAt(memory, row, tile.column(place.thread, Int(b, j)))));
  return arith::AddFOp::create(b, scores, vector::FromElementsOp::create(b, type, added));
}

Value AttentionScores::word(Int constant) {
  return arith::ConstantOp::create(b,
                                   b.getI32IntegerAttr(static_cast<int32_t>(*constant.constant())));
}

/// In 32 bits, as registers are few: beyond the tile no matter how far.
Value AttentionScores::narrow(Int wide) {
  constexpr int64_t kMany = 1 << 20;
  return arith::TruncIOp::create(b, b.getI32Type(), max(min(wide, Int(b, kMany)), Int(b, -kMany)));
}

/// Key j is seen by query i if j <= i + keys - queries. Counted from the thread's first row and
/// first column, so that the rest are constants.
Value AttentionScores::areSeen(Int firstColumn, int64_t number) {
  bool isWhole = columnCount().constant() && *columnCount().constant() % tile.shape.columns == 0;
  if (isWhole && !attention.causal)
    return {};
  Int none(b, 0), left = columnCount() - firstColumn - tile.column(place.thread, none);
  Value end = narrow(left), first;
  if (attention.causal) {
    Int row = place.firstRow + tile.row(place.thread, none);
    Value further = word(tile.row(none, Int(b, number)));
    if (rowsAreQueries()) {
      Value seen = narrow(left + row + 1 - attention.queries);
      end = arith::MinSIOp::create(b, arith::AddIOp::create(b, seen, further), end);
    } else {
      Value unseen = narrow(left + row - attention.keys); // queries before
      first = arith::AddIOp::create(b, unseen, further);
    }
  }
  SmallVector<Value> seen;
  for (int64_t j = 0; j < tile.columns(); ++j) {
    Value column = word(tile.column(none, Int(b, j)));
    Value isSeen = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, column, end);
    if (first)
      isSeen = arith::AndIOp::create(
          b, isSeen, arith::CmpIOp::create(b, arith::CmpIPredicate::sge, column, first));
    seen.push_back(isSeen);
  }
  auto type = VectorType::get(tile.columns(), b.getI1Type());
  return vector::FromElementsOp::create(b, type, seen);
}
