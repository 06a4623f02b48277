//===- MovingTransposes.h - transposes that look for their inverse ----------===//
//
// A pass that gives some ops another layout puts transposes around them. Those on results move down
// through the ops that can do without them (PermutableOpInterface), to the next such op, where they
// meet their inverse.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_MOVINGTRANSPOSES_H
#define GEN_PASSES_MOVINGTRANSPOSES_H

#include "dialect/Gen.h"

namespace mlir::gen {

class MovingTransposes {
public:
  /// `value` transposed by `permutation`, by an op that moves down.
  Value back(GenBuilder &b, Value value, ArrayRef<int64_t> permutation);
  /// Puts `op` before a moving transpose of one of its operands, if it can be.
  void moveDown(PermutableOpInterface op);

private:
  llvm::DenseSet<Operation *> moving;
};

/// Erases what is left without a use, from the end of `block` on.
void eraseDeadOps(Block &block);

} // namespace mlir::gen

#endif // GEN_PASSES_MOVINGTRANSPOSES_H
