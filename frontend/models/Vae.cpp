//===- Vae.cpp - a variational autoencoder --------------------------------===//
//
// Kingma, Welling: Auto-Encoding Variational Bayes, ICLR 2014. Encoder and decoder have one hidden
// layer; the loss is the binary cross-entropy of the reconstruction and the KL divergence of the
// latent distribution from a standard normal, summed over an image and averaged over the batch.
//
//===----------------------------------------------------------------------===//

#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "gen/outputs.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

namespace {
struct Vae {
  Linear fc1, mean, log_variance, fc2, out;

  Vae(const Scope &s, int64_t hidden, int64_t latent)
      : fc1(s / "fc1", 784, hidden), mean(s / "mean", hidden, latent),
        log_variance(s / "log_variance", hidden, latent), fc2(s / "fc2", latent, hidden),
        out(s / "out", hidden, 784) {}

  std::pair<Tensor, Tensor> encode(const Tensor &x) const {
    Tensor h = relu(fc1(x));
    return {mean(h), log_variance(h)};
  }
  Tensor decode(const Tensor &z) const { return out(relu(fc2(z))); } // logits

  Tensor loss(const Tensor &x) const {
    auto [mu, logVariance] = encode(x);
    Tensor z = mu + exp(0.5 * logVariance) * normal_like(mu);
    Tensor total = sum(bce_with_logits(decode(z), x)) + sum(kl_standard_normal(mu, logVariance));
    return total / cast(x.dimension(0), f32);
  }
};
} // namespace

static void buildVae(Program &program, const Settings &settings) {
  int64_t latent = sizeOf(settings, "latent");
  Vae vae(program / "vae", sizeOf(settings, "hidden"), latent);
  Adam adam(program / "adam", {.learning_rate = settings.at("learning_rate")});
  Dimension batch = program.dimension("batch");
  Input images = input("x", f32, {batch, 784});

  program.entry("train_step", {images}, training, [&](Tensor x) {
    Tensor loss = vae.loss(x);
    adam.minimize(loss, (program / "vae").variables());
    return result("loss", loss);
  });
  program.entry("evaluate", {images}, evaluation,
                [&](Tensor x) { return result("loss", vae.loss(x)); });
  program.entry("reconstruct", {images},
                [&](Tensor x) { return result("x", sigmoid(vae.decode(vae.encode(x).first))); });
  program.entry("encode", {images}, [&](Tensor x) {
    auto [mu, logVariance] = vae.encode(x);
    return result("mean", mu).result("log_variance", logVariance);
  });
  program.entry("decode", {input("z", f32, {batch, latent})},
                [&](Tensor z) { return result("x", sigmoid(vae.decode(z))); });
  program.entry("sample", {},
                [&] { return result("x", sigmoid(vae.decode(normal({64, latent})))); });
}

ModelInfo vae() {
  Recipe recipe = imageRecipe();
  recipe.steps = 2340; // five epochs of Fashion-MNIST
  recipe.outputs = {reconstructions()};
  return {"vae",
          "variational autoencoder, 784-400-20-400-784",
          {{"hidden", 400}, {"latent", 20}, {"learning_rate", 1e-3}},
          buildVae,
          recipe};
}

} // namespace gen::zoo
