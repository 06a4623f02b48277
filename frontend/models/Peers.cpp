//===- Peers.cpp - workloads that other compilers are measured with -------===//
//
// The same networks, losses, names and batch sizes as in the PyTorch definitions of the peer
// benchmarks; noise is an input, so that results can be compared. The one entry is `main`.
//
//===----------------------------------------------------------------------===//

#include "gen/losses.hpp"
#include "models/mlp_gan.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

static constexpr int64_t kBatch = 128;
static constexpr int64_t kLatent = 20;

void buildTrainVae(Program &program, const Settings &settings) {
  Dimension batch = benchmarkSize(program, settings, "batch", kBatch);
  Scope net = program / "net";
  Linear enc(net / "enc", 784, 400), stats(net / "stats", 400, 2 * kLatent);
  Mlp dec(net / "dec", {kLatent, 400, 784});
  Adam adam(program / "adam", {.learning_rate = 2e-4});

  std::vector<Input> inputs = {input("x", f32, {batch, 784}), input("eps", f32, {batch, kLatent})};
  program.entry("main", inputs, training, [&](Tensor x, Tensor eps) {
    auto [mu, logVariance] = chunk<2>(stats(relu(enc(x))), 1);
    Tensor logits = dec(mu + eps * exp(0.5 * logVariance));
    Tensor loss = sum(bce_with_logits(logits, x)) -
                  0.5 * sum(1.0 + logVariance - square(mu) - exp(logVariance));
    adam.minimize(loss, net.variables());
    return result("loss", loss);
  });
}

void buildTrainMlpGan(Program &program, const Settings &) {
  MlpGanStep step(program, 2e-4);
  std::vector<Input> inputs = {input("real", f32, {kBatch, 784}),
                               input("z", f32, {kBatch, MlpGenerator::kLatent})};
  program.entry("main", inputs, training, [&](Tensor real, Tensor z) { return step(real, z); });
}

void buildVaeDecoder(Program &program, const Settings &settings) {
  Dimension batch = benchmarkSize(program, settings, "batch", kBatch);
  Mlp dec(program / "dec", {kLatent, 400, 784}, {.last = Sigmoid()});
  program.entry("main", {input("z", f32, {batch, kLatent})},
                [&](Tensor z) { return result("x", dec(z)); });
}

void buildMlpGenerator(Program &program, const Settings &settings) {
  Dimension batch = benchmarkSize(program, settings, "batch", kBatch);
  MlpGenerator generator(program.scope());
  program.entry("main", {input("z", f32, {batch, MlpGenerator::kLatent})},
                [&](Tensor z) { return result("x", generator(z)); });
}

} // namespace gen::zoo
