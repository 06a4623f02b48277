//===- Unet.cpp - the network of a diffusion model on 32 x 32 images ------===//
//
// Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, NeurIPS 2020; the network for
// CIFAR-10, without dropout. It predicts the noise in an image from the image and the time step. A
// benchmark's model; the one entry is `main`.
//
//===----------------------------------------------------------------------===//

#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "models/zoo.hpp"

#include <cmath>
#include <variant>

namespace gen::zoo {

namespace {
constexpr int64_t kGroups = 32;

/// Two convolutions, between them the embedded time step; the input is added to the result.
struct ResBlock {
  GroupNorm n1;
  Conv2d c1;
  Linear emb;
  GroupNorm n2;
  Conv2d c2;
  std::optional<Conv2d> skip; ///< where the number of channels changes

  ResBlock(const Scope &s, int64_t inputs, int64_t outputs, int64_t embedding)
      : n1(s / "n1", kGroups, inputs), c1(s / "c1", inputs, outputs, 3, {.padding = 1}),
        emb(s / "emb", embedding, outputs), n2(s / "n2", kGroups, outputs),
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

  AttnBlock(const Scope &s, int64_t channels)
      : norm(s / "norm", kGroups, channels), qkv(s / "qkv", channels, 3 * channels, 1),
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

class Unet {
public:
  Unet(const Scope &s, int64_t channels);

  /// Images [batch, 3, 32, 32] and time steps [batch] -> the noise in the images.
  Tensor operator()(const Tensor &x, const Tensor &t) const;

private:
  /// A resolution's end, on the way down or up: halves or doubles height and width.
  using Block = std::variant<ResBlock, AttnBlock, Conv2d>;

  Tensor embed(const Tensor &t) const;

  static constexpr int64_t kSize = 32, kAttentionAt = 16, kBlocks = 2;
  static constexpr std::array<int64_t, 4> kMultiples = {1, 2, 2, 2};

  int64_t channels;
  Linear time0, time2;
  Conv2d stem;
  std::vector<Block> down, up;
  std::vector<Block> mid;
  GroupNorm norm;
  Conv2d out;
};

Unet::Unet(const Scope &s, int64_t channels)
    : channels(channels), time0(s / "time" / 0, channels, 4 * channels),
      time2(s / "time" / 2, 4 * channels, 4 * channels),
      stem(s / "stem", 3, channels, 3, {.padding = 1}), norm(s / "norm", kGroups, channels),
      out(s / "out", channels, 3, 3, {.padding = 1}) {
  int64_t width = channels, size = kSize, embedding = 4 * channels, number = 0;
  std::vector<int64_t> skips = {width};
  for (size_t level = 0; level < kMultiples.size(); ++level) {
    for (int64_t block = 0; block < kBlocks; ++block) {
      int64_t outputs = channels * kMultiples[level];
      down.emplace_back(ResBlock(s / "down" / number++, width, outputs, embedding));
      width = outputs;
      if (size == kAttentionAt)
        down.emplace_back(AttnBlock(s / "down" / number++, width));
      skips.push_back(width);
    }
    if (level + 1 < kMultiples.size()) {
      down.emplace_back(
          Conv2d(s / "down" / number++, width, width, 3, {.stride = 2, .padding = 1}));
      skips.push_back(width);
      size /= 2;
    }
    ++number; // PyTorch's module has a layer without variables at the end of a level
  }
  mid.emplace_back(ResBlock(s / "mid" / 0, width, width, embedding));
  mid.emplace_back(AttnBlock(s / "mid" / 1, width));
  mid.emplace_back(ResBlock(s / "mid" / 2, width, width, embedding));
  number = 0;
  for (size_t level = kMultiples.size(); level-- > 0;) {
    for (int64_t block = 0; block <= kBlocks; ++block) {
      int64_t outputs = channels * kMultiples[level];
      up.emplace_back(ResBlock(s / "up" / number++, width + skips.back(), outputs, embedding));
      skips.pop_back();
      width = outputs;
      if (size == kAttentionAt)
        up.emplace_back(AttnBlock(s / "up" / number++, width));
    }
    if (level > 0) {
      up.emplace_back(Conv2d(s / "up" / number++, width, width, 3, {.padding = 1}));
      size *= 2;
    }
  }
}

/// Sine and cosine of the time step at `channels / 2` frequencies, and two layers. The frequencies
/// are rounded to f32 as PyTorch rounds them: they are multiplied by time steps up to 1000.
Tensor Unet::embed(const Tensor &t) const {
  int64_t half = channels / 2;
  std::vector<double> frequencies;
  for (int64_t i = 0; i < half; ++i) {
    auto exponent = static_cast<float>(-std::log(10000.0)) * static_cast<float>(i);
    frequencies.push_back(std::exp(exponent / static_cast<float>(half - 1)));
  }
  Tensor angle = reshape(t, {t.dimension(0), 1}) * constant(frequencies, {1, half});
  return time2(silu(time0(concat({sin(angle), cos(angle)}, 1))));
}

Tensor Unet::operator()(const Tensor &x, const Tensor &t) const {
  Tensor embedding = embed(t), h = stem(x);
  std::vector<Tensor> skips = {h};
  for (const Block &block : down) {
    if (const auto *residual = std::get_if<ResBlock>(&block))
      skips.push_back(h = (*residual)(h, embedding));
    else if (const auto *attention = std::get_if<AttnBlock>(&block))
      h = skips.back() = (*attention)(h);
    else
      skips.push_back(h = std::get<Conv2d>(block)(h));
  }
  for (const Block &block : mid) {
    const auto *residual = std::get_if<ResBlock>(&block);
    h = residual ? (*residual)(h, embedding) : std::get<AttnBlock>(block)(h);
  }
  for (const Block &block : up) {
    if (const auto *residual = std::get_if<ResBlock>(&block)) {
      h = (*residual)(concat({h, skips.back()}, 1), embedding);
      skips.pop_back();
    } else if (const auto *attention = std::get_if<AttnBlock>(&block)) {
      h = (*attention)(h);
    } else {
      h = std::get<Conv2d>(block)(upsample_nearest(h, 2));
    }
  }
  return out(silu(norm(h)));
}
} // namespace

static void buildUnet(Program &program, int64_t batch) {
  Unet net(program.scope(), 128);
  std::vector<Input> inputs = {input("x", f32, {batch, 3, 32, 32}), input("t", f32, {batch})};
  program.entry("main", inputs, [&](Tensor x, Tensor t) { return result("noise", net(x, t)); });
}

void buildDdpmUnet1(Program &program, const Settings &) { buildUnet(program, 1); }
void buildDdpmUnet8(Program &program, const Settings &) { buildUnet(program, 8); }

/// `signal` is the square root of alpha-bar, the part of the image's variance that is left, at each
/// image's time step.
void buildTrainDdpmUnet(Program &program, const Settings &) {
  constexpr int64_t kBatch = 4;
  Scope scope = program / "net";
  Unet net(scope, 64);
  Adam adam(program / "adam", {.learning_rate = 2e-4});
  std::vector<Input> inputs = {input("x", f32, {kBatch, 3, 32, 32}), input("t", f32, {kBatch}),
                               input("noise", f32, {kBatch, 3, 32, 32}),
                               input("signal", f32, {kBatch, 1, 1, 1})};
  program.entry("main", inputs, training, [&](Tensor x, Tensor t, Tensor noise, Tensor signal) {
    Tensor mixed = signal * x + sqrt(1.0 - square(signal)) * noise;
    Tensor loss = mse(net(mixed, t), noise);
    adam.minimize(loss, scope.variables());
    return result("loss", loss);
  });
}

} // namespace gen::zoo
