// Softmax, normalization and its layers against PyTorch's numbers (frontend-norm.py), on the
// reference interpreter and compiled.
#include "frontend-norm.inc"
#include "Oracle.h"

#include "gen/nn.hpp"
#include "gen/optimizers.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using namespace gen::test;
using gen::test::expectLikePyTorch; // beside those below

// As expectLikePyTorch, of array `first` and a layer whose variables have those behind it.
template <typename MakeFunction>
void expectLikePyTorch(const std::vector<double> &expected, const Shape &shape, uint32_t first,
                       double bound, MakeFunction makeFunction) {
  Program program("oracle");
  Variable x = (program / "inputs").variable("x", f32, shape);
  auto function = makeFunction(program / "layer");
  std::vector<Variable> inputs = {x};
  std::vector<std::vector<float>> values = {signedNumbers(first, elementsOf(shape), bound)};
  for (const Variable &variable : (program / "layer").parameters()) {
    values.push_back(signedNumbers(first + inputs.size(), elementsOf(variable.shape())));
    inputs.push_back(variable);
  }
  expectLikePyTorch(expected, program, inputs, values, [&] { return function(x); });
}

template <typename MakeLayer>
void expectLayer(const std::vector<double> &expected, const Shape &shape, MakeLayer makeLayer) {
  expectLikePyTorch(expected, shape, 10, 1.0, makeLayer);
}

TEST(Normalization, SoftmaxFollowsPyTorch) {
  const std::vector<double> *softmaxes[] = {&kSoftmax0, &kSoftmax1, &kSoftmax2};
  const std::vector<double> *logarithms[] = {&kLogSoftmax0, &kLogSoftmax1, &kLogSoftmax2};
  for (int64_t axis = 0; axis < 3; ++axis) {
    expectLikePyTorch(*softmaxes[axis], {2, 3, 5}, 3, 4.0, [&](const Scope &) {
      return [=](const Tensor &x) { return softmax(x, axis); };
    });
    expectLikePyTorch(*logarithms[axis], {2, 3, 5}, 3, 4.0, [&](const Scope &) {
      return [=](const Tensor &x) { return log_softmax(x, axis - 3); };
    });
  }
}

TEST(Normalization, LayerNormFollowsPyTorch) {
  expectLayer(kLayerNorm, {2, 3, 7}, [](const Scope &scope) { return LayerNorm(scope, 7); });
  expectLayer(kLayerNormOfTwoAxes, {2, 3, 7},
              [](const Scope &scope) { return LayerNorm(scope, Shape{3, 7}, {.epsilon = 1e-2}); });
  expectLayer(kLayerNormWithoutBias, {3, 7},
              [](const Scope &scope) { return LayerNorm(scope, 7, {.bias = false}); });
  expectLayer(kLayerNormPlain, {3, 7}, [](const Scope &scope) {
    return LayerNorm(scope, 7, {.elementwise_affine = false});
  });
  expectLayer(kRmsNorm, {2, 3, 7}, [](const Scope &scope) { return RMSNorm(scope, 7); });
}

TEST(Normalization, GroupNormFollowsPyTorch) {
  expectLayer(kGroupNorm, {2, 6, 3, 2}, [](const Scope &scope) { return GroupNorm(scope, 2, 6); });
  expectLayer(kGroupNormPlain, {2, 12},
              [](const Scope &scope) { return GroupNorm(scope, 3, 12, {.affine = false}); });
}

TEST(Normalization, BatchNormFollowsPyTorch) {
  expectLayer(kBatchNorm1d, {4, 5}, [](const Scope &scope) { return BatchNorm1d(scope, 5); });
  expectLayer(kBatchNorm1dOfRank3, {4, 3, 5},
              [](const Scope &scope) { return BatchNorm1d(scope, 3); });
  expectLayer(kBatchNorm2d, {2, 3, 4, 2}, [](const Scope &scope) { return BatchNorm2d(scope, 3); });
}

// Training changes the running statistics, with which other entries normalize.
TEST(Normalization, RunningStatisticsFollowPyTorch) {
  Program program("running");
  Dimension batch = program.dimension("batch");
  BatchNorm2d norm(program / "norm", 3);
  const Shape shape = {2, 3, 4, 2};
  std::vector<Input> x = {input("x", f32, {batch, 3, 4, 2})};
  program.entry("train", x, training, [&](Tensor x) { return result("y", norm(x)); });
  program.entry("main", x, [&](Tensor x) {
    return result("mean", norm.running_mean)
        .result("variance", norm.running_var)
        .result("count", cast(norm.num_batches_tracked, f32))
        .result("y", norm(x));
  });
  forBoth(program, [&](Runner &runner) {
    for (uint32_t step : {1, 2})
      runner.call("train", {{shape, signedNumbers(20 + step, elementsOf(shape), 3.0)}});
    expectClose(runner.call("main", {{shape, signedNumbers(23, elementsOf(shape), 3.0)}}), kRunning,
                1e-5);
  });
}

TEST(Normalization, BuffersAreNoParameters) {
  Program program("buffers");
  BatchNorm1d norm(program / "norm", 3);
  std::vector<std::string> names;
  for (const Variable &variable : program.scope().parameters())
    names.push_back(variable.name());
  EXPECT_THAT(names, testing::ElementsAre("norm.weight", "norm.bias"));
  EXPECT_EQ(program.variables().size(), 5U);
}

TEST(Normalization, MistakesAreNamed) {
  using testing::HasSubstr;
  Program program("mistakes");
  auto messageOf = [&](auto make) -> std::string {
    try {
      make();
    } catch (const BuildError &error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(messageOf([&] { GroupNorm(program / "a", 3, 10); }),
              HasSubstr("GroupNorm 'a': expected a number of channels that is a multiple of 3 "
                        "groups, got 10"));
  EXPECT_THAT(messageOf([&] { LayerNorm(program / "b", 0); }),
              HasSubstr("LayerNorm 'b': expected sizes of at least 1, got f32[0]"));
  LayerNorm layer(program / "layer", 7);
  BatchNorm2d batch(program / "batch", 3);
  auto inEntry = [&](auto body) {
    return messageOf([&] {
      program.entry("main", {input("x", f32, {2, 6})}, [&](Tensor x) {
        body(x);
        return result("x", x);
      });
    });
  };
  EXPECT_THAT(inEntry([&](const Tensor &x) { layer(x); }),
              HasSubstr("gen.layer_norm: expected scale to have the shape of the last axes of x"));
  EXPECT_THAT(inEntry([&](const Tensor &x) { batch(x); }),
              HasSubstr("BatchNorm2d 'batch': expected rank 4 and 3 channels along axis 1"));
  EXPECT_THAT(inEntry([&](const Tensor &x) { softmax(x, 2); }), HasSubstr("gen.softmax"));
}

} // namespace
