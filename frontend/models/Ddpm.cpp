//===- Ddpm.cpp - diffusion models that draw images -----------------------===//
//
// Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, NeurIPS 2020: a U-Net predicts what
// noise is in an image. Images are drawn by a compiled loop with averaged weights. The second model
// is told the class, but for one image in ten; so it predicts with and without, and what the class
// changes is exaggerated by the factor `guidance` (Ho, Salimans: Classifier-Free Diffusion
// Guidance, 2022). For the paper's network set width=128 and blocks=2.
//
//===----------------------------------------------------------------------===//

#include "gen/optimizers.hpp"
#include "gen/outputs.hpp"
#include "models/diffusion.hpp"
#include "models/unet.hpp"

namespace gen::zoo {

namespace {
constexpr int64_t kSide = 28;
constexpr data::ImageOptions kRange = {.low = -1, .high = 1, .size = kSide};

struct Painter {
  int64_t classes; ///< 0: it is told none
  int64_t colours;
  Unet net;
  Diffusion diffusion;
  std::vector<Variable> weights;
  EMA ema;
  Adam adam;

  Painter(const Program &program, const Settings &settings, int64_t classes)
      : classes(classes), colours(sizeOf(settings, "image_channels")),
        net(program / "unet", {.channels = sizeOf(settings, "width"),
                               .colours = colours,
                               .size = kSide,
                               .attentionAt = 7,
                               .blocks = sizeOf(settings, "blocks"),
                               .groups = 8,
                               .multiples = {1, 2, 2},
                               .classes = classes}),
        diffusion(settings), weights((program / "unet").parameters()),
        ema(program / "ema", settings.at("ema")),
        adam(program / "adam", {.learning_rate = settings.at("learning_rate")}) {}

  Tensor loss(const Tensor &x, const Tensor &labels = {}) const {
    return diffusion.loss(x, [&](const Tensor &x, const Tensor &t) { return net(x, t, labels); });
  }
  Shape images(const Dimension &count) const { return {count, colours, kSide, kSide}; }
  EntryResults step(const Tensor &loss) {
    adam.minimize(loss, weights, {.clip_norm = 1});
    ema.update(weights);
    return result("loss", loss);
  }
  /// The entry `denoise` goes a tenth of the way from noise to images on, from `done` steps.
  EntryResults advance(const Tensor &x, const Tensor &done, const Diffusion::Prediction &predict) {
    int64_t steps = diffusion.steps(), part = std::max<int64_t>(steps / 10, 1);
    while (steps % part != 0)
      --part;
    ema.apply(weights);
    return result("x", diffusion.advance(x, done, part, predict))
        .result("done", done + part)
        .result("left", steps - (done + part));
  }
};
} // namespace

static void buildDdpm(Program &program, const Settings &settings) {
  Painter painter(program, settings, 0);
  Dimension batch = program.dimension("batch");
  Input images = input("images", f32, painter.images(batch));
  program.entry("train_step", {images}, training,
                [&](Tensor x) { return painter.step(painter.loss(x)); });
  program.entry("evaluate", {images}, evaluation, [&](Tensor x) {
    painter.ema.apply(painter.weights);
    return result("loss", painter.loss(x));
  });
  int64_t count = sizeOf(settings, "samples");
  program.entry("noise", {}, [&] { return result("x", normal(painter.images(count))); });
  program.entry("denoise", {images, input("done", i64, {})}, [&](Tensor x, Tensor done) {
    return painter.advance(x, done,
                           [&](const Tensor &x, const Tensor &t) { return painter.net(x, t); });
  });
}

static void buildGuidedDdpm(Program &program, const Settings &settings) {
  constexpr double kUntold = 0.1;
  int64_t classes = sizeOf(settings, "classes"), count = 10 * classes;
  Painter painter(program, settings, classes);
  Dimension batch = program.dimension("batch");
  std::vector<Input> inputs = {input("images", f32, painter.images(batch)),
                               input("labels", i64, {batch})};
  program.entry("train_step", inputs, training, [&](Tensor x, Tensor labels) {
    return painter.step(painter.loss(x, where(bernoulli_like(labels, kUntold), classes, labels)));
  });
  program.entry("evaluate", inputs, evaluation, [&](Tensor x, Tensor labels) {
    painter.ema.apply(painter.weights);
    return result("loss", painter.loss(x, labels));
  });
  program.entry("noise", {}, [&] { // a row for each class
    return result("x", normal(painter.images(count)))
        .result("labels", reshape(iota({classes, 10}, 0), {-1}));
  });
  inputs.push_back(input("done", i64, {}));
  program.entry("denoise", inputs, [&](Tensor x, Tensor labels, Tensor done) {
    Tensor none = full_like(labels, static_cast<double>(classes));
    return painter.advance(x, done, [&](const Tensor &x, const Tensor &t) {
      Tensor told = painter.net(x, t, labels), untold = painter.net(x, t, none);
      return untold + settings.at("guidance") * (told - untold);
    });
  });
}

/// What both have in common.
static Recipe diffusionRecipe() {
  Recipe recipe = imageRecipe(kRange);
  recipe.batch = 64;
  recipe.steps = 9370; // ten epochs of Fashion-MNIST
  recipe.evaluateBatch = 100;
  recipe.samples = {denoisedSamples(kRange)};
  return recipe;
}

ModelInfo ddpm() {
  return {"ddpm", "diffusion model with a U-Net", diffusionSettings({{"samples", 64}}), buildDdpm,
          diffusionRecipe()};
}

ModelInfo guidedDdpm() {
  Recipe recipe = diffusionRecipe();
  recipe.inputs = {"images", "labels"};
  return {"guided_ddpm", "diffusion model that is told which class to draw",
          diffusionSettings({{"classes", 10}, {"guidance", 3}}), buildGuidedDdpm, recipe};
}

} // namespace gen::zoo
