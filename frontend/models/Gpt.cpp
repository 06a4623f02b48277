//===- Gpt.cpp - a character model that writes ----------------------------===//
//
// Karpathy's nanoGPT at its setting for a CPU: GPT-2's network with 4 layers, 4 heads, 128 wide,
// that sees 64 characters. It writes by one compiled loop, with the keys and values of the
// characters before kept.
//
//===----------------------------------------------------------------------===//

#include "models/gpt.hpp"
#include "gen/loops.hpp"
#include "gen/losses.hpp"
#include "gen/optimizers.hpp"
#include "gen/outputs.hpp"
#include "gen/sampling.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

/// Goes on with the first `given` characters of a prompt: position after position, each with the
/// character that the prompt has there or that was written.
static Tensor write(const Gpt &net, const Tensor &prompt, const Tensor &given,
                    const CategoricalOptions &sampling) {
  const auto &[words, width, heads, layers, length, rotary] = net.sizes;
  Tensor places = iota({length});
  std::vector<Tensor> first = {prompt};
  first.resize(static_cast<size_t>(1 + 2 * layers), zeros({1, length, heads, width / heads}));
  auto step = [&](const Tensor &position, const std::vector<Tensor> &values) {
    std::vector<Tensor> next = values;
    Tensor token = gather(values[0], reshape(position, {1}));
    Tensor x = net.embed(reshape(token, {1, 1}), reshape(position, {1, 1}));
    for (size_t i = 0; i < net.layers.size(); ++i)
      x = net.layers[i].step(x, position, next[2 * i + 1], next[2 * i + 2]);
    Tensor written = categorical(reshape(net.logits(net.norm(x)), {words}), sampling);
    Tensor here = equal(places, position + 1) && places >= given;
    next[0] = where(here, written, values[0]);
    return next;
  };
  return repeat(length - 1, first, step).front();
}

static void buildGpt(Program &program, const Settings &settings) {
  GptSizes sizes;
  sizes.words = sizeOf(settings, "vocabulary");
  sizes.width = sizeOf(settings, "width");
  sizes.heads = sizeOf(settings, "heads");
  sizes.layers = sizeOf(settings, "layers");
  sizes.length = sizeOf(settings, "length");
  sizes.rotary = settings.at("rotary") != 0;
  Gpt net(program / "gpt", sizes);
  Adam adam(program / "adam", {.learning_rate = settings.at("learning_rate"), .beta2 = 0.99});
  Dimension batch = program.dimension("batch");
  Input ids = input("ids", i64, {batch, sizes.length}),
        targets = input("targets", i64, {batch, sizes.length});
  auto lossOf = [&](const Tensor &ids, const Tensor &targets) {
    Tensor logits = reshape(net.logits(net.hidden(ids)), {-1, sizes.words});
    return mean(cross_entropy(logits, reshape(targets, {-1})));
  };

  program.entry("train_step", {ids, targets}, training, [&](Tensor ids, Tensor targets) {
    Tensor loss = lossOf(ids, targets);
    adam.minimize(loss, (program / "gpt").parameters());
    return result("loss", loss);
  });
  program.entry("evaluate", {ids, targets}, evaluation,
                [&](Tensor ids, Tensor targets) { return result("loss", lossOf(ids, targets)); });
  std::vector<Input> inputs = {input("prompt", i64, {sizes.length}), input("given", i64, {}),
                               input("temperature", f32, {}), input("top_k", i64, {}),
                               input("top_p", f32, {})};
  program.entry("generate", inputs,
                [&](Tensor prompt, Tensor given, Tensor temperature, Tensor topK, Tensor topP) {
                  CategoricalOptions sampling{temperature, topK, topP};
                  return result("text", write(net, prompt, given, sampling));
                });
}

ModelInfo gpt() {
  Recipe recipe;
  recipe.data = [](const std::string &path, const Settings &settings, const data::Metadata &) {
    return data::textData(path, {.length = sizeOf(settings, "length")});
  };
  recipe.inputs = {"ids", "targets"};
  recipe.batch = 12;
  recipe.steps = 2000;
  recipe.evaluateEvery = 500;
  recipe.evaluateBatch = 64;
  recipe.samples = {textSamples()};
  return {"gpt",
          "GPT, writes characters",
          {{"vocabulary", 65},
           {"width", 128},
           {"heads", 4},
           {"layers", 4},
           {"length", 64},
           {"rotary", 0},
           {"learning_rate", 1e-3}},
          buildGpt,
          recipe};
}

} // namespace gen::zoo
