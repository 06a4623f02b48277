//===- Unet.cpp - the network of a diffusion model ------------------------===//
//
// In the benchmarks with the sizes for CIFAR-10; their one entry is `main`.
//
//===----------------------------------------------------------------------===//

#include "models/unet.hpp"
#include "gen/losses.hpp"
#include "gen/optimizers.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

Unet::Unet(const Scope &s, UnetSizes given)
    : sizes(std::move(given)), time0(s / "time" / 0, sizes.channels, 4 * sizes.channels),
      time2(s / "time" / 2, 4 * sizes.channels, 4 * sizes.channels),
      stem(s / "stem", sizes.colours, sizes.channels, 3, {.padding = 1}),
      norm(s / "norm", sizes.groups, sizes.channels),
      out(s / "out", sizes.channels, sizes.colours, 3, {.padding = 1}) {
  const auto &[channels, colours, side, attentionAt, blocks, groups, multiples, classes] = sizes;
  int64_t width = channels, size = side, embedding = 4 * channels, number = 0;
  if (classes > 0)
    label.emplace(s / "label", classes, embedding);
  std::vector<int64_t> skips = {width};
  for (size_t level = 0; level < multiples.size(); ++level) {
    for (int64_t block = 0; block < blocks; ++block) {
      int64_t outputs = channels * multiples[level];
      down.emplace_back(ResBlock(s / "down" / number++, groups, width, outputs, embedding));
      width = outputs;
      if (size == attentionAt)
        down.emplace_back(AttnBlock(s / "down" / number++, groups, width));
      skips.push_back(width);
    }
    if (level + 1 < multiples.size()) {
      down.emplace_back(
          Conv2d(s / "down" / number++, width, width, 3, {.stride = 2, .padding = 1}));
      skips.push_back(width);
      size /= 2;
    }
    ++number; // PyTorch's module has a layer without variables at the end of a level
  }
  mid.emplace_back(ResBlock(s / "mid" / 0, groups, width, width, embedding));
  mid.emplace_back(AttnBlock(s / "mid" / 1, groups, width));
  mid.emplace_back(ResBlock(s / "mid" / 2, groups, width, width, embedding));
  number = 0;
  for (size_t level = multiples.size(); level-- > 0;) {
    for (int64_t block = 0; block <= blocks; ++block) {
      int64_t outputs = channels * multiples[level];
      up.emplace_back(
          ResBlock(s / "up" / number++, groups, width + skips.back(), outputs, embedding));
      skips.pop_back();
      width = outputs;
      if (size == attentionAt)
        up.emplace_back(AttnBlock(s / "up" / number++, groups, width));
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
  int64_t half = sizes.channels / 2;
  std::vector<double> frequencies;
  for (int64_t i = 0; i < half; ++i) {
    auto exponent = static_cast<float>(-std::log(10000.0)) * static_cast<float>(i);
    frequencies.push_back(std::exp(exponent / static_cast<float>(half - 1)));
  }
  Tensor angle = reshape(t, {t.dimension(0), 1}) * constant(frequencies, {1, half});
  return time2(silu(time0(concat({sin(angle), cos(angle)}, 1))));
}

Tensor Unet::operator()(const Tensor &x, const Tensor &t, const Tensor &labels) const {
  Tensor embedding = label ? embed(t) + (*label)(labels) : embed(t), h = stem(x);
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

static void buildUnet(Program &program, int64_t batch) {
  Unet net(program.scope());
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
  Unet net(scope, {.channels = 64});
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
