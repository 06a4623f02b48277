//===- SplitReductions.cpp - large reductions in two steps ----------------===//
//
// In:   %s = gen.reduce_sum %x axes [0, 1] : tensor<128x784xf32> -> tensor<f32>
// Out:  %r = gen.reduce_sum %x axes [1]    : tensor<128x784xf32> -> tensor<128xf32>
//       %s = gen.reduce_sum %r axes [0]    : tensor<128xf32> -> tensor<f32>
//
// Threads share the first step. Reductions to a scalar are split at the last axis, reductions to a
// few columns (a batch's statistics and bias gradients) at the first.
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

bool isScalar(ReductionOpInterface op) {
  return cast<RankedTensorType>(op->getResult(0).getType()).getRank() == 0;
}

/// True if a result is a few vectors of columns, each the sum of many rows.
bool isFewColumns(ReductionOpInterface op) {
  constexpr int64_t columnsOfTask = 64, enoughTasks = 16, fewRows = 16;
  auto input = cast<RankedTensorType>(op->getOperand(0).getType()),
       result = cast<RankedTensorType>(op->getResult(0).getType());
  ArrayRef<int64_t> axes = op.reductionAxes();
  if (axes.back() == input.getRank() - 1 || !result.hasStaticShape() ||
      result.getNumElements() == 0 || input.getDimSize(axes.front()) == 1)
    return false;
  int64_t last = result.getShape().back(), rows = 1;
  for (int64_t axis : axes.drop_front())
    rows *= input.isDynamicDim(axis) ? fewRows : input.getDimSize(axis);
  return result.getNumElements() / last * llvm::divideCeil(last, columnsOfTask) < enoughTasks &&
         rows >= fewRows;
}

struct SplitReductions : impl::SplitReductionsBase<SplitReductions> {
  void runOnOperation() override {
    SmallVector<ReductionOpInterface> reductions;
    getOperation().walk([&](ReductionOpInterface op) {
      if (op.reductionAxes().size() > 1 && (isScalar(op) || isFewColumns(op)))
        reductions.push_back(op);
    });
    for (ReductionOpInterface op : reductions) {
      OpBuilder b(op);
      ArrayRef<int64_t> axes = op.reductionAxes();
      auto [first, then] = isScalar(op) ? std::pair(axes.take_back(1), axes.drop_back())
                                        : std::pair(axes.drop_front(), axes.take_front(1));
      Operation *inner = reduceAlong(b, op, op->getOperand(0), first);
      Operation *outer = reduceAlong(b, op, inner->getResult(0), then);
      op->replaceAllUsesWith(outer);
      op->erase();
    }
  }
};

} // namespace
} // namespace mlir::gen
