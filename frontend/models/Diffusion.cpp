//===- Diffusion.cpp - from noise to images -------------------------------===//

#include "models/diffusion.hpp"
#include "gen/loops.hpp"
#include "gen/losses.hpp"

#include <cmath>
#include <numbers>

namespace gen::zoo {

/// The variance of the noise that is added at a time step: beta of the papers.
static double varianceAt(int64_t t, bool cosine) {
  auto now = static_cast<double>(t);
  if (!cosine)
    return 1e-4 + (0.02 - 1e-4) * now / (Diffusion::kTimes - 1);
  auto left = [](double t) {
    double angle = (t / Diffusion::kTimes + 0.008) / 1.008 * std::numbers::pi / 2;
    return std::cos(angle) * std::cos(angle);
  };
  return std::min(1 - left(now + 1) / left(now), 0.999);
}

Diffusion::Diffusion(const Settings &settings)
    : predictV(settings.at("predict_v") != 0), sampleSteps(sizeOf(settings, "sample_steps")),
      eta(settings.at("eta")) {
  if (sampleSteps > kTimes)
    throw std::invalid_argument("sample_steps: expected at most " + std::to_string(kTimes) +
                                ", got " + std::to_string(sampleSteps));
  std::vector<double> signal, noise;
  double left = 1;
  for (int64_t t = 0; t < kTimes; ++t) {
    left *= 1 - varianceAt(t, settings.at("cosine") != 0);
    signal.push_back(std::sqrt(left));
    noise.push_back(std::sqrt(1 - left));
  }
  signals = constant(signal, {kTimes});
  noises = constant(noise, {kTimes});
}

Tensor Diffusion::loss(const Tensor &x, const Prediction &predict) const {
  Tensor noise = normal_like(x);
  Tensor t = cast(uniform({x.dimension(0)}) * static_cast<double>(kTimes), i64);
  Shape column = {x.dimension(0), 1, 1, 1};
  Tensor s = reshape(gather(signals, t), column), n = reshape(gather(noises, t), column);
  return mse(predict(s * x + n * noise, cast(t, f32)), predictV ? s * noise - n * x : noise);
}

/// Of time step t, a scalar: at -1 there is no noise.
Diffusion::Parts Diffusion::at(const Tensor &t) const {
  Tensor first = reshape(t, {1}), before = first < 0.0; // no row is that of -1: zeros
  auto value = [](const Tensor &x) { return reshape(x, {}); };
  return {value(where(before, 1.0, gather(signals, first))), value(gather(noises, first))};
}

Tensor Diffusion::advance(const Tensor &start, const Tensor &done, int64_t count,
                          const Prediction &predict) const {
  int64_t stride = kTimes / sampleSteps;
  return repeat(count, start, [&](const Tensor &step, const Tensor &x) {
    Tensor t = (sampleSteps - 1 - (done + step)) * stride + (stride - 1);
    auto [signal, noise] = at(t);
    auto [nextSignal, nextNoise] = at(t - stride);
    Tensor predicted = predict(x, broadcast_to(reshape(cast(t, f32), {1}), {x.dimension(0)}));
    Tensor image = predictV ? signal * x - noise * predicted : (x - noise * predicted) / signal;
    image = maximum(minimum(image, 1.0), -1.0);
    predicted = (x - signal * image) / noise; // the noise that agrees with the image
    Tensor ratio = signal / nextSignal;
    Tensor deviation = eta * nextNoise / noise * sqrt(1.0 - square(ratio));
    Tensor rest = sqrt(maximum(square(nextNoise) - square(deviation), 0.0));
    return nextSignal * image + rest * predicted + deviation * normal_like(x);
  });
}

Settings diffusionSettings(Settings more) {
  Settings settings = {{"width", 32}, {"blocks", 1},           {"ema", 0.995},
                       {"cosine", 0}, {"predict_v", 0},        {"sample_steps", 50},
                       {"eta", 0},    {"learning_rate", 1e-3}, {"image_channels", 1}};
  settings.merge(more);
  return settings;
}

} // namespace gen::zoo
