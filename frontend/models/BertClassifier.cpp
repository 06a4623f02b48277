//===- BertClassifier.cpp - fine-tunes BERT ------------------------------===//
//
// Devlin et al. 2018, 3.2: the first position of a trained BERT sums up one or two sentences; a
// layer on it tells their class, and all weights are trained on at a low rate.
//
//===----------------------------------------------------------------------===//

#include "gen/classification.hpp"
#include "gen/losses.hpp"
#include "gen/optimizers.hpp"
#include "gen/sampling.hpp"
#include "gen/sentences.hpp"
#include "models/bert.hpp"

namespace gen::zoo {

namespace {
/// The network's names are those of pre-training.
struct BertClassifier {
  Bert bert;
  Linear classifier;

  BertClassifier(const Program &program, const BertSizes &sizes, int64_t classes)
      : bert(program / "net" / "bert", sizes),
        classifier(program / "classifier", sizes.width, classes) {}
  /// Logits [batch, classes].
  Tensor operator()(const Tensor &ids, const Tensor &segments) const {
    Tensor pooled = bert(ids, segments, notPadded(ids)).second;
    return classifier(dropout(pooled, bert.sizes.dropout));
  }
};
} // namespace

static void buildBertClassifier(Program &program, const Settings &settings) {
  BertSizes sizes = BertSizes::of(settings);
  BertClassifier net(program, sizes, sizeOf(settings, "classes"));
  AdamW tuner(program / "tuner", {.learning_rate = settings.at("tuning_rate")});
  std::vector<Variable> weights = (program / "net").parameters();
  weights.insert(weights.end(), {net.classifier.weight, net.classifier.bias});
  Dimension batch = program.dimension("batch");
  Input ids = input("ids", i64, {batch, sizes.length}),
        segments = input("segments", i64, {batch, sizes.length}),
        labels = input("labels", i64, {batch});

  program.entry("train_step", {ids, segments, labels}, training,
                [&](Tensor ids, Tensor segments, Tensor labels) {
                  Tensor loss = mean(cross_entropy(net(ids, segments), labels));
                  tuner.minimize(loss, weights, {.clip_norm = 1});
                  return result("loss", loss);
                });
  program.entry("evaluate", {ids, segments, labels}, evaluation,
                [&](Tensor ids, Tensor segments, Tensor labels) {
                  Tensor logits = net(ids, segments);
                  return result("loss", mean(cross_entropy(logits, labels)))
                      .result("classes", argmax(logits));
                });
  program.entry("classify", {ids, segments}, [&](Tensor ids, Tensor segments) {
    return result("p", softmax(net(ids, segments), 1));
  });
}

ModelInfo bertClassifier() {
  Recipe recipe;
  recipe.data = [](const std::string &path, const Settings &settings, const data::Metadata &known) {
    auto vocabulary = known.find("vocabulary");
    return data::labelledData(
        path, {.length = sizeOf(settings, "length"), .vocabulary = sizeOf(settings, "vocabulary")},
        vocabulary == known.end() ? "" : vocabulary->second);
  };
  recipe.inputs = {"ids", "segments", "labels"};
  recipe.batch = 32;
  recipe.steps = 500;
  recipe.evaluateBatch = 128;
  recipe.report = classification;
  return {"bert_classifier", "BERT, fine-tuned to tell classes of sentences",
          BertSizes::settings({{"classes", 2}, {"tuning_rate", 1e-4}}), buildBertClassifier,
          recipe};
}

} // namespace gen::zoo
