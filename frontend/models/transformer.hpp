//===- models/transformer.hpp - layers of the Transformer -------*- C++ -*-===//
//
// Vaswani et al.: Attention is all you need, 2017, with the names of the PyTorch definitions of the
// peer benchmarks. Layers normalize after the addition, as in the paper.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_TRANSFORMER_HPP
#define GEN_MODELS_TRANSFORMER_HPP

#include "gen/vocabulary.hpp"
#include "models/gpt.hpp"

#include <cmath>

namespace gen::zoo {

struct EncoderOptions {
  Layer activation = ReLU();
  double epsilon = 1e-5;
  double dropout = 0; ///< of what is added
};

/// A layer of the encoder; with GELU, of BERT.
struct EncoderLayer {
  SelfAttention attn;
  FeedForward ffn;
  LayerNorm n1, n2;
  double drop;

  EncoderLayer(const Scope &s, int64_t width, int64_t heads, int64_t inner,
               const EncoderOptions &options = {})
      : attn(s / "attn", width, heads), ffn(s / "ffn", width, inner, options.activation),
        n1(s / "n1", width, {.epsilon = options.epsilon}),
        n2(s / "n2", width, {.epsilon = options.epsilon}), drop(options.dropout) {}
  /// `seen`: which positions there are, [batch, 1, 1, positions], or nothing.
  Tensor operator()(Tensor x, const Tensor &seen = {}) const {
    x = n1(x + dropout(attn(x, seen), drop));
    return n2(x + dropout(ffn(x), drop));
  }
};

struct DecoderLayer {
  SelfAttention attn;
  CrossAttention cross;
  FeedForward ffn;
  LayerNorm n1, n2, n3;
  double drop;

  DecoderLayer(const Scope &s, int64_t width, int64_t heads, int64_t inner, double dropout = 0)
      : attn(s / "attn", width, heads, {.causal = true}), cross(s / "cross", width, heads),
        ffn(s / "ffn", width, inner, ReLU()), n1(s / "n1", width), n2(s / "n2", width),
        n3(s / "n3", width), drop(dropout) {}
  /// `seen`: which positions of the memory there are, or nothing.
  Tensor operator()(Tensor x, const Tensor &memory, const Tensor &seen = {}) const {
    x = n1(x + dropout(attn(x), drop));
    x = n2(x + dropout(cross(x, memory, seen), drop));
    return n3(x + dropout(ffn(x), drop));
  }

  /// Keys and values, [batch, positions, heads, width of a head].
  struct Known {
    Tensor keys, values;
  };
  /// The same for one position, given those of the memory and of the positions before.
  Tensor step(Tensor x, const Known &memory, const Tensor &seen, const Tensor &position,
              Known &before) const {
    x = n1(x + attn.step(x, position, before.keys, before.values));
    x = n2(x + cross.attend(x, memory.keys, memory.values, seen));
    return n3(x + ffn(x));
  }
};

/// sin and cos of each position at `width / 2` frequencies, in turn (Vaswani et al., 3.5):
/// [length, width].
inline Tensor sinusoids(int64_t length, int64_t width) {
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

/// Which positions of sentences [batch, length] are no padding: [batch, 1, 1, length].
inline Tensor notPadded(const Tensor &ids) {
  return reshape(not_equal(ids, data::Vocabulary::kPad),
                 {ids.dimension(0), 1, 1, ids.dimension(1)});
}

} // namespace gen::zoo

#endif // GEN_MODELS_TRANSFORMER_HPP
