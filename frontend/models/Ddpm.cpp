//===- Ddpm.cpp - a diffusion model that draws images ---------------------===//
//
// Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, NeurIPS 2020, with the noise's
// variance rising in a straight line; a U-Net predicts the noise in an image. Images are drawn by
// one compiled loop with averaged weights: all steps (DDPM), or few of them and no new noise
// (DDIM: Song, Meng, Ermon, ICLR 2021).
//
//===----------------------------------------------------------------------===//

#include "gen/loops.hpp"
#include "gen/losses.hpp"
#include "gen/optimizers.hpp"
#include "models/unet.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

namespace {
constexpr int64_t kTimes = 1000, kSide = 28;

/// How much of image and noise there is at each time step: alpha-bar of the paper.
struct Diffusion {
  Tensor signals, noises; ///< sqrt(alpha-bar), sqrt(1 - alpha-bar)

  Diffusion() {
    std::vector<double> signal, noise;
    double left = 1;
    for (int64_t t = 0; t < kTimes; ++t) {
      left *= 1 - (1e-4 + (0.02 - 1e-4) * static_cast<double>(t) / (kTimes - 1));
      signal.push_back(std::sqrt(left));
      noise.push_back(std::sqrt(1 - left));
    }
    signals = constant(signal, {kTimes});
    noises = constant(noise, {kTimes});
  }
  /// Of time step t, a scalar: at -1 there is no noise.
  std::pair<Tensor, Tensor> at(const Tensor &t) const {
    Tensor first = reshape(t, {1}), before = first < 0.0; // no row is that of -1: zeros
    auto value = [](const Tensor &x) { return reshape(x, {}); };
    return {value(where(before, 1.0, gather(signals, first))), value(gather(noises, first))};
  }
  /// The image at time step t, i64 [batch], of each row.
  Tensor mix(const Tensor &x, const Tensor &noise, const Tensor &t) const {
    Shape column = {x.dimension(0), 1, 1, 1};
    return reshape(gather(signals, t), column) * x + reshape(gather(noises, t), column) * noise;
  }
};
} // namespace

/// Goes from noise x to an image in `steps` of the time steps, each as far from the next. `eta` is
/// the part of the noise that is drawn anew: 0 for DDIM; 1 in all steps is DDPM.
static Tensor denoise(const Unet &net, const Diffusion &diffusion, const Tensor &x, int64_t steps,
                      double eta) {
  return repeat(steps, x, [&](const Tensor &step, const Tensor &x) {
    Tensor t = (steps - 1 - step) * (kTimes / steps) + (kTimes / steps - 1);
    auto [signal, noise] = diffusion.at(t);
    auto [nextSignal, nextNoise] = diffusion.at(t - kTimes / steps);
    Tensor times = broadcast_to(reshape(cast(t, f32), {1}), {x.dimension(0)});
    Tensor predicted = net(x, times);
    Tensor image = maximum(minimum((x - noise * predicted) / signal, 1.0), -1.0);
    predicted = (x - signal * image) / noise; // what agrees with the image
    Tensor ratio = signal / nextSignal;
    Tensor deviation = eta * nextNoise / noise * sqrt(1.0 - square(ratio));
    Tensor rest = sqrt(maximum(square(nextNoise) - square(deviation), 0.0));
    return nextSignal * image + rest * predicted + deviation * normal_like(x);
  });
}

static void buildDdpm(Program &program, const Settings &settings) {
  Unet net(program / "unet", {.channels = sizeOf(settings, "channels"),
                              .colours = 1,
                              .size = kSide,
                              .attentionAt = 7,
                              .blocks = sizeOf(settings, "blocks"),
                              .groups = 8,
                              .multiples = {1, 2, 2}});
  std::vector<Variable> weights = (program / "unet").parameters();
  Diffusion diffusion;
  Adam adam(program / "adam", {.learning_rate = settings.at("learning_rate")});
  EMA ema(program / "ema", settings.at("ema"));
  Dimension batch = program.dimension("batch");
  Input images = input("images", f32, {batch, 1, kSide, kSide});
  auto lossOf = [&](const Tensor &x) {
    Tensor noise = normal_like(x);
    Tensor t = cast(uniform({x.dimension(0)}) * static_cast<double>(kTimes), i64);
    return mse(net(diffusion.mix(x, noise, t), cast(t, f32)), noise);
  };

  program.entry("train_step", {images}, training, [&](Tensor x) {
    Tensor loss = lossOf(x);
    adam.minimize(loss, weights, {.clip_norm = 1});
    ema.update(weights);
    return result("loss", loss);
  });
  program.entry("evaluate", {images}, evaluation, [&](Tensor x) {
    ema.apply(weights);
    return result("loss", lossOf(x));
  });
  int64_t count = sizeOf(settings, "samples"), steps = sizeOf(settings, "sample_steps");
  program.entry("sample", {}, [&] {
    ema.apply(weights);
    Tensor noise = normal({count, 1, kSide, kSide});
    return result("x", denoise(net, diffusion, noise, steps, settings.at("eta")));
  });
}

ModelInfo ddpm() {
  Recipe recipe = imageRecipe({.low = -1, .high = 1});
  recipe.batch = 64;
  recipe.steps = 9370; // ten epochs of Fashion-MNIST
  recipe.evaluateBatch = 100;
  return {"ddpm",
          "diffusion model with a U-Net",
          {{"channels", 32},
           {"blocks", 1},
           {"ema", 0.995},
           {"samples", 64},
           {"sample_steps", 50},
           {"eta", 0},
           {"learning_rate", 1e-3}},
          buildDdpm,
          recipe};
}

} // namespace gen::zoo
