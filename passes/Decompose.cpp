//===- Decompose.cpp - opening composed ops -------------------------------===//
//
// In:  %l = gen.bce_with_logits %x, %t         Out:  the elementwise ops it is composed of.
//
// Runs after differentiation, since the derivative of the whole op is often better than that of its
// parts.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gen.h"
#include "passes/Passes.h"

namespace mlir::gen {
#define GEN_PASS_DEF_DECOMPOSE
#include "passes/Passes.h.inc"
} // namespace mlir::gen

using namespace mlir;
using namespace mlir::gen;

namespace {
struct DecomposePass : gen::impl::DecomposeBase<DecomposePass> {
  using DecomposeBase::DecomposeBase;

  void runOnOperation() override {
    // A composition may contain composed ops in its turn.
    SmallVector<DecomposableOpInterface> composed;
    do {
      composed.clear();
      getOperation().walk([&](DecomposableOpInterface op) {
        auto anchor = dyn_cast<AnchorOpInterface>(op.getOperation());
        if (!anchor || !anchor.isEmitted(device))
          composed.push_back(op);
      });
      for (DecomposableOpInterface op : composed) {
        GenBuilder b(op.getLoc(), op.getOperation());
        op->replaceAllUsesWith(op.decompose(b));
        op->erase();
      }
    } while (!composed.empty());
  }
};
} // namespace
