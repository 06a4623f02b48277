//===- Lenet.cpp - LeNet-5 on MNIST-sized images --------------------------===//
//
// LeCun et al.: Gradient-Based Learning Applied to Document Recognition, Proc. IEEE 1998, with
// ReLU and max pooling. The entry of the benchmarks is `main`.
//
//===----------------------------------------------------------------------===//

#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "gen/sampling.hpp"
#include "models/classifier.hpp"

namespace gen::zoo {

namespace {
constexpr int64_t kClasses = 10;

struct Lenet {
  Conv2d c1, c2;
  Linear fc1, fc2, out;

  explicit Lenet(const Scope &s, int64_t classes = kClasses)
      : c1(s / "c1", 1, 6, 5, {.padding = 2}), c2(s / "c2", 6, 16, 5), fc1(s / "fc" / 0, 400, 120),
        fc2(s / "fc" / 2, 120, 84), out(s / "fc" / 4, 84, classes) {}

  /// [batch, 1, 28, 28] -> [batch, 84], what classes are told by.
  Tensor features(const Tensor &images) const {
    Tensor h = max_pool2d(relu(c1(images)), 2);
    h = max_pool2d(relu(c2(h)), 2);
    return relu(fc2(relu(fc1(flatten(h)))));
  }
  /// [batch, 1, 28, 28] -> logits [batch, classes].
  Tensor operator()(const Tensor &images) const { return out(features(images)); }
};
} // namespace

static void buildLenet(Program &program, const Dimension &batch) {
  Lenet net(program.scope());
  program.entry("main", {input("x", f32, {batch, 1, 28, 28})},
                [&](Tensor x) { return result("logits", net(x)); });
}

void buildLenet1(Program &program, const Settings &) { buildLenet(program, 1); }
void buildLenet128(Program &program, const Settings &settings) {
  buildLenet(program, benchmarkSize(program, settings, "batch", 128));
}

void buildTrainLenet(Program &program, const Settings &settings) {
  Dimension batch = benchmarkSize(program, settings, "batch", 128);
  Lenet net(program / "net");
  Adam adam(program / "adam", {.learning_rate = 2e-4});
  std::vector<Input> inputs = {input("x", f32, {batch, 1, 28, 28}), input("labels", i64, {batch})};
  program.entry("main", inputs, training, [&](Tensor x, Tensor labels) {
    Tensor loss = mean(cross_entropy(net(x), labels));
    adam.minimize(loss, (program / "net").variables());
    return result("loss", loss);
  });
}

static constexpr int64_t kSteps = 4685; // five epochs of Fashion-MNIST

static void buildClassifier(Program &program, const Settings &settings) {
  Lenet net(program / "lenet", sizeOf(settings, "classes"));
  Adam adam(program / "adam", {.learning_rate = settings.at("learning_rate")});
  Schedule fading = schedule::cosine(settings.at("decay_steps"), 0.01);
  addClassifier(program, net, [&](const Tensor &loss) {
    adam.minimize(loss, (program / "lenet").parameters(), {.schedule = fading});
  });
  // What other models' images are judged by (gen/judging.hpp).
  Input images = input("images", f32, {program.dimension("batch"), 1, 28, 28});
  program.entry("judge", {images}, [&](Tensor images) {
    Tensor features = net.features(images);
    return result("features", features).result("classes", argmax(net.out(features)));
  });
}

ModelInfo lenet() {
  Recipe recipe = classifierRecipe();
  recipe.batch = 64;
  recipe.steps = kSteps;
  return {"lenet",
          "LeNet-5, classifies images of 28 x 28",
          {{"classes", kClasses}, {"learning_rate", 3e-3}, {"decay_steps", kSteps}},
          buildClassifier,
          recipe};
}

} // namespace gen::zoo
