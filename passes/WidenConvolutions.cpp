//===- WidenConvolutions.cpp - runs of pixels as one of more channels -----===//
//
// In:   %y = gen.convolution %x, %w strides [1, 1] ... channels_last
//           : (tensor<8x32x32x1xf32>, tensor<5x5x1x6xf32>) -> tensor<8x28x28x6xf32>
// Out:  %v = gen.concat (gen.pad %w), (gen.pad %w) axis 3 : tensor<5x6x1x12xf32>
//       %p = gen.convolution %x, %v strides [1, 2] ... -> tensor<8x28x14x12xf32>
//       %y = gen.reshape %p
//
// The channels of the result are the lanes of a product's tile, and a few leave most of them idle.
// So a run of pixels of a line is computed as one pixel of all of their channels, by the taps of
// each among zeros. The gradient with respect to the weight is that of the wide weight, whose parts
// are added. What follows element by element keeps to the wide pixels.
//
// An infinite or undefined pixel meets the zeros, too: it shows in all of its run.
//
//===----------------------------------------------------------------------===//

#include "dialect/Builder.h"
#include "dialect/ops/Convolution.h"
#include "passes/Passes.h"
#include "passes/kernels/KernelEmitter.h"
#include "passes/kernels/Products.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::gen {
#define GEN_PASS_DEF_WIDENCONVOLUTIONS
#include "passes/Passes.h.inc"

namespace {

constexpr int64_t kLanes = kernels::kLanes;

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The part of a tile's products that the result consists of, if `run` pixels of `columns` channels
/// are one: without idle lanes, and zeros among `taps` along a line.
double efficiency(int64_t columns, int64_t taps, int64_t step, int64_t run) {
  auto lanes = static_cast<double>(llvm::alignTo(columns * run, kLanes));
  return static_cast<double>(columns * run) / lanes * static_cast<double>(taps) /
         static_cast<double>(taps + step * (run - 1));
}

/// How many pixels of a line of `width` to join; 1 if it does not pay.
int64_t chooseRun(int64_t columns, int64_t taps, int64_t step, int64_t width) {
  constexpr double kGain = 1.3;
  if (columns >= kLanes || ShapedType::isDynamic(width))
    return 1;
  int64_t best = 1;
  for (int64_t run = 2; run <= std::min(width, kLanes); ++run)
    if (width % run == 0 &&
        efficiency(columns, taps, step, run) > efficiency(columns, taps, step, best))
      best = run;
  double gain = efficiency(columns, taps, step, best) / efficiency(columns, taps, step, 1);
  return gain >= kGain ? best : 1;
}

/// Widens one convolution.
class Widener {
public:
  Widener(ConvolutionOpInterface op, GenBuilder &b)
      : op(op), b(b), window(ConvolutionWindow::of(op)), axes(window.axes()),
        line(axes.spatialRank() - 1), weight(op.getWeight().getType()) {}

  /// Puts the wide convolution in the place of the op and returns the reshape of its result, if
  /// what follows may keep to it; null if there is none.
  ReshapeOp widen() {
    if (!window.channelsLast || window.groups != 1 || !weight.getElementType().isF32() ||
        window.dilations[line] != 1 || usesLanes())
      return {};
    if (op->getResult(0) == op.getOutput())
      return widenOutput();
    if (op->getResult(0) == op.getWeight())
      widenWeightGradient();
    return {};
  }

private:
  /// True if few channels have a schedule whose lanes are something else.
  bool usesLanes() {
    kernels::ContractionSchedule schedule = kernels::convolutionProducts(op)->chooseSchedule();
    return schedule.transposed || schedule.dot;
  }

  /// Of an image of so many channels, stepping over another one.
  int64_t runOf(Value image, int64_t channels, int64_t step) {
    return chooseRun(channels, weight.getDimSize(axes.kernel(line)), step,
                     typeOf(image).getDimSize(axes.spatial(line)));
  }

  /// The type of an image with `run` pixels in one.
  RankedTensorType wide(RankedTensorType type, int64_t run) {
    SmallVector<int64_t> shape(type.getShape());
    shape[axes.spatial(line)] /= run;
    shape[axes.channels()] *= run;
    return type.clone(shape);
  }

  SmallVector<int64_t> wideStrides(ArrayRef<int64_t> strides, int64_t run) {
    SmallVector<int64_t> result(strides);
    result[line] *= run;
    return result;
  }

  /// [k..., c, o] with the taps of each pixel of a run, `step` apart, among zeros.
  Value wideWeight(int64_t run, int64_t step) {
    auto zero = cast<TypedAttr>(b.getZeroAttr(weight.getElementType()));
    SmallVector<int64_t> none(axes.rank, 0);
    SmallVector<Value> parts;
    for (int64_t pixel = 0; pixel < run; ++pixel) {
      SmallVector<int64_t> low(none), high(none);
      low[axes.kernel(line)] = pixel * step;
      high[axes.kernel(line)] = (run - 1 - pixel) * step;
      parts.push_back(b.make<PadOp>(op.getWeight(), zero, low, high, none));
    }
    return b.make<ConcatOp>(parts, axes.outputChannels());
  }

  ReshapeOp widenOutput() {
    Value result = op->getResult(0);
    RankedTensorType type = typeOf(result);
    int64_t step = window.strides[line],
            run = runOf(result, type.getDimSize(axes.channels()), step);
    if (run == 1)
      return {};
    Value product = ConvolutionOp::create(b, wide(type, run), op.getInput(), wideWeight(run, step),
                                          wideStrides(window.strides, run), window.low, window.high,
                                          window.dilations, /*groups=*/1, /*channels_last=*/true);
    auto reshape = ReshapeOp::create(b, type, product, b.dynamicSizes(product));
    result.replaceAllUsesWith(reshape);
    op->erase();
    return reshape;
  }

  /// The sum of the parts of the wide weight's gradient that meet the same taps.
  void widenWeightGradient() {
    Value output = op.getOutput();
    int64_t columns = weight.getDimSize(axes.outputChannels()), step = window.strides[line],
            run = runOf(output, columns, step);
    if (run == 1)
      return;
    SmallVector<int64_t> shape(weight.getShape()), starts(axes.rank, 0), ones(axes.rank, 1);
    shape[axes.kernel(line)] += step * (run - 1);
    shape[axes.outputChannels()] *= run;
    Value image = b.make<ReshapeOp>(wide(typeOf(output), run), output, b.dynamicSizes(output));
    Value gradient = ConvolutionWeightGradientOp::create(
        b, weight.clone(shape), op.getInput(), image, wideStrides(window.strides, run), window.low,
        window.high, window.dilations, /*groups=*/1, /*channels_last=*/true);
    Value sum;
    for (int64_t pixel = 0; pixel < run; ++pixel) {
      SmallVector<int64_t> limits(weight.getShape());
      starts[axes.kernel(line)] = pixel * step;
      limits[axes.kernel(line)] += pixel * step;
      starts[axes.outputChannels()] = pixel * columns;
      limits[axes.outputChannels()] = (pixel + 1) * columns;
      Value part = b.make<SliceOp>(gradient, starts, limits, ones);
      sum = sum ? b.add(sum, part) : part;
    }
    op->getResult(0).replaceAllUsesWith(sum);
    op->erase();
  }

  ConvolutionOpInterface op;
  GenBuilder &b;
  ConvolutionWindow window;
  ConvolutionAxes axes;
  int64_t line; ///< The spatial axis along which pixels lie side by side.
  RankedTensorType weight;
};

/// True if what reads `value` computes elements of its shape, each from those at the same index.
bool isReadElementwise(Value value) {
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    auto pointwise = dyn_cast<PointwiseOpInterface>(user);
    return pointwise && pointwise.isElementwise() && user->getNumResults() == 1 &&
           typeOf(user->getResult(0)).getShape() == typeOf(value).getShape();
  });
}

/// An operand of an elementwise op on `reshape`, for the wide pixels: the numbers of all channels
/// once more for each pixel of a run. Null if it has numbers of its own for each pixel.
Value wideOperand(Value operand, ReshapeOp reshape, GenBuilder &b) {
  if (operand == reshape.getResult())
    return reshape.getInput();
  RankedTensorType type = typeOf(operand);
  auto isOne = [](int64_t size) { return size == 1; };
  if (llvm::all_of(type.getShape(), isOne))
    return operand;
  int64_t channels = reshape.getType().getShape().back();
  if (type.getShape().back() != channels || !llvm::all_of(type.getShape().drop_back(), isOne))
    return {};
  SmallVector<Value> copies(typeOf(reshape.getInput()).getShape().back() / channels, operand);
  return b.make<ConcatOp>(copies, type.getRank() - 1);
}

/// `op` on the wide pixels, and the reshape of its result, which replaces it; null if it cannot be.
ReshapeOp keepWide(Operation *op, ReshapeOp reshape) {
  GenBuilder b(op->getLoc(), op);
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    Value wide = wideOperand(operand, reshape, b);
    if (!wide)
      return {};
    mapping.map(operand, wide);
  }
  RankedTensorType type = typeOf(op->getResult(0));
  Operation *clone = b.clone(*op, mapping);
  clone->getResult(0).setType(type.clone(typeOf(reshape.getInput()).getShape()));
  auto result = ReshapeOp::create(b, type, clone->getResult(0), reshape.getSizes());
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
  return result;
}

struct WidenConvolutions : impl::WidenConvolutionsBase<WidenConvolutions> {
  void runOnOperation() override {
    SmallVector<ConvolutionOpInterface> convolutions;
    getOperation().walk([&](ConvolutionOpInterface op) { convolutions.push_back(op); });
    for (ConvolutionOpInterface op : convolutions) {
      GenBuilder b(op.getLoc(), op);
      ReshapeOp reshape = Widener(op, b).widen();
      while (reshape && reshape->hasOneUse() && isReadElementwise(reshape))
        reshape = keepWide(*reshape->user_begin(), reshape);
    }
  }
};

} // namespace
} // namespace mlir::gen
