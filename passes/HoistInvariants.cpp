//===- HoistInvariants.cpp - what every step of a loop computes -----------===//
//
// In:   scf.for ... { %s = gen.exp %scale ... }
// Out:  %s = gen.exp %scale    scf.for ... { ... }
//
// MLIR's hoisting, for all loops but branches: what one that is not taken computes costs nothing.
//
//===----------------------------------------------------------------------===//

#include "passes/Loops.h"
#include "passes/Passes.h"

#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

namespace mlir::gen {
#define GEN_PASS_DEF_HOISTINVARIANTS
#include "passes/Passes.h.inc"

namespace {
struct HoistInvariants : impl::HoistInvariantsBase<HoistInvariants> {
  void runOnOperation() override {
    getOperation().walk([](scf::ForOp loop) {
      if (!isBranch(loop))
        moveLoopInvariantCode(loop);
    });
  }
};
} // namespace
} // namespace mlir::gen
