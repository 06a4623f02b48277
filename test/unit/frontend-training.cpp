// Whole training runs: the losses of the first steps, from equal weights and noise, against the
// reference interpreter and PyTorch's numbers (frontend-oracle.py).
#include "Oracle.h"
#include "frontend-oracle.inc"

#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "models/zoo.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using namespace gen::test;

// Gives the variables below `scope` the arrays `first`, `first + 1`, ...
uint32_t fill(Runner &runner, const Scope &scope, uint32_t first, double bound) {
  for (const Variable &variable : scope.variables())
    runner.set(variable, signedNumbers(first++, elementsOf(variable.shape()), bound));
  return first;
}

// The VAE of frontend-oracle.py.
struct Vae {
  Program program{"vae"};
  Scope net = program / "net";
  int64_t batch, pixels, latent;
  Linear enc, stats;
  Mlp dec;
  Adam adam;

  Vae(int64_t batch, int64_t pixels, int64_t hidden, int64_t latent, double rate)
      : batch(batch), pixels(pixels), latent(latent), enc(net / "enc", pixels, hidden),
        stats(net / "stats", hidden, 2 * latent), dec(net / "dec", {latent, hidden, pixels}),
        adam(program / "adam", {.learning_rate = rate}) {
    program.entry("main", {input("x", f32, {batch, pixels}), input("eps", f32, {batch, latent})},
                  training, [&](Tensor x, Tensor eps) {
                    auto [mu, logVariance] = chunk<2>(stats(relu(enc(x))), 1);
                    Tensor logits = dec(mu + eps * exp(0.5 * logVariance));
                    Tensor loss =
                        sum(bce_with_logits(logits, x)) + sum(kl_standard_normal(mu, logVariance));
                    adam.minimize(loss, net.variables());
                    return result("loss", loss);
                  });
  }

  std::vector<double> losses(Runner &runner, uint32_t steps) const {
    fill(runner, net, 1, 0.05);
    std::vector<double> path;
    for (uint32_t step = 1; step <= steps; ++step) {
      std::vector<float> eps = signedNumbers(100 * step + 1, batch * latent, 1.7);
      path.push_back(
          runner.call("main", {{{batch, pixels}, pictures(step)}, {{batch, latent}, eps}}).front());
    }
    return path;
  }

  // Noisy copies of one picture.
  std::vector<float> pictures(uint32_t step) const {
    std::vector<float> picture = uniformNumbers(99, pixels),
                       values = uniformNumbers(100 * step, batch * pixels);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] =
          static_cast<float>(0.25 * values[i] + (picture[i % picture.size()] > 0.5 ? 0.75 : 0));
    return values;
  }
};

// The first numbers of a recorded run.
std::vector<double> head(const std::vector<double> &path, size_t count) {
  return {path.begin(), path.begin() + static_cast<ptrdiff_t>(count)};
}

TEST(Training, SmallVaeFollowsPyTorchAndTheInterpreter) {
  Vae vae(8, 48, 24, 4, 1e-2);
  Interpreted interpreted(vae.program);
  Compiled compiled(vae.program);
  std::vector<double> expected = vae.losses(interpreted, 20);
  expectClose(expected, kSmallVae, 1e-5);
  expectClose(vae.losses(compiled, 20), expected, 1e-5);
}

TEST(Training, VaeFollowsPyTorch) {
  Vae vae(128, 784, 400, 20, 1e-3);
  Compiled compiled(vae.program);
  expectClose(vae.losses(compiled, 20), kVae, 1e-4);
}

// The interpreter is slow in builds for debugging.
#ifdef NDEBUG
constexpr uint32_t kVaeSteps = 20;
constexpr uint32_t kGanSteps = 2;
#else
constexpr uint32_t kVaeSteps = 2;
constexpr uint32_t kGanSteps = 1;
#endif

TEST(Training, VaeFollowsTheInterpreter) {
  Vae vae(128, 784, 400, 20, 1e-3);
  Interpreted interpreted(vae.program);
  Compiled compiled(vae.program);
  std::vector<double> expected = vae.losses(interpreted, kVaeSteps);
  expectClose(expected, head(kVae, kVaeSteps), 1e-5);
  expectClose(vae.losses(compiled, kVaeSteps), expected, 1e-5);
}

// The zoo's own: noise drawn by the model, a batch of another size at every other step.
TEST(Training, VaeOfTheZooFollowsTheInterpreter) {
  const zoo::ModelInfo *model = zoo::find("vae");
  zoo::Settings settings = model->defaults;
  settings["hidden"] = 24;
  settings["latent"] = 4;
  Program program("vae");
  model->build(program, settings);
  auto losses = [picture = uniformNumbers(99, 784)](Runner &&runner) {
    std::vector<double> path;
    for (uint32_t step = 1; step <= 20; ++step) {
      int64_t batch = step % 2 ? 8 : 5;
      std::vector<float> images;
      for (int64_t i = 0; i < batch * 784; ++i)
        images.push_back(picture[static_cast<size_t>(i % 784)] > 0.5F ? 1.0F : 0.0F);
      path.push_back(runner.call("train_step", {{{batch, 784}, images}}).front());
    }
    return path;
  };
  std::vector<double> expected = losses(Interpreted(program));
  EXPECT_LT(expected.back(), 0.99 * expected.front()); // it learns something
  expectClose(losses(Compiled(program)), expected, 1e-5);
}

// Both losses of each step of the zoo's GAN with given noise.
std::vector<double> ganLosses(const Program &program, Runner &&runner, uint32_t steps) {
  constexpr int64_t kBatch = 128;
  constexpr int64_t kLatent = 100;
  uint32_t next = fill(runner, program / "g", 1, 0.1);
  fill(runner, program / "d", next, 0.1);
  std::vector<double> path;
  for (uint32_t step = 1; step <= steps; ++step) {
    Argument real = {{kBatch, 784}, signedNumbers(100 * step, kBatch * 784)};
    Argument noise = {{kBatch, kLatent}, signedNumbers(100 * step + 1, kBatch * kLatent, 1.7)};
    for (double loss : runner.call("main", {real, noise}))
      path.push_back(loss);
  }
  return path;
}

TEST(Training, MlpGanFollowsPyTorch) {
  Program program("gan");
  zoo::find("train_mlp_gan_b128")->build(program, {});
  expectClose(ganLosses(program, Compiled(program), 10), kMlpGan, 1e-4);
}

TEST(Training, MlpGanFollowsTheInterpreter) {
  Program program("gan");
  zoo::find("train_mlp_gan_b128")->build(program, {});
  std::vector<double> expected = ganLosses(program, Interpreted(program), kGanSteps);
  expectClose(expected, head(kMlpGan, size_t{2} * kGanSteps), 1e-5);
  expectClose(ganLosses(program, Compiled(program), kGanSteps), expected, 1e-5);
}

} // namespace
