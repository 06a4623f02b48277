//===- FoldStrides.cpp - steps of two pixels as channels ------------------===//
//
// In:   %y = gen.convolution %x, %w strides [2, 2] ... channels_last
//           : (tensor<8x18x18x64xf32>, tensor<4x4x64x128xf32>) -> tensor<8x8x8x128xf32>
// Out:  %s = squares of 2 x 2 pixels of %x as one pixel : tensor<8x9x9x256xf32>
//       %t = taps of %w in the same order : tensor<2x2x256x128xf32>
//       %y = gen.convolution %s, %t strides [1, 1] ... -> tensor<8x8x8x128xf32>
//
// The same products in another order ("space to depth"), where the next pass needs fewer of them.
//
//===----------------------------------------------------------------------===//

#include "dialect/Builder.h"
#include "dialect/ops/Convolution.h"
#include "passes/Passes.h"
#include "passes/Winograd.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::gen {
#define GEN_PASS_DEF_FOLDSTRIDES
#include "passes/Passes.h.inc"

namespace {

constexpr int64_t kStride = 2, kTaps = 2;

/// The input's type with its frame of zeros.
RankedTensorType framedType(ConvolutionOpInterface op) {
  RankedTensorType type = op.getInput().getType();
  SmallVector<int64_t> shape(type.getShape());
  for (int64_t i : {0, 1})
    shape[i + 1] += op.getLow()[i] + op.getHigh()[i];
  return type.clone(shape);
}

RankedTensorType foldedType(ConvolutionOpInterface op) {
  RankedTensorType type = framedType(op);
  ArrayRef<int64_t> x = type.getShape();
  return type.clone({x[0], x[1] / kStride, x[2] / kStride, x[3] * kStride * kStride});
}

bool isFoldable(ConvolutionOpInterface op) {
  RankedTensorType input = op.getInput().getType(), output = op.getOutput().getType();
  if (op->getResult(0) == op.getInput() || !isSquareConvolution(op, kStride * kTaps, kStride) ||
      !isPadding(op.getLow()) || !isPadding(op.getHigh()))
    return false;
  ArrayRef<int64_t> x = framedType(op).getShape(), y = output.getShape();
  return x[1] == kStride * (y[1] + 1) && x[2] == kStride * (y[2] + 1) &&
         chooseWinograd(input, output, kTaps);
}

Value foldedImage(GenBuilder &b, ConvolutionOpInterface op) {
  RankedTensorType framed = framedType(op), folded = foldedType(op);
  ArrayRef<int64_t> x = framed.getShape(), y = folded.getShape();
  Value image = withFrame(b, op.getInput(), op.getLow(), op.getHigh());
  SmallVector<Value> images;
  if (framed.isDynamicDim(0))
    images.push_back(b.createOrFold<tensor::DimOp>(op.getInput(), int64_t(0)));
  Value squares =
      b.make<ReshapeOp>(framed.clone({x[0], y[1], kStride, y[2], kStride, x[3]}), image, images);
  return b.make<ReshapeOp>(folded, b.transpose(squares, {0, 1, 3, 2, 4, 5}), images);
}

/// [4, 4, c, o] as [2, 2, 4 c, o].
Value foldedWeight(GenBuilder &b, TypedValue<RankedTensorType> weight) {
  RankedTensorType type = weight.getType();
  int64_t c = type.getDimSize(2), o = type.getDimSize(3);
  Value taps =
      b.make<ReshapeOp>(type.clone({kTaps, kStride, kTaps, kStride, c, o}), weight, ValueRange());
  return b.make<ReshapeOp>(type.clone({kTaps, kTaps, kStride * kStride * c, o}),
                           b.transpose(taps, {0, 2, 1, 3, 4, 5}), ValueRange());
}

/// And back.
Value unfoldedWeight(GenBuilder &b, Value folded, RankedTensorType type) {
  int64_t c = type.getDimSize(2), o = type.getDimSize(3);
  Value taps =
      b.make<ReshapeOp>(type.clone({kTaps, kTaps, kStride, kStride, c, o}), folded, ValueRange());
  return b.make<ReshapeOp>(type, b.transpose(taps, {0, 2, 1, 3, 4, 5}), ValueRange());
}

void fold(ConvolutionOpInterface op) {
  GenBuilder b(op.getLoc(), op);
  auto ones = b.getDenseI64ArrayAttr({1, 1}), zeros = b.getDenseI64ArrayAttr({0, 0});
  Value image = foldedImage(b, op);
  RankedTensorType weight = op.getWeight().getType();
  Value result;
  if (op->getResult(0) == op.getWeight()) {
    auto folded = weight.clone({kTaps, kTaps, foldedType(op).getDimSize(3), weight.getDimSize(3)});
    result = unfoldedWeight(
        b,
        ConvolutionWeightGradientOp::create(b, folded, image, op.getOutput(), ones, zeros, zeros,
                                            ones, /*groups=*/1, /*channels_last=*/true),
        weight);
  } else {
    result = ConvolutionOp::create(b, op.getOutput().getType(), image,
                                   foldedWeight(b, op.getWeight()), ones, zeros, zeros, ones,
                                   /*groups=*/1, /*channels_last=*/true);
  }
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
}

struct FoldStrides : impl::FoldStridesBase<FoldStrides> {
  void runOnOperation() override {
    for (auto op : llvm::to_vector(getOperation().getOps<ConvolutionOpInterface>()))
      if (isFoldable(op))
        fold(op);
  }
};

} // namespace
} // namespace mlir::gen
