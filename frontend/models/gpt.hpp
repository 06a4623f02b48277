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

  GptLayer(const Scope &s, int64_t width, int64_t heads, bool rotary)
      : n1(s / "n1", width), n2(s / "n2", width),
        attn(s / "attn", width, heads, {.causal = true, .rotary = rotary}),
        ffn(s / "ffn", width, 4 * width, GELU(Approximate::Tanh)) {}
  Tensor operator()(Tensor x) const {
    x = x + attn(n1(x));
    return x + ffn(n2(x));
  }
  /// The same for one position, given keys and values of those before (SelfAttention::step).
  Tensor step(Tensor x, const Tensor &position, Tensor &keys, Tensor &values) const {
    x = x + attn.step(n1(x), position, keys, values);
    return x + ffn(n2(x));
  }
};

struct GptSizes {
  int64_t words = 50257, width = 768, heads = 12, layers = 12, length = 1024;
  bool rotary = false; ///< positions turn queries and keys, instead of learned rows that are added
};

/// Tokens to logits of the next ones.
struct Gpt {
  GptSizes sizes;
  Embedding tok;
  std::optional<Embedding> pos; ///< unless positions are rotary
  std::vector<GptLayer> layers;
  LayerNorm norm;

  explicit Gpt(const Scope &s, GptSizes sizes = {})
      : sizes(sizes), tok(s / "tok", sizes.words, sizes.width, Initializer::normal(0, 0.02)),
        norm(s / "norm", sizes.width) {
    if (!sizes.rotary)
      pos.emplace(s / "pos", sizes.length, sizes.width, Initializer::normal(0, 0.02));
    for (int64_t i = 0; i < sizes.layers; ++i)
      layers.emplace_back(s / "layers" / i, sizes.width, sizes.heads, sizes.rotary);
  }
  /// Rows for the tokens [batch, positions] at `positions`, integers [1, positions].
  Tensor embed(const Tensor &ids, const Tensor &positions) const {
    return pos ? tok(ids) + (*pos)(positions) : tok(ids);
  }
  /// The same at the positions from `first` on.
  Tensor embed(const Tensor &ids, int64_t first) const {
    int64_t last = first + ids.dimension(1).number();
    return pos ? tok(ids) + slice(pos->weight, {.axis = 0, .start = first, .limit = last})
               : tok(ids);
  }
  Tensor hidden(const Tensor &ids) const {
    Tensor x = embed(ids, 0);
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
