//===- Sagan.cpp - a GAN with self-attention ------------------------------===//
//
// Zhang, Goodfellow, Metaxas, Odena: Self-Attention Generative Adversarial Networks, ICML 2019:
// every position of a feature map attends to all others; the weights of both networks are divided
// by their spectral norm; the hinge loss; a faster rate for the discriminator. Without classes, and
// with DCGAN's convolutions in place of the paper's residual blocks.
//
//===----------------------------------------------------------------------===//

#include "gen/attention.hpp"
#include "gen/losses.hpp"
#include "gen/optimizers.hpp"
#include "gen/spectral.hpp"
#include "models/gan.hpp"

namespace gen::zoo {

namespace {
constexpr int64_t kLatent = 128, kSize = 32;

SpectralNorm<Conv2d> conv(const Scope &scope, int64_t inputs, int64_t outputs, int64_t kernel,
                          const ConvLayerOptions &options = {}) {
  return {scope, Conv2d(scope, inputs, outputs, kernel, options)};
}
SpectralNorm<Conv2d> halve(const Scope &scope, int64_t inputs, int64_t outputs) {
  return conv(scope, inputs, outputs, 4, {.stride = 2, .padding = 1});
}
SpectralNorm<ConvTranspose2d> twice(const Scope &scope, int64_t inputs, int64_t outputs) {
  return {scope, ConvTranspose2d(scope, inputs, outputs, 4, {.stride = 2, .padding = 1})};
}

/// y = x + gamma out(attention(query(x), key(x), value(x))), [batch, channels, height, width].
/// Gamma is 0 at first: it begins with what is near (equation 3 of the paper).
struct PositionAttention {
  SpectralNorm<Conv2d> query, key, value, out;
  Variable gamma;

  PositionAttention(const Scope &s, int64_t channels)
      : query(conv(s / "query", channels, channels / 8, 1)),
        key(conv(s / "key", channels, channels / 8, 1)),
        value(conv(s / "value", channels, channels / 2, 1)),
        out(conv(s / "out", channels / 2, channels, 1)), gamma(s.variable("gamma", f32, {})) {}

  Tensor operator()(const Tensor &x, SourceLocation = SourceLocation::current()) const {
    Dimension batch = x.dimension(0), height = x.dimension(2), width = x.dimension(3);
    auto positions = [&](const Tensor &t) { // [batch, positions, 1 head, channels]
      Tensor rows = transpose(reshape(t, {batch, t.dimension(1), height * width}));
      return reshape(rows, {batch, height * width, 1, t.dimension(1)});
    };
    Tensor seen =
        attention(positions(query(x)), positions(key(x)), positions(value(x)), {.scale = 1.0});
    Tensor rows = reshape(seen, {batch, height * width, seen.dimension(3)});
    return x + gamma * out(reshape(transpose(rows), {batch, seen.dimension(3), height, width}));
  }
};

/// Noise [batch, 128, 1, 1] to images [batch, channels, 32, 32]; attention at 16 x 16.
struct SaganGenerator : Sequential {
  SaganGenerator(const Scope &scope, int64_t channels, int64_t features) : Sequential(scope) {
    add(SpectralNorm(next(), ConvTranspose2d(next(), kLatent, features * 4, 4)));
    for (int64_t inputs : {features * 4, features * 2}) {
      add(BatchNorm2d(next(), inputs)).add(ReLU());
      add(twice(next(), inputs, inputs / 2));
    }
    add(BatchNorm2d(next(), features)).add(ReLU());
    add(PositionAttention(next(), features));
    add(twice(next(), features, channels)).add(Tanh());
  }
};

/// Images to scores [batch, 1].
struct SaganDiscriminator : Sequential {
  SaganDiscriminator(const Scope &scope, int64_t channels, int64_t features) : Sequential(scope) {
    add(halve(next(), channels, features)).add(LeakyReLU(0.1));
    add(PositionAttention(next(), features));
    for (int64_t inputs : {features, features * 2})
      add(halve(next(), inputs, inputs * 2)).add(LeakyReLU(0.1));
    add(conv(next(), features * 4, 1, 4));
    add([](const Tensor &x, SourceLocation where) { return flatten(x, 1, where); });
  }
};
} // namespace

static void buildSagan(Program &program, const Settings &settings) {
  const int64_t batch = sizeOf(settings, "batch"), channels = sizeOf(settings, "image_channels"),
                features = sizeOf(settings, "features");
  if (features % 8 != 0)
    throw std::invalid_argument("features: expected a multiple of 8");
  SaganGenerator generator(program / "g", channels, features);
  SaganDiscriminator discriminator(program / "d", channels, features);
  Adam adamG(program / "adam_g",
             {.learning_rate = settings.at("g_learning_rate"), .beta1 = 0.0, .beta2 = 0.9});
  Adam adamD(program / "adam_d",
             {.learning_rate = settings.at("d_learning_rate"), .beta1 = 0.0, .beta2 = 0.9});
  auto generate = [&](const Tensor &z) {
    return generator(reshape(z, {z.dimension(0), kLatent, 1, 1}));
  };

  Input images = input("images", f32, {batch, channels, kSize, kSize});
  program.entry("train_step", {images}, training, [&](Tensor real) {
    Tensor fake = generate(normal({batch, kLatent}));
    Tensor dLoss = hinge_discriminator(discriminator(real), discriminator(stop_gradient(fake)));
    adamD.minimize(dLoss, (program / "d").parameters());
    Tensor gLoss = hinge_generator(discriminator(fake));
    adamG.minimize(gLoss, (program / "g").parameters());
    return result("d_loss", dLoss).result("g_loss", gLoss);
  });
  addSampling(program, generate, kLatent);
}

ModelInfo sagan() {
  Recipe recipe = ganRecipe(kSize);
  recipe.steps = 6000;
  return {"sagan",
          "GAN with self-attention, spectral norm and the hinge loss, 32 x 32",
          {{"batch", 64},
           {"image_channels", 1},
           {"d_learning_rate", 4e-4},
           {"features", 32},
           {"g_learning_rate", 1e-4}},
          buildSagan,
          recipe};
}

} // namespace gen::zoo
