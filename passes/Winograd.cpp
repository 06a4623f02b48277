//===- Winograd.cpp - convolutions for Winograd's algorithm ---------------===//

#include "passes/Winograd.h"

#include "dialect/ops/Convolution.h"

using namespace mlir;
using namespace mlir::gen;

bool mlir::gen::isSquareConvolution(ConvolutionOpInterface op, int64_t taps, int64_t stride) {
  ConvolutionWindow window = ConvolutionWindow::of(op);
  RankedTensorType weight = op.getWeight().getType();
  auto all = [](ArrayRef<int64_t> numbers, int64_t wanted) {
    return llvm::all_of(numbers, [&](int64_t number) { return number == wanted; });
  };
  auto isStatic = [](RankedTensorType type) {
    return type.getNumDynamicDims() <= type.isDynamicDim(0);
  };
  return window.channelsLast && window.groups == 1 && weight.getRank() == 4 &&
         all(weight.getShape().take_front(2), taps) && all(window.strides, stride) &&
         all(window.dilations, 1) && weight.getElementType().isF32() &&
         isStatic(op.getInput().getType()) && isStatic(op.getOutput().getType());
}

bool mlir::gen::isPadding(ArrayRef<int64_t> zeros) {
  return llvm::all_of(zeros, [](int64_t number) { return number >= 0; });
}

bool mlir::gen::isWorthTransforming(RankedTensorType image, RankedTensorType output) {
  constexpr int64_t kPixels = 2, kLeastChannels = 64, kLeastTiles = 16;
  ArrayRef<int64_t> y = output.getShape();
  return y[1] % kPixels == 0 && y[2] % kPixels == 0 && y[3] >= kLeastChannels &&
         image.getDimSize(3) >= kLeastChannels &&
         (y[1] / kPixels) * (y[2] / kPixels) >= kLeastTiles;
}

Value mlir::gen::withFrame(GenBuilder &b, Value images, ArrayRef<int64_t> low,
                           ArrayRef<int64_t> high) {
  auto frame = [](ArrayRef<int64_t> zeros) {
    return SmallVector<int64_t>{0, zeros[0], zeros[1], 0};
  };
  SmallVector<int64_t> none(4, 0), before = frame(low), behind = frame(high);
  if (before == none && behind == none)
    return images;
  auto type = cast<RankedTensorType>(images.getType());
  return b.make<PadOp>(images, cast<TypedAttr>(b.getZeroAttr(type.getElementType())), before,
                       behind, none);
}
