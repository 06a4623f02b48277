//===- Transformer.cpp - a translator -------------------------------------===//
//
// Vaswani et al.: Attention is all you need, 2017. One table of pieces of words for both languages
// is the output matrix, too (3.4). It translates by one compiled loop: beam search, in which keys
// and values of the positions before are kept; with one beam, greedy search.
//
//===----------------------------------------------------------------------===//

#include "models/transformer.hpp"
#include "gen/losses.hpp"
#include "gen/optimizers.hpp"
#include "gen/outputs.hpp"
#include "gen/sampling.hpp"
#include "gen/search.hpp"
#include "gen/sentences.hpp"
#include "models/zoo.hpp"

#include <cmath>

namespace gen::zoo {

using data::Vocabulary;

Tensor sinusoids(int64_t length, int64_t width) {
  std::vector<double> values;
  for (int64_t position = 0; position < length; ++position)
    for (int64_t i = 0; i < width; i += 2) {
      double angle =
          static_cast<double>(position) *
          std::exp(-std::log(10000.0) * static_cast<double>(i) / static_cast<double>(width));
      values.insert(values.end(), {std::sin(angle), std::cos(angle)});
    }
  return constant(values, {length, width});
}

namespace {
struct Translator {
  int64_t words, width, heads, length;
  double drop;
  Embedding tok;
  Tensor pos;
  std::vector<EncoderLayer> enc;
  std::vector<DecoderLayer> dec;

  Translator(const Scope &s, const Settings &settings)
      : words(sizeOf(settings, "vocabulary")), width(sizeOf(settings, "width")),
        heads(sizeOf(settings, "heads")), length(sizeOf(settings, "length")),
        drop(settings.at("dropout")),
        tok(s / "tok", words, width,
            Initializer::normal(0, 1 / std::sqrt(static_cast<double>(width)))),
        pos(sinusoids(length, width)) {
    int64_t layers = sizeOf(settings, "layers"), inner = sizeOf(settings, "inner");
    for (int64_t i = 0; i < layers; ++i) {
      enc.emplace_back(s / "enc" / i, width, heads, inner, EncoderOptions{.dropout = drop});
      dec.emplace_back(s / "dec" / i, width, heads, inner, drop);
    }
  }
  Tensor embed(const Tensor &ids, const Tensor &positions) const {
    return dropout(tok(ids) * std::sqrt(static_cast<double>(width)) + positions, drop);
  }
  /// The positions of a source that are no padding.
  Tensor seen(const Tensor &source) const {
    return reshape(not_equal(source, Vocabulary::kPad), {source.dimension(0), 1, 1, length});
  }
  Tensor encode(const Tensor &source) const {
    Tensor x = embed(source, pos);
    for (const EncoderLayer &layer : enc)
      x = layer(x, seen(source));
    return x;
  }
  Tensor logits(const Tensor &x) const {
    return matmul(reshape(x, {-1, width}), tok.weight, {.transpose_rhs = true});
  }
  /// [batch * length, words], for the successors of the target's pieces.
  Tensor operator()(const Tensor &source, const Tensor &target) const {
    Tensor memory = encode(source), x = embed(target, pos);
    for (const DecoderLayer &layer : dec)
      x = layer(x, memory, seen(source));
    return logits(x);
  }
  Tensor translate(const Tensor &source, const BeamSearchOptions &options) const;
};
} // namespace

/// Of one sentence, [1, length] -> [length].
Tensor Translator::translate(const Tensor &source, const BeamSearchOptions &options) const {
  Tensor memory = encode(source);
  std::vector<DecoderLayer::Known> sources;
  Shape shape = {options.beams, length, heads, width / heads};
  for (const DecoderLayer &layer : dec) {
    auto [keys, values] = layer.cross.project(memory);
    sources.push_back({broadcast_to(keys, shape), broadcast_to(values, shape)});
  }
  auto step = [&](const Tensor &position, const Tensor &tokens, std::vector<Tensor> &state) {
    Tensor x = embed(reshape(tokens, {-1, 1}), gather(pos, reshape(position, {1})));
    for (size_t i = 0; i < dec.size(); ++i) {
      DecoderLayer::Known known{state[2 * i], state[2 * i + 1]};
      x = dec[i].step(x, sources[i], seen(source), position, known);
      state[2 * i] = known.keys;
      state[2 * i + 1] = known.values;
    }
    return logits(x);
  };
  std::vector<Tensor> state(2 * dec.size(), zeros(shape));
  return beam_search(length, state, step, options);
}

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
  recipe.data = [](const std::string &path, const Settings &settings) {
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
                    {{"width", 128},
                     {"heads", 4},
                     {"layers", 3},
                     {"inner", 512},
                     {"warm_up", 1000},
                     {"learning_rate", 2e-3}});
}

ModelInfo transformerBase() {
  return translator("transformer_base", "the same in the size of the paper",
                    {{"width", 512},
                     {"heads", 8},
                     {"layers", 6},
                     {"inner", 2048},
                     {"warm_up", 4000},
                     {"learning_rate", 7e-4}}); // (width * warm_up)^-0.5
}

} // namespace gen::zoo
