//===- Winograd.h - convolutions for Winograd's algorithm -------*- C++ -*-===//

#ifndef GEN_PASSES_WINOGRAD_H
#define GEN_PASSES_WINOGRAD_H

#include "dialect/Builder.h"
#include "dialect/Gen.h"

namespace mlir::gen {

/// True for an f32 convolution of images, or one of its gradients, with channels last, without
/// groups and dilations, static but for the number of images, of `taps` x `taps` taps every
/// `stride` pixels.
bool isSquareConvolution(ConvolutionOpInterface op, int64_t taps, int64_t stride);

/// True if none of the numbers of zeros at a border is negative.
bool isPadding(ArrayRef<int64_t> zeros);

/// True if a convolution without a stride that makes `output` of `image`, both channels last and
/// static but for the number of images, has enough channels for the products to outweigh the
/// transformations, and enough tiles of 2 x 2 pixels for the transformed weight, which is larger.
/// The number of images does not matter: what a call computes for one has the same bits in every
/// batch.
bool isWorthTransforming(RankedTensorType image, RankedTensorType output);

/// `images`, channels last, with that many zeros before and behind each of the two spatial axes.
Value withFrame(GenBuilder &b, Value images, ArrayRef<int64_t> low, ArrayRef<int64_t> high);

} // namespace mlir::gen

#endif // GEN_PASSES_WINOGRAD_H
