//===- Transformers.cpp - Transformer, BERT and GPT-2 ---------------------===//
//
// Vaswani et al.: Attention is all you need, 2017; Devlin et al.: BERT, 2018; Radford et al.:
// Language models are unsupervised multitask learners, 2019. For benchmarks: networks, names, sizes
// and losses are those of the PyTorch definitions of the peer benchmarks; the one entry is `main`.
//
//===----------------------------------------------------------------------===//

#include "gen/losses.hpp"
#include "gen/optimizers.hpp"
#include "models/bert.hpp"
#include "models/zoo.hpp"

#include <cmath>

namespace gen::zoo {

namespace {

struct Transformer {
  static constexpr int64_t kWords = 8000, kWidth = 512, kHeads = 8, kLayers = 6, kInner = 2048,
                           kLength = 64;
  Embedding src, tgt;
  Tensor pos;
  std::vector<EncoderLayer> enc;
  std::vector<DecoderLayer> dec;
  Linear head;

  explicit Transformer(const Scope &s)
      : src(s / "src", kWords, kWidth), tgt(s / "tgt", kWords, kWidth),
        pos(sinusoids(kLength, kWidth)), head(s / "head", kWidth, kWords) {
    for (int64_t i = 0; i < kLayers; ++i)
      enc.emplace_back(s / "enc" / i, kWidth, kHeads, kInner);
    for (int64_t i = 0; i < kLayers; ++i)
      dec.emplace_back(s / "dec" / i, kWidth, kHeads, kInner);
  }
  Tensor operator()(const Tensor &source, const Tensor &target) const {
    double scale = std::sqrt(static_cast<double>(kWidth));
    Tensor x = src(source) * scale + pos;
    for (const EncoderLayer &layer : enc)
      x = layer(x);
    Tensor y = tgt(target) * scale + pos;
    for (const DecoderLayer &layer : dec)
      y = layer(y, x);
    return head(y);
  }
};

/// x without the axis, at the last position along it.
Tensor lastPosition(const Tensor &x) {
  int64_t length = x.dimension(1).number();
  Tensor last = slice(x, {.axis = 1, .start = length - 1, .limit = length});
  return reshape(last, {x.dimension(0), x.dimension(2)});
}

/// The mean loss of the next words.
Tensor classLoss(const Tensor &logits, const Tensor &labels) {
  Tensor rows = reshape(logits, {-1, logits.dimension(-1)});
  return mean(cross_entropy(rows, reshape(labels, {-1})));
}

void buildTransformer(Program &program, const Dimension &batch) {
  Transformer net(program.scope());
  Input source = input("src", i64, {batch, Transformer::kLength}),
        target = input("tgt", i64, {batch, Transformer::kLength});
  program.entry("main", {source, target},
                [&](Tensor src, Tensor tgt) { return result("logits", net(src, tgt)); });
}

} // namespace

void buildTransformer1(Program &program, const Settings &) { buildTransformer(program, 1); }
void buildTransformer8(Program &program, const Settings &settings) {
  buildTransformer(program, benchmarkSize(program, settings, "batch", 8));
}

void buildTrainTransformer(Program &program, const Settings &) {
  constexpr int64_t kBatch = 8;
  Transformer net(program / "net");
  Adam adam(program / "adam", {.learning_rate = 2e-4});
  std::vector<Input> inputs;
  for (const char *name : {"src", "tgt", "labels"})
    inputs.push_back(input(name, i64, {kBatch, Transformer::kLength}));
  program.entry("main", inputs, training, [&](Tensor src, Tensor tgt, Tensor labels) {
    Tensor loss = classLoss(net(src, tgt), labels);
    adam.minimize(loss, (program / "net").variables());
    return result("loss", loss);
  });
}

void buildBert(Program &program, const Settings &settings) {
  Dimension batch = benchmarkSize(program, settings, "batch", 1),
            length = benchmarkSize(program, settings, "length", 128);
  Bert net(program.scope());
  Input ids = input("ids", i64, {batch, length}),
        segments = input("segments", i64, {batch, length});
  program.entry("main", {ids, segments}, [&](Tensor ids, Tensor segments) {
    auto [hidden, pooled] = net(ids, segments);
    return result("hidden", hidden).result("pooled", pooled);
  });
}

void buildGptPrefill(Program &program, const Settings &) {
  Gpt net(program.scope());
  program.entry("main", {input("ids", i64, {1, 128})}, [&](Tensor ids) {
    return result("logits", net.logits(lastPosition(net.hidden(ids))));
  });
}

void buildGptDecode(Program &program, const Settings &) {
  constexpr int64_t kPast = 512;
  Gpt net(program.scope());
  int64_t heads = net.sizes.heads, width = net.sizes.width / heads, layers = net.sizes.layers;
  std::vector<Input> inputs = {input("token", i64, {1, 1}),
                               input("cache", f32, {layers, 2, 1, heads, kPast, width})};
  program.entry("main", inputs, [&](Tensor token, Tensor cache) {
    auto cached = [&](int64_t layer, int64_t which) {
      Tensor both = slice(cache, {.axis = 0, .start = layer, .limit = layer + 1});
      return reshape(slice(both, {.axis = 1, .start = which, .limit = which + 1}),
                     {1, heads, kPast, width});
    };
    Tensor x = net.embed(token, kPast);
    std::vector<Tensor> latest;
    for (int64_t i = 0; i < layers; ++i) {
      const GptLayer &layer = net.layers[static_cast<size_t>(i)];
      auto [y, keys, values] = layer.attn.decode(layer.n1(x), cached(i, 0), cached(i, 1));
      x = x + y;
      x = x + layer.ffn(layer.n2(x));
      for (const Tensor &part : {keys, values})
        latest.push_back(reshape(part, {1, 1, 1, heads, 1, width}));
    }
    Tensor all = reshape(concat(latest), {layers, 2, 1, heads, 1, width});
    return result("logits", net.logits(lastPosition(net.norm(x)))).result("latest", all);
  });
}

void buildTrainGptTiny(Program &program, const Settings &settings) {
  constexpr int64_t kLength = 128;
  Dimension batch = benchmarkSize(program, settings, "batch", 16);
  Gpt net(program / "net", {.words = 96, .width = 384, .heads = 6, .layers = 6, .length = kLength});
  Adam adam(program / "adam", {.learning_rate = 2e-4});
  std::vector<Input> inputs = {input("ids", i64, {batch, kLength}),
                               input("labels", i64, {batch, kLength})};
  program.entry("main", inputs, training, [&](Tensor ids, Tensor labels) {
    Tensor loss = classLoss(net.logits(net.hidden(ids)), labels);
    adam.minimize(loss, (program / "net").variables());
    return result("loss", loss);
  });
}

} // namespace gen::zoo
