//===- gen/attention.hpp - attention ----------------------------*- C++ -*-===//
//
// The function and the layers of Transformers. Inside, heads lie behind positions, [batch,
// positions, heads, width]: a projection to all heads is reshaped, nothing is moved.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_ATTENTION_HPP
#define GEN_ATTENTION_HPP

#include "gen/nn.hpp"

namespace gen {

// NOLINTBEGIN(readability-identifier-naming): the field's names

struct AttentionOptions {
  /// Query i sees no key behind i + keys - queries: the last query sees all.
  bool causal = false;
  /// Factor of the scores; 1 / sqrt(width) if not given.
  std::optional<double> scale = std::nullopt;
  /// Added to the scores, [batch, heads, queries, keys] or 1 along an axis; booleans tell which
  /// keys are seen.
  Tensor mask = {};
};

/// softmax(scale query key^T + mask) value for each head:
/// [batch, queries, heads, width], [batch, keys, heads, width], [batch, keys, heads, outputs]
/// -> [batch, queries, heads, outputs].
Tensor attention(const Tensor &query, const Tensor &key, const Tensor &value,
                 const AttentionOptions &options = {},
                 SourceLocation where = SourceLocation::current());
/// The same with heads before positions, [batch, heads, positions, width], as in PyTorch. (With
/// `causal` and fewer queries than keys PyTorch hides the last keys from the last query; this one
/// does not.)
Tensor scaled_dot_product_attention(const Tensor &query, const Tensor &key, const Tensor &value,
                                    const AttentionOptions &options = {},
                                    SourceLocation where = SourceLocation::current());

/// [batch, positions, heads * width] as [batch, positions, heads, width], and back.
Tensor split_heads(const Tensor &x, int64_t heads,
                   SourceLocation where = SourceLocation::current());
Tensor merge_heads(const Tensor &x, SourceLocation where = SourceLocation::current());

/// Rotary positions (Su et al. 2021): x [batch, positions, heads, width], at `positions`, integers
/// [positions]. Numbers i and i + width / 2 of a head are turned, as a point in the plane, by
/// position * base^(-2 i / width). So a product of two depends on how far apart they are.
Tensor rotary(const Tensor &x, const Tensor &positions, double base = 10000,
              SourceLocation where = SourceLocation::current());

// NOLINTEND(readability-identifier-naming)

struct SelfAttentionOptions {
  bool causal = false;
  bool rotary = false; ///< queries and keys are turned by their positions
};

/// Attention of a sequence to itself: [batch, positions, width] -> the same. Variables: `qkv` (one
/// linear layer for queries, keys and values) and `out`.
class SelfAttention {
public:
  SelfAttention(const Scope &scope, int64_t width, int64_t heads, SelfAttentionOptions options = {},
                SourceLocation where = SourceLocation::current());
  /// `mask` as in AttentionOptions, or nothing.
  Tensor operator()(const Tensor &x, const Tensor &mask = {},
                    SourceLocation where = SourceLocation::current()) const;

  /// The same for the one position of x [batch, 1, width], given what is known of those before:
  /// keys and values [batch, length, heads, width of a head], in which it writes down its own. For
  /// a loop that writes `position` after `position`, an i64 scalar, with memory of a fixed size.
  Tensor step(const Tensor &x, const Tensor &position, Tensor &keys, Tensor &values,
              SourceLocation where = SourceLocation::current()) const;

  /// One step of generation: `x` are the latest positions, `keys` and `values` those of the
  /// positions before, [batch, heads, past, width]. Also gives the keys and values of `x`.
  struct Step {
    Tensor y, keys, values;
  };
  Step decode(const Tensor &x, const Tensor &keys, const Tensor &values,
              SourceLocation where = SourceLocation::current()) const;

  Linear qkv, out;

private:
  int64_t heads;
  SelfAttentionOptions options;
};

/// Attention of a sequence to another one, the memory. Variables: `q`, `kv`, `out`.
class CrossAttention {
public:
  CrossAttention(const Scope &scope, int64_t width, int64_t heads,
                 SourceLocation where = SourceLocation::current());
  /// `mask` as in AttentionOptions, or nothing.
  Tensor operator()(const Tensor &x, const Tensor &memory, const Tensor &mask = {},
                    SourceLocation where = SourceLocation::current()) const;

  /// Keys and values of the memory, [batch, positions, heads, width of a head].
  std::pair<Tensor, Tensor> project(const Tensor &memory,
                                    SourceLocation where = SourceLocation::current()) const;
  /// The same with keys and values that are known.
  Tensor attend(const Tensor &x, const Tensor &keys, const Tensor &values, const Tensor &mask = {},
                SourceLocation where = SourceLocation::current()) const;

  Linear q, kv, out;

private:
  int64_t heads;
};

} // namespace gen

#endif // GEN_ATTENTION_HPP
