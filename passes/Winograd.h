//===- Winograd.h - where Winograd's algorithm pays -------------*- C++ -*-===//

#ifndef GEN_PASSES_WINOGRAD_H
#define GEN_PASSES_WINOGRAD_H

#include "mlir/IR/BuiltinTypes.h"

namespace mlir::gen {

/// True if a convolution without a stride that makes `output` of `image`, both channels last and
/// static but for the number of images, has enough channels for the products to outweigh the
/// transformations, and enough tiles of 2 x 2 pixels for the transformed weight, which is larger.
/// The number of images does not matter: what a call computes for one has the same bits in every
/// batch.
inline bool isWorthTransforming(RankedTensorType image, RankedTensorType output) {
  constexpr int64_t kPixels = 2, kLeastChannels = 64, kLeastTiles = 16;
  ArrayRef<int64_t> y = output.getShape();
  return y[1] % kPixels == 0 && y[2] % kPixels == 0 && y[3] >= kLeastChannels &&
         image.getDimSize(3) >= kLeastChannels &&
         (y[1] / kPixels) * (y[2] / kPixels) >= kLeastTiles;
}

} // namespace mlir::gen

#endif // GEN_PASSES_WINOGRAD_H
