//===- Lenet.cpp - LeNet-5 on MNIST-sized images --------------------------===//
//
// LeCun et al.: Gradient-Based Learning Applied to Document Recognition, Proc. IEEE 1998, with
// ReLU and max pooling. A benchmark's model; the one entry is `main`.
//
//===----------------------------------------------------------------------===//

#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "models/zoo.hpp"

#include <numeric>

namespace gen::zoo {

namespace {
constexpr int64_t kClasses = 10;

struct Lenet {
  Conv2d c1, c2;
  Mlp fc;

  explicit Lenet(const Scope &s)
      : c1(s / "c1", 1, 6, 5, {.padding = 2}), c2(s / "c2", 6, 16, 5),
        fc(s / "fc", {400, 120, 84, kClasses}) {}

  /// [batch, 1, 28, 28] -> logits [batch, 10].
  Tensor operator()(const Tensor &images) const {
    Tensor h = max_pool2d(relu(c1(images)), 2);
    h = max_pool2d(relu(c2(h)), 2);
    return fc(flatten(h));
  }
};
} // namespace

/// -log(softmax(logits)[label]), averaged over the batch.
static Tensor crossEntropy(const Tensor &logits, const Tensor &labels) {
  std::vector<double> classes(kClasses);
  std::iota(classes.begin(), classes.end(), 0);
  Tensor isLabel = equal(reshape(labels, {-1, 1}), constant(classes, {kClasses}, i64));
  return -mean(sum(where(isLabel, log_softmax(logits, 1), 0.0), {.axes = {1}}));
}

static void buildLenet(Program &program, int64_t batch) {
  Lenet net(program.scope());
  program.entry("main", {input("x", f32, {batch, 1, 28, 28})},
                [&](Tensor x) { return result("logits", net(x)); });
}

void buildLenet1(Program &program, const Settings &) { buildLenet(program, 1); }
void buildLenet128(Program &program, const Settings &) { buildLenet(program, 128); }

void buildTrainLenet(Program &program, const Settings &) {
  constexpr int64_t kBatch = 128;
  Lenet net(program / "net");
  Adam adam(program / "adam", {.learning_rate = 2e-4});
  std::vector<Input> inputs = {input("x", f32, {kBatch, 1, 28, 28}),
                               input("labels", i64, {kBatch})};
  program.entry("main", inputs, training, [&](Tensor x, Tensor labels) {
    Tensor loss = crossEntropy(net(x), labels);
    adam.minimize(loss, (program / "net").variables());
    return result("loss", loss);
  });
}

} // namespace gen::zoo
