//===- RealNvpPeer.cpp - an invertible network of couplings ----------------===//
//
// Dinh, Sohl-Dickstein, Bengio: Density estimation using Real NVP, ICLR 2017. A coupling changes
// one half of the values by a scale and a shift computed from the other half, so it can be
// inverted, and the logarithm of its Jacobian's determinant is the sum of the scales' logarithms.
// The halves change places from coupling to coupling.
//
// A benchmark: names, sizes and losses as in the PyTorch definitions of the peer benchmarks.
//
//===----------------------------------------------------------------------===//

#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

namespace {
constexpr int64_t kBatch = 128;
constexpr int64_t kValues = 784;
constexpr int64_t kHidden = 512;
constexpr int kCouplings = 8;

/// [batch, kValues / 2] each.
struct Halves {
  Tensor first, second;

  static Halves of(const Tensor &x) {
    auto [first, second] = chunk<2>(x, 1);
    return {first, second};
  }
  Tensor joined() const { return concat({first, second}, 1); }
};

class Coupling {
public:
  explicit Coupling(const Scope &s) : net(s, {kValues / 2, kHidden, kHidden, kValues}) {}

  /// The changed halves, and log |det dz/dx| of each row.
  std::pair<Halves, Tensor> forward(const Halves &x) const {
    auto [logScale, shift] = scaleAndShift(x.first);
    return {{x.second * exp(logScale) + shift, x.first}, sum(logScale, {.axes = {1}})};
  }
  Halves inverse(const Halves &z) const {
    auto [logScale, shift] = scaleAndShift(z.second);
    return {z.second, (z.first - shift) * exp(-logScale)};
  }

private:
  std::pair<Tensor, Tensor> scaleAndShift(const Tensor &half) const {
    auto [s, t] = chunk<2>(net(half), 1);
    return {tanh(s), t};
  }

  Mlp net;
};

class RealNvp {
public:
  explicit RealNvp(const Scope &scope) {
    for (int i = 0; i < kCouplings; ++i)
      couplings.emplace_back(scope / "nets" / std::to_string(i));
  }

  /// Data to noise, and log |det dz/dx| of each row.
  std::pair<Tensor, Tensor> forward(const Tensor &x) const {
    Halves z = Halves::of(x);
    Tensor logDeterminant = zeros({x.dimension(0)});
    for (const Coupling &coupling : couplings) {
      auto [changed, term] = coupling.forward(z);
      z = changed;
      logDeterminant = logDeterminant + term;
    }
    return {z.joined(), logDeterminant};
  }
  /// Noise to data.
  Tensor inverse(const Tensor &z) const {
    Halves x = Halves::of(z);
    for (auto coupling = couplings.rbegin(); coupling != couplings.rend(); ++coupling)
      x = coupling->inverse(x);
    return x.joined();
  }

private:
  std::vector<Coupling> couplings;
};
} // namespace

void buildRealNvpSampler(Program &program, const Settings &) {
  RealNvp flow(program.scope());
  program.entry("main", {input("z", f32, {kBatch, kValues})},
                [&](Tensor z) { return result("x", flow.inverse(z)); });
}

void buildTrainRealNvp(Program &program, const Settings &) {
  Scope net = program / "net";
  RealNvp flow(net);
  Adam adam(program / "adam", {.learning_rate = 2e-4});
  program.entry("main", {input("x", f32, {kBatch, kValues})}, training, [&](Tensor x) {
    auto [z, logDeterminant] = flow.forward(x);
    // The negative log-likelihood but for a constant: the noise is standard normal.
    Tensor loss = mean(0.5 * sum(square(z), {.axes = {1}}) - logDeterminant);
    adam.minimize(loss, net.variables());
    return result("loss", loss);
  });
}

} // namespace gen::zoo
