//===- models/unet.hpp - the network of a diffusion model -------*- C++ -*-===//
//
// Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, NeurIPS 2020, without dropout, with
// the names of the PyTorch definitions of the peer benchmarks. It predicts the noise in an image
// from the image and the time step.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_UNET_HPP
#define GEN_MODELS_UNET_HPP

#include "gen/nn.hpp"
#include "gen/ops.hpp"

#include <cmath>
#include <variant>

namespace gen::zoo {

/// Two convolutions, between them the embedded time step; the input is added to the result.
struct ResBlock {
  GroupNorm n1;
  Conv2d c1;
  Linear emb;
  GroupNorm n2;
  Conv2d c2;
  std::optional<Conv2d> skip; ///< where the number of channels changes

  ResBlock(const Scope &s, int64_t groups, int64_t inputs, int64_t outputs, int64_t embedding)
      : n1(s / "n1", groups, inputs), c1(s / "c1", inputs, outputs, 3, {.padding = 1}),
        emb(s / "emb", embedding, outputs), n2(s / "n2", groups, outputs),
        c2(s / "c2", outputs, outputs, 3, {.padding = 1}) {
    if (inputs != outputs)
      skip.emplace(s / "skip", inputs, outputs, 1);
  }
  Tensor operator()(const Tensor &x, const Tensor &embedding) const {
    Tensor shift = emb(silu(embedding));
    Tensor h = c1(silu(n1(x))) + reshape(shift, {shift.dimension(0), shift.dimension(1), 1, 1});
    return (skip ? (*skip)(x) : x) + c2(silu(n2(h)));
  }
};

/// Attention of each pixel to all, with one head.
struct AttnBlock {
  GroupNorm norm;
  Conv2d qkv, out;

  AttnBlock(const Scope &s, int64_t groups, int64_t channels)
      : norm(s / "norm", groups, channels), qkv(s / "qkv", channels, 3 * channels, 1),
        out(s / "out", channels, channels, 1) {}
  Tensor operator()(const Tensor &x) const {
    Dimension batch = x.dimension(0), channels = x.dimension(1);
    Dimension height = x.dimension(2), width = x.dimension(3);
    Tensor projected = reshape(transpose(qkv(norm(x)), {0, 2, 3, 1}),
                               {batch, height * width, Dimension(3) * channels});
    auto [q, k, v] = chunk<3>(projected, 2);
    double scale = 1 / std::sqrt(static_cast<double>(channels.number()));
    Tensor weights = softmax(scale * matmul(q, k, {.transpose_rhs = true}), 2);
    Tensor y = reshape(matmul(weights, v), {batch, height, width, channels});
    return x + out(transpose(y, {0, 3, 1, 2}));
  }
};

struct UnetSizes {
  int64_t channels = 128;                        ///< at full size
  int64_t colours = 3, size = 32;                ///< of the images; size: of a side
  int64_t attentionAt = 16;                      ///< size at which pixels attend to each other
  int64_t blocks = 2;                            ///< for each size, on the way down
  int64_t groups = 32;                           ///< of group normalization
  std::vector<int64_t> multiples = {1, 2, 2, 2}; ///< of the channels, for each size
  int64_t classes = 0;                           ///< that it may be told; 0: none
};

class Unet {
public:
  explicit Unet(const Scope &s, UnetSizes sizes = {});

  /// Images [batch, colours, size, size] and time steps [batch] -> the noise in the images. Where
  /// there are classes, `labels` are i64 [batch]; a label that is none of them tells nothing.
  Tensor operator()(const Tensor &x, const Tensor &t, const Tensor &labels = {}) const;

private:
  /// A resolution's end, on the way down or up: halves or doubles height and width.
  using Block = std::variant<ResBlock, AttnBlock, Conv2d>;

  Tensor embed(const Tensor &t) const;

  UnetSizes sizes;
  Linear time0, time2;
  std::optional<Embedding> label; ///< added to the embedded time step
  Conv2d stem;
  std::vector<Block> down, up;
  std::vector<Block> mid;
  GroupNorm norm;
  Conv2d out;
};

} // namespace gen::zoo

#endif // GEN_MODELS_UNET_HPP
