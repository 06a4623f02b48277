//===- Dcgan.cpp - a GAN of convolutions on 64 x 64 images ----------------===//
//
// Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional Generative
// Adversarial Networks, ICLR 2016. Settings add what has been found since: one-sided label
// smoothing and feature matching (Salimans et al. 2016), discriminators for several scales (Wang et
// al. 2018), noise on all that is discriminated (Sønderby et al. 2017), without which networks as
// narrow as these learn nothing: the discriminator is always right. The benchmarks' one entry is
// `main`.
//
//===----------------------------------------------------------------------===//

#include "models/dcgan.hpp"
#include "gen/losses.hpp"
#include "gen/optimizers.hpp"
#include "models/gan.hpp"

#include <fmt/format.h>

namespace gen::zoo {

static void buildDcgan(Program &program, const Settings &settings) {
  const int64_t batch = sizeOf(settings, "batch"), channels = sizeOf(settings, "image_channels"),
                width = sizeOf(settings, "features"), scales = sizeOf(settings, "scales");
  if (scales > 4)
    throw std::invalid_argument(fmt::format("scales: expected 1 to 4, got {}", scales));
  const double realLabel = settings.at("real_label"), matching = settings.at("feature_matching"),
               noise = settings.at("image_noise");
  DcganGenerator generator(program / "g", channels, width);
  std::vector<DcganDiscriminator> discriminators; // each sees images half as fine as the last one
  for (int64_t scale = 0; scale < scales; ++scale)
    discriminators.emplace_back(program / "d" / scale, channels, width, kDcganSize >> scale);
  Adam adamG(program / "adam_g", {.learning_rate = settings.at("g_learning_rate"), .beta1 = 0.5});
  Adam adamD(program / "adam_d", {.learning_rate = settings.at("d_learning_rate"), .beta1 = 0.5});
  auto generate = [&](const Tensor &z) {
    return generator(reshape(z, {z.dimension(0), kDcganLatent, 1, 1}));
  };

  Input images = input("images", f32, {batch, channels, kDcganSize, kDcganSize});
  auto disturb = [&](const Tensor &x) { return noise > 0 ? x + noise * normal_like(x) : x; };
  program.entry("train_step", {images}, training, [&](Tensor real) {
    Tensor fake = generate(normal({batch, kDcganLatent}));
    real = disturb(real);
    fake = disturb(fake);
    Tensor dLoss = full({}, 0), gLoss = full({}, 0);
    auto coarse = [](const Tensor &x, size_t scale) {
      return scale == 0 ? x : avg_pool2d(x, int64_t{1} << scale);
    };
    for (size_t i = 0; i < discriminators.size(); ++i) {
      Tensor onReal = discriminators[i](coarse(real, i)),
             onFake = discriminators[i](coarse(stop_gradient(fake), i));
      dLoss = dLoss + mean(bce_with_logits(onReal, realLabel)) + mean(bce_with_logits(onFake, 0.0));
    }
    adamD.minimize(dLoss, (program / "d").parameters());
    for (size_t i = 0; i < discriminators.size(); ++i) {
      Tensor features = discriminators[i].features(coarse(fake, i));
      gLoss = gLoss + mean(bce_with_logits(discriminators[i].logits(features), 1.0));
      if (matching > 0) {
        Tensor wanted = discriminators[i].features(coarse(real, i));
        gLoss = gLoss + matching * mse(mean(features, {.axes = {0}}),
                                       stop_gradient(mean(wanted, {.axes = {0}})));
      }
    }
    adamG.minimize(gLoss, (program / "g").parameters());
    return result("d_loss", dLoss).result("g_loss", gLoss);
  });
  addSampling(program, generate, kDcganLatent);
}

ModelInfo dcgan() {
  Recipe recipe = ganRecipe(kDcganSize);
  recipe.steps = 4000;
  return {"dcgan",
          "GAN of convolutions on 64 x 64 images",
          {{"batch", 64},
           {"image_channels", 1},
           {"image_noise", 0.3},
           {"feature_matching", 0},
           {"features", 16},
           {"d_learning_rate", 2e-4},
           {"g_learning_rate", 1e-3},
           {"real_label", 1},
           {"scales", 1}},
          buildDcgan,
          recipe};
}

static constexpr int64_t kFeatures = 64, kColours = 3; // of the benchmarks

static void buildGenerator(Program &program, const Dimension &batch) {
  DcganGenerator generator(program.scope(), kColours, kFeatures);
  program.entry("main", {input("z", f32, {batch, kDcganLatent, 1, 1})},
                [&](Tensor z) { return result("x", generator(z)); });
}

void buildDcganGenerator1(Program &program, const Settings &) { buildGenerator(program, 1); }
void buildDcganGenerator32(Program &program, const Settings &settings) {
  buildGenerator(program, benchmarkSize(program, settings, "batch", 32));
}

/// The discriminator's step, then the generator's against the changed discriminator.
void buildTrainDcgan(Program &program, const Settings &) {
  constexpr int64_t kBatch = 32;
  constexpr AdamOptions kAdam = {.learning_rate = 2e-4, .beta1 = 0.5};
  DcganGenerator generator(program / "g", kColours, kFeatures);
  DcganDiscriminator discriminator(program / "d", kColours, kFeatures);
  Adam adamG(program / "adam_g", kAdam), adamD(program / "adam_d", kAdam);
  std::vector<Input> inputs = {input("real", f32, {kBatch, kColours, kDcganSize, kDcganSize}),
                               input("z", f32, {kBatch, kDcganLatent, 1, 1})};
  program.entry("main", inputs, training, [&](Tensor real, Tensor z) {
    Tensor fake = generator(z);
    Tensor dLoss = mean(bce_with_logits(discriminator(real), 1.0)) +
                   mean(bce_with_logits(discriminator(stop_gradient(fake)), 0.0));
    adamD.minimize(dLoss, (program / "d").parameters());
    Tensor gLoss = mean(bce_with_logits(discriminator(fake), 1.0));
    adamG.minimize(gLoss, (program / "g").parameters());
    return result("d_loss", dLoss).result("g_loss", gLoss);
  });
}

} // namespace gen::zoo
