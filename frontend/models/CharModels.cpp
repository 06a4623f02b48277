//===- CharModels.cpp - recurrent models that write characters ------------===//
//
// A vanilla network, an LSTM (Hochreiter, Schmidhuber 1997) or a GRU (Cho et al. 2014), trained by
// truncated backpropagation: each row of a batch goes on with the text where it ended in the last
// batch, and with the state it had there, but gradients stay within the window.
//
//===----------------------------------------------------------------------===//

#include "gen/loops.hpp"
#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "gen/outputs.hpp"
#include "gen/recurrent.hpp"
#include "gen/sampling.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

namespace {
struct CharSizes {
  int64_t words, hidden, layers, length, batch;

  explicit CharSizes(const Settings &settings)
      : words(sizeOf(settings, "vocabulary")), hidden(sizeOf(settings, "hidden")),
        layers(sizeOf(settings, "layers")), length(sizeOf(settings, "length")),
        batch(sizeOf(settings, "batch")) {}
};

template <class Cell> struct CharModel {
  static constexpr size_t kStates = std::is_same_v<Cell, LSTM> ? 2 : 1;
  using State = std::vector<Tensor>; ///< hidden, and an LSTM's cell: [layers, batch, hidden]

  CharSizes sizes;
  Embedding tok;
  Cell rnn;
  Linear head;

  CharModel(const Scope &s, CharSizes sizes)
      : sizes(sizes), tok(s / "tok", sizes.words, sizes.hidden),
        rnn(s / "rnn", sizes.hidden, sizes.hidden, {.layers = sizes.layers, .batch_first = true}),
        head(s / "head", sizes.hidden, sizes.words) {}

  /// Logits [batch, length, words] of the next characters; `state` becomes that after the last.
  Tensor operator()(const Tensor &ids, State &state) const {
    state.resize(2); // a tensor that refers to nothing is a state of zeros
    RecurrentResult y = rnn(tok(ids), state[0], state[1]);
    state = {y.hidden, y.cell};
    state.resize(kStates);
    return head(y.output);
  }
  Tensor loss(const Tensor &ids, const Tensor &targets, State &state) const {
    Tensor logits = reshape((*this)(ids, state), {-1, sizes.words});
    return mean(cross_entropy(logits, reshape(targets, {-1})));
  }
  Tensor write(const Tensor &prompt, const Tensor &given, const CategoricalOptions &sampling) const;
};
} // namespace

/// Goes on with the first `given` characters of a prompt, character after character.
template <class Cell>
Tensor CharModel<Cell>::write(const Tensor &prompt, const Tensor &given,
                              const CategoricalOptions &sampling) const {
  int64_t window = prompt.dimension(0).number();
  Tensor places = iota({window});
  std::vector<Tensor> first(1 + kStates, zeros({sizes.layers, 1, sizes.hidden}));
  first[0] = prompt;
  auto step = [&](const Tensor &position, const std::vector<Tensor> &values) {
    State state(values.begin() + 1, values.end());
    Tensor token = gather(values[0], reshape(position, {1, 1}));
    Tensor written = categorical(reshape((*this)(token, state), {sizes.words}), sampling);
    Tensor here = equal(places, position + 1) && places >= given;
    state.insert(state.begin(), where(here, written, values[0]));
    return state;
  };
  return repeat(window - 1, first, step).front();
}

template <class Cell> static void buildCharModel(Program &program, const Settings &settings) {
  constexpr int64_t kWindow = 256; // of a prompt and what is written
  CharSizes sizes(settings);
  CharModel<Cell> net(program / "net", sizes);
  std::vector<Variable> carried;
  for (const char *name : {"hidden", "cell"})
    if (carried.size() < net.kStates)
      carried.push_back(
          (program / "state").buffer(name, f32, {sizes.layers, sizes.batch, sizes.hidden}));
  Adam adam(program / "adam", {.learning_rate = settings.at("learning_rate")});
  Dimension batch = program.dimension("batch");
  auto inputs = [&](const Dimension &rows) {
    return std::vector<Input>{input("ids", i64, {rows, sizes.length}),
                              input("targets", i64, {rows, sizes.length})};
  };

  program.entry("train_step", inputs(sizes.batch), training, [&](Tensor ids, Tensor targets) {
    std::vector<Tensor> state(carried.begin(), carried.end());
    Tensor loss = net.loss(ids, targets, state);
    adam.minimize(loss, (program / "net").parameters());
    for (size_t i = 0; i < carried.size(); ++i)
      assign(carried[i], state[i]);
    return result("loss", loss);
  });
  program.entry("evaluate", inputs(batch), evaluation, [&](Tensor ids, Tensor targets) {
    std::vector<Tensor> state;
    return result("loss", net.loss(ids, targets, state));
  });
  std::vector<Input> prompt = {input("prompt", i64, {kWindow}), input("given", i64, {}),
                               input("temperature", f32, {}), input("top_k", i64, {}),
                               input("top_p", f32, {})};
  program.entry("generate", prompt,
                [&](Tensor prompt, Tensor given, Tensor temperature, Tensor topK, Tensor topP) {
                  CategoricalOptions sampling{temperature, topK, topP};
                  return result("text", net.write(prompt, given, sampling));
                });
}

template <class Cell> static ModelInfo charModel(const char *name, const char *summary) {
  Recipe recipe;
  recipe.data = [](const std::string &path, const Settings &settings, const data::Metadata &) {
    int64_t length = sizeOf(settings, "length");
    return data::textData(path, {.length = length, .stride = length});
  };
  recipe.inputs = {"ids", "targets"};
  recipe.order = data::Order::Streams;
  recipe.batch = 32;
  recipe.steps = 1500;
  recipe.evaluateEvery = 500;
  recipe.evaluateBatch = 128;
  recipe.samples = {textSamples()};
  Settings settings = {{"vocabulary", 65}, {"hidden", 256}, {"layers", 2},
                       {"length", 100},    {"batch", 32},   {"learning_rate", 2e-3}};
  return {name, summary, settings, buildCharModel<Cell>, recipe};
}

ModelInfo rnn() { return charModel<RNN>("rnn", "recurrent network, writes characters"); }
ModelInfo lstm() { return charModel<LSTM>("lstm", "LSTM, writes characters"); }
ModelInfo gru() { return charModel<GRU>("gru", "GRU, writes characters"); }

} // namespace gen::zoo
