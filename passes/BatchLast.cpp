//===- BatchLast.cpp - few channels: the batch as the last axis ------------===//
//
// In:   %y = gen.convolution %x, %w ...
//           : (tensor<128x1x28x28xf32>, tensor<6x1x5x5xf32>) -> tensor<128x6x24x24xf32>
//       %z = gen.relu %y
// Out:  %b = gen.reshape (gen.transpose %x permutation [1, 2, 3, 0])
//       %p = gen.convolution %b, (gen.reshape %w) ...
//           : (tensor<1x1x28x28x128xf32>, tensor<6x1x5x5x1xf32>) -> tensor<1x6x24x24x128xf32>
//       %z = gen.transpose (gen.relu (gen.reshape %p)) permutation [3, 0, 1, 2]
//
// Channels last, the lanes of a kernel are channels, and a few of them leave most lanes idle.
// Images of a batch are many, and all of them do the same. So a convolution of few channels takes
// the batch as one more spatial axis, in which its weight is one long, and which lies contiguous in
// memory; pooling does, too. The transposes move as those of gen-channels-last do, to where images
// come from and where they are flattened. A weight stays as it is.
//
//===----------------------------------------------------------------------===//

#include "dialect/Permutation.h"
#include "dialect/ops/Convolution.h"
#include "passes/MovingTransposes.h"
#include "passes/Passes.h"
#include "passes/kernels/KernelEmitter.h"

namespace mlir::gen {
#define GEN_PASS_DEF_BATCHLAST
#include "passes/Passes.h.inc"

namespace {

/// True for a layer whose channels fill no vector on one side at least, and not more than one on
/// the other. Not so for a first layer of whole vectors, whose input needs no gradient, for sums of
/// whole vectors, whose lanes are channels that are summed, and for a single tap, which is little
/// work for the transposes around it.
bool hasFewChannels(RankedTensorType weight) {
  constexpr int64_t kLanes = kernels::kLanes, kImage = 4, kSums = 6;
  int64_t outputs = weight.getDimSize(0), inputs = weight.getDimSize(1);
  int64_t taps = llvm::product_of(weight.getShape().drop_front(2));
  return taps > 1 && inputs <= kLanes && outputs <= kLanes && inputs + outputs < 2 * kLanes &&
         !(outputs == kLanes && inputs <= kImage) && !(inputs == kLanes && outputs <= kSums);
}

class BatchLayouts {
public:
  explicit BatchLayouts(func::FuncOp function) {
    function.walk([&](ConvolutionWeightGradientOp) { isTraining = true; });
  }

  void run(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      auto convolution = dyn_cast<ConvolutionOpInterface>(op);
      if (convolution && gains(convolution))
        toBatchLast(convolution);
      else if (auto permutable = dyn_cast<PermutableOpInterface>(op))
        transposes.moveDown(permutable);
    }
    eraseDeadOps(block);
  }

private:
  /// A batch of unknown size is a large one where weights are trained.
  bool gains(ConvolutionOpInterface op) const {
    constexpr int64_t kMostSpatialAxes = 2;
    ConvolutionWindow window = ConvolutionWindow::of(op);
    RankedTensorType input = op.getInput().getType();
    int64_t batch = input.getDimSize(0);
    auto isOne = [](int64_t step) { return step == 1; };
    return !window.channelsLast && window.groups == 1 && llvm::all_of(window.dilations, isOne) &&
           window.axes().spatialRank() <= kMostSpatialAxes && input.getElementType().isF32() &&
           !llvm::is_contained(input.getShape().drop_front(), ShapedType::kDynamic) &&
           (ShapedType::isDynamic(batch) ? isTraining
                                         : batch > 0 && batch % kernels::kLanes == 0) &&
           hasFewChannels(op.getWeight().getType());
  }

  void toBatchLast(ConvolutionOpInterface op);

  MovingTransposes transposes;
  bool isTraining = false;
};

/// [n, c, s...] as [1, c, s..., n], with zeros around the spatial axes.
Value batchLastImage(GenBuilder &b, Value image, ArrayRef<int64_t> low, ArrayRef<int64_t> high) {
  auto type = cast<RankedTensorType>(image.getType());
  image = b.transpose(image, batchLastPermutation(type.getRank()));
  SmallVector<int64_t> before(type.getRank(), 0), after(before), none(before);
  llvm::copy(low, before.begin() + 1);
  llvm::copy(high, after.begin() + 1);
  if (before != none || after != none)
    image = b.make<PadOp>(image, cast<TypedAttr>(b.getZeroAttr(type.getElementType())), before,
                          after, none);
  return withLeadingOne(b, image);
}

/// The numbers of an attribute, one a spatial axis, and that of the batch.
DenseI64ArrayAttr withBatch(GenBuilder &b, ArrayRef<int64_t> numbers, int64_t ofBatch) {
  SmallVector<int64_t> all(numbers);
  all.push_back(ofBatch);
  return b.getDenseI64ArrayAttr(all);
}

void BatchLayouts::toBatchLast(ConvolutionOpInterface op) {
  GenBuilder b(op.getLoc(), op);
  Value weight = op.getWeight(), result = op->getResult(0);
  SmallVector<int64_t> low(op.getLow()), high(op.getHigh()), none(low.size(), 0);
  bool isPadded = op.getInput() != result;
  RankedTensorType weightType = op.getWeight().getType();
  SmallVector<int64_t> weightShape(weightType.getShape());
  weightShape.push_back(1);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    if (operand.getType().isIndex())
      operands.push_back(operand); // the batch, the one size that may be dynamic
    else if (operand == weight)
      operands.push_back(b.make<ReshapeOp>(weightType.clone(weightShape), operand, ValueRange()));
    else if (isPadded && operand == op.getInput())
      operands.push_back(batchLastImage(b, operand, low, high));
    else
      operands.push_back(batchLastImage(b, operand, none, none));
  }
  Operation *made = b.clone(*op);
  made->setOperands(operands);
  made->setAttr(kBatchLastAttr, b.getUnitAttr());
  made->setAttr("strides", withBatch(b, op.getStrides(), 1));
  made->setAttr("dilations", withBatch(b, op.getDilations(), 1));
  made->setAttr("low", withBatch(b, isPadded ? none : low, 0));
  made->setAttr("high", withBatch(b, isPadded ? none : high, 0));
  Value sum = made->getResult(0);
  if (result == weight) {
    sum.setType(weightType.clone(weightShape));
    result.replaceAllUsesWith(b.make<ReshapeOp>(weightType, sum, ValueRange()));
  } else {
    auto type = cast<RankedTensorType>(result.getType());
    SmallVector<int64_t> permutation = batchLastPermutation(type.getRank());
    SmallVector<int64_t> shape = permuted(type.getShape(), permutation);
    shape.insert(shape.begin(), 1);
    sum.setType(type.clone(shape));
    result.replaceAllUsesWith(
        transposes.back(b, withoutLeadingOne(b, sum), inversePermutation(permutation)));
  }
  op->erase();
}

struct BatchLast : impl::BatchLastBase<BatchLast> {
  void runOnOperation() override {
    BatchLayouts layouts(getOperation());
    getOperation().walk<WalkOrder::PreOrder>([&](Block *block) { layouts.run(*block); });
  }
};

} // namespace
} // namespace mlir::gen
