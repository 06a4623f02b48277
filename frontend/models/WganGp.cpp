//===- WganGp.cpp - a Wasserstein GAN with gradient penalty ---------------===//
//
// Gulrajani et al.: Improved Training of Wasserstein GANs, NeurIPS 2017. The critic's loss holds a
// gradient of the critic itself, so its update is a gradient of the second order.
//
// The benchmark has names, sizes and losses of the PyTorch definitions of the peer benchmarks;
// noise and mixing weights are inputs there, so that results can be compared.
//
//===----------------------------------------------------------------------===//

#include "gen/losses.hpp"
#include "models/gan.hpp"
#include "models/mlp_gan.hpp"

namespace gen::zoo {

static constexpr double kPenalty = 10; // the paper's lambda

static void buildWganGp(Program &program, const Settings &settings) {
  constexpr int64_t kLatent = MlpGenerator::kLatent;
  const int64_t batch = sizeOf(settings, "batch");
  MlpGenerator generator(program / "g");
  MlpDiscriminator critic(program / "d");
  AdamOptions options = {.learning_rate = settings.at("learning_rate"), .beta1 = 0.0, .beta2 = 0.9};
  Adam adamG(program / "adam_g", options), adamD(program / "adam_d", options);

  program.entry("train_step", {input("images", f32, {batch, 784})}, training, [&](Tensor real) {
    Tensor fake = stop_gradient(generator(normal({batch, kLatent})));
    Tensor distance = wasserstein_critic(critic(real), critic(fake));
    Tensor penalty = gradientPenalty(critic, real, fake, uniform({batch, 1}));
    Tensor loss = distance + kPenalty * penalty;
    adamD.minimize(loss, (program / "d").parameters());
    return result("d_loss", loss).result("distance", -distance);
  });
  addGeneratorStep(program, program / "g", generator, critic, adamG, {batch, kLatent});
  addSampling(program, generator, kLatent);
}

ModelInfo wganGp() {
  Recipe recipe = criticRecipe();
  recipe.steps = 40000;
  return {"wgan_gp",
          "Wasserstein GAN of fully connected layers with gradient penalty",
          {{"batch", 64}, {"critic_steps", 5}, {"learning_rate", 1e-4}},
          buildWganGp,
          recipe};
}

void buildTrainWganGp(Program &program, const Settings &) {
  constexpr int64_t kBatch = 64;
  MlpGenerator generator(program / "g");
  MlpDiscriminator critic(program / "d");
  Adam adamG(program / "adam_g", {.learning_rate = 2e-4, .beta1 = 0.0, .beta2 = 0.9});
  Adam adamD(program / "adam_d", {.learning_rate = 2e-4, .beta1 = 0.0, .beta2 = 0.9});

  std::vector<Input> inputs = {input("real", f32, {kBatch, 784}),
                               input("z", f32, {kBatch, MlpGenerator::kLatent}),
                               input("alpha", f32, {kBatch, 1})};
  program.entry("main", inputs, training, [&](Tensor real, Tensor z, Tensor alpha) {
    Tensor fake = generator(z), fixed = stop_gradient(fake);
    Tensor dLoss = wasserstein_critic(critic(real), critic(fixed)) +
                   kPenalty * gradientPenalty(critic, real, fixed, alpha);
    adamD.minimize(dLoss, (program / "d").variables());

    Tensor gLoss = wasserstein_generator(critic(fake));
    adamG.minimize(gLoss, (program / "g").variables());
    return result("d_loss", dLoss).result("g_loss", gLoss);
  });
}

} // namespace gen::zoo
