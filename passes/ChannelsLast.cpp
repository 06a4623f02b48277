//===- ChannelsLast.cpp - images with channels as the last axis -----------===//
//
// In:   %y = gen.convolution %x, %w ... : (tensor<8x3x32x32xf32>, tensor<64x3x3x3xf32>)
//       %z = gen.relu %y : tensor<8x64x32x32xf32>
// Out:  %p = gen.pad (gen.transpose %x permutation [0, 2, 3, 1])
//       %y = gen.convolution %p, (gen.transpose %w permutation [2, 3, 1, 0]) ... channels_last
//       %z = gen.transpose (gen.relu %y) permutation [0, 3, 1, 2]
//
// Channels last, what a convolution multiplies at once is one run of memory. Models say channels
// first; here each convolution gets transposes around it, and the one on its result moves down
// through the ops that can do without it (PermutableOpInterface), to the next convolution, where it
// meets its inverse. What remains is at the ends: an entry's images, and where they are flattened.
// Padding becomes an op of its own, so that a kernel reads inside of its operands only; transposed
// convolutions, whose padding is on the result, keep theirs.
//
// The gradients of weights are transposed back at once: optimizers work on the weights as stored.
//
//===----------------------------------------------------------------------===//

#include "dialect/Permutation.h"
#include "dialect/ops/Convolution.h"
#include "passes/MovingTransposes.h"
#include "passes/Passes.h"

namespace mlir::gen {
#define GEN_PASS_DEF_CHANNELSLAST
#include "passes/Passes.h.inc"

namespace {

/// [2, ..., rank - 1, 1, 0]: a weight from channels first to channels last.
SmallVector<int64_t> weightPermutation(int64_t rank) {
  SmallVector<int64_t> permutation;
  for (int64_t axis = 2; axis < rank; ++axis)
    permutation.push_back(axis);
  permutation.append({1, 0});
  return permutation;
}

class Layouts {
public:
  void run(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (auto convolution = dyn_cast<ConvolutionOpInterface>(op)) {
        convolution = toChannelsLast(convolution);
        if (convolution.getInput() != convolution->getResult(0))
          padInput(convolution);
      } else if (auto permutable = dyn_cast<PermutableOpInterface>(op)) {
        transposes.moveDown(permutable);
      }
    }
    eraseDeadOps(block);
  }

private:
  ConvolutionOpInterface toChannelsLast(ConvolutionOpInterface op);
  static void padInput(ConvolutionOpInterface op);

  MovingTransposes transposes;
};

} // namespace

ConvolutionOpInterface Layouts::toChannelsLast(ConvolutionOpInterface op) {
  if (op.getChannelsLast() || hasBatchLast(op))
    return op;
  GenBuilder b(op.getLoc(), op);
  Value weight = op.getWeight(), result = op->getResult(0);
  int64_t rank = op.getWeight().getType().getRank();
  SmallVector<int64_t> ofImage = channelsLastPermutation(rank), ofWeight = weightPermutation(rank);
  ArrayRef<int64_t> ofResult = result == weight ? ofWeight : ofImage;
  SmallVector<Value> operands, sizes;
  for (Value operand : op->getOperands()) {
    if (operand.getType().isIndex())
      sizes.push_back(operand);
    else
      operands.push_back(operand == weight ? b.transpose(operand, ofWeight)
                                           : transposeOrReshape(b, operand, ofImage));
  }
  if (!sizes.empty())
    llvm::append_range(operands,
                       permutedSizes(cast<RankedTensorType>(result.getType()), sizes, ofResult));
  Operation *made = b.clone(*op);
  made->setOperands(operands);
  made->getResult(0).setType(permutedType(result.getType(), ofResult));
  made->setAttr("channels_last", b.getUnitAttr());
  SmallVector<int64_t> back = inversePermutation(ofResult);
  result.replaceAllUsesWith(result == weight ? b.transpose(made->getResult(0), back)
                                             : transposes.back(b, made->getResult(0), back));
  op->erase();
  return cast<ConvolutionOpInterface>(made);
}

void Layouts::padInput(ConvolutionOpInterface op) {
  ConvolutionWindow window = ConvolutionWindow::of(op);
  ConvolutionAxes axes = window.axes();
  SmallVector<int64_t> low(axes.rank, 0), high(axes.rank, 0), none(axes.rank, 0);
  for (int64_t i = 0; i < axes.spatialRank(); ++i) {
    low[axes.spatial(i)] = window.low[i];
    high[axes.spatial(i)] = window.high[i];
  }
  if (low == none && high == none)
    return;
  GenBuilder b(op.getLoc(), op);
  Value input = op.getInput();
  auto zero = cast<TypedAttr>(b.getZeroAttr(op.getInput().getType().getElementType()));
  op->setOperand(0, b.make<PadOp>(input, zero, low, high, none));
  Attribute zeros = b.getDenseI64ArrayAttr(SmallVector<int64_t>(axes.spatialRank(), 0));
  op->setAttr("low", zeros);
  op->setAttr("high", zeros);
}

namespace {
struct ChannelsLast : impl::ChannelsLastBase<ChannelsLast> {
  void runOnOperation() override {
    Layouts layouts;
    getOperation().walk<WalkOrder::PreOrder>([&](Block *block) { layouts.run(*block); });
  }
};
} // namespace
} // namespace mlir::gen
