// Attention, its layers, lookups and activations against PyTorch's numbers (frontend-attention.py),
// on the reference interpreter and compiled.
#include "frontend-attention.inc"
#include "Oracle.h"

#include "gen/attention.hpp"
#include "gen/losses.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using namespace gen::test;

/// An array of numbers as an input.
struct Given {
  uint32_t number;
  Shape shape;
  double bound = 1.0;
};

/// `makeFunction(inputs)` of variables with those numbers.
template <typename Function>
void expectFunction(const std::vector<double> &expected, const std::vector<Given> &given,
                    Function function) {
  Program program("oracle");
  std::vector<Variable> inputs;
  std::vector<std::vector<float>> values;
  for (const Given &array : given) {
    std::string name = "x" + std::to_string(inputs.size());
    inputs.push_back((program / "inputs").variable(name, f32, array.shape));
    values.push_back(signedNumbers(array.number, elementsOf(array.shape), array.bound));
  }
  expectLikePyTorch(expected, program, inputs, values, [&] { return function(inputs); });
}

/// A layer on array 10, whose variables are the arrays from 11 on, all small.
template <typename MakeLayer>
void expectLayer(const std::vector<double> &expected, const Shape &shape, MakeLayer makeLayer) {
  constexpr double kBound = 0.3;
  Program program("oracle");
  std::vector<Variable> inputs = {(program / "inputs").variable("x", f32, shape)};
  std::vector<std::vector<float>> values = {signedNumbers(10, elementsOf(shape), kBound)};
  auto layer = makeLayer(program / "layer");
  for (const Variable &variable : (program / "layer").parameters()) {
    values.push_back(signedNumbers(10 + inputs.size(), elementsOf(variable.shape()), kBound));
    inputs.push_back(variable);
  }
  expectLikePyTorch(expected, program, inputs, values, [&] { return layer(inputs[0]); });
}

TEST(Activations, FollowPyTorch) {
  auto expectActivation = [](const std::vector<double> &expected, auto activation) {
    expectFunction(expected, {{3, {2, 21}, 3.0}},
                   [&](const std::vector<Variable> &x) { return activation(x[0]); });
  };
  expectActivation(kGelu, [](const Tensor &x) { return gelu(x); });
  expectActivation(kGeluOfTanh, [](const Tensor &x) { return gelu(x, Approximate::Tanh); });
  expectActivation(kSilu, [](const Tensor &x) { return silu(x); });
  expectActivation(kSoftplus, [](const Tensor &x) { return softplus(x); });
  expectActivation(kElu, [](const Tensor &x) { return elu(x, 0.7); });
}

TEST(Attention, FollowsPyTorch) {
  auto expectAttention = [](const std::vector<double> &expected, int64_t queries,
                            const AttentionOptions &options) {
    expectFunction(expected, {{3, {2, 2, queries, 4}}, {4, {2, 2, 5, 4}}, {5, {2, 2, 5, 6}}},
                   [&](const std::vector<Variable> &x) {
                     return scaled_dot_product_attention(x[0], x[1], x[2], options);
                   });
  };
  expectAttention(kAttention, 3, {});
  expectAttention(kAttentionCausal, 5, {.causal = true});
  expectAttention(kAttentionScaled, 3, {.scale = 0.3});
}

TEST(Attention, MasksFollowPyTorch) {
  const std::vector<Given> given = {{3, {2, 2, 3, 4}}, {4, {2, 2, 5, 4}}, {5, {2, 2, 5, 6}}};
  expectFunction(kAttentionSeen, given, [](const std::vector<Variable> &x) {
    Tensor seen = known(signedNumbers(8, 15), {3, 5}) > -0.5;
    return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = seen});
  });
  std::vector<Given> masked = given;
  masked.push_back({8, {2, 1, 3, 5}});
  expectFunction(kAttentionMasked, masked, [](const std::vector<Variable> &x) {
    return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = x[3]});
  });
}

TEST(Attention, LayersFollowPyTorch) {
  expectLayer(kSelfAttention, {2, 4, 6}, [](const Scope &scope) {
    return SelfAttention(scope, /*width=*/6, /*heads=*/2, {.causal = true});
  });
  expectLayer(kCrossAttention, {2, 4, 6}, [](const Scope &scope) {
    return [cross = CrossAttention(scope, 6, 2)](const Tensor &x) { return cross(x, x * x); };
  });
}

TEST(Attention, RotaryPositionsFollowPyTorch) {
  expectFunction(kRotary, {{3, {2, 3, 2, 6}}}, [](const std::vector<Variable> &x) {
    return rotary(x[0], cast(known({0, 2, 7}, {3}), i64), /*base=*/100);
  });
}

TEST(Indexing, EmbeddingAndCrossEntropyFollowPyTorch) {
  auto labels = [] { return cast(known({4, 0, 1, 0, 3, 0}, {2, 3}), i64); };
  expectFunction(kEmbedding, {{3, {5, 3}}},
                 [&](const std::vector<Variable> &x) { return gather(x[0], labels()); });
  expectFunction(kCrossEntropy, {{3, {2, 3, 5}, 4.0}},
                 [&](const std::vector<Variable> &x) { return cross_entropy(x[0], labels()); });
}

TEST(Attention, MistakesAreNamed) {
  using testing::HasSubstr;
  Program program("mistakes");
  auto messageOf = [&](auto body) -> std::string {
    try {
      program.entry("main", {input("x", f32, {2, 4, 6})}, [&](Tensor x) {
        body(x);
        return result("x", x);
      });
    } catch (const BuildError &error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(messageOf([](const Tensor &x) { attention(x, x, x); }),
              HasSubstr("gen.attention: expected 4 axes"));
  EXPECT_THAT(messageOf([](const Tensor &x) { split_heads(x, 4); }),
              HasSubstr("with a width of 4 equal parts"));
  EXPECT_THAT(messageOf([](const Tensor &x) {
                Tensor heads = split_heads(x, 2);
                attention(heads, heads, heads, {.mask = x});
              }),
              HasSubstr("expected a mask that can be repeated to f32[2, 2, 4, 4]"));
  EXPECT_THAT(messageOf([](const Tensor &x) { rotary(split_heads(x, 2), iota({4})); }),
              HasSubstr("rotary: expected [batch, positions, heads, width] with an even width"));
  EXPECT_THAT(messageOf([&](const Tensor &) { Embedding(program / "table", 0, 3); }),
              HasSubstr("Embedding 'table': expected sizes of at least 1, got 0 rows of 3"));
}

} // namespace
