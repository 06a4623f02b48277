//===- Flow.cpp - what flows share ----------------------------------------===//

#include "models/flow.hpp"
#include "gen/optimizers.hpp"
#include "gen/outputs.hpp"

#include <cmath>
#include <numbers>

namespace gen::zoo {

/// Values before the logit are kept away from 0 and 1 by this (Dinh et al., 4.1).
static constexpr double kMargin = 0.05;

/// Pixels in [0, 1] to logits.
static Mapped logit(const Tensor &x) {
  Tensor inner = kMargin + (1 - 2 * kMargin) * x;
  Tensor slopes = std::log(1 - 2 * kMargin) - log(inner) - log(1.0 - inner);
  return {log(inner) - log(1.0 - inner), sum(slopes, {.axes = {1}})};
}

static Tensor pixelsOf(const Tensor &logits) {
  return (sigmoid(logits) - kMargin) / (1 - 2 * kMargin);
}

static Mapped forward(const Flow &flow, const Tensor &x) {
  Mapped logits = logit(x), mapped = flow.forward(logits.values);
  return {mapped.values, logits.logDeterminant + mapped.logDeterminant};
}

/// Minus the logarithm of the density of each row of noise.
static Tensor negativeLog(Prior prior, const Tensor &z) {
  if (prior == Prior::Logistic)
    return sum(softplus(z) + softplus(-z), {.axes = {1}});
  return 0.5 * sum(square(z), {.axes = {1}}) +
         0.5 * std::log(2 * std::numbers::pi) * static_cast<double>(kFlowPixels);
}

static Tensor draw(Prior prior, const Shape &shape) {
  if (prior == Prior::Normal)
    return normal(shape);
  Tensor u = maximum(uniform(shape), 0x1p-25); // 0 would become minus infinity
  return log(u) - log(1.0 - u);
}

/// Noise makes bytes of 256 values real numbers, whose density is 256 times as high (Theis et al.
/// 2016).
static Tensor bits(const Flow &flow, Prior prior, const Tensor &images) {
  auto [z, logDeterminant] = forward(flow, (255.0 * images + uniform_like(images)) / 256.0);
  Tensor nats = mean(negativeLog(prior, z) - logDeterminant) / static_cast<double>(kFlowPixels);
  return nats / std::numbers::ln2 + 8.0;
}

void addFlow(Program &program, const Scope &scope, const Settings &settings, const Flow &flow,
             Prior prior) {
  Adam adam(program / "adam", {.learning_rate = settings.at("learning_rate")});
  Dimension batch = program.dimension("batch");
  Input images = input("x", f32, {batch, kFlowPixels});

  program.entry("train_step", {images}, training, [&](Tensor x) {
    Tensor loss = bits(flow, prior, x);
    adam.minimize(loss, scope.parameters(), {.clip_norm = 1});
    return result("bits_per_dimension", loss);
  });
  program.entry("evaluate", {images}, evaluation,
                [&](Tensor x) { return result("bits_per_dimension", bits(flow, prior, x)); });
  program.entry("reconstruct", {images}, [&](Tensor x) {
    return result("x", pixelsOf(flow.inverse(forward(flow, x).values)));
  });
  program.entry("sample", {}, [&] {
    return result("x", pixelsOf(flow.inverse(draw(prior, {64, kFlowPixels}))));
  });
}

Recipe flowRecipe() {
  Recipe recipe = imageRecipe();
  recipe.steps = 2340; // five epochs of Fashion-MNIST
  recipe.outputs = {reconstructions()};
  return recipe;
}

} // namespace gen::zoo
