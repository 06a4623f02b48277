//===- Transformer.cpp - a translator -------------------------------------===//
//
// Vaswani et al.: Attention is all you need, 2017. It translates by one compiled loop: beam search,
// in which keys and values of the positions before are kept; with one beam, greedy search.
//
//===----------------------------------------------------------------------===//

#include "gen/losses.hpp"
#include "gen/optimizers.hpp"
#include "gen/outputs.hpp"
#include "gen/sampling.hpp"
#include "gen/sentences.hpp"
#include "models/translator.hpp"

namespace gen::zoo {

using data::Vocabulary;

static void buildTranslator(Program &program, const Settings &settings) {
  Translator net(program / "net", settings);
  Adam adam(program / "adam",
            {.learning_rate = settings.at("learning_rate"), .beta2 = 0.98, .epsilon = 1e-9});
  MinimizeOptions minimizing;
  minimizing.schedule = schedule::inverse_sqrt(settings.at("warm_up"));
  Dimension batch = program.dimension("batch");
  std::vector<Input> inputs;
  for (const char *name : {"source", "target", "labels"})
    inputs.push_back(input(name, i64, {batch, net.length}));
  auto lossOf = [&](const Tensor &logits, const Tensor &labels, double smoothing) {
    return cross_entropy(logits, labels,
                         {.label_smoothing = smoothing,
                          .ignore_index = Vocabulary::kPad,
                          .reduction = Reduction::Mean});
  };

  // Teacher forcing: the pieces before are the given translation's.
  program.entry("train_step", inputs, training, [&](Tensor source, Tensor target, Tensor labels) {
    Tensor loss =
        lossOf(net(source, target), reshape(labels, {-1}), settings.at("label_smoothing"));
    adam.minimize(loss, (program / "net").parameters(), minimizing);
    return result("loss", loss);
  });
  program.entry("evaluate", inputs, evaluation, [&](Tensor source, Tensor target, Tensor labels) {
    Tensor logits = net(source, target), flat = reshape(labels, {-1});
    Tensor isWord = not_equal(flat, Vocabulary::kPad);
    Tensor right = equal(argmax(logits), flat) && isWord;
    return result("loss", lossOf(logits, flat, 0))
        .result("accuracy", sum(cast(right, f32)) / sum(cast(isWord, f32)));
  });
  BeamSearchOptions search{.beams = sizeOf(settings, "beams"),
                           .first = Vocabulary::kBegin,
                           .last = Vocabulary::kEnd,
                           .pad = Vocabulary::kPad,
                           .never = {Vocabulary::kUnknown, Vocabulary::kMask}};
  program.entry("translate", {input("source", i64, {1, net.length})},
                [&](Tensor source) { return result("target", net.translate(source, search)); });
}

static ModelInfo translator(const char *name, const char *summary, const Settings &sizes) {
  Recipe recipe;
  recipe.data = [](const std::string &path, const Settings &settings, const data::Metadata &) {
    return data::pairData(
        path, {.length = sizeOf(settings, "length"), .vocabulary = sizeOf(settings, "vocabulary")});
  };
  recipe.inputs = {"source", "target", "labels"};
  recipe.batch = 64;
  recipe.steps = 6000;
  recipe.evaluateEvery = 1000;
  recipe.evaluateBatch = 64;
  recipe.samples = {translations()};
  Settings settings = {{"vocabulary", 4000},
                       {"length", 16},
                       {"dropout", 0.1},
                       {"beams", 4},
                       {"label_smoothing", 0.1}};
  settings.insert(sizes.begin(), sizes.end());
  return {name, summary, settings, buildTranslator, recipe};
}

ModelInfo transformer() {
  return translator("transformer", "Transformer, translates short sentences",
                    {{"width", 512},
                     {"heads", 8},
                     {"layers", 6},
                     {"inner", 2048},
                     {"warm_up", 4000},
                     {"learning_rate", 7e-4}}); // (width * warm_up)^-0.5
}

ModelInfo transformerSmall() {
  return translator("transformer_small", "the same in a size for two cores",
                    {{"width", 128},
                     {"heads", 4},
                     {"layers", 3},
                     {"inner", 512},
                     {"warm_up", 1000},
                     {"learning_rate", 2e-3}});
}

} // namespace gen::zoo
