//===- Wgan.cpp - a Wasserstein GAN ---------------------------------------===//
//
// Arjovsky, Chintala, Bottou: Wasserstein GAN, ICML 2017. The critic's scores of real and of
// generated images differ by an estimate of the distance of the two distributions, as long as the
// critic is Lipschitz: its weights are clipped. It takes several steps for each of the generator's.
//
//===----------------------------------------------------------------------===//

#include "gen/losses.hpp"
#include "models/gan.hpp"
#include "models/mlp_gan.hpp"

namespace gen::zoo {

static void buildWgan(Program &program, const Settings &settings) {
  constexpr int64_t kLatent = MlpGenerator::kLatent;
  const int64_t batch = sizeOf(settings, "batch");
  const double clip = settings.at("clip");
  MlpGenerator generator(program / "g");
  MlpDiscriminator critic(program / "d");
  RMSpropOptions options = {.learning_rate = settings.at("learning_rate")};
  RMSprop rmsG(program / "rms_g", options), rmsD(program / "rms_d", options);

  program.entry("train_step", {input("images", f32, {batch, 784})}, training, [&](Tensor real) {
    Tensor fake = stop_gradient(generator(normal({batch, kLatent})));
    Tensor loss = wasserstein_critic(critic(real), critic(fake));
    rmsD.minimize(loss, (program / "d").parameters());
    for (const Variable &weight : (program / "d").parameters())
      assign(weight, hardtanh(weight, -clip, clip));
    return result("d_loss", loss);
  });
  addGeneratorStep(program, program / "g", generator, critic, rmsG, {batch, kLatent});
  addSampling(program, generator, kLatent);
}

ModelInfo wgan() {
  Recipe recipe = criticRecipe();
  recipe.steps = 40000;
  return {"wgan",
          "Wasserstein GAN of fully connected layers, the critic's weights clipped",
          {{"batch", 64}, {"clip", 0.01}, {"critic_steps", 5}, {"learning_rate", 5e-5}},
          buildWgan,
          recipe};
}

} // namespace gen::zoo
