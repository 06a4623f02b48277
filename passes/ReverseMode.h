//===- ReverseMode.h - gradients by reverse mode ----------------*- C++ -*-===//
//
// The state of one reverse sweep: which values depend on the inputs, and the gradients collected so
// far. Differentiate.cpp sweeps over ops, ReverseLoop.cpp over the steps of a loop.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_REVERSEMODE_H
#define GEN_PASSES_REVERSEMODE_H

#include "dialect/Gen.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::gen {

class ReverseMode {
public:
  ReverseMode(Location location, Operation *insertBefore)
      : b(location, insertBefore), taken(location) {}

  /// Marks what depends on active values among the results of `op`; fails, with a diagnostic, if it
  /// has no derivative.
  LogicalResult activate(Operation *op);
  /// Emits the gradients of the operands of `op` and adds them to those collected.
  LogicalResult propagate(Operation *op);
  void accumulate(Value value, Value contribution);

  /// Says that `now` has taken the place of `old`, which is gone; null: nothing has.
  void rename(Value old, Value now);

  static bool carriesGradient(Value value);
  bool isActive(Value value) const { return active.contains(value); }
  bool isActive(Operation *op) const {
    return llvm::any_of(op->getResults(), [&](Value result) { return isActive(result); });
  }

  GenBuilder b;
  /// Values that depend on an input, as far as derivatives see.
  llvm::DenseSet<Value> active;
  llvm::DenseMap<Value, Value> gradients;

  /// While the steps of a loop are swept: what they add to the gradients of values from outside.
  struct Step {
    scf::ForOp forward;
    llvm::MapVector<Value, SmallVector<Value>> outside;
    /// Gradients of sequences of which a step writes its own slice.
    llvm::DenseMap<Operation *, Value> collected;
  };
  SmallVector<Step> steps;

private:
  const Location taken; ///< where the gradient is

  LogicalResult activateLoop(scf::ForOp loop);
};

/// `sum` + `contribution`; a slice among zeros is added to its slice only.
Value addGradients(GenBuilder &b, Value sum, Value contribution);
/// True if all elements of a value are known to be zero.
bool isZeros(Value value);
/// Emits the loop that runs the steps of `loop` backwards, and keeps in `loop` what it needs.
/// Fails, with a diagnostic, where that has no fixed size.
LogicalResult reverseLoop(ReverseMode &reverse, scf::ForOp loop);

} // namespace mlir::gen

#endif // GEN_PASSES_REVERSEMODE_H
