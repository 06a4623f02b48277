//===- models/bert.hpp - BERT's network -------------------------*- C++ -*-===//
//
// Devlin et al.: BERT: Pre-training of deep bidirectional Transformers for language understanding,
// 2018, with the names of the PyTorch definitions of the peer benchmarks.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_BERT_HPP
#define GEN_MODELS_BERT_HPP

#include "models/transformer.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

struct BertSizes {
  int64_t words = 30522, width = 768, heads = 12, layers = 12, length = 512;
  double dropout = 0;
  double deviation = 1; ///< of the initial embeddings

  /// The settings of a model that is trained: these, and its own.
  static Settings settings(Settings own) {
    own.merge(Settings{{"vocabulary", 2000},
                       {"width", 128},
                       {"heads", 4},
                       {"layers", 2},
                       {"length", 64},
                       {"dropout", 0}});
    return own;
  }
  static BertSizes of(const Settings &settings) {
    return {.words = sizeOf(settings, "vocabulary"),
            .width = sizeOf(settings, "width"),
            .heads = sizeOf(settings, "heads"),
            .layers = sizeOf(settings, "layers"),
            .length = sizeOf(settings, "length"),
            .dropout = settings.at("dropout"),
            .deviation = 0.02};
  }
};

struct Bert {
  BertSizes sizes;
  Embedding tok, pos, seg;
  LayerNorm norm;
  std::vector<EncoderLayer> layers;
  Linear pool;

  explicit Bert(const Scope &s, BertSizes sizes = {})
      : sizes(sizes), tok(s / "tok", sizes.words, sizes.width, initial()),
        pos(s / "pos", sizes.length, sizes.width, initial()),
        seg(s / "seg", 2, sizes.width, initial()),
        norm(s / "norm", sizes.width, {.epsilon = 1e-12}),
        pool(s / "pool", sizes.width, sizes.width) {
    for (int64_t i = 0; i < sizes.layers; ++i)
      layers.emplace_back(s / "layers" / i, sizes.width, sizes.heads, 4 * sizes.width,
                          EncoderOptions{GELU(), 1e-12, sizes.dropout});
  }
  /// The last hidden states [batch, positions, width], and the first one's, pooled [batch, width].
  /// `seen`: which positions there are, [batch, 1, 1, positions], or nothing.
  std::pair<Tensor, Tensor> operator()(const Tensor &ids, const Tensor &segments,
                                       const Tensor &seen = {}) const {
    Tensor x = dropout(norm(tok(ids) + positions(ids.dimension(1)) + seg(segments)), sizes.dropout);
    for (const EncoderLayer &layer : layers)
      x = layer(x, seen);
    return {x, tanh(pool(first(x)))};
  }

private:
  // Parts of an axis are slices where its size is a number, and gathered where it is a symbol.
  Tensor positions(const Dimension &length) const {
    if (!length.isNumber())
      return pos(iota({length}));
    return slice(pos.weight, {.axis = 0, .start = 0, .limit = length.number()});
  }
  /// The hidden state [batch, width] of the first position.
  Tensor first(const Tensor &x) const {
    Tensor one = x.dimension(1).isNumber()
                     ? slice(x, {.axis = 1, .start = 0, .limit = 1})
                     : gather(transpose(x, {1, 0, 2}), constant({0}, {1}, i64));
    return reshape(one, {x.dimension(0), sizes.width});
  }
  Initializer initial() const { return Initializer::normal(0, sizes.deviation); }
};

} // namespace gen::zoo

#endif // GEN_MODELS_BERT_HPP
