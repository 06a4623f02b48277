//===- MovingTransposes.cpp - transposes that look for their inverse --------===//

#include "passes/MovingTransposes.h"
#include "dialect/Permutation.h"

namespace mlir::gen {

Value MovingTransposes::back(GenBuilder &b, Value value, ArrayRef<int64_t> permutation) {
  Value result = b.transpose(value, permutation);
  if (auto transpose = result.getDefiningOp<TransposeOp>();
      transpose && transpose.getInput() == value)
    moving.insert(transpose);
  return result;
}

void MovingTransposes::moveDown(PermutableOpInterface op) {
  for (Value operand : op->getOperands()) {
    auto transpose = operand.getDefiningOp<TransposeOp>();
    if (!transpose || !moving.contains(transpose))
      continue;
    GenBuilder b(op.getLoc(), op);
    SmallVector<int64_t> order;
    Value made = op.emitPermuted(b, inversePermutation(transpose.getPermutation()), order);
    if (!made)
      continue;
    op->getResult(0).replaceAllUsesWith(back(b, made, inversePermutation(order)));
    op->erase();
    return;
  }
}

void eraseDeadOps(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

} // namespace mlir::gen
