//===- Alexnet.cpp - AlexNet on MNIST-sized images ------------------------===//
//
// Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks,
// NeurIPS 2012: five convolutions, local response normalization after the first two, overlapping
// pooling, and dropout between three linear layers. Windows and widths are those of small images.
//
//===----------------------------------------------------------------------===//

#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "models/classifier.hpp"

namespace gen::zoo {

namespace {
struct Alexnet {
  Conv2d c1, c2, c3, c4, c5;
  Linear fc1, fc2, fc3;

  Alexnet(const Scope &s, int64_t width, int64_t classes)
      : c1(s / "c1", 1, width, 5, {.padding = 2}),
        c2(s / "c2", width, 2 * width, 5, {.padding = 2}),
        c3(s / "c3", 2 * width, 3 * width, 3, {.padding = 1}),
        c4(s / "c4", 3 * width, 3 * width, 3, {.padding = 1}),
        c5(s / "c5", 3 * width, 2 * width, 3, {.padding = 1}),
        fc1(s / "fc1", 8 * width, 16 * width), fc2(s / "fc2", 16 * width, 16 * width),
        fc3(s / "fc3", 16 * width, classes) {}

  /// [batch, 1, 28, 28] -> logits [batch, classes].
  Tensor operator()(const Tensor &images) const {
    auto pool = [](const Tensor &x) { return max_pool2d(x, 3, {.stride = 2}); };
    // The paper's numbers; its alpha is that of the sum over the five channels, not of their mean.
    auto normalize = [](const Tensor &x) {
      return local_response_norm(x, 5, {.alpha = 5 * 1e-4, .beta = 0.75, .k = 2});
    };
    Tensor h = pool(normalize(relu(c1(images)))); // 13 x 13
    h = pool(normalize(relu(c2(h))));             // 6 x 6
    h = pool(relu(c5(relu(c4(relu(c3(h)))))));    // 2 x 2
    h = relu(fc1(dropout(flatten(h))));
    return fc3(relu(fc2(dropout(h))));
  }
};
} // namespace

static constexpr int64_t kSteps = 2340; // five epochs of Fashion-MNIST

static void buildAlexnet(Program &program, const Settings &settings) {
  Alexnet net(program / "alexnet", sizeOf(settings, "width"), sizeOf(settings, "classes"));
  Adam adam(program / "adam", {.learning_rate = settings.at("learning_rate")});
  Schedule fading = schedule::cosine(settings.at("decay_steps"), 0.01);
  addClassifier(program, net, [&](const Tensor &loss) {
    adam.minimize(loss, (program / "alexnet").parameters(), {.schedule = fading});
  });
}

ModelInfo alexnet() {
  Recipe recipe = classifierRecipe();
  recipe.steps = kSteps;
  return {"alexnet",
          "AlexNet, classifies images of 28 x 28",
          {{"classes", 10}, {"width", 32}, {"learning_rate", 1e-3}, {"decay_steps", kSteps}},
          buildAlexnet,
          recipe};
}

} // namespace gen::zoo
