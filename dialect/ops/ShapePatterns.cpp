//===- ShapePatterns.cpp - transposes with a reshape between them ---------===//
//
// transpose(reshape(transpose(x))) is one transpose where the reshape only splits axes, or only
// merges some: of x, reshaped, or of x with a reshape behind it.
//
//===----------------------------------------------------------------------===//

#include "dialect/Canonicalization.h"
#include "dialect/Permutation.h"

using namespace mlir;
using namespace mlir::gen;

namespace {

using Groups = SmallVector<ReshapeAxes>;

struct JoinTransposes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto reshape = op.getInput().getDefiningOp<ReshapeOp>();
    auto inner = reshape ? reshape.getInput().getDefiningOp<TransposeOp>() : TransposeOp();
    if (!inner || !inner.getType().hasStaticShape() || !reshape.getType().hasStaticShape() ||
        inner.getType().getNumElements() == 0)
      return failure();
    Groups groups = reshapeGroups(inner.getType().getShape(), reshape.getType().getShape());
    std::reverse(groups.begin(), groups.end()); // outermost first
    if (llvm::all_of(groups, [](const ReshapeAxes &group) {
          return group.inputLast - group.inputFirst == 1 && group.resultLast > group.resultFirst;
        }))
      split(op, reshape, inner, groups, rewriter);
    else if (llvm::all_of(groups, [](const ReshapeAxes &group) {
               return group.resultLast - group.resultFirst == 1 &&
                      group.inputLast > group.inputFirst;
             }))
      merge(op, inner, groups, rewriter);
    else
      return failure();
    return success();
  }

private:
  /// Group i is axis i of `inner`'s result, and so axis permutation[i] of its input.
  static void split(TransposeOp op, ReshapeOp reshape, TransposeOp inner, const Groups &groups,
                    PatternRewriter &rewriter) {
    ArrayRef<int64_t> sizes = reshape.getType().getShape();
    SmallVector<int64_t> shape, place(sizes.size());
    for (int64_t i : inversePermutation(inner.getPermutation()))
      for (int64_t axis = groups[i].resultFirst; axis < groups[i].resultLast; ++axis) {
        place[axis] = static_cast<int64_t>(shape.size());
        shape.push_back(sizes[axis]);
      }
    auto parts = ReshapeOp::create(rewriter, reshape.getLoc(), reshape.getType().clone(shape),
                                   inner.getInput(), ValueRange());
    rewriter.replaceOpWithNewOp<TransposeOp>(op, op.getType(), parts,
                                             permuted(place, op.getPermutation()));
  }

  /// Group i is axis i of the reshape's result.
  static void merge(TransposeOp op, TransposeOp inner, const Groups &groups,
                    PatternRewriter &rewriter) {
    SmallVector<int64_t> order;
    for (int64_t i : op.getPermutation())
      llvm::append_range(order, llvm::seq(groups[i].inputFirst, groups[i].inputLast));
    auto parts = TransposeOp::create(rewriter, op.getLoc(), permutedType(inner.getType(), order),
                                     inner, order);
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), parts, ValueRange());
  }
};

} // namespace

void mlir::gen::populateShapePatterns(RewritePatternSet &patterns) {
  patterns.add<JoinTransposes>(patterns.getContext());
}
