//===- Cgan.cpp - a GAN that draws what is asked for ----------------------===//
//
// Mirza, Osindero: Conditional Generative Adversarial Nets, 2014: generator and discriminator,
// fully connected, are given the class beside the noise and the image.
//
//===----------------------------------------------------------------------===//

#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "models/gan.hpp"

namespace gen::zoo {

namespace {
struct Cgan {
  static constexpr int64_t kLatent = 100, kPixels = 784;
  int64_t classes;
  Mlp generator, discriminator;

  Cgan(const Program &program, int64_t classes)
      : classes(classes), generator(program / "g", {kLatent + classes, 256, 512, 1024, kPixels},
                                    {.activation = LeakyReLU(0.2), .last = Tanh()}),
        discriminator(program / "d", {kPixels + classes, 512, 256, 1},
                      {.activation = LeakyReLU(0.2)}) {}

  Tensor generate(const Tensor &z, const Tensor &labels) const {
    return generator(concat({z, one_hot(labels, classes)}, 1));
  }
  Tensor judge(const Tensor &images, const Tensor &labels) const {
    return discriminator(concat({images, one_hot(labels, classes)}, 1));
  }
};
} // namespace

static void buildCgan(Program &program, const Settings &settings) {
  constexpr int64_t kLatent = Cgan::kLatent;
  Cgan gan(program, sizeOf(settings, "classes"));
  AdamOptions options = {.learning_rate = settings.at("learning_rate"), .beta1 = 0.5};
  Adam adamG(program / "adam_g", options), adamD(program / "adam_d", options);
  Dimension batch = program.dimension("batch");
  Input images = input("images", f32, {batch, Cgan::kPixels}),
        labels = input("labels", i64, {batch});

  program.entry("train_step", {images, labels}, training, [&](Tensor images, Tensor labels) {
    Tensor fake = gan.generate(normal({batch, kLatent}), labels);
    Tensor onReal = gan.judge(images, labels), onFake = gan.judge(stop_gradient(fake), labels);
    Tensor dLoss = mean(bce_with_logits(onReal, 0.9)) + mean(bce_with_logits(onFake, 0.0));
    adamD.minimize(dLoss, (program / "d").parameters());
    Tensor gLoss = mean(bce_with_logits(gan.judge(fake, labels), 1.0));
    adamG.minimize(gLoss, (program / "g").parameters());
    return result("d_loss", dLoss).result("g_loss", gLoss);
  });
  program.entry("generate", {input("z", f32, {batch, kLatent}), labels},
                [&](Tensor z, Tensor labels) { return result("x", gan.generate(z, labels)); });
  // A row for each class.
  program.entry("sample", {}, [&] {
    Tensor rows = reshape(iota({gan.classes, 10}, 0), {-1});
    return result("x", gan.generate(normal({10 * gan.classes, kLatent}), rows))
        .result("labels", rows);
  });
}

ModelInfo cgan() {
  Recipe recipe = ganRecipe();
  recipe.inputs = {"images", "labels"};
  recipe.steps = 14000;
  return {"cgan",
          "GAN that is told which class to draw",
          {{"classes", 10}, {"learning_rate", 2e-4}},
          buildCgan,
          recipe};
}

} // namespace gen::zoo
