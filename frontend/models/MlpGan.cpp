//===- MlpGan.cpp - a GAN of fully connected layers -----------------------===//

#include "gen/losses.hpp"
#include "models/gan.hpp"
#include "models/mlp_gan.hpp"

namespace gen::zoo {

EntryResults MlpGanStep::operator()(const Tensor &real, const Tensor &z) {
  Tensor fake = generator(z);
  Tensor onReal = discriminator(real), onFake = discriminator(stop_gradient(fake));
  Tensor dLoss = mean(bce_with_logits(onReal, 1.0)) + mean(bce_with_logits(onFake, 0.0));
  adamD.minimize(dLoss, discriminatorScope.variables());

  Tensor gLoss = mean(bce_with_logits(discriminator(fake), 1.0));
  adamG.minimize(gLoss, generatorScope.variables());
  return result("d_loss", dLoss).result("g_loss", gLoss);
}

static void buildMlpGan(Program &program, const Settings &settings) {
  constexpr int64_t kLatent = MlpGenerator::kLatent;
  MlpGanStep step(program, settings.at("learning_rate"));
  Dimension batch = program.dimension("batch");

  program.entry("train_step", {input("real", f32, {batch, 784})}, training,
                [&](Tensor real) { return step(real, normal({batch, kLatent})); });
  addSampling(program, step.generator, kLatent);
}

ModelInfo mlpGan() {
  Recipe recipe = ganRecipe();
  recipe.steps = 14000;
  return {"mlp_gan",
          "GAN of fully connected layers, 100-256-512-1024-784",
          {{"learning_rate", 2e-4}},
          buildMlpGan,
          recipe};
}

} // namespace gen::zoo
