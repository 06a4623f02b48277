//===- Convolution.h - the shapes of convolutions ---------------*- C++ -*-===//
//
// Where the axes of a convolution's input, weight and output are, and how their sizes depend on
// each other.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_DIALECT_OPS_CONVOLUTION_H
#define GEN_DIALECT_OPS_CONVOLUTION_H

#include "dialect/Gen.h"

namespace mlir::gen {

/// Of a convolution with channels last whose operand 0 has a frame of zeros: how many lines before
/// and behind it along each spatial axis, in turns. Kernels need not multiply by them.
constexpr llvm::StringLiteral kMarginsAttr = "gen.margins";

/// Of a convolution that gen-batch-last has made, see hasBatchLast().
constexpr llvm::StringLiteral kBatchLastAttr = "gen.batch_last";

/// Numbers of axes. Input and output have one layout, the weight its own.
struct ConvolutionAxes {
  int64_t rank;
  bool channelsLast;

  /// 1 to 3.
  int64_t spatialRank() const { return rank - 2; }
  static constexpr int64_t batch = 0;
  /// The channels of input and output; spatial axis i of them.
  int64_t channels() const { return channelsLast ? rank - 1 : 1; }
  int64_t spatial(int64_t i) const { return channelsLast ? i + 1 : i + 2; }
  /// The weight's axes.
  int64_t outputChannels() const { return channelsLast ? rank - 1 : 0; }
  int64_t inputChannels() const { return channelsLast ? rank - 2 : 1; }
  int64_t kernel(int64_t i) const { return channelsLast ? i : i + 2; }
};

/// What the three ops have in common, op by op or while one is being made.
struct ConvolutionWindow {
  ArrayRef<int64_t> strides, low, high, dilations;
  int64_t groups;
  bool channelsLast;

  static ConvolutionWindow of(ConvolutionOpInterface op) {
    return {op.getStrides(),
            op.getLow(),
            op.getHigh(),
            op.getDilations(),
            static_cast<int64_t>(op.getGroups()),
            op.getChannelsLast()};
  }

  ConvolutionAxes axes() const { return {static_cast<int64_t>(strides.size()) + 2, channelsLast}; }

  /// The output's size along spatial axis i is (input + extra(i)) / strides[i], for a weight of
  /// size `kernel` there.
  int64_t extra(int64_t i, int64_t kernel) const {
    return low[i] + high[i] - (kernel - 1) * dilations[i] - 1 + strides[i];
  }
  /// That size; dynamic for a dynamic one.
  int64_t outputSize(int64_t i, int64_t input, int64_t kernel) const {
    return ShapedType::isDynamic(input) ? input : (input + extra(i, kernel)) / strides[i];
  }
};

/// True if the op's last spatial axis is the batch: of one image, channels first, with windows of
/// one position there. Nothing is padded but the result of a transposed convolution.
inline bool hasBatchLast(ConvolutionOpInterface op) {
  if (!op->hasAttr(kBatchLastAttr))
    return false;
  ConvolutionWindow window = ConvolutionWindow::of(op);
  int64_t last = window.axes().spatialRank() - 1;
  auto isZero = [](int64_t padding) { return padding == 0; };
  auto isOne = [](int64_t step) { return step == 1; };
  bool isPadded = !llvm::all_of(window.low, isZero) || !llvm::all_of(window.high, isZero);
  return !window.channelsLast && window.groups == 1 && last > 0 &&
         llvm::all_of(window.dilations, isOne) && op.getInput().getType().getDimSize(0) == 1 &&
         op.getWeight().getType().getShape().back() == 1 && window.strides[last] == 1 &&
         window.low[last] == 0 && window.high[last] == 0 &&
         (!isPadded || op->getResult(0) == op.getInput());
}

} // namespace mlir::gen

#endif // GEN_DIALECT_OPS_CONVOLUTION_H
