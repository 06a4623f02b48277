//===- Winograd.h - convolutions for Winograd's algorithm -------*- C++ -*-===//

#ifndef GEN_PASSES_WINOGRAD_H
#define GEN_PASSES_WINOGRAD_H

#include "dialect/Builder.h"
#include "dialect/Gen.h"

namespace mlir::gen {

/// A convolution by tiles: y = A^T [(G w G^T) * (B^T x B)] A, with * element by element, for each
/// tile x of the image and y of the output.
/// Source: Lavin, Gray: Fast Algorithms for Convolutional Neural Networks, CVPR 2016.
struct WinogradAlgorithm {
  int64_t taps;     ///< Of the weight, along an axis; so are all numbers here.
  int64_t products; ///< Of a tile.
  int64_t step;     ///< From one tile of the image to the next.
  SmallVector<double> image = {}, weight = {}, result = {}; ///< B^T, G and A^T, row-major.

  /// F(points + 2 - taps, taps), the construction of Toom and Cook: polynomials are multiplied at
  /// `points`, all different, and at infinity.
  static WinogradAlgorithm at(ArrayRef<double> points, int64_t taps);

  /// The same for a transposed convolution of twice as many taps with a stride of 2, whose
  /// outputs of even number are a convolution of every other tap, and those of odd number one of
  /// the others, of a tile that begins one pixel later.
  WinogradAlgorithm interleaved() const;

  /// Pixels of a tile of the output.
  int64_t pixels() const { return static_cast<int64_t>(result.size()) / products; }
  int64_t squares() const { return products * products; }
};

/// True for an f32 convolution of images, or one of its gradients, with channels last, without
/// groups and dilations, static but for the number of images, of `taps` x `taps` taps every
/// `stride` pixels.
bool isSquareConvolution(ConvolutionOpInterface op, int64_t taps, int64_t stride);

/// True if none of the numbers of zeros at a border is negative.
bool isPadding(ArrayRef<int64_t> zeros);

/// The algorithm for a convolution of `taps` x `taps` taps without a stride that makes `output` of
/// `image`, both channels last and static but for the number of images: the one of the largest
/// tiles for which there are enough of them for the transformed weight, which is larger. None if
/// there is no such one, or too few channels for the products to outweigh the transformations.
/// The number of images does not matter: what a call computes for one has the same bits in every
/// batch.
std::optional<WinogradAlgorithm> chooseWinograd(RankedTensorType image, RankedTensorType output,
                                                int64_t taps);

/// `images`, channels last, with that many zeros before and behind each of the two spatial axes.
Value withFrame(GenBuilder &b, Value images, ArrayRef<int64_t> low, ArrayRef<int64_t> high);

} // namespace mlir::gen

#endif // GEN_PASSES_WINOGRAD_H
