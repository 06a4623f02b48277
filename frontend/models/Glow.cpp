//===- Glow.cpp - a flow with invertible 1x1 convolutions -----------------===//
//
// Kingma, Dhariwal: Glow: Generative Flow with Invertible 1x1 Convolutions, NeurIPS 2018. On each
// of two levels pixels of 2 x 2 become channels, then steps of three parts follow: a scale and a
// bias of each channel, which give the first batch mean 0 and variance 1 (actnorm); a matrix on the
// channels; a coupling by a small network of convolutions. Half of the channels go straight to the
// noise after the first level.
//
//===----------------------------------------------------------------------===//

#include "gen/nn.hpp"
#include "models/flow.hpp"
#include "models/invertible_conv.hpp"

namespace gen::zoo {

namespace {
/// Scale and bias of each channel.
struct ActNorm {
  Variable logScale, bias, initialized;

  ActNorm(const Scope &s, int64_t channels)
      : logScale(s.variable("log_scale", f32, {1, channels, 1, 1})),
        bias(s.variable("bias", f32, {1, channels, 1, 1})),
        initialized(s.buffer("initialized", f32, {})) {}

  /// Sets both by the first batch that is trained on.
  void initialize(const Tensor &x) const {
    ReduceOptions channels = {.axes = {0, 2, 3}, .keepdim = true};
    Tensor fixed = stop_gradient(x), center = mean(fixed, channels);
    Tensor deviation = sqrt(mean(square(fixed - center), channels));
    Tensor done = initialized > 0.0;
    assign(bias, where(done, bias, -center));
    assign(logScale, where(done, logScale, -log(deviation + 1e-6)));
    assign(initialized, ones({}));
  }
  Mapped forward(const Tensor &x) const {
    if (isTraining())
      initialize(x);
    return {(x + bias) * exp(logScale), areaOf(x) * sum(logScale)};
  }
  Tensor inverse(const Tensor &z) const { return z * exp(-logScale) - bias; }
};

/// Scales and shifts one half of the channels by what a network makes of the other.
struct ConvCoupling {
  Conv2d c1, c2, c3;

  ConvCoupling(const Scope &s, int64_t channels, int64_t hidden)
      : c1(s / "c1", channels / 2, hidden, 3, {.padding = 1}), c2(s / "c2", hidden, hidden, 1),
        c3(s / "c3", hidden, channels, 3, {.padding = 1, .initial = Initializer::zeros()}) {}

  /// The logarithm of the scale and the shift. The paper's scale, sigmoid(s + 2), comes as near to
  /// 0 as it likes, and what is divided by it on the way back overflows in samples far from the
  /// data.
  std::pair<Tensor, Tensor> operator()(const Tensor &kept) const {
    auto [s, t] = chunk<2>(c3(relu(c2(relu(c1(kept))))), 1);
    return {2.0 * tanh(0.5 * s), t};
  }
  Mapped forward(const Tensor &x) const {
    auto [kept, changed] = chunk<2>(x, 1);
    auto [logScale, shift] = (*this)(kept);
    return {concat({kept, (changed + shift) * exp(logScale)}, 1),
            sum(logScale, {.axes = {1, 2, 3}})};
  }
  Tensor inverse(const Tensor &z) const {
    auto [kept, changed] = chunk<2>(z, 1);
    auto [logScale, shift] = (*this)(kept);
    return concat({kept, changed * exp(-logScale) - shift}, 1);
  }
};

struct FlowStep {
  ActNorm norm;
  InvertibleConv mix;
  ConvCoupling coupling;

  FlowStep(const Scope &s, int64_t channels, int64_t hidden, uint64_t seed)
      : norm(s / "norm", channels), mix(s / "mix", channels, seed),
        coupling(s / "coupling", channels, hidden) {}
  Mapped forward(const Tensor &x) const {
    Mapped a = norm.forward(x), b = mix.forward(a.values), c = coupling.forward(b.values);
    return {c.values, c.logDeterminant + a.logDeterminant + b.logDeterminant};
  }
  Tensor inverse(const Tensor &z) const { return norm.inverse(mix.inverse(coupling.inverse(z))); }
};

/// [batch, channels, height, width] -> [batch, 4 * channels, height / 2, width / 2].
Tensor squeeze(const Tensor &x) {
  int64_t channels = x.dimension(1).number(), size = x.dimension(2).number() / 2;
  Tensor blocks = reshape(x, {x.dimension(0), channels, size, 2, size, 2});
  return reshape(transpose(blocks, {0, 1, 3, 5, 2, 4}), {x.dimension(0), 4 * channels, size, size});
}

Tensor unsqueeze(const Tensor &x) {
  int64_t channels = x.dimension(1).number() / 4, size = x.dimension(2).number();
  Tensor blocks = reshape(x, {x.dimension(0), channels, 2, 2, size, size});
  return reshape(transpose(blocks, {0, 1, 4, 2, 5, 3}),
                 {x.dimension(0), channels, 2 * size, 2 * size});
}

struct Glow {
  std::vector<FlowStep> coarse, fine; ///< on 14 x 14 pixels and on 7 x 7

  Glow(const Scope &s, int64_t steps, int64_t hidden) {
    for (int64_t i = 0; i < steps; ++i) {
      coarse.emplace_back(s / "levels" / 0 / i, 4, hidden, 2 * i);
      fine.emplace_back(s / "levels" / 1 / i, 8, hidden, 2 * i + 1);
    }
  }
  Mapped forward(const Tensor &x) const {
    Mapped h = {squeeze(reshape(x, {x.dimension(0), 1, kFlowSide, kFlowSide})),
                zeros({x.dimension(0)})};
    h = follow(coarse, h);
    auto [early, rest] = chunk<2>(h.values, 1);
    h = follow(fine, {squeeze(rest), h.logDeterminant});
    return {concat({flatten(early), flatten(h.values)}, 1), h.logDeterminant};
  }
  Tensor inverse(const Tensor &z) const {
    auto [early, rest] = chunk<2>(z, 1);
    Tensor h = goBack(fine, reshape(rest, {z.dimension(0), 8, kFlowSide / 4, kFlowSide / 4}));
    early = reshape(early, {z.dimension(0), 2, kFlowSide / 2, kFlowSide / 2});
    return flatten(unsqueeze(goBack(coarse, concat({early, unsqueeze(h)}, 1))));
  }

private:
  static Mapped follow(const std::vector<FlowStep> &steps, Mapped h) {
    for (const FlowStep &step : steps) {
      Mapped next = step.forward(h.values);
      h = {next.values, h.logDeterminant + next.logDeterminant};
    }
    return h;
  }
  static Tensor goBack(const std::vector<FlowStep> &steps, Tensor z) {
    for (auto step = steps.rbegin(); step != steps.rend(); ++step)
      z = step->inverse(z);
    return z;
  }
};
} // namespace

static void buildGlow(Program &program, const Settings &settings) {
  Scope scope = program / "flow";
  Glow flow(scope, sizeOf(settings, "steps"), sizeOf(settings, "hidden"));
  addFlow(program, scope, settings,
          {[&](const Tensor &x) { return flow.forward(x); },
           [&](const Tensor &z) { return flow.inverse(z); }});
}

ModelInfo glow() {
  return {"glow",
          "Glow, a flow with invertible 1x1 convolutions",
          {{"steps", 4}, {"hidden", 64}, {"learning_rate", 1e-3}},
          buildGlow,
          flowRecipe()};
}

} // namespace gen::zoo
