//===- models/gpt.hpp - GPT-2's network -------------------------*- C++ -*-===//
//
// Radford et al.: Language models are unsupervised multitask learners, 2019, with the names of the
// PyTorch definitions of the peer benchmarks.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_GPT_HPP
#define GEN_MODELS_GPT_HPP

#include "gen/attention.hpp"

namespace gen::zoo {

/// Two linear layers, named as in a Sequential with the activation between.
struct FeedForward {
  Linear first, second;
  Layer activation;

  FeedForward(const Scope &s, int64_t width, int64_t inner, Layer activation)
      : first(s / 0, width, inner), second(s / 2, inner, width), activation(std::move(activation)) {
  }
  Tensor operator()(const Tensor &x) const {
    return second(activation(first(x), SourceLocation::current()));
  }
};

struct GptLayer {
  LayerNorm n1, n2;
  SelfAttention attn;
  FeedForward ffn;

  GptLayer(const Scope &s, int64_t width, int64_t heads)
      : n1(s / "n1", width), n2(s / "n2", width), attn(s / "attn", width, heads, /*causal=*/true),
        ffn(s / "ffn", width, 4 * width, GELU(Approximate::Tanh)) {}
  Tensor operator()(Tensor x) const {
    x = x + attn(n1(x));
    return x + ffn(n2(x));
  }
  /// The same for the one position of x [1, 1, width], given what is known of those before: keys
  /// and values [1, length, heads, width of a head], in which it writes down its own.
  Tensor step(Tensor x, const Tensor &position, Tensor &keys, Tensor &values) const {
    auto [q, k, v] = chunk<3>(attn.qkv(n1(x)), -1);
    int64_t length = keys.dimension(1).number(), heads = keys.dimension(2).number();
    Tensor places = iota({length}), here = reshape(equal(places, position), {1, length, 1, 1});
    keys = where(here, split_heads(k, heads), keys);
    values = where(here, split_heads(v, heads), values);
    Tensor seen = reshape(places <= position, {1, 1, 1, length});
    x = x + attn.out(merge_heads(attention(split_heads(q, heads), keys, values, {.mask = seen})));
    return x + ffn(n2(x));
  }
};

struct GptSizes {
  int64_t words = 50257, width = 768, heads = 12, layers = 12, length = 1024;
};

/// Tokens to logits of the next ones.
struct Gpt {
  GptSizes sizes;
  Embedding tok, pos;
  std::vector<GptLayer> layers;
  LayerNorm norm;

  explicit Gpt(const Scope &s, GptSizes sizes = {})
      : sizes(sizes), tok(s / "tok", sizes.words, sizes.width, Initializer::normal(0, 0.02)),
        pos(s / "pos", sizes.length, sizes.width, Initializer::normal(0, 0.02)),
        norm(s / "norm", sizes.width) {
    for (int64_t i = 0; i < sizes.layers; ++i)
      layers.emplace_back(s / "layers" / i, sizes.width, sizes.heads);
  }
  /// The rows of `pos` from `first` on.
  Tensor positions(int64_t first, int64_t count) const {
    return slice(pos.weight, {.axis = 0, .start = first, .limit = first + count});
  }
  Tensor hidden(const Tensor &ids) const {
    Tensor x = tok(ids) + positions(0, ids.dimension(1).number());
    for (const GptLayer &layer : layers)
      x = layer(x);
    return norm(x);
  }
  /// [..., width] -> [..., words]; the table of tokens is the output matrix, too.
  Tensor logits(const Tensor &x) const {
    Shape shape = x.shape();
    shape.back() = sizes.words;
    return reshape(matmul(reshape(x, {-1, sizes.width}), tok.weight, {.transpose_rhs = true}),
                   shape);
  }
};

} // namespace gen::zoo

#endif // GEN_MODELS_GPT_HPP
