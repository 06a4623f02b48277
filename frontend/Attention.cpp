//===- Attention.cpp - attention ------------------------------------------===//

#include "gen/attention.hpp"
#include "Ops.h"

#include <cmath>
#include <limits>

using namespace gen::detail;
namespace ops = mlir::gen;

namespace gen {

static constexpr const char *kName = "gen.attention";

static BuildError mistake(const std::string &message, const Tensor &query, const Tensor &key,
                          const Tensor &value, SourceLocation where) {
  return Diagnostic(where, kName, message)
      .operand("query", query)
      .operand("key", key)
      .operand("value", value)
      .error();
}

/// The mask as numbers to be added, of 4 axes that are 1 or those of the scores.
static Tensor maskOf(const Tensor &mask, DType dtype, const Shape &scores, SourceLocation where) {
  Tensor added = mask;
  if (mask.dtype() == boolean)
    added = cast(gen::where(mask, 0.0, full({}, -std::numeric_limits<double>::infinity(), dtype)),
                 dtype);
  bool fits = added.dtype() == dtype && added.shape().size() <= scores.size();
  Shape shape(scores.size() - std::min(scores.size(), added.shape().size()), Dimension(1));
  shape.insert(shape.end(), added.shape().begin(), added.shape().end());
  for (size_t axis = 0; fits && axis < scores.size(); ++axis)
    fits = shape[axis] == Dimension(1) || shape[axis] == scores[axis];
  if (!fits)
    throw Diagnostic(where, kName,
                     "expected a mask that can be repeated to " + describe(dtype, scores))
        .operand("mask", mask)
        .error();
  return reshape(added, shape, where);
}

Tensor attention(const Tensor &query, const Tensor &key, const Tensor &value,
                 const AttentionOptions &options, SourceLocation where) {
  SourceScope lines(where);
  requireFloat(kName, query, where);
  requireSameDType(kName, query, key, where);
  requireSameDType(kName, query, value, where);
  for (const Tensor &x : {query, key, value})
    if (x.rank() != 4)
      throw mistake("expected 4 axes", query, key, value, where);
  const Shape &q = query.shape(), &k = key.shape(), &v = value.shape();
  if (q[0] != k[0] || q[0] != v[0] || q[2] != k[2] || q[2] != v[2] || q[3] != k[3] || k[1] != v[1])
    throw mistake(
        "expected [batch, queries, heads, width], [batch, keys, heads, width] and [batch, "
        "keys, heads, outputs]",
        query, key, value, where);
  if (!options.scale && !q[3].isNumber())
    throw mistake("the scale is unknown", query, key, value, where);
  double scale = options.scale ? *options.scale : 1 / std::sqrt(static_cast<double>(q[3].number()));
  Entry &entry = Entry::current(kName, where);
  mlir::Value mask;
  if (options.mask.handle())
    mask = entry.value(maskOf(options.mask, query.dtype(), {q[0], q[2], q[1], k[1]}, where), where);
  Shape shape = {q[0], q[1], q[2], v[3]};
  mlir::Type types[] = {entry.typeOf(query.dtype(), shape),
                        entry.typeOf(query.dtype(), {q[0], q[2], q[1]})};
  auto op = ops::AttentionOp::create(entry.builder, entry.locate(where), mlir::TypeRange(types),
                                     entry.value(query, where), entry.value(key, where),
                                     entry.value(value, where), mask, options.causal,
                                     llvm::APFloat(scale));
  return entry.wrap(op.getResult(), query.dtype(), shape,
                    callText("attention", {query.text(), key.text(), value.text()}), where);
}

Tensor scaled_dot_product_attention(const Tensor &query, const Tensor &key, const Tensor &value,
                                    const AttentionOptions &options, SourceLocation where) {
  SourceScope lines(where);
  for (const Tensor &x : {query, key, value})
    if (x.rank() != 4)
      throw mistake("expected 4 axes", query, key, value, where);
  auto swapped = [&](const Tensor &x) { return transpose(x, {0, 2, 1, 3}, where); };
  return swapped(attention(swapped(query), swapped(key), swapped(value), options, where));
}

Tensor split_heads(const Tensor &x, int64_t heads, SourceLocation where) {
  SourceScope lines(where);
  if (x.rank() != 3 || heads < 1 || !x.dimension(2).isNumber() ||
      x.dimension(2).number() % heads != 0)
    throw Diagnostic(where, "split_heads",
                     "expected [batch, positions, width] with a width of " + std::to_string(heads) +
                         " equal parts")
        .operand("input", x)
        .error();
  return reshape(x, {x.dimension(0), x.dimension(1), heads, x.dimension(2).number() / heads},
                 where);
}

Tensor merge_heads(const Tensor &x, SourceLocation where) {
  SourceScope lines(where);
  if (x.rank() != 4)
    throw Diagnostic(where, "merge_heads", "expected [batch, positions, heads, width]")
        .operand("input", x)
        .error();
  return reshape(x, {x.dimension(0), x.dimension(1), x.dimension(2) * x.dimension(3)}, where);
}

Tensor rotary(const Tensor &x, const Tensor &positions, double base, SourceLocation where) {
  SourceScope lines(where);
  if (x.rank() != 4 || !x.dimension(3).isNumber() || x.dimension(3).number() % 2 != 0 ||
      positions.shape() != Shape{x.dimension(1)})
    throw Diagnostic(where, "rotary",
                     "expected [batch, positions, heads, width] with an even width, and positions "
                     "[positions]")
        .operand("x", x)
        .operand("positions", positions)
        .error();
  int64_t half = x.dimension(3).number() / 2;
  std::vector<double> frequencies;
  for (int64_t i = 0; i < half; ++i)
    frequencies.push_back(std::pow(base, -static_cast<double>(i) / static_cast<double>(half)));
  Tensor angles = reshape(cast(positions, x.dtype()), {x.dimension(1), 1, 1}) *
                  constant(frequencies, {half}, x.dtype());
  auto [a, b] = chunk<2>(x, -1, where);
  Tensor c = cos(angles), s = sin(angles);
  return concat({a * c - b * s, b * c + a * s}, 3, where)
      .named(callText("rotary", {x.text(), positions.text()}));
}

SelfAttention::SelfAttention(const Scope &scope, int64_t width, int64_t heads,
                             SelfAttentionOptions options, SourceLocation where)
    : qkv(scope / "qkv", width, 3 * width, {}, where), out(scope / "out", width, width, {}, where),
      heads(heads), options(options) {}

Tensor SelfAttention::operator()(const Tensor &x, const Tensor &mask, SourceLocation where) const {
  SourceScope lines(where);
  auto [q, k, v] = chunk<3>(qkv(x, where), -1, where);
  Tensor queries = split_heads(q, heads), keys = split_heads(k, heads);
  if (options.rotary) {
    Tensor positions = iota({x.dimension(1)});
    queries = rotary(queries, positions);
    keys = rotary(keys, positions);
  }
  Tensor y = attention(queries, keys, split_heads(v, heads),
                       {.causal = options.causal, .mask = mask}, where);
  return out(merge_heads(y), where);
}

Tensor SelfAttention::step(const Tensor &x, const Tensor &position, Tensor &keys, Tensor &values,
                           SourceLocation where) const {
  SourceScope lines(where);
  auto [q, k, v] = chunk<3>(qkv(x, where), -1, where);
  Tensor query = split_heads(q, heads), key = split_heads(k, heads);
  if (options.rotary) {
    Tensor here = reshape(position, {1});
    query = rotary(query, here);
    key = rotary(key, here);
  }
  Dimension length = keys.dimension(1);
  Tensor places = iota({length}), here = reshape(equal(places, position), {1, length, 1, 1});
  keys = gen::where(here, key, keys);
  values = gen::where(here, split_heads(v, heads), values);
  Tensor seen = reshape(places <= position, {1, 1, 1, length});
  return out(merge_heads(attention(query, keys, values, {.mask = seen})), where);
}

SelfAttention::Step SelfAttention::decode(const Tensor &x, const Tensor &keys, const Tensor &values,
                                          SourceLocation where) const {
  SourceScope lines(where);
  auto swapped = [&](const Tensor &t) { return transpose(t, {0, 2, 1, 3}, where); };
  auto [q, k, v] = chunk<3>(qkv(x, where), -1, where);
  Tensor newKeys = split_heads(k, heads), newValues = split_heads(v, heads);
  Tensor y = attention(split_heads(q, heads), concat({swapped(keys), newKeys}, 1),
                       concat({swapped(values), newValues}, 1), {.causal = options.causal}, where);
  return {out(merge_heads(y), where), swapped(newKeys), swapped(newValues)};
}

CrossAttention::CrossAttention(const Scope &scope, int64_t width, int64_t heads,
                               SourceLocation where)
    : q(scope / "q", width, width, {}, where), kv(scope / "kv", width, 2 * width, {}, where),
      out(scope / "out", width, width, {}, where), heads(heads) {}

std::pair<Tensor, Tensor> CrossAttention::project(const Tensor &memory,
                                                  SourceLocation where) const {
  SourceScope lines(where);
  auto [k, v] = chunk<2>(kv(memory, where), -1, where);
  return {split_heads(k, heads), split_heads(v, heads)};
}

Tensor CrossAttention::attend(const Tensor &x, const Tensor &keys, const Tensor &values,
                              const Tensor &mask, SourceLocation where) const {
  SourceScope lines(where);
  Tensor y = attention(split_heads(q(x, where), heads), keys, values, {.mask = mask}, where);
  return out(merge_heads(y), where);
}

Tensor CrossAttention::operator()(const Tensor &x, const Tensor &memory, const Tensor &mask,
                                  SourceLocation where) const {
  auto [keys, values] = project(memory, where);
  return attend(x, keys, values, mask, where);
}

} // namespace gen
