//===- Bert.cpp - guesses hidden words ------------------------------------===//
//
// Devlin et al. 2018: of two sentences some pieces are hidden and have to be told from both sides,
// and whether the second follows the first. BertClassifier.cpp goes on with the weights.
//
//===----------------------------------------------------------------------===//

#include "models/bert.hpp"
#include "gen/losses.hpp"
#include "gen/optimizers.hpp"
#include "gen/outputs.hpp"
#include "gen/sampling.hpp"
#include "gen/sentences.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

using data::Vocabulary;

namespace {
struct PretrainingBert {
  Bert bert;
  Linear transform;
  LayerNorm norm;
  Variable bias;
  Linear next;

  PretrainingBert(const Scope &s, const BertSizes &sizes)
      : bert(s / "bert", sizes), transform(s / "transform", sizes.width, sizes.width),
        norm(s / "norm", sizes.width, {.epsilon = 1e-12}),
        bias(s.variable("bias", f32, {sizes.words})), next(s / "next", sizes.width, 2) {}

  /// Hidden states and the pooled first one.
  std::pair<Tensor, Tensor> encode(const Tensor &ids, const Tensor &segments) const {
    return bert(ids, segments, notPadded(ids));
  }
  /// Of every piece at every position: [batch * length, words].
  Tensor logits(const Tensor &hidden) const {
    Tensor x = norm(gelu(transform(reshape(hidden, {-1, bert.sizes.width}))));
    return matmul(x, bert.tok.weight, {.transpose_rhs = true}) + bias;
  }
};

/// What is asked of a batch: the pieces with some hidden, and those as labels, -1 elsewhere.
struct Questions {
  Tensor ids, labels;
};

/// Asks for 15 % of the pieces: 80 % of these are hidden, 10 % are any piece, 10 % stay.
Questions hide(const Tensor &ids, int64_t words) {
  constexpr double kAsked = 0.15, kHidden = 0.8 * kAsked, kChanged = 0.9 * kAsked;
  Tensor u = uniform(ids.shape()), v = uniform(ids.shape());
  Tensor asked = (equal(ids, Vocabulary::kUnknown) || ids >= Vocabulary::kFirst) && u < kAsked;
  Tensor any = cast(v * static_cast<double>(words - Vocabulary::kFirst), i64) + Vocabulary::kFirst;
  Tensor other = where(u < kHidden, Vocabulary::kMask, where(u < kChanged, any, ids));
  return {where(asked, other, ids), where(asked, ids, -1)};
}

/// The part of the rows that are labelled in which `isRight` holds.
Tensor partOf(const Tensor &isRight, const Tensor &labels) {
  Tensor asked = labels >= 0;
  return sum(cast(isRight && asked, f32)) / sum(cast(asked, f32));
}
} // namespace

static void buildBertModel(Program &program, const Settings &settings) {
  BertSizes sizes = BertSizes::of(settings);
  PretrainingBert net(program / "net", sizes);
  AdamW adam(program / "adam", {.learning_rate = settings.at("learning_rate")});
  MinimizeOptions minimizing;
  minimizing.schedule = schedule::inverse_sqrt(settings.at("warm_up"));
  minimizing.clip_norm = 1;
  Dimension batch = program.dimension("batch");
  Input ids = input("ids", i64, {batch, sizes.length}),
        segments = input("segments", i64, {batch, sizes.length}),
        follows = input("follows", i64, {batch});

  program.entry("train_step", {ids, segments, follows}, training,
                [&](Tensor ids, Tensor segments, Tensor follows) {
                  auto [asked, labels] = hide(ids, sizes.words);
                  auto [hidden, pooled] = net.encode(asked, segments);
                  Tensor masked = cross_entropy(net.logits(hidden), reshape(labels, {-1}),
                                                {.reduction = Reduction::Mean});
                  Tensor next = mean(cross_entropy(net.next(pooled), follows));
                  Tensor loss = masked + next;
                  adam.minimize(loss, (program / "net").parameters(), minimizing);
                  return result("loss", loss).result("masked", masked).result("next", next);
                });
  program.entry(
      "evaluate", {ids, segments, follows}, evaluation,
      [&](Tensor ids, Tensor segments, Tensor follows) {
        auto [asked, given] = hide(ids, sizes.words);
        auto [hidden, pooled] = net.encode(asked, segments);
        Tensor logits = net.logits(hidden), labels = reshape(given, {-1}), next = net.next(pooled);
        return result("masked_loss", cross_entropy(logits, labels, {.reduction = Reduction::Mean}))
            .result("masked_accuracy", partOf(equal(argmax(logits), labels), labels))
            .result("unigram_accuracy", partOf(equal(labels, settings.at("commonest")), labels))
            .result("next_accuracy", partOf(equal(argmax(next), follows), follows));
      });
  program.entry("fill", {input("ids", i64, {1, sizes.length})}, [&](Tensor ids) {
    Tensor best = argmax(net.logits(net.encode(ids, zeros(ids.shape(), i64)).first));
    return result("ids", where(equal(ids, Vocabulary::kMask), reshape(best, ids.shape()), ids));
  });
}

ModelInfo bert() {
  Recipe recipe;
  recipe.data = [](const std::string &path, const Settings &settings, const data::Metadata &) {
    return data::nextSentenceData(
        path, {.length = sizeOf(settings, "length"), .vocabulary = sizeOf(settings, "vocabulary")});
  };
  recipe.inputs = {"ids", "segments", "follows"};
  recipe.batch = 32;
  recipe.steps = 3000;
  recipe.evaluateEvery = 1000;
  recipe.evaluateBatch = 128;
  recipe.samples = {fillings()};
  return {"bert", "BERT, guesses hidden words and what follows",
          BertSizes::settings(
              {{"commonest", Vocabulary::kFirst}, {"warm_up", 200}, {"learning_rate", 2e-3}}),
          buildBertModel, recipe};
}

} // namespace gen::zoo
