//===- Vae.cpp - a variational autoencoder --------------------------------===//
//
// Kingma, Welling: Auto-Encoding Variational Bayes, ICLR 2014. Encoder and decoder have one hidden
// layer; the loss is the negative log-likelihood of the reconstruction and the KL divergence of the
// latent distribution from a standard normal, summed over an image and averaged over the batch.
//
//===----------------------------------------------------------------------===//

#include "models/vae.hpp"
#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "gen/outputs.hpp"

#include <numbers>

namespace gen::zoo {

Elbo::Elbo(const Scope &scope, const Settings &settings) : beta(settings.at("beta")) {
  if (settings.at("gaussian") != 0)
    logVariance = scope.variable("log_variance_x", f32, {1});
}

Tensor Elbo::operator()(const Tensor &x, const Tensor &logits, const Latent &latent) const {
  Tensor likelihood = logVariance ? gaussian_nll(sigmoid(logits), x, exp(*logVariance),
                                                 {.full = true, .reduction = Reduction::Sum})
                                  : sum(bce_with_logits(logits, x));
  Tensor divergence = sum(kl_standard_normal(latent.mean, latent.logVariance));
  Tensor total = likelihood + (beta == 1 ? divergence : beta * divergence);
  return total / cast(x.dimension(0), f32);
}

Tensor walk(int64_t rows, int64_t columns, int64_t latent) {
  Tensor from = normal({rows, 1, latent}), to = normal({rows, 1, latent});
  double step = std::numbers::pi / 2 / static_cast<double>(std::max<int64_t>(columns - 1, 1));
  Tensor angle = step * iota({1, columns, 1}, 1, f32);
  return reshape(cos(angle) * from + sin(angle) * to, {rows * columns, latent});
}

void addVae(Program &program, const Scope &scope, const Settings &settings,
            const Autoencoder &vae) {
  int64_t latent = sizeOf(settings, "latent");
  Elbo elbo(scope, settings);
  Adam adam(program / "adam", {.learning_rate = settings.at("learning_rate")});
  Dimension batch = program.dimension("batch");
  Input images = input("x", f32, {batch, 784});
  auto lossOf = [&](const Tensor &x) {
    Latent z = vae.encode(x);
    return elbo(x, vae.decode(z.draw()), z);
  };
  auto imagesOf = [&](const Tensor &z) { return result("x", sigmoid(vae.decode(z))); };

  program.entry("train_step", {images}, training, [&](Tensor x) {
    Tensor loss = lossOf(x);
    adam.minimize(loss, scope.parameters());
    return result("loss", loss);
  });
  program.entry("evaluate", {images}, evaluation,
                [&](Tensor x) { return result("loss", lossOf(x)); });
  program.entry("reconstruct", {images}, [&](Tensor x) { return imagesOf(vae.encode(x).mean); });
  program.entry("encode", {images}, [&](Tensor x) {
    Latent z = vae.encode(x);
    return result("mean", z.mean).result("log_variance", z.logVariance);
  });
  program.entry("decode", {input("z", f32, {batch, latent})}, imagesOf);
  program.entry("sample", {}, [&] { return imagesOf(normal({64, latent})); });
  program.entry("walk", {}, [&] { return imagesOf(walk(10, 10, latent)); });
}

Recipe vaeRecipe() {
  Recipe recipe = imageRecipe();
  recipe.steps = 2340; // five epochs of Fashion-MNIST
  recipe.samples.push_back(imageGrid("walk"));
  recipe.outputs = {reconstructions()};
  return recipe;
}

Settings vaeSettings(Settings more) {
  Settings settings = {{"latent", 20}, {"learning_rate", 1e-3}, {"beta", 1}, {"gaussian", 0}};
  settings.merge(more);
  return settings;
}

namespace {
struct Vae {
  Linear fc1, mean, log_variance, fc2, out;

  Vae(const Scope &s, int64_t hidden, int64_t latent)
      : fc1(s / "fc1", 784, hidden), mean(s / "mean", hidden, latent),
        log_variance(s / "log_variance", hidden, latent), fc2(s / "fc2", latent, hidden),
        out(s / "out", hidden, 784) {}

  Latent encode(const Tensor &x) const {
    Tensor h = relu(fc1(x));
    return {mean(h), log_variance(h)};
  }
  Tensor decode(const Tensor &z) const { return out(relu(fc2(z))); } // logits
};
} // namespace

static void buildVae(Program &program, const Settings &settings) {
  Scope scope = program / "vae";
  Vae vae(scope, sizeOf(settings, "hidden"), sizeOf(settings, "latent"));
  addVae(program, scope, settings,
         {[&](const Tensor &x) { return vae.encode(x); },
          [&](const Tensor &z) { return vae.decode(z); }});
}

ModelInfo vae() {
  return {"vae", "variational autoencoder, 784-400-20-400-784", vaeSettings({{"hidden", 400}}),
          buildVae, vaeRecipe()};
}

} // namespace gen::zoo
