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

/// The coefficients of the product of (x - root) for all roots but number `skipped`, the constant
/// first.
static SmallVector<double> polynomial(ArrayRef<double> roots, size_t skipped) {
  SmallVector<double> product = {1};
  for (auto [i, root] : llvm::enumerate(roots)) {
    if (i == skipped)
      continue;
    product.push_back(0);
    for (size_t k = product.size(); k-- > 0;)
      product[k] = (k == 0 ? 0 : product[k - 1]) - root * product[k];
  }
  return product;
}

WinogradAlgorithm WinogradAlgorithm::at(ArrayRef<double> points, int64_t taps) {
  auto products = static_cast<int64_t>(points.size()) + 1;
  int64_t pixels = products + 1 - taps;
  WinogradAlgorithm algorithm{.taps = taps, .products = products, .step = pixels};
  for (auto [i, point] : llvm::enumerate(points)) {
    SmallVector<double> others = polynomial(points, i);
    double scale = 1;
    for (auto [j, other] : llvm::enumerate(points))
      scale *= i == j ? 1 : point - other;
    for (double coefficient : others)
      algorithm.image.push_back(scale < 0 ? -coefficient : coefficient);
    algorithm.image.push_back(0);
    for (int64_t power = 0; power < taps; ++power)
      algorithm.weight.push_back(std::pow(point, power) / std::abs(scale));
  }
  algorithm.image.append(polynomial(points, points.size()));
  for (int64_t power = 0; power < taps; ++power)
    algorithm.weight.push_back(power == taps - 1 ? 1 : 0);
  for (int64_t power = 0; power < pixels; ++power) {
    for (double point : points)
      algorithm.result.push_back(std::pow(point, power));
    algorithm.result.push_back(power == pixels - 1 ? 1 : 0);
  }
  return algorithm;
}

WinogradAlgorithm WinogradAlgorithm::interleaved() const {
  constexpr int64_t kPhases = 2;
  WinogradAlgorithm both{.taps = kPhases * taps, .products = kPhases * products, .step = step};
  int64_t tile = static_cast<int64_t>(image.size()) / products;
  both.image.resize(both.products * (tile + kPhases - 1));
  both.weight.resize(both.products * both.taps);
  both.result.resize(kPhases * pixels() * both.products);
  for (int64_t phase = 0; phase < kPhases; ++phase)
    for (int64_t i = 0; i < products; ++i) {
      int64_t product = phase * products + i;
      for (int64_t j = 0; j < tile; ++j)
        both.image[product * (tile + kPhases - 1) + phase + j] = image[i * tile + j];
      for (int64_t j = 0; j < taps; ++j)
        both.weight[product * both.taps + phase + kPhases * j] = weight[i * taps + j];
      for (int64_t j = 0; j < pixels(); ++j)
        both.result[(phase + kPhases * j) * both.products + product] = result[j * products + i];
    }
  return both;
}

/// From large tiles to small ones. The points are those of the least error: with random images and
/// weights 2e-6 of the largest element for tiles of 4 x 4, 5e-7 for 2 x 2.
static ArrayRef<WinogradAlgorithm> algorithms() {
  static const std::array<WinogradAlgorithm, 4> all = {
      WinogradAlgorithm::at({0, 2. / 3, -2. / 3, 3. / 2, -3. / 2}, /*taps=*/3),
      WinogradAlgorithm::at({0, -1, 3. / 2, 2. / 3}, /*taps=*/2),
      WinogradAlgorithm::at({0, 1, -1}, /*taps=*/3),
      WinogradAlgorithm::at({0, 1}, /*taps=*/2),
  };
  return all;
}

std::optional<WinogradAlgorithm> mlir::gen::chooseWinograd(RankedTensorType image,
                                                           RankedTensorType output, int64_t taps) {
  constexpr int64_t kLeastChannels = 64, kLeastTiles = 16;
  ArrayRef<int64_t> y = output.getShape();
  if (y[3] < kLeastChannels || image.getDimSize(3) < kLeastChannels)
    return std::nullopt;
  for (const WinogradAlgorithm &algorithm : algorithms()) {
    int64_t pixels = algorithm.pixels();
    if (algorithm.taps == taps && y[1] % pixels == 0 && y[2] % pixels == 0 &&
        (y[1] / pixels) * (y[2] / pixels) >= kLeastTiles)
      return algorithm;
  }
  return std::nullopt;
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
