//===- Progan.cpp - a GAN that grows --------------------------------------===//
//
// Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs, ICLR 2018. Both networks begin with
// images of 4 x 4 and grow a level at a time, whose part in the result fades in. Each level has an
// entry of its own, `train_step_4` to `train_step_32`: a step costs what its level does. Weights
// are scaled when they are used, pixels of the generator normalized; the critic sees how much the
// images of a batch differ; the loss is WGAN-GP's. Samples are drawn by averaged weights.
//
//===----------------------------------------------------------------------===//

#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "models/gan.hpp"

#include <cmath>

namespace gen::zoo {

namespace {
constexpr int64_t kLatent = 64, kLevels = 4, kSize = 4 << (kLevels - 1);

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
Tensor pixelNorm(const Tensor &x) {
  return x * rsqrt(mean(square(x), {.axes = {1}, .keepdim = true}) + 1e-8);
}

/// With a channel more: the deviation of the batch's images, averaged (section 3).
Tensor withDeviation(const Tensor &x) {
  Tensor centered = x - mean(x, {.axes = {0}, .keepdim = true});
  Tensor deviation = mean(sqrt(mean(square(centered), {.axes = {0}}) + 1e-8));
  return concat({x, broadcast_to(deviation, {x.dimension(0), 1, x.dimension(2), x.dimension(3)})},
                1);
}

int64_t widthOf(int64_t features, int64_t level) {
  return level < 2 ? features : features >> (level - 1);
}
/// "4", "8", ...: levels by their images' size.
std::string nameOf(int64_t level) { return std::to_string(4 << level); }
Tensor activate(const Tensor &x) { return leaky_relu(x, 0.2); }

/// The part of a level in the result, from 0 to 1.
using Part = std::function<Tensor(int64_t level)>;

struct ProganGenerator {
  std::vector<ScaledConv> blocks, toImage;

  ProganGenerator(const Scope &s, int64_t channels, int64_t features) {
    blocks.emplace_back(s / nameOf(0), kLatent, features, 4, 3);
    for (int64_t level = 1; level < kLevels; ++level)
      blocks.emplace_back(s / nameOf(level), widthOf(features, level - 1), widthOf(features, level),
                          3, 1);
    for (int64_t level = 0; level < kLevels; ++level)
      toImage.emplace_back(s / nameOf(level) / "image", widthOf(features, level), channels, 1, 0,
                           1.0);
  }
  /// Images of the size of `last`, blended of those of all levels from `first` on.
  Tensor operator()(const Tensor &z, int64_t first, int64_t last, const Part &part) const {
    Tensor x = pixelNorm(reshape(z, {z.dimension(0), kLatent, 1, 1})), image;
    for (int64_t level = 0; level <= last; ++level) {
      x = pixelNorm(activate(blocks[level](level == 0 ? x : upsample_nearest(x, 2))));
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
      : last(s / nameOf(0) / "score", features, 1, 4, 0, 1.0) {
    blocks.emplace_back(s / nameOf(0), features + 1, features, 3, 1);
    for (int64_t level = 1; level < kLevels; ++level)
      blocks.emplace_back(s / nameOf(level), widthOf(features, level), widthOf(features, level - 1),
                          3, 1);
    for (int64_t level = 0; level < kLevels; ++level)
      fromImage.emplace_back(s / nameOf(level) / "image", channels, widthOf(features, level), 1, 0);
  }
  /// Scores [batch, 1] of images of a level's size.
  Tensor operator()(const Tensor &images, int64_t level, const Part &part) const {
    Tensor x = activate(fromImage[level](images));
    for (int64_t i = level; i > 0; --i) {
      x = avg_pool2d(activate(blocks[i](x)), 2);
      if (i == level)
        x = lerp(activate(fromImage[i - 1](avg_pool2d(images, 2))), x, part(level));
    }
    return flatten(last(activate(blocks[0](withDeviation(x)))));
  }
};

struct Progan {
  ProganGenerator generator;
  ProganCritic critic;
  Variable steps; ///< taken so far, of all levels
  double growSteps;

  Progan(const Program &program, int64_t channels, int64_t features, double growSteps)
      : generator(program / "g", channels, features), critic(program / "d", channels, features),
        steps((program / "progan").buffer("steps", f32, {})), growSteps(growSteps) {}

  /// A level is trained for `growSteps` steps; it fades in over the first half of them.
  Part part() const {
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
    for (const Variable &variable : (s / nameOf(i)).parameters())
      if (i >= level - 1 || variable.name().find(".image.") == std::string::npos)
        variables.push_back(variable);
  return variables;
}
} // namespace

static EntryResults trainStep(const Program &program, const Progan &gan, const EMA &ema,
                              const Tensor &images, int64_t level) {
  constexpr double kPenalty = 10, kDrift = 1e-3; // the weights of the paper
  constexpr AdamOptions kAdam = {.learning_rate = 1e-3, .beta1 = 0.0, .beta2 = 0.99};
  // Each level begins with new moments, as the paper's program.
  Adam adamG(program / "adam_g" / nameOf(level), kAdam),
      adamD(program / "adam_d" / nameOf(level), kAdam);
  const Part part = gan.part();
  const Dimension batch = images.dimension(0);
  Critic critic = [&](const Tensor &x) { return gan.critic(x, level, part); };

  Tensor real = level == kLevels - 1 ? images : avg_pool2d(images, kSize / (4 << level));
  if (level > 0)
    real = lerp(upsample_nearest(avg_pool2d(real, 2), 2), real, part(level));
  Tensor fake =
             gan.generator(normal({batch, kLatent}), std::max<int64_t>(level - 1, 0), level, part),
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
  const int64_t batch = sizeOf(settings, "batch"), channels = sizeOf(settings, "channels");
  Progan gan(program, channels, sizeOf(settings, "features"),
             static_cast<double>(sizeOf(settings, "grow_steps")));
  EMA ema(program / "ema");
  Input images = input("images", f32, {batch, channels, kSize, kSize});
  for (int64_t level = 0; level < kLevels; ++level)
    program.entry("train_step_" + nameOf(level), {images}, training,
                  [&](Tensor images) { return trainStep(program, gan, ema, images, level); });
  addSampling(
      program,
      [&](const Tensor &z) {
        ema.apply((program / "g").parameters());
        return gan.generator(z, 0, kLevels - 1, gan.part());
      },
      kLatent);
}

ModelInfo progan() {
  Recipe recipe = ganRecipe(kSize);
  recipe.steps = 6000;
  recipe.calls = [](int64_t step, const Settings &settings) -> std::vector<std::string> {
    int64_t level = std::min((step - 1) / sizeOf(settings, "grow_steps"), kLevels - 1);
    return {"train_step_" + nameOf(level)};
  };
  return {"progan",
          "GAN that grows from 4 x 4 to 32 x 32",
          {{"batch", 32}, {"channels", 1}, {"features", 64}, {"grow_steps", 1000}},
          buildProgan,
          recipe};
}

} // namespace gen::zoo
