//===- PrepareConvolutions.cpp - convolutions as their kernels take them --===//
//
// In:   %x = gen.convolution_transpose %y, %w strides [2, 2] low [1, 1] high [1, 1] ...
// channels_last
//           : (tensor<32x8x8x512xf32>, tensor<4x4x256x512xf32>) -> tensor<32x16x16x256xf32>
// Out:  %p = gen.pad %y : tensor<32x10x10x512xf32>
//       %x = gen.convolution_transpose %p, %w strides [2, 2] low [3, 3] high [3, 3] ...
//
// A kernel reads inside of its operands only. Where the taps of a transposed convolution reach
// beyond its operand, that is padded; the paddings of the result cut off what the zeros add. One of
// a single position is a matrix product. What is known of zeros around operands is noted.
//
//===----------------------------------------------------------------------===//

#include "dialect/Builder.h"
#include "dialect/ops/Convolution.h"
#include "passes/Passes.h"

#include "llvm/Support/MathExtras.h"

namespace mlir::gen {
#define GEN_PASS_DEF_PREPARECONVOLUTIONS
#include "passes/Passes.h.inc"

namespace {

/// The zeros that the operand needs before and after it along spatial axis i.
std::pair<int64_t, int64_t> missing(ConvolutionTransposeOp op, int64_t i) {
  ConvolutionWindow window = ConvolutionWindow::of(op);
  ConvolutionAxes axes = window.axes();
  int64_t stride = window.strides[i], low = window.low[i];
  int64_t reach = (op.getWeight().getType().getDimSize(axes.kernel(i)) - 1) * window.dilations[i];
  int64_t before = llvm::divideCeilSigned(reach - low - (stride - 1), stride), after;
  // All phases are as long as the longest.
  int64_t size = op.getType().getDimSize(axes.spatial(i));
  if (ShapedType::isDynamic(size))
    after = llvm::divideCeilSigned(reach - window.high[i] + stride - 1, stride);
  else
    after = (static_cast<int64_t>(llvm::alignTo(size, stride)) - 1 + low) / stride -
            (window.outputSize(i, size, reach / window.dilations[i] + 1) - 1);
  return {std::max<int64_t>(before, 0), std::max<int64_t>(after, 0)};
}

void padOutput(ConvolutionTransposeOp op) {
  ConvolutionWindow window = ConvolutionWindow::of(op);
  ConvolutionAxes axes = window.axes();
  SmallVector<int64_t> none(axes.rank, 0), before(none), after(none), low(window.low),
      high(window.high);
  for (int64_t i = 0; i < axes.spatialRank(); ++i) {
    auto [first, last] = missing(op, i);
    before[axes.spatial(i)] = first;
    after[axes.spatial(i)] = last;
    low[i] += first * window.strides[i];
    high[i] += last * window.strides[i];
  }
  if (before == none && after == none)
    return;
  GenBuilder b(op.getLoc(), op);
  auto zero = cast<TypedAttr>(b.getZeroAttr(op.getType().getElementType()));
  op.getOutputMutable().assign(b.make<PadOp>(op.getOutput(), zero, before, after, none));
  op.setLow(low);
  op.setHigh(high);
}

/// One position of the operand that makes all of the result: every tap is a position of it.
bool isProduct(ConvolutionTransposeOp op) {
  ConvolutionWindow window = ConvolutionWindow::of(op);
  ConvolutionAxes axes = window.axes();
  if (window.groups != 1)
    return false;
  for (int64_t i = 0; i < axes.spatialRank(); ++i) {
    int64_t kernel = op.getWeight().getType().getDimSize(axes.kernel(i));
    if (op.getOutput().getType().getDimSize(axes.spatial(i)) != 1 || window.low[i] != 0 ||
        window.high[i] != 0 || (window.dilations[i] != 1 && kernel != 1) ||
        op.getType().getDimSize(axes.spatial(i)) != kernel)
      return false;
  }
  return true;
}

// [n, 1..., o] x [k..., c, o] as [n, o] x [k c, o] transposed
void makeProduct(ConvolutionTransposeOp op) {
  GenBuilder b(op.getLoc(), op);
  RankedTensorType output = op.getOutput().getType(), weight = op.getWeight().getType();
  int64_t channels = output.getShape().back();
  auto matrix = [&](int64_t rows) { return output.clone({rows, channels}); };
  SmallVector<Value> sizes = b.dynamicSizes(op.getOutput());
  Value y = b.make<ReshapeOp>(matrix(output.getDimSize(0)), op.getOutput(), sizes);
  Value w =
      b.make<ReshapeOp>(matrix(weight.getNumElements() / channels), op.getWeight(), ValueRange());
  Value product = b.matmul(y, w, /*transposeLhs=*/false, /*transposeRhs=*/true);
  op.replaceAllUsesWith(b.make<ReshapeOp>(op.getType(), product, op.getSizes()));
  op.erase();
}

/// Notes the frame of zeros around operand 0, so that kernels can leave it out.
void noteMargins(ConvolutionOpInterface op) {
  auto pad = op->getOperand(0).getDefiningOp<PadOp>();
  if (!pad || !op.getChannelsLast() || !matchPattern(pad.getValue(), m_AnyZeroFloat()))
    return;
  SmallVector<int64_t> margins;
  for (int64_t axis = 1; axis + 1 < pad.getType().getRank(); ++axis)
    llvm::append_values(margins, pad.getLow()[axis], pad.getHigh()[axis]);
  if (llvm::any_of(margins, [](int64_t lines) { return lines != 0; }))
    op->setAttr(kMarginsAttr, DenseI64ArrayAttr::get(op.getContext(), margins));
}

struct PrepareConvolutions : impl::PrepareConvolutionsBase<PrepareConvolutions> {
  void runOnOperation() override {
    SmallVector<ConvolutionTransposeOp> transposed;
    getOperation().walk([&](ConvolutionTransposeOp op) {
      if (op.getChannelsLast())
        transposed.push_back(op);
    });
    for (ConvolutionTransposeOp op : transposed)
      if (isProduct(op))
        makeProduct(op);
      else
        padOutput(op);
    getOperation().walk(noteMargins);
  }
};

} // namespace
} // namespace mlir::gen
