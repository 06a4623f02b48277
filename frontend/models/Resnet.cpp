//===- Resnet.cpp - residual networks -------------------------------------===//
//
// He et al.: Deep Residual Learning for Image Recognition, CVPR 2016. ResNet-18 on 224 x 224 images
// is a benchmark's model, for inference; its one entry is `main`. The other is the paper's network
// for small images (4.2), 6 n + 2 layers deep.
//
//===----------------------------------------------------------------------===//

#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "models/classifier.hpp"

namespace gen::zoo {

namespace {
ConvLayerOptions window(int64_t stride, int64_t padding) {
  return {.stride = stride, .padding = padding, .bias = false};
}

struct BasicBlock {
  Conv2d c1;
  BatchNorm2d b1;
  Conv2d c2;
  BatchNorm2d b2;
  Sequential skip; ///< empty where the input has the result's shape

  BasicBlock(const Scope &s, int64_t inputs, int64_t outputs, int64_t stride)
      : c1(s / "c1", inputs, outputs, 3, window(stride, 1)), b1(s / "b1", outputs),
        c2(s / "c2", outputs, outputs, 3, window(1, 1)), b2(s / "b2", outputs), skip(s / "skip") {
    if (stride != 1 || inputs != outputs)
      skip.add(Conv2d(skip.next(), inputs, outputs, 1, window(stride, 0)))
          .add(BatchNorm2d(skip.next(), outputs));
  }
  Tensor operator()(const Tensor &x, SourceLocation where) const {
    Tensor y = b2(c2(relu(b1(c1(x)))));
    return relu(y + skip(x), where);
  }
};

/// Three stages of `depth` blocks, each half as large and twice as many channels as the last.
struct SmallResnet {
  Conv2d stem;
  BatchNorm2d bn;
  Sequential blocks;
  Linear fc;

  SmallResnet(const Scope &s, int64_t width, int64_t depth, int64_t classes)
      : stem(s / "stem", 1, width, 3, window(1, 1)), bn(s / "bn", width), blocks(s / "blocks"),
        fc(s / "fc", 4 * width, classes) {
    int64_t inputs = width;
    for (int64_t outputs : {width, 2 * width, 4 * width})
      for (int64_t i = 0; i < depth; ++i) {
        blocks.add(BasicBlock(blocks.next(), inputs, outputs, inputs == outputs ? 1 : 2));
        inputs = outputs;
      }
  }
  Tensor operator()(const Tensor &images) const {
    return fc(mean(blocks(relu(bn(stem(images)))), {.axes = {2, 3}}));
  }
};

struct Resnet18 {
  Conv2d stem;
  BatchNorm2d bn;
  Sequential blocks;
  Linear fc;

  explicit Resnet18(const Scope &s)
      : stem(s / "stem", 3, 64, 7, window(2, 3)), bn(s / "bn", 64), blocks(s / "blocks"),
        fc(s / "fc", 512, 1000) {
    int64_t inputs = 64;
    for (int64_t outputs : {64, 128, 256, 512}) {
      blocks.add(BasicBlock(blocks.next(), inputs, outputs, outputs == 64 ? 1 : 2));
      blocks.add(BasicBlock(blocks.next(), outputs, outputs, 1));
      inputs = outputs;
    }
  }
  /// [batch, 3, 224, 224] -> logits [batch, 1000].
  Tensor operator()(const Tensor &images) const {
    Tensor h = max_pool2d(relu(bn(stem(images))), 3, {.stride = 2, .padding = 1});
    return fc(mean(blocks(h), {.axes = {2, 3}}));
  }
};
} // namespace

void buildResnet18(Program &program, const Settings &) {
  Resnet18 net(program.scope());
  program.entry("main", {input("x", f32, {1, 3, 224, 224})},
                [&](Tensor x) { return result("logits", net(x)); });
}

static constexpr int64_t kSteps = 4680; // ten epochs of Fashion-MNIST

static void buildSmallResnet(Program &program, const Settings &settings) {
  SmallResnet net(program / "resnet", sizeOf(settings, "width"), sizeOf(settings, "depth"),
                  sizeOf(settings, "classes"));
  Adam adam(program / "adam", {.learning_rate = settings.at("learning_rate")});
  Schedule fading = schedule::cosine(settings.at("decay_steps"), 0.01);
  addClassifier(program, net, [&](const Tensor &loss) {
    adam.minimize(loss, (program / "resnet").parameters(), {.schedule = fading});
  });
}

ModelInfo resnet() {
  Recipe recipe = classifierRecipe();
  recipe.steps = kSteps;
  recipe.evaluateBatch = 250;
  return {"resnet",
          "ResNet of 6 depth + 2 layers, classifies images of 28 x 28",
          {{"classes", 10},
           {"width", 16},
           {"depth", 2},
           {"learning_rate", 3e-3},
           {"decay_steps", kSteps}},
          buildSmallResnet,
          recipe};
}

} // namespace gen::zoo
