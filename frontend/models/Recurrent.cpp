//===- models/Recurrent.cpp - workloads of recurrent networks -------------===//
//
// Lstm and CharLstm of the PyTorch definitions of the peer benchmarks, with their names.
//
//===----------------------------------------------------------------------===//

#include "gen/recurrent.hpp"
#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "models/zoo.hpp"

#include <numeric>

namespace gen::zoo {

static constexpr int64_t kBatch = 32, kSteps = 100, kHidden = 512;
static constexpr RecurrentOptions kTwoLayers = {.layers = 2, .batch_first = true};

void buildLstm(Program &program, const Settings &settings) {
  Dimension batch = benchmarkSize(program, settings, "batch", kBatch);
  LSTM rnn(program / "rnn", kHidden, kHidden, kTwoLayers);
  program.entry("main", {input("x", f32, {batch, kSteps, kHidden})},
                [&](Tensor x) { return result("y", rnn(x).output); });
}

/// 1 where `classes` numbers of a row are that of the row: [rows, classes].
static Tensor oneHot(const Tensor &numbers, int64_t classes) {
  std::vector<double> all(static_cast<size_t>(classes));
  std::iota(all.begin(), all.end(), 0);
  Tensor rows = reshape(numbers, {-1, 1});
  return cast(equal(rows, constant(all, {classes}, i64)), f32);
}

/// Mean over rows of -log softmax(logits)[target].
static Tensor crossEntropy(const Tensor &logits, const Tensor &targets) {
  Tensor largest = stop_gradient(max(logits, {.axes = {1}, .keepdim = true}));
  Tensor shifted = logits - largest;
  Tensor chosen = sum(shifted * targets, {.axes = {1}});
  return mean(log(sum(exp(shifted), {.axes = {1}})) - chosen);
}

void buildTrainCharLstm(Program &program, const Settings &) {
  constexpr int64_t kVocabulary = 96;
  Scope net = program / "net";
  Variable table =
      (net / "tok").variable("weight", f32, {kVocabulary, kHidden}, Initializer::normal(0, 1));
  LSTM rnn(net / "rnn" / "rnn", kHidden, kHidden, kTwoLayers);
  Linear head(net / "head", kHidden, kVocabulary);
  Adam adam(program / "adam", {.learning_rate = 2e-4});

  std::vector<Input> inputs = {input("ids", i64, {kBatch, kSteps}),
                               input("targets", i64, {kBatch, kSteps})};
  program.entry("main", inputs, training, [&](Tensor ids, Tensor targets) {
    Tensor embedded = matmul(oneHot(ids, kVocabulary), table);
    Tensor y = rnn(reshape(embedded, {kBatch, kSteps, kHidden})).output;
    Tensor logits = reshape(head(y), {-1, kVocabulary});
    Tensor loss = crossEntropy(logits, oneHot(targets, kVocabulary));
    adam.minimize(loss, net.variables());
    return result("loss", loss);
  });
}

} // namespace gen::zoo
