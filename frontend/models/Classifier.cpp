//===- Classifier.cpp - networks that tell classes ------------------------===//

#include "models/classifier.hpp"
#include "gen/classification.hpp"
#include "gen/losses.hpp"
#include "gen/norm.hpp"
#include "gen/sampling.hpp"

namespace gen::zoo {

void addClassifier(Program &program, const Network &net,
                   const std::function<void(const Tensor &loss)> &minimize) {
  Dimension batch = program.dimension("batch");
  Input images = input("images", f32, {batch, 1, 28, 28}), labels = input("labels", i64, {batch});
  program.entry("train_step", {images, labels}, training, [&](Tensor images, Tensor labels) {
    Tensor loss = mean(cross_entropy(net(images), labels));
    minimize(loss);
    return result("loss", loss);
  });
  program.entry("evaluate", {images, labels}, evaluation, [&](Tensor images, Tensor labels) {
    Tensor logits = net(images);
    return result("loss", mean(cross_entropy(logits, labels))).result("classes", argmax(logits));
  });
  program.entry("classify", {images},
                [&](Tensor images) { return result("p", softmax(net(images), 1)); });
}

Recipe classifierRecipe() {
  Recipe recipe;
  recipe.data = [](const std::string &path, const Settings &, const data::Metadata &) {
    return data::imageData(path);
  };
  recipe.inputs = {"images", "labels"};
  recipe.report = classification;
  return recipe;
}

} // namespace gen::zoo
