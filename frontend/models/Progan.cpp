//===- Progan.cpp - a GAN that grows --------------------------------------===//
//
// Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs, ICLR 2018. Both networks begin with
// images of 4 x 4 and grow a level at a time, whose part in the result fades in. Each level has an
// entry of its own, `train_step_4` to `train_step_32`: a step costs what its level does. Weights
// are scaled when they are used, pixels of the generator normalized; the critic sees how much the
// images of a batch differ; the loss is WGAN-GP's. Samples are drawn by averaged weights.
//
//===----------------------------------------------------------------------===//

#include "models/progan.hpp"
#include "gen/losses.hpp"
#include "gen/optimizers.hpp"
#include "models/gan.hpp"

namespace gen::zoo {

namespace {
constexpr int64_t kSize = 4 << (kProganLevels - 1);

struct Progan {
  ProganGenerator generator;
  ProganCritic critic;
  Variable steps; ///< taken so far, of all levels
  double growSteps, rate;

  Progan(const Program &program, const Settings &settings)
      : generator(program / "g", sizeOf(settings, "image_channels"), sizeOf(settings, "features")),
        critic(program / "d", sizeOf(settings, "image_channels"), sizeOf(settings, "features")),
        steps((program / "progan").buffer("steps", f32, {})),
        growSteps(static_cast<double>(sizeOf(settings, "grow_steps"))),
        rate(settings.at("learning_rate")) {}

  /// A level is trained for `growSteps` steps; it fades in over the first half of them.
  ProganPart part() const {
    return [this, now = Tensor(steps)](int64_t level) {
      return hardtanh((now - growSteps * static_cast<double>(level)) * (2 / growSteps), 0, 1);
    };
  }
};

/// The variables that a level's step changes: those of the levels so far, but images of the last
/// two only.
std::vector<Variable> trainedAt(const Scope &s, int64_t level) {
  std::vector<Variable> variables;
  for (int64_t i = 0; i <= level; ++i)
    for (const Variable &variable : (s / proganLevel(i)).parameters())
      if (i >= level - 1 || variable.name().find(".image.") == std::string::npos)
        variables.push_back(variable);
  return variables;
}
} // namespace

static EntryResults trainStep(const Program &program, const Progan &gan, const EMA &ema,
                              const Tensor &images, int64_t level) {
  constexpr double kPenalty = 10, kDrift = 1e-3; // the weights of the paper
  const AdamOptions options = {.learning_rate = gan.rate, .beta1 = 0.0, .beta2 = 0.99};
  // Each level begins with new moments, as the paper's program.
  Adam adamG(program / "adam_g" / proganLevel(level), options),
      adamD(program / "adam_d" / proganLevel(level), options);
  const ProganPart part = gan.part();
  const Dimension batch = images.dimension(0);
  Critic critic = [&](const Tensor &x) { return gan.critic(x, level, part); };

  Tensor real = level == kProganLevels - 1 ? images : avg_pool2d(images, kSize / (4 << level));
  if (level > 0)
    real = lerp(upsample_nearest(avg_pool2d(real, 2), 2), real, part(level));
  Tensor fake = gan.generator(normal({batch, kProganLatent}), std::max<int64_t>(level - 1, 0),
                              level, part),
         fixed = stop_gradient(fake), onReal = critic(real);
  Tensor dLoss = wasserstein_critic(onReal, critic(fixed)) + kDrift * mean(square(onReal)) +
                 kPenalty * gradientPenalty(critic, real, fixed, uniform({batch, 1, 1, 1}));
  adamD.minimize(dLoss, trainedAt(program / "d", level));
  Tensor gLoss = wasserstein_generator(critic(fake));
  adamG.minimize(gLoss, trainedAt(program / "g", level));
  ema.update((program / "g").parameters());
  assign(gan.steps, gan.steps + 1.0);
  return result("d_loss", dLoss).result("g_loss", gLoss);
}

static void buildProgan(Program &program, const Settings &settings) {
  const int64_t batch = sizeOf(settings, "batch"), channels = sizeOf(settings, "image_channels");
  Progan gan(program, settings);
  EMA ema(program / "ema", 0.99);
  Input images = input("images", f32, {batch, channels, kSize, kSize});
  for (int64_t level = 0; level < kProganLevels; ++level)
    program.entry("train_step_" + proganLevel(level), {images}, training,
                  [&](Tensor images) { return trainStep(program, gan, ema, images, level); });
  addSampling(
      program,
      [&](const Tensor &z) {
        ema.apply((program / "g").parameters());
        return gan.generator(z, 0, kProganLevels - 1, gan.part());
      },
      kProganLatent);
}

ModelInfo progan() {
  Recipe recipe = ganRecipe(kSize);
  recipe.steps = 6000;
  recipe.calls = [](int64_t step, const Settings &settings) -> std::vector<std::string> {
    int64_t level = std::min((step - 1) / sizeOf(settings, "grow_steps"), kProganLevels - 1);
    return {"train_step_" + proganLevel(level)};
  };
  return {"progan",
          "GAN that grows from 4 x 4 to 32 x 32",
          {{"batch", 32},
           {"image_channels", 1},
           {"features", 64},
           {"grow_steps", 500},
           {"learning_rate", 4e-3}},
          buildProgan,
          recipe};
}

} // namespace gen::zoo
