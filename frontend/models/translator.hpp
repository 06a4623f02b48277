//===- models/translator.hpp - the network of a translator ------*- C++ -*-===//
//
// Encoder and decoder of Vaswani et al.: Attention is all you need, 2017, on sentences of one
// length. One table of pieces of words for both languages is the output matrix, too (3.4).
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_TRANSLATOR_HPP
#define GEN_MODELS_TRANSLATOR_HPP

#include "gen/search.hpp"
#include "models/transformer.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

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
  Tensor encode(const Tensor &source) const {
    Tensor x = embed(source, pos);
    for (const EncoderLayer &layer : enc)
      x = layer(x, notPadded(source));
    return x;
  }
  Tensor logits(const Tensor &x) const {
    return matmul(reshape(x, {-1, width}), tok.weight, {.transpose_rhs = true});
  }
  /// [batch * length, words], for the successors of the target's pieces.
  Tensor operator()(const Tensor &source, const Tensor &target) const {
    Tensor memory = encode(source), x = embed(target, pos);
    for (const DecoderLayer &layer : dec)
      x = layer(x, memory, notPadded(source));
    return logits(x);
  }

  /// Of one sentence, [1, length] -> [length].
  Tensor translate(const Tensor &source, const BeamSearchOptions &options) const {
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
        x = dec[i].step(x, sources[i], notPadded(source), position, known);
        state[2 * i] = known.keys;
        state[2 * i + 1] = known.values;
      }
      return logits(x);
    };
    std::vector<Tensor> state(2 * dec.size(), zeros(shape));
    return beam_search(length, state, step, options);
  }
};

} // namespace gen::zoo

#endif // GEN_MODELS_TRANSLATOR_HPP
