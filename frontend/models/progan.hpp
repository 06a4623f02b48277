//===- models/progan.hpp - networks that grow -------------------*- C++ -*-===//
//
// Generator and critic of Karras et al.: Progressive Growing of GANs, ICLR 2018, with one
// convolution a level where the paper has two. Level 0 is 4 x 4, and each is twice as fine as the
// one before.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_PROGAN_HPP
#define GEN_MODELS_PROGAN_HPP

#include "gen/nn.hpp"

#include <cmath>

namespace gen::zoo {

inline constexpr int64_t kProganLatent = 64, kProganLevels = 4;

/// A convolution whose weights are N(0, 1) and multiplied by He's factor when used, so that all
/// learn at one rate (section 4.1).
struct ScaledConv {
  Variable weight, bias;
  double scale;
  int64_t padding;

  ScaledConv(const Scope &s, int64_t inputs, int64_t outputs, int64_t kernel, int64_t padding,
             double gain = std::sqrt(2.0))
      : weight(s.variable("weight", f32, {outputs, inputs, kernel, kernel},
                          Initializer::normal(0, 1))),
        bias(s.variable("bias", f32, {outputs, 1, 1})),
        scale(gain / std::sqrt(static_cast<double>(inputs * kernel * kernel))), padding(padding) {}
  Tensor operator()(const Tensor &x) const {
    return conv2d(x, scale * weight, {.padding = padding}) + bias;
  }
};

/// Each pixel's channels over their root mean square (section 4.2).
inline Tensor pixelNorm(const Tensor &x) {
  return x * rsqrt(mean(square(x), {.axes = {1}, .keepdim = true}) + 1e-8);
}

/// With a channel more: the deviation of the batch's images, averaged (section 3).
inline Tensor withDeviation(const Tensor &x) {
  Tensor centered = x - mean(x, {.axes = {0}, .keepdim = true});
  Tensor deviation = mean(sqrt(mean(square(centered), {.axes = {0}}) + 1e-8));
  return concat({x, broadcast_to(deviation, {x.dimension(0), 1, x.dimension(2), x.dimension(3)})},
                1);
}

inline int64_t proganWidth(int64_t features, int64_t level) {
  return level < 2 ? features : features >> (level - 1);
}
/// "4", "8", ...: levels by their images' size.
inline std::string proganLevel(int64_t level) { return std::to_string(4 << level); }
inline Tensor proganActivation(const Tensor &x) { return leaky_relu(x, 0.2); }

/// The part of a level in the result, from 0 to 1.
using ProganPart = std::function<Tensor(int64_t level)>;

struct ProganGenerator {
  std::vector<ScaledConv> blocks, toImage;

  ProganGenerator(const Scope &s, int64_t channels, int64_t features) {
    blocks.emplace_back(s / proganLevel(0), kProganLatent, features, 4, 3);
    for (int64_t level = 1; level < kProganLevels; ++level)
      blocks.emplace_back(s / proganLevel(level), proganWidth(features, level - 1),
                          proganWidth(features, level), 3, 1);
    for (int64_t level = 0; level < kProganLevels; ++level)
      toImage.emplace_back(s / proganLevel(level) / "image", proganWidth(features, level), channels,
                           1, 0, 1.0);
  }
  /// Images of the size of `last`, blended of those of all levels from `first` on.
  Tensor operator()(const Tensor &z, int64_t first, int64_t last, const ProganPart &part) const {
    Tensor x = pixelNorm(reshape(z, {z.dimension(0), kProganLatent, 1, 1})), image;
    for (int64_t level = 0; level <= last; ++level) {
      x = pixelNorm(proganActivation(blocks[level](level == 0 ? x : upsample_nearest(x, 2))));
      if (level == first)
        image = toImage[level](x);
      else if (level > first)
        image = lerp(upsample_nearest(image, 2), toImage[level](x), part(level));
    }
    return image;
  }
};

struct ProganCritic {
  std::vector<ScaledConv> blocks, fromImage;
  ScaledConv last;

  ProganCritic(const Scope &s, int64_t channels, int64_t features)
      : last(s / proganLevel(0) / "score", features, 1, 4, 0, 1.0) {
    blocks.emplace_back(s / proganLevel(0), features + 1, features, 3, 1);
    for (int64_t level = 1; level < kProganLevels; ++level)
      blocks.emplace_back(s / proganLevel(level), proganWidth(features, level),
                          proganWidth(features, level - 1), 3, 1);
    for (int64_t level = 0; level < kProganLevels; ++level)
      fromImage.emplace_back(s / proganLevel(level) / "image", channels,
                             proganWidth(features, level), 1, 0);
  }
  /// Scores [batch, 1] of images of a level's size.
  Tensor operator()(const Tensor &images, int64_t level, const ProganPart &part) const {
    Tensor x = proganActivation(fromImage[level](images));
    for (int64_t i = level; i > 0; --i) {
      x = avg_pool2d(proganActivation(blocks[i](x)), 2);
      if (i == level)
        x = lerp(proganActivation(fromImage[i - 1](avg_pool2d(images, 2))), x, part(level));
    }
    return flatten(last(proganActivation(blocks[0](withDeviation(x)))));
  }
};

} // namespace gen::zoo

#endif // GEN_MODELS_PROGAN_HPP
