//===- Gan.cpp - what adversarial models share ----------------------------===//

#include "models/gan.hpp"
#include "gen/losses.hpp"
#include "gen/nn.hpp"

namespace gen::zoo {

Recipe ganRecipe(int64_t size) { return imageRecipe({.low = -1, .high = 1, .size = size}); }

Recipe criticRecipe() {
  Recipe recipe = ganRecipe();
  recipe.calls = [](int64_t step, const Settings &settings) -> std::vector<std::string> {
    if ((step - 1) % sizeOf(settings, "critic_steps") == 0)
      return {"train_step", "generator_step"};
    return {"train_step"};
  };
  return recipe;
}

void addSampling(Program &program, const Generator &generator, int64_t latent) {
  constexpr int64_t kSamples = 64;
  Dimension batch = program.dimension("batch");
  program.entry("generate", {input("z", f32, {batch, latent})},
                [&](Tensor z) { return result("x", generator(z)); });
  program.entry("sample", {}, [&] { return result("x", generator(normal({kSamples, latent}))); });
}

void addGeneratorStep(Program &program, const Scope &scope, const Generator &generator,
                      const Critic &critic, Optimizer &optimizer, const Shape &noise) {
  program.entry("generator_step", {}, training, [&] {
    Tensor loss = wasserstein_generator(critic(generator(normal(noise))));
    optimizer.minimize(loss, scope.parameters());
    return result("g_loss", loss);
  });
}

Tensor gradientPenalty(const Critic &critic, const Tensor &real, const Tensor &fake,
                       const Tensor &mix) {
  Tensor between = mix * real + (1.0 - mix) * fake;
  Tensor slopes = flatten(gradient(sum(critic(between)), between));
  return mean(square(norm(slopes, {.axes = {1}}) - 1.0));
}

} // namespace gen::zoo
