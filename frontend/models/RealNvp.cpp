//===- RealNvp.cpp - a flow of affine couplings ---------------------------===//
//
// Dinh, Sohl-Dickstein, Bengio: Density estimation using Real NVP, ICLR 2017, with fully connected
// networks. A coupling leaves the values of a mask as they are, and scales and shifts the others by
// what a network makes of these; so it can be inverted, and its Jacobian's determinant is the
// product of the scales. Checkerboards and halves of the image take turns.
//
//===----------------------------------------------------------------------===//

#include "gen/nn.hpp"
#include "models/flow.hpp"

namespace gen::zoo {

namespace {
/// 1 on the dark squares of a checkerboard, in the upper half, and on what these leave, in turn.
Tensor maskOf(int64_t number) {
  std::vector<double> values;
  for (int64_t i = 0; i < kFlowPixels; ++i) {
    int64_t row = i / kFlowSide, column = i % kFlowSide;
    bool chosen = number % 4 < 2 ? (row + column) % 2 == 0 : row < kFlowSide / 2;
    values.push_back(chosen == (number % 2 == 0) ? 1 : 0);
  }
  return constant(values, {1, kFlowPixels});
}

struct MaskedCoupling {
  Mlp net;
  Tensor mask;

  MaskedCoupling(const Scope &s, int64_t number, int64_t hidden)
      : net(s, {kFlowPixels, hidden, hidden, 2 * kFlowPixels}), mask(maskOf(number)) {}
  /// The logarithm of the scale, and the shift: 0 where the mask is 1.
  std::pair<Tensor, Tensor> operator()(const Tensor &x) const {
    auto [s, t] = chunk<2>(net(x * mask), 1);
    return {tanh(s) * (1.0 - mask), t * (1.0 - mask)};
  }
};

struct RealNvp {
  std::vector<MaskedCoupling> couplings;

  RealNvp(const Scope &s, int64_t count, int64_t hidden) {
    for (int64_t i = 0; i < count; ++i)
      couplings.emplace_back(s / i, i, hidden);
  }
  Mapped forward(Tensor z) const {
    Tensor logDeterminant = zeros({z.dimension(0)});
    for (const MaskedCoupling &coupling : couplings) {
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
    return z;
  }
};
} // namespace

static void buildRealNvp(Program &program, const Settings &settings) {
  Scope scope = program / "flow";
  RealNvp flow(scope, sizeOf(settings, "couplings"), sizeOf(settings, "hidden"));
  addFlow(program, scope, settings,
          {[&](const Tensor &x) { return flow.forward(x); },
           [&](const Tensor &z) { return flow.inverse(z); }});
}

ModelInfo realNvp() {
  return {"realnvp",
          "RealNVP, an invertible network",
          {{"couplings", 8}, {"hidden", 512}, {"learning_rate", 5e-4}},
          buildRealNvp,
          flowRecipe()};
}

} // namespace gen::zoo
