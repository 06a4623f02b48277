//===- OpTableIndexing.cpp - rows of Indexing, Attention and Loss ---------===//

#include "OpTable.h"

using namespace optable;

static Row gather(const std::string &variant, const std::string &table, const std::string &indices,
                  const std::string &result) {
  return {.op = "gen.gather",
          .variant = variant,
          .arguments = {{"x", table, -9, 9}, {"n", indices, -2, 7}}, // some name no row
          .result = result,
          .body = "%z = gen.gather %x, %n : ($x, $n) -> $z",
          .elements = {"f32", "f64", "i1", "i32", "i64"}};
}

static Row scatter(const std::string &variant, const std::string &indices,
                   const std::string &updates, const std::string &result,
                   const std::string &sizes) {
  return {.op = "gen.scatter_add",
          .variant = variant,
          .arguments = {{"n", indices, -2, 7}, {"x", updates, -9, 9}},
          .result = result,
          .body = "%z = gen.scatter_add %n, %x" + sizes + " : ($n, $x) -> $z",
          .elements = {"f32", "f64", "i32"}};
}

void optable::addIndexing(std::vector<Row> &rows) {
  rows.push_back(gather("", "AxCxE", "Bxi64", "BxCxE"));
  rows.push_back(gather("of_matrix", "AxBxE", "CxAxi32", "CxAxBxE"));
  rows.push_back(gather("of_numbers", "AxE", "CxBxi64", "CxBxE"));
  rows.push_back(gather("one", "AxBxE", "i64", "BxE"));
  Row computed = gather("between", "AxBxE", "Cxi32", "BxCxE");
  computed.types = {{"m", "Cxi64"}, {"t", "AxBxE"}, {"g", "CxBxE"}};
  computed.elements = {"f32", "f64"};
  computed.body = R"(%m = gen.cast %n : $n -> $m
  %t = gen.mul %x, %x : ($x, $x) -> $t
  %g = gen.gather %t, %m : ($t, $m) -> $g
  %z = gen.transpose %g permutation [1, 0] : $g -> $z)";
  rows.push_back(computed);

  rows.push_back(scatter("", "Bxi64", "BxCxE", "5xCxE", "?{ sizes(%C)}?"));
  rows.push_back(scatter("rank_three", "AxCxi32", "AxCxBx2xE", "3xBx2xE", "?{ sizes(%B)}?"));
  rows.push_back(scatter("numbers", "AxBxi64", "AxBxE", "70xE", ""));
  rows.push_back(scatter("one", "i32", "BxE", "4xBxE", "?{ sizes(%B)}?"));
  rows.push_back(scatter("dynamic_rows", "Bxi64", "BxCxE", "BxCxE", "?{ sizes(%B, %C)}?"));
  Row updated = scatter("with_neighbours", "Bxi64", "BxCxE", "5xCxE", "");
  updated.types = {{"s", "5xCxE"}, {"y", "BxCxE"}};
  updated.elements = {"f32", "f64"};
  updated.body = R"(%y = gen.mul %x, %x : ($x, $x) -> $y
  %s = gen.scatter_add %n, %y?{ sizes(%C)}? : ($n, $y) -> $s
  %z = gen.tanh %s : $z)";
  rows.push_back(updated);

  rows.push_back({.op = "gen.cross_entropy",
                  .arguments = {{"x", "AxBxE", -9, 9}, {"n", "Axi64", -2, 20}},
                  .result = "AxE",
                  .body = "%z = gen.cross_entropy %x, %n : ($x, $n) -> $z"});
  rows.push_back({.op = "gen.cross_entropy",
                  .variant = "rank_three",
                  .arguments = {{"x", "AxCxBxE", -9, 9}, {"n", "AxCxi32", 0, 1}},
                  .result = "AxCxE",
                  .body = "%z = gen.cross_entropy %x, %n : ($x, $n) -> $z",
                  .sizes = {{4, 16, 3}, {5, 37, 7}, {1, 1, 1}}});
}

static Row attention(const std::string &variant, const std::string &flags) {
  return {
      .op = "gen.attention",
      .variant = variant,
      .arguments = {{"x", "2xAx2xCxE", -1, 1},
                    {"k", "2xBx2xCxE", -1, 1},
                    {"v", "2xBx2x4xE", -1, 1}},
      .result = "2xAx2x4xE",
      .body = "%z, %sums = gen.attention %x, %k, %v" + flags +
              " scale 7.5e-01 : ($x, $k, $v) -> ($z, $s)",
      .types = {{"s", "2x2xAxE"}},
      .sizes = {{4, 16, 3}, {5, 37, 7}, {1, 2, 1}, {33, 130, 20}}}; // of one key: gradients of 0
}

/// %z: the gradient of queries, keys or values, as `results` says.
static Row attentionGradient(const std::string &variant, const std::string &results,
                             const std::string &result, const std::string &flags) {
  return {.op = "gen.attention_gradient",
          .variant = variant,
          .arguments = {{"x", "2xAx2xCxE", -1, 1},
                        {"k", "2xBx2xCxE", -1, 1},
                        {"v", "2xBx2x4xE", -1, 1},
                        {"o", "2xAx2x4xE", -1, 1},
                        {"l", "2x2xAxE", 1, 3},
                        {"d", "2xAx2x4xE", -1, 1}},
          .result = result,
          .body = results + " = gen.attention_gradient %x, %k, %v, %o, %l, %d" + flags +
                  " scale 7.5e-01 : ($x, $k, $v, $o, $l, $d) -> ($x, $k, $v)",
          .sizes = {{4, 6, 3}, {5, 37, 7}, {1, 1, 1}, {70, 65, 20}, {140, 260, 16}}};
}

/// Queries, keys and values as views of one projection.
static constexpr const char *kProjection =
    R"(%q0 = gen.slice %x starts [0, 0, 0] limits [0, 0, 10] strides [1, 1, 1] : $x -> $p
  %k0 = gen.slice %x starts [0, 0, 10] limits [0, 0, 20] strides [1, 1, 1] : $x -> $p
  %v0 = gen.slice %x starts [0, 0, 20] limits [0, 0, 30] strides [1, 1, 1] : $x -> $p
  %q = gen.reshape %q0 : $p -> $h
  %k = gen.reshape %k0 : $p -> $h
  %v = gen.reshape %v0 : $p -> $h)"
    "\n";

static void addAttentionGradients(std::vector<Row> &rows) {
  rows.push_back(attentionGradient("queries", "%z, %a, %b", "2xAx2xCxE", ""));
  rows.push_back(attentionGradient("keys_causal", "%a, %z, %b", "2xBx2xCxE", " causal"));
  rows.push_back(attentionGradient("values_causal", "%a, %b, %z", "2xBx2x4xE", " causal"));
  Row masked = attentionGradient("masked", "%z, %a, %b", "2xAx2xCxE", "");
  masked.arguments.push_back({"m", "2x1xAxBxE"});
  masked.body = "%z, %a, %b = gen.attention_gradient %x, %k, %v, %o, %l, %d mask %m scale 7.5e-01 "
                ": ($x, $k, $v, $o, $l, $d, $m) -> ($x, $k, $v)";
  rows.push_back(masked);
  Row wide = attentionGradient("wide", "%z, %a, %b", "2xAx2x70xE", " causal");
  for (size_t i : {0, 1, 2, 3, 5}) // small numbers: scores are sums of many
    wide.arguments[i] = {wide.arguments[i].name, i == 1 || i == 2 ? "2xBx2x70xE" : "2xAx2x70xE",
                         -0.3, 0.3};
  wide.sizes = {{3, 5, 1}, {13, 17, 1}};
  rows.push_back(wide);
  // As in a layer: from views of a projection to its gradient.
  Row layer = attentionGradient("of_projection", "", "", "");
  layer.arguments = {{"x", "2xAx30xE", -1, 1},
                     {"o", "2xAx2x5xE", -1, 1},
                     {"l", "2x2xAxE", 1, 3},
                     {"d", "2xAx10xE", -1, 1}};
  layer.result = "2xAx30xE";
  layer.types = {{"p", "2xAx10xE"}, {"h", "2xAx2x5xE"}};
  layer.dynamic = false;
  layer.sizes = {{4, 1, 1}, {1, 1, 1}, {67, 1, 1}};
  layer.body = std::string(kProjection) + R"(  %dz = gen.reshape %d : $p -> $h
  %dq, %dk, %dv = gen.attention_gradient %q, %k, %v, %o, %l, %dz causal scale 5.0e-01 : ($h, $h, $h, $o, $l, $h) -> ($h, $h, $h)
  %a = gen.reshape %dq : $h -> $p
  %b = gen.reshape %dk : $h -> $p
  %c = gen.reshape %dv : $h -> $p
  %z = gen.concat %a, %b, %c axis 2 : ($p, $p, $p) -> $z)";
  rows.push_back(layer);
}

void optable::addAttention(std::vector<Row> &rows) {
  addAttentionGradients(rows);
  rows.push_back(attention("", ""));
  rows.push_back(attention("causal", " causal"));
  // What a GPU has a kernel for whatever the numbers of queries and keys.
  Row heads = attention("of_heads", " causal");
  heads.arguments = {
      {"x", "2xAx2x8xE", -1, 1}, {"k", "2xBx2x8xE", -1, 1}, {"v", "2xBx2x4xE", -1, 1}};
  heads.sizes = {{4, 16, 1}, {1, 2, 1}, {70, 75, 1}};
  rows.push_back(heads);
  Row wide = attention("wide", " causal");
  wide.arguments[2].type = "2xBx2x70xE";
  wide.result = "2xAx2x70xE";
  wide.sizes = {{4, 16, 3}, {7, 17, 2}}; // queries: a tile and a ragged one
  rows.push_back(wide);
  Row masked = attention("masked", "");
  masked.arguments.push_back({"m", "1x2xAxBxE"});
  masked.body = "%z, %sums = gen.attention %x, %k, %v mask %m scale 7.5e-01 : ($x, $k, $v, $m) -> "
                "($z, $s)";
  rows.push_back(masked);
  Row sums = attention("logsumexp", " causal");
  sums.types = {{"o", "2xAx2x4xE"}};
  sums.result = "2x2xAxE";
  sums.body = "%o, %z = gen.attention %x, %k, %v causal scale 7.5e-01 : ($x, $k, $v) -> ($o, $z)";
  rows.push_back(sums);
  // As in a layer: views of one projection, and what follows on the result.
  Row layer = attention("of_projection", "");
  layer.arguments = {{"x", "2xAx30xE", -1, 1}};
  layer.result = "2xAx10xE";
  layer.types = {{"p", "2xAx10xE"}, {"h", "2xAx2x5xE"}, {"s", "2x2xAxE"}};
  layer.dynamic = false;
  layer.body =
      std::string(kProjection) +
      R"(  %o, %sums = gen.attention %q, %k, %v causal scale 5.0e-01 : ($h, $h, $h) -> ($h, $s)
  %r = gen.tanh %o : $h
  %z = gen.reshape %r : $h -> $z)";
  rows.push_back(layer);
}
