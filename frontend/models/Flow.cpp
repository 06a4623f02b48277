//===- Flow.cpp - a flow that tells and draws images ----------------------===//
//
// RealNVP: Dinh, Sohl-Dickstein, Bengio: Density estimation using Real NVP, ICLR 2017, with fully
// connected networks. A coupling leaves the values of a mask as they are, and scales and shifts the
// others by what a network makes of these; so it can be inverted, and its Jacobian's determinant is
// the product of the scales. Checkerboards and halves of the image take turns.
//
//===----------------------------------------------------------------------===//

#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "gen/outputs.hpp"
#include "models/zoo.hpp"

#include <cmath>
#include <numbers>

namespace gen::zoo {

namespace {
constexpr int64_t kSide = 28, kPixels = kSide * kSide;
/// Values before the logit are kept away from 0 and 1 by this (Dinh et al., 4.1).
constexpr double kMargin = 0.05;

/// 1 on the dark squares of a checkerboard, in the upper half, and on what these leave, in turn.
Tensor maskOf(int64_t number) {
  std::vector<double> values;
  for (int64_t i = 0; i < kPixels; ++i) {
    int64_t row = i / kSide, column = i % kSide;
    bool chosen = number % 4 < 2 ? (row + column) % 2 == 0 : row < kSide / 2;
    values.push_back(chosen == (number % 2 == 0) ? 1 : 0);
  }
  return constant(values, {1, kPixels});
}

struct Coupling {
  Mlp net;
  Tensor mask;

  Coupling(const Scope &s, int64_t number, int64_t hidden)
      : net(s, {kPixels, hidden, hidden, 2 * kPixels}), mask(maskOf(number)) {}
  /// The logarithm of the scale, and the shift: 0 where the mask is 1.
  std::pair<Tensor, Tensor> operator()(const Tensor &x) const {
    auto [s, t] = chunk<2>(net(x * mask), 1);
    return {tanh(s) * (1.0 - mask), t * (1.0 - mask)};
  }
};

struct Flow {
  std::vector<Coupling> couplings;

  Flow(const Scope &s, int64_t count, int64_t hidden) {
    for (int64_t i = 0; i < count; ++i)
      couplings.emplace_back(s / i, i, hidden);
  }
  /// Pixels in [0, 1] to noise, and log |det| of each image.
  std::pair<Tensor, Tensor> forward(const Tensor &x) const {
    Tensor inner = kMargin + (1 - 2 * kMargin) * x;
    Tensor z = log(inner) - log(1.0 - inner);
    Tensor logDeterminant =
        sum(std::log(1 - 2 * kMargin) - log(inner) - log(1.0 - inner), {.axes = {1}});
    for (const Coupling &coupling : couplings) {
      auto [logScale, shift] = coupling(z);
      z = z * exp(logScale) + shift;
      logDeterminant = logDeterminant + sum(logScale, {.axes = {1}});
    }
    return {z, logDeterminant};
  }
  Tensor inverse(Tensor z) const {
    for (auto coupling = couplings.rbegin(); coupling != couplings.rend(); ++coupling) {
      auto [logScale, shift] = (*coupling)(z);
      z = (z - shift) * exp(-logScale);
    }
    return (sigmoid(z) - kMargin) / (1 - 2 * kMargin);
  }
  /// -log2 of the likelihood of bytes, a dimension. Noise makes bytes of 256 values real numbers,
  /// whose density is 256 times as high (Theis et al. 2016).
  Tensor bits(const Tensor &images) const {
    auto [z, logDeterminant] = forward((255.0 * images + uniform_like(images)) / 256.0);
    Tensor normal = 0.5 * sum(square(z), {.axes = {1}}) +
                    0.5 * std::log(2 * std::numbers::pi) * static_cast<double>(kPixels);
    Tensor nats = mean(normal - logDeterminant) / static_cast<double>(kPixels);
    return nats / std::numbers::ln2 + 8.0;
  }
};
} // namespace

static void buildFlow(Program &program, const Settings &settings) {
  Flow flow(program / "flow", sizeOf(settings, "couplings"), sizeOf(settings, "hidden"));
  Adam adam(program / "adam", {.learning_rate = settings.at("learning_rate")});
  Dimension batch = program.dimension("batch");
  Input images = input("x", f32, {batch, kPixels});

  program.entry("train_step", {images}, training, [&](Tensor x) {
    Tensor loss = flow.bits(x);
    adam.minimize(loss, (program / "flow").parameters(), {.clip_norm = 1});
    return result("bits_per_dimension", loss);
  });
  program.entry("evaluate", {images}, evaluation,
                [&](Tensor x) { return result("bits_per_dimension", flow.bits(x)); });
  program.entry("reconstruct", {images},
                [&](Tensor x) { return result("x", flow.inverse(flow.forward(x).first)); });
  program.entry("sample", {}, [&] { return result("x", flow.inverse(normal({64, kPixels}))); });
}

ModelInfo realNvp() {
  Recipe recipe = imageRecipe();
  recipe.steps = 2340; // five epochs of Fashion-MNIST
  recipe.outputs = {reconstructions()};
  return {"realnvp",
          "RealNVP, an invertible network",
          {{"couplings", 8}, {"hidden", 512}, {"learning_rate", 5e-4}},
          buildFlow,
          recipe};
}

} // namespace gen::zoo
