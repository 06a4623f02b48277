//===- Loops.cpp - what passes ask about loops ----------------------------===//

#include "passes/Loops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::gen;

/// `size` - `number`, folded.
static OpFoldResult minus(OpBuilder &b, Location loc, OpFoldResult size, int64_t number) {
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return b.getIndexAttr(*known - number);
  Value amount = arith::ConstantIndexOp::create(b, loc, number);
  return arith::SubIOp::create(b, loc, cast<Value>(size), amount).getResult();
}

/// True if `index` is `last` - counter.
static bool countsDown(scf::ForOp loop, Value index, OpFoldResult last) {
  auto difference = index.getDefiningOp<arith::SubIOp>();
  return difference && difference.getRhs() == loop.getInductionVar() &&
         Sizes::equal(difference.getLhs(), last);
}

bool mlir::gen::coversAxisOnce(scf::ForOp loop, Value index, Value tensor, int64_t axis,
                               int64_t length, Sizes &sizes) {
  OpFoldResult size = sizes.get(tensor, axis);
  bool visitsAll = size && getConstantIntValue(loop.getLowerBound()) == 0 &&
                   getConstantIntValue(loop.getStep()) == length &&
                   Sizes::equal(loop.getUpperBound(), size);
  if (!visitsAll || length < 1)
    return false;
  std::optional<int64_t> known = getConstantIntValue(size);
  if (length > 1 && !(known && *known % length == 0))
    return false;
  if (index == loop.getInductionVar())
    return true;
  OpBuilder b(loop);
  return countsDown(loop, index, minus(b, loop.getLoc(), size, length));
}

bool mlir::gen::isBranch(scf::ForOp loop) {
  auto bound = loop.getUpperBound().getDefiningOp<arith::IndexCastUIOp>();
  return bound && bound.getIn().getType().isInteger(1) &&
         getConstantIntValue(loop.getLowerBound()) == 0 && getConstantIntValue(loop.getStep()) == 1;
}

bool mlir::gen::isComputed(Value index) {
  Operation *op = index.getDefiningOp();
  if (isa_and_nonnull<tensor::ExtractOp>(op))
    return true;
  return op && isa<arith::ArithDialect>(op->getDialect()) &&
         llvm::any_of(op->getOperands(), isComputed);
}

bool mlir::gen::isInvariant(Value value) {
  SmallVector<Value> work{value};
  llvm::SmallDenseSet<Value> seen;
  while (!work.empty()) {
    Value next = work.pop_back_val();
    if (!seen.insert(next).second)
      continue;
    Operation *op = next.getDefiningOp();
    if (isa_and_nonnull<scf::ForOp>(op) ||
        (!op && isa<scf::ForOp>(cast<BlockArgument>(next).getOwner()->getParentOp())))
      return false;
    if (op && !isa<tensor::DimOp>(op))
      llvm::append_range(work, op->getOperands());
  }
  return true;
}
