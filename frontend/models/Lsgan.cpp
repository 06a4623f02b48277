//===- Lsgan.cpp - a least squares GAN ------------------------------------===//
//
// Mao et al.: Least Squares Generative Adversarial Networks, ICCV 2017, with the labels a = 0 and
// b = c = 1 (equation 9): also images that are taken for real are drawn nearer to the real ones.
//
//===----------------------------------------------------------------------===//

#include "gen/losses.hpp"
#include "models/gan.hpp"
#include "models/mlp_gan.hpp"

namespace gen::zoo {

static void buildLsgan(Program &program, const Settings &settings) {
  MlpGenerator generator(program / "g");
  MlpDiscriminator discriminator(program / "d");
  AdamOptions options = {.learning_rate = settings.at("learning_rate"), .beta1 = 0.5};
  Adam adamG(program / "adam_g", options), adamD(program / "adam_d", options);
  Dimension batch = program.dimension("batch");

  program.entry("train_step", {input("images", f32, {batch, 784})}, training, [&](Tensor real) {
    Tensor fake = generator(normal({batch, MlpGenerator::kLatent}));
    Tensor onReal = discriminator(real), onFake = discriminator(stop_gradient(fake));
    Tensor dLoss = 0.5 * (mse(onReal, 1.0) + mse(onFake, 0.0));
    adamD.minimize(dLoss, (program / "d").parameters());
    Tensor gLoss = 0.5 * mse(discriminator(fake), 1.0);
    adamG.minimize(gLoss, (program / "g").parameters());
    return result("d_loss", dLoss).result("g_loss", gLoss);
  });
  addSampling(program, generator, MlpGenerator::kLatent);
}

ModelInfo lsgan() {
  Recipe recipe = ganRecipe();
  recipe.steps = 14000;
  return {"lsgan",
          "least squares GAN of fully connected layers",
          {{"learning_rate", 2e-4}},
          buildLsgan,
          recipe};
}

} // namespace gen::zoo
