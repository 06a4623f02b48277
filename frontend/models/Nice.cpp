//===- Nice.cpp - a flow of additive couplings ----------------------------===//
//
// Dinh, Krueger, Bengio: NICE: Non-linear Independent Components Estimation, ICLR 2015 (workshop).
// The values are in two halves, every other one in each; a coupling adds to one half what a network
// makes of the other, which keeps the volume. The only determinant is that of a scale of each value
// at the end. The noise is logistic.
//
//===----------------------------------------------------------------------===//

#include "gen/nn.hpp"
#include "models/flow.hpp"

namespace gen::zoo {

namespace {
constexpr int64_t kHalf = kFlowPixels / 2;

struct Nice {
  std::vector<Mlp> couplings;
  Variable logScale;

  Nice(const Scope &s, int64_t count, int64_t hidden, int64_t depth)
      : logScale(s.variable("log_scale", f32, {kFlowPixels})) {
    std::vector<int64_t> sizes(static_cast<size_t>(depth + 2), hidden);
    sizes.front() = sizes.back() = kHalf;
    for (int64_t i = 0; i < count; ++i)
      couplings.emplace_back(s / "couplings" / i, sizes);
  }
  /// The halves change places after each coupling.
  Mapped forward(const Tensor &x) const {
    Tensor kept = slice(x, {.axis = 1, .start = 0, .limit = kFlowPixels, .stride = 2});
    Tensor changed = slice(x, {.axis = 1, .start = 1, .limit = kFlowPixels, .stride = 2});
    for (const Mlp &net : couplings) {
      changed = changed + net(kept);
      std::swap(kept, changed);
    }
    Tensor z = concat({kept, changed}, 1) * exp(logScale);
    return {z, broadcast_to(reshape(sum(logScale), {1}), {x.dimension(0)})};
  }
  Tensor inverse(const Tensor &z) const {
    auto [kept, changed] = chunk<2>(z * exp(-logScale), 1);
    for (auto net = couplings.rbegin(); net != couplings.rend(); ++net) {
      std::swap(kept, changed);
      changed = changed - (*net)(kept);
    }
    Shape column = {z.dimension(0), kHalf, 1};
    return reshape(concat({reshape(kept, column), reshape(changed, column)}, 2),
                   {z.dimension(0), kFlowPixels});
  }
};
} // namespace

static void buildNice(Program &program, const Settings &settings) {
  Scope scope = program / "flow";
  Nice flow(scope, sizeOf(settings, "couplings"), sizeOf(settings, "hidden"),
            sizeOf(settings, "depth"));
  addFlow(program, scope, settings,
          {[&](const Tensor &x) { return flow.forward(x); },
           [&](const Tensor &z) { return flow.inverse(z); }},
          Prior::Logistic);
}

ModelInfo nice() {
  Recipe recipe = flowRecipe();
  recipe.steps = 4680; // ten epochs of Fashion-MNIST
  return {"nice",
          "NICE, a flow that keeps the volume",
          {{"couplings", 4}, {"hidden", 512}, {"depth", 4}, {"learning_rate", 1e-3}},
          buildNice,
          recipe};
}

} // namespace gen::zoo
