//===- TransformConvolutions.cpp - convolutions with fewer products -------===//
//
// In:   %y = gen.convolution %x, %w ... channels_last
//           : (tensor<8x18x18x256xf32>, tensor<3x3x256x256xf32>) -> tensor<8x16x16x256xf32>
// Out:  %t = gen.winograd_split %x ... -> tensor<36x8x4x4x256xf32>     tiles of 6 x 6 pixels
//       %u = gen.winograd_split (gen.transpose %w) ... -> tensor<36x256x1x1x256xf32>
//       %p = gen.matmul %t, %u : (tensor<36x128x256xf32>, tensor<36x256x256xf32>) -> ...
//       %y = gen.winograd_join %p ... -> tensor<8x16x16x256xf32>       tiles of 4 x 4 pixels
//
// Each tile takes 36 products for each pair of channels, where the convolution takes 144. The
// transformations go through memory once more; they pay off where there are many channels. The
// gradient with respect to the input is such a convolution, too, of the output's gradient with the
// taps in reverse. That with respect to the weight is the transposed of the same steps: the
// products of tiles of the image and of the output's gradient, summed over tiles, and the taps of
// that. A weight that the entry does not assign is transformed when it is packed.
//
//===----------------------------------------------------------------------===//

#include "dialect/Builder.h"
#include "dialect/ops/Convolution.h"
#include "dialect/ops/Winograd.h"
#include "passes/Passes.h"
#include "passes/Winograd.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::gen {
#define GEN_PASS_DEF_TRANSFORMCONVOLUTIONS
#include "passes/Passes.h.inc"

namespace {

/// A convolution, its transpose or its gradient as one of `image`, which is to be padded: [low,
/// high] zeros along both axes. One of image, output and weight is what the op computes.
struct Form {
  Value image, output, weight;
  SmallVector<int64_t> low, high;
  bool isTransposed;
  WinogradAlgorithm algorithm;

  /// None if there is no algorithm for the op.
  static std::optional<Form> of(ConvolutionOpInterface op);

  RankedTensorType type() const { return cast<RankedTensorType>(output.getType()); }
  RankedTensorType imageType() const { return cast<RankedTensorType>(image.getType()); }
};

std::optional<Form> plainForm(ConvolutionOpInterface op) {
  int64_t taps = op.getWeight().getType().getDimSize(0);
  Form form{op.getInput(),
            op.getOutput(),
            op.getWeight(),
            SmallVector<int64_t>(op.getLow()),
            SmallVector<int64_t>(op.getHigh()),
            op->getResult(0) == op.getInput(),
            {}};
  if (form.isTransposed) {
    std::swap(form.image, form.output);
    for (int64_t &zeros : llvm::concat<int64_t>(form.low, form.high))
      zeros = taps - 1 - zeros;
  }
  auto algorithm = chooseWinograd(form.imageType(), form.type(), taps);
  if (!algorithm)
    return std::nullopt;
  form.algorithm = *algorithm;
  return form;
}

/// A transposed convolution of 4 x 4 taps that doubles its images.
std::optional<Form> doublingForm(ConvolutionOpInterface op) {
  constexpr int64_t kTaps = 2;
  auto isOne = [](int64_t zeros) { return zeros == 1; };
  if (op->getResult(0) != op.getInput() || !llvm::all_of(op.getLow(), isOne) ||
      !llvm::all_of(op.getHigh(), isOne))
    return std::nullopt;
  RankedTensorType image = op.getOutput().getType();
  SmallVector<int64_t> phase(image.getShape());
  phase.back() = op.getInput().getType().getShape().back();
  auto algorithm = chooseWinograd(image, image.clone(phase), kTaps);
  if (!algorithm)
    return std::nullopt;
  return Form{op.getOutput(), op.getInput(), op.getWeight(),          {1, 1},
              {1, 1},         true,          algorithm->interleaved()};
}

std::optional<Form> Form::of(ConvolutionOpInterface op) {
  constexpr int64_t kDoublingTaps = 4;
  std::optional<Form> form;
  if (isSquareConvolution(op, op.getWeight().getType().getDimSize(0), /*stride=*/1))
    form = plainForm(op);
  else if (isSquareConvolution(op, kDoublingTaps, /*stride=*/2))
    form = doublingForm(op);
  return form && isPadding(form->low) && isPadding(form->high) ? form : std::nullopt;
}

/// [squares, channels of the image, 1, 1, channels of the result].
Value transformedWeight(GenBuilder &b, const Form &form) {
  const WinogradAlgorithm &algorithm = form.algorithm;
  SmallVector<double> matrix(algorithm.weight);
  if (form.isTransposed)
    for (int64_t row = 0; row < algorithm.products; ++row)
      std::reverse(&matrix[row * algorithm.taps], &matrix[row * algorithm.taps] + algorithm.taps);
  SmallVector<int64_t> order = {2, 0, 1, 3};
  if (form.isTransposed)
    std::swap(order[0], order[3]);
  RankedTensorType type = form.type();
  return b.make<WinogradSplitOp>(
      type.clone({algorithm.squares(), form.imageType().getDimSize(3), 1, 1, type.getDimSize(3)}),
      b.transpose(form.weight, order), matrix, algorithm.products, /*step=*/1);
}

/// Images in tiles, one after the other: [squares, tiles, channels].
struct Tiles {
  GenBuilder &b;
  RankedTensorType type; // of the images that are split, or joined, in tiles of `pixels`
  int64_t squares, pixels;
  SmallVector<Value> images = {}, tiles = {};
  int64_t height = type.getDimSize(1) / pixels, width = type.getDimSize(2) / pixels;

  Tiles(GenBuilder &b, const Form &form)
      : b(b), type(form.type()), squares(form.algorithm.squares()),
        pixels(form.algorithm.pixels()) {
    if (!type.isDynamicDim(0))
      return;
    images.push_back(b.createOrFold<tensor::DimOp>(form.image, int64_t(0)));
    tiles.push_back(b.createOrFold<arith::MulIOp>(
        images[0], arith::ConstantIndexOp::create(b, height * width)));
  }

  RankedTensorType split(int64_t channels) const {
    return type.clone({squares, type.getDimSize(0), height, width, channels});
  }
  Value flat(Value value) {
    int64_t number =
                type.isDynamicDim(0) ? ShapedType::kDynamic : type.getDimSize(0) * height * width,
            channels = cast<RankedTensorType>(value.getType()).getShape().back();
    return b.make<ReshapeOp>(type.clone({squares, number, channels}), value, tiles);
  }
  Value apart(Value value) { return b.make<ReshapeOp>(split(type.getDimSize(3)), value, images); }
};

/// Rounding grows with the size of tiles. For the larger ones the chains of roundings are kept
/// short. (The gradient of a weight sums over tiles, far fewer than the pixels of a plain sum.)
IntegerAttr chainOf(GenBuilder &b, const WinogradAlgorithm &algorithm) {
  constexpr int64_t kChain = 64, kSmallTile = 2;
  return algorithm.step > kSmallTile ? b.getI64IntegerAttr(kChain) : IntegerAttr();
}

Value convolved(GenBuilder &b, const Form &form, Value image) {
  Tiles tiles(b, form);
  Value weight = transformedWeight(b, form);
  int64_t channels = form.imageType().getDimSize(3), results = form.type().getDimSize(3);
  Value flat = b.make<ReshapeOp>(form.type().clone({tiles.squares, channels, results}), weight,
                                 ValueRange());
  Value product = b.matmul(tiles.flat(image), flat, /*transposeLhs=*/false, /*transposeRhs=*/false,
                           chainOf(b, form.algorithm));
  return b.make<WinogradJoinOp>(form.type(), tiles.apart(product), form.algorithm.result,
                                tiles.pixels, tiles.pixels);
}

SmallVector<double> transposed(ArrayRef<double> matrix, int64_t columns) {
  SmallVector<double> result;
  for (int64_t column = 0; column < columns; ++column)
    for (size_t at = column; at < matrix.size(); at += columns)
      result.push_back(matrix[at]);
  return result;
}

/// The gradient of the weight: G^T [(B^T x B) * (A y A^T)] G, summed over tiles.
Value weightGradient(GenBuilder &b, const Form &form, Value image) {
  Tiles tiles(b, form);
  const WinogradAlgorithm &algorithm = form.algorithm;
  RankedTensorType type = form.type();
  int64_t channels = form.imageType().getDimSize(3), results = type.getDimSize(3),
          taps = algorithm.taps;
  Value output = b.make<WinogradSplitOp>(tiles.split(results), form.output,
                                         transposed(algorithm.result, algorithm.products),
                                         algorithm.products, tiles.pixels);
  Value product = b.matmul(tiles.flat(image), tiles.flat(output), /*transposeLhs=*/true,
                           /*transposeRhs=*/false);
  Value apart = b.make<ReshapeOp>(type.clone({tiles.squares, channels, 1, 1, results}), product,
                                  ValueRange());
  Value sum = b.make<WinogradJoinOp>(type.clone({channels, taps, taps, results}), apart,
                                     transposed(algorithm.weight, taps), taps, taps);
  return b.transpose(sum, {1, 2, 0, 3});
}

void transform(ConvolutionOpInterface op, const Form &form) {
  GenBuilder b(op.getLoc(), op);
  Value image =
      b.make<WinogradSplitOp>(Tiles(b, form).split(form.imageType().getDimSize(3)),
                              withFrame(b, form.image, form.low, form.high), form.algorithm.image,
                              form.algorithm.products, form.algorithm.step);
  bool isGradient = op->getResult(0) == op.getWeight();
  op->getResult(0).replaceAllUsesWith((isGradient ? weightGradient : convolved)(b, form, image));
  op->erase();
}

struct TransformConvolutions : impl::TransformConvolutionsBase<TransformConvolutions> {
  void runOnOperation() override {
    for (auto op : llvm::to_vector(getOperation().getOps<ConvolutionOpInterface>()))
      if (std::optional<Form> form = Form::of(op))
        transform(op, *form);
  }
};

} // namespace
} // namespace mlir::gen
