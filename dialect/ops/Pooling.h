//===- Pooling.h - the windows of pooling ops -------------------*- C++ -*-===//

#ifndef GEN_DIALECT_OPS_POOLING_H
#define GEN_DIALECT_OPS_POOLING_H

#include "dialect/Gen.h"

namespace mlir::gen {

/// A pooling op's attributes. Numbers are by spatial axis.
struct PoolingWindows {
  ArrayRef<int64_t> window, strides, low, high;
  bool channelsLast;

  int64_t spatialRank() const { return static_cast<int64_t>(window.size()); }
  /// The tensors' axis of spatial axis i.
  int64_t axis(int64_t i) const { return channelsLast ? i + 1 : i + 2; }
  /// Positions of one window.
  int64_t elements() const {
    int64_t product = 1;
    for (int64_t size : window)
      product *= size;
    return product;
  }
  /// The number of windows along spatial axis i of an image is (size + extra(i)) / strides[i].
  int64_t extra(int64_t i) const { return low[i] + high[i] - window[i] + strides[i]; }
  /// That number; dynamic for a dynamic size.
  int64_t count(int64_t i, int64_t size) const {
    return ShapedType::isDynamic(size) ? size : (size + extra(i)) / strides[i];
  }
  /// The shape of one element a window.
  SmallVector<int64_t> shape(ArrayRef<int64_t> image) const {
    SmallVector<int64_t> shape(image);
    for (int64_t i = 0; i < spatialRank(); ++i)
      shape[axis(i)] = count(i, image[axis(i)]);
    return shape;
  }
};

/// Of a pooling op or its adaptor.
template <typename Op> PoolingWindows windowsOf(Op op) {
  return {op.getWindow(), op.getStrides(), op.getLow(), op.getHigh(), op.getChannelsLast()};
}

} // namespace mlir::gen

#endif // GEN_DIALECT_OPS_POOLING_H
