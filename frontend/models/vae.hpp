//===- models/vae.hpp - what variational autoencoders share -----*- C++ -*-===//
//
// An encoder gives the distribution of the latent values of an image, a decoder the logits of the
// pixels, given latent values. Settings:
//
//   beta      weight of the KL divergence (Higgins et al.: beta-VAE, ICLR 2017)
//   gaussian  0: a pixel is a Bernoulli variable; 1: it is normal around the sigmoid of its logit,
//             with one learned variance for all (Rybkin et al.: Simple and Effective VAE Training
//             with Calibrated Decoders, ICML 2021)
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_VAE_HPP
#define GEN_MODELS_VAE_HPP

#include "gen/ops.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

/// Normal latent values, each independent of the others: [batch, latent].
struct Latent {
  Tensor mean, logVariance;

  Tensor draw() const { return mean + exp(0.5 * logVariance) * normal_like(mean); }
};

/// The loss: minus the evidence lower bound of an image, the mean over the batch.
class Elbo {
public:
  /// Makes the decoder's variance under `scope`, if there is one.
  Elbo(const Scope &scope, const Settings &settings);
  Tensor operator()(const Tensor &x, const Tensor &logits, const Latent &latent) const;

private:
  double beta;
  std::optional<Variable> logVariance;
};

/// Images [batch, 784] of latent values, and the other way round.
struct Autoencoder {
  std::function<Latent(const Tensor &x)> encode;
  std::function<Tensor(const Tensor &z)> decode;
};

/// The entries of an autoencoder with its variables under `scope`.
void addVae(Program &program, const Scope &scope, const Settings &settings, const Autoencoder &vae);
/// Draws samples and walks between them; ends with reconstructions.
Recipe vaeRecipe();
/// A VAE's settings, with those of `more`.
Settings vaeSettings(Settings more = {});

/// Ways between latent values that are drawn, [rows * columns, latent]: each row goes along a
/// quarter of an ellipse, on which every point is as likely to be drawn as its ends.
Tensor walk(int64_t rows, int64_t columns, int64_t latent);

} // namespace gen::zoo

#endif // GEN_MODELS_VAE_HPP
