//===- models/gan.hpp - what adversarial models share -----------*- C++ -*-===//
//
// Two networks against each other: a generator from noise to images in [-1, 1], and a discriminator
// (a critic, where its results are no probabilities) from images to scores [batch, 1]. What they
// are and how they are made better is in the models' files; here is what they have in common.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_GAN_HPP
#define GEN_MODELS_GAN_HPP

#include "gen/optimizers.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

/// From noise [batch, latent] to images, and from images to scores.
using Generator = std::function<Tensor(const Tensor &z)>;
using Critic = std::function<Tensor(const Tensor &images)>;

/// Of models whose `train_step` takes images and is all of a step. Images are resized to `size`,
/// if that is not 0.
Recipe ganRecipe(int64_t size = 0);
/// Of models whose `train_step` is the critic's, on images; `generator_step`, which takes nothing,
/// follows in the first step and then in every `critic_steps`th, a setting. `batch` is a setting
/// too.
Recipe criticRecipe();

/// Entries `generate`, from given noise, and `sample`, which draws its own.
void addSampling(Program &program, const Generator &generator, int64_t latent);

/// The entry `generator_step` of a Wasserstein GAN: `optimizer` takes the weights in `scope` a step
/// down the critic's loss of images from new noise of that shape.
void addGeneratorStep(Program &program, const Scope &scope, const Generator &generator,
                      const Critic &critic, Optimizer &optimizer, const Shape &noise);

/// mean((||slope|| - 1)^2), where the slopes are the critic's gradients at points between real and
/// fake images, mix of the way to the real ones: [batch, 1] or [batch, 1, 1, 1] (Gulrajani et al.
/// 2017).
Tensor gradientPenalty(const Critic &critic, const Tensor &real, const Tensor &fake,
                       const Tensor &mix);

} // namespace gen::zoo

#endif // GEN_MODELS_GAN_HPP
