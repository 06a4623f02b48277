//===- SplitReductions.cpp - reductions to a scalar in two steps ----------===//
//
// In:   %s = gen.reduce_sum %x axes [0, 1] : tensor<128x784xf32> -> tensor<f32>
// Out:  %r = gen.reduce_sum %x axes [1]    : tensor<128x784xf32> -> tensor<128xf32>
//       %s = gen.reduce_sum %r axes [0]    : tensor<128xf32> -> tensor<f32>
//
//===----------------------------------------------------------------------===//

#include "dialect/Gen.h"
#include "passes/Passes.h"

namespace mlir::gen {
#define GEN_PASS_DEF_SPLITREDUCTIONS
#include "passes/Passes.h.inc"

namespace {

/// The same reduction of `input` along `axes`.
Operation *reduceAlong(OpBuilder &b, Operation *op, Value input, ArrayRef<int64_t> axes) {
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<int64_t> shape;
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    if (!llvm::is_contained(axes, axis))
      shape.push_back(type.getDimSize(axis));
  OperationState state(op->getLoc(), op->getName(), input,
                       type.clone(shape).cloneWith(shape, type.getElementType()), {});
  state.addAttribute("axes", b.getDenseI64ArrayAttr(axes));
  return b.create(state);
}

struct SplitReductions : impl::SplitReductionsBase<SplitReductions> {
  void runOnOperation() override {
    SmallVector<ReductionOpInterface> reductions;
    getOperation().walk([&](ReductionOpInterface op) {
      auto type = cast<RankedTensorType>(op->getOperand(0).getType());
      if (op.reductionAxes().size() > 1 &&
          static_cast<int64_t>(op.reductionAxes().size()) == type.getRank())
        reductions.push_back(op);
    });
    for (ReductionOpInterface op : reductions) {
      OpBuilder b(op);
      int64_t last = op.reductionAxes().back();
      Operation *inner = reduceAlong(b, op, op->getOperand(0), {last});
      Operation *outer = reduceAlong(b, op, inner->getResult(0), op.reductionAxes().drop_back());
      op->replaceAllUsesWith(outer);
      op->erase();
    }
  }
};

} // namespace
} // namespace mlir::gen
