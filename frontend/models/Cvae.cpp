//===- Cvae.cpp - a variational autoencoder that is told the class --------===//
//
// Sohn, Lee, Yan: Learning Structured Output Representation using Deep Conditional Generative
// Models, NeurIPS 2015: encoder and decoder are given the class beside the image and the latent
// values, which so are left with what classes have in common: slant, width, style.
//
//===----------------------------------------------------------------------===//

#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "gen/outputs.hpp"
#include "models/vae.hpp"

namespace gen::zoo {

namespace {
struct Cvae {
  int64_t classes;
  Linear fc1, mean, log_variance, fc2, out;

  Cvae(const Scope &s, int64_t classes, int64_t hidden, int64_t latent)
      : classes(classes), fc1(s / "fc1", 784 + classes, hidden), mean(s / "mean", hidden, latent),
        log_variance(s / "log_variance", hidden, latent), fc2(s / "fc2", latent + classes, hidden),
        out(s / "out", hidden, 784) {}

  Latent encode(const Tensor &x, const Tensor &labels) const {
    Tensor h = relu(fc1(concat({x, one_hot(labels, classes)}, 1)));
    return {mean(h), log_variance(h)};
  }
  Tensor decode(const Tensor &z, const Tensor &labels) const { // logits
    return out(relu(fc2(concat({z, one_hot(labels, classes)}, 1))));
  }
};
} // namespace

static void buildCvae(Program &program, const Settings &settings) {
  int64_t latent = sizeOf(settings, "latent"), classes = sizeOf(settings, "classes");
  Scope scope = program / "vae";
  Cvae vae(scope, classes, sizeOf(settings, "hidden"), latent);
  Elbo elbo(scope, settings);
  Adam adam(program / "adam", {.learning_rate = settings.at("learning_rate")});
  Dimension batch = program.dimension("batch");
  Input images = input("x", f32, {batch, 784}), labels = input("labels", i64, {batch});
  auto lossOf = [&](const Tensor &x, const Tensor &labels) {
    Latent z = vae.encode(x, labels);
    return elbo(x, vae.decode(z.draw(), labels), z);
  };
  // Ten images of each class, a row for each.
  auto rowsOf = [&](const Tensor &z) {
    Tensor rows = reshape(iota({classes, 10}, 0), {-1});
    return result("x", sigmoid(vae.decode(z, rows))).result("labels", rows);
  };

  program.entry("train_step", {images, labels}, training, [&](Tensor x, Tensor labels) {
    Tensor loss = lossOf(x, labels);
    adam.minimize(loss, scope.parameters());
    return result("loss", loss);
  });
  program.entry("evaluate", {images, labels}, evaluation,
                [&](Tensor x, Tensor labels) { return result("loss", lossOf(x, labels)); });
  program.entry("decode", {input("z", f32, {batch, latent}), labels}, [&](Tensor z, Tensor labels) {
    return result("x", sigmoid(vae.decode(z, labels)));
  });
  program.entry("sample", {}, [&] { return rowsOf(normal({10 * classes, latent})); });
  // The same way for all classes.
  program.entry("walk", {}, [&] {
    Tensor way = reshape(walk(1, 10, latent), {1, 10, latent});
    return rowsOf(reshape(broadcast_to(way, {classes, 10, latent}), {10 * classes, latent}));
  });
}

ModelInfo cvae() {
  Recipe recipe = vaeRecipe();
  recipe.inputs = {"images", "labels"};
  recipe.outputs = {};
  return {"cvae", "variational autoencoder that is told the class",
          vaeSettings({{"hidden", 400}, {"classes", 10}}), buildCvae, recipe};
}

} // namespace gen::zoo
