//===- models/mlp_gan.hpp - a GAN of fully connected layers -----*- C++ -*-===//
//
// Goodfellow et al.: Generative Adversarial Networks, NeurIPS 2014, with the non-saturating loss.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_MLP_GAN_HPP
#define GEN_MODELS_MLP_GAN_HPP

#include "gen/nn.hpp"
#include "gen/optimizers.hpp"

namespace gen::zoo {

/// 100-256-512-1024-784, images in [-1, 1].
class MlpGenerator : public Mlp {
public:
  static constexpr int64_t kLatent = 100;
  explicit MlpGenerator(const Scope &scope)
      : Mlp(scope, {kLatent, 256, 512, 1024, 784}, {.activation = LeakyReLU(0.2), .last = Tanh()}) {
  }
};

/// 784-512-256-1, logits of "this is a real image".
class MlpDiscriminator : public Mlp {
public:
  explicit MlpDiscriminator(const Scope &scope)
      : Mlp(scope, {784, 512, 256, 1}, {.activation = LeakyReLU(0.2)}) {}
};

/// One step of each: first the discriminator's, then the generator's against the changed
/// discriminator.
class MlpGanStep {
public:
  MlpGanStep(const Program &program, double learningRate)
      : generator(program / "g"), discriminator(program / "d"), generatorScope(program / "g"),
        discriminatorScope(program / "d"),
        adamG(program / "adam_g", {.learning_rate = learningRate, .beta1 = 0.5}),
        adamD(program / "adam_d", {.learning_rate = learningRate, .beta1 = 0.5}) {}

  /// EntryResults: d_loss, g_loss. `z` is the generator's noise.
  EntryResults operator()(const Tensor &real, const Tensor &z);

  MlpGenerator generator;
  MlpDiscriminator discriminator;

private:
  Scope generatorScope, discriminatorScope;
  Adam adamG, adamD;
};

} // namespace gen::zoo

#endif // GEN_MODELS_MLP_GAN_HPP
