//===- WganGp.cpp - a Wasserstein GAN with gradient penalty ---------------===//
//
// Gulrajani et al.: Improved Training of Wasserstein GANs, NeurIPS 2017. The critic's loss holds a
// gradient of the critic itself, so its update is a gradient of the second order.
//
// A benchmark: names, sizes and losses as in the PyTorch definitions of the peer benchmarks; noise
// and mixing weights are inputs, so that results can be compared.
//
//===----------------------------------------------------------------------===//

#include "models/mlp_gan.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

static constexpr int64_t kBatch = 64;

void buildTrainWganGp(Program &program, const Settings &) {
  MlpGenerator generator(program / "g");
  MlpDiscriminator critic(program / "d");
  Adam adamG(program / "adam_g", {.learning_rate = 2e-4, .beta1 = 0.0, .beta2 = 0.9});
  Adam adamD(program / "adam_d", {.learning_rate = 2e-4, .beta1 = 0.0, .beta2 = 0.9});

  std::vector<Input> inputs = {input("real", f32, {kBatch, 784}),
                               input("z", f32, {kBatch, MlpGenerator::kLatent}),
                               input("alpha", f32, {kBatch, 1})};
  program.entry("main", inputs, training, [&](Tensor real, Tensor z, Tensor alpha) {
    Tensor fake = generator(z), fixed = stop_gradient(fake);
    Tensor mixed = alpha * real + (1.0 - alpha) * fixed;
    Tensor slope = norm(gradient(sum(critic(mixed)), mixed), {.axes = {1}});
    Tensor penalty = mean(square(slope - 1.0));
    Tensor dLoss = mean(critic(fixed)) - mean(critic(real)) + 10.0 * penalty;
    adamD.minimize(dLoss, (program / "d").variables());

    Tensor gLoss = -mean(critic(fake));
    adamG.minimize(gLoss, (program / "g").variables());
    return result("d_loss", dLoss).result("g_loss", gLoss);
  });
}

} // namespace gen::zoo
