//===- ExpandMath.cpp - elementary functions as polynomials ---------------===//
//
// In:   %y = math.exp %x : vector<16xf32>
// Out:  range reduction, a polynomial, scaling: arith and math.fma only
//
// f32 functions become the project's own expansions (kernels/VectorMath.h): the same bits on every
// target and in every lane, at most 4 ulp off. f64 functions are left to the C library, one lane at
// a time.
//
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"
#include "passes/kernels/VectorMath.h"

#include "mlir/Dialect/Math/IR/Math.h"

namespace mlir::gen {
#define GEN_PASS_DEF_EXPANDMATH
#include "passes/Passes.h.inc"

namespace {

using Unary = Value (*)(ImplicitLocOpBuilder &, Value);

template <typename Op> void expand(Operation *root, Unary emit) {
  SmallVector<Op> ops;
  root->walk([&](Op op) {
    if (getElementTypeOrSelf(op.getType()).isF32())
      ops.push_back(op);
  });
  for (Op op : ops) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    op.replaceAllUsesWith(emit(b, op.getOperand()));
    op.erase();
  }
}

void expandPow(Operation *root) {
  SmallVector<math::PowFOp> ops;
  root->walk([&](math::PowFOp op) {
    if (getElementTypeOrSelf(op.getType()).isF32())
      ops.push_back(op);
  });
  for (math::PowFOp op : ops) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    op.replaceAllUsesWith(kernels::emitPow(b, op.getLhs(), op.getRhs()));
    op.erase();
  }
}

struct ExpandMath : impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    Operation *root = getOperation();
    expandPow(root);
    expand<math::ExpOp>(root, kernels::emitExp);
    expand<math::LogOp>(root, kernels::emitLog);
    expand<math::Log1pOp>(root, kernels::emitLog1p);
    expand<math::TanhOp>(root, kernels::emitTanh);
    expand<math::ErfOp>(root, kernels::emitErf);
    expand<math::SinOp>(root, kernels::emitSin);
    expand<math::CosOp>(root, kernels::emitCos);
    expand<math::RsqrtOp>(root, kernels::emitRsqrt);
    if (failed(kernels::scalarizeF64Math(getOperation())))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::gen
