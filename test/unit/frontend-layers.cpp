// Further layers against PyTorch's numbers (frontend-layers.py), values and gradients, on the
// reference interpreter and compiled; dropout by its own laws; mistakes.
#include "frontend-layers.inc"
#include "Oracle.h"

#include "gen/nn.hpp"
#include "gen/spectral.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using namespace gen::test;
using testing::HasSubstr;

// A function of array 10.
void expectFunction(const std::vector<double> &expected, const Shape &shape,
                    const std::function<Tensor(const Tensor &)> &function, double bound = 1.0) {
  expectLikePyTorch(expected, {{shape, signedNumbers(10, elementsOf(shape), bound)}},
                    [&](const std::vector<Variable> &inputs) { return function(inputs[0]); });
}

// A layer on array 10, whose variables are the arrays from 11 on.
template <typename MakeLayer>
void expectLayer(const std::vector<double> &expected, const Shape &shape, MakeLayer makeLayer) {
  Program program("oracle");
  std::vector<Variable> inputs = {(program / "inputs").variable("x", f32, shape)};
  std::vector<std::vector<float>> values = {signedNumbers(10, elementsOf(shape))};
  auto layer = makeLayer(program / "layer");
  for (const Variable &variable : (program / "layer").parameters()) {
    auto number = static_cast<uint32_t>(10 + inputs.size());
    values.push_back(signedNumbers(number, elementsOf(variable.shape())));
    inputs.push_back(variable);
  }
  expectLikePyTorch(expected, program, inputs, values, [&] { return layer(inputs[0]); });
}

TEST(MoreLayers, ActivationsFollowPyTorch) {
  expectFunction(kSelu, {2, 7}, [](const Tensor &x) { return selu(x); }, 3.0);
  expectFunction(kHardtanh, {2, 7}, [](const Tensor &x) { return hardtanh(x, -0.5, 2.0); }, 3.0);
  expectFunction(kHardsigmoid, {2, 7}, [](const Tensor &x) { return hardsigmoid(x); }, 6.0);
  expectFunction(kHardswish, {2, 7}, [](const Tensor &x) { return hardswish(x); }, 6.0);
  expectLayer(kPrelu, {2, 3, 4}, [](const Scope &scope) { return PReLU(scope); });
  expectLayer(kPreluOfChannels, {2, 3, 4}, [](const Scope &scope) { return PReLU(scope, 3); });
}

TEST(MoreLayers, NormalizationFollowsPyTorch) {
  expectFunction(
      kLocalResponseNorm, {2, 5, 3, 2},
      [](const Tensor &x) {
        return local_response_norm(x, 3, {.alpha = 0.5, .beta = 0.6, .k = 1.5});
      },
      3.0);
  expectFunction(
      kLocalResponseNormOfFour, {2, 5, 3},
      [](const Tensor &x) { return local_response_norm(x, 4, {.alpha = 0.5}); }, 3.0);
  expectLayer(kInstanceNorm1d, {2, 3, 5},
              [](const Scope &scope) { return InstanceNorm1d(scope, 3); });
  expectLayer(kInstanceNorm2d, {2, 3, 4, 2},
              [](const Scope &scope) { return InstanceNorm2d(scope, 3, {.affine = true}); });
  expectLayer(kInstanceNorm3d, {2, 2, 2, 3, 2}, [](const Scope &scope) {
    return InstanceNorm3d(scope, 2, {.epsilon = 1e-2, .affine = true});
  });
  expectLayer(kBatchNorm3d, {2, 2, 2, 3, 2},
              [](const Scope &scope) { return BatchNorm3d(scope, 2); });
}

TEST(MoreLayers, PoolingAndResizingFollowPyTorch) {
  expectFunction(kAdaptiveMax1d, {2, 2, 7},
                 [](const Tensor &x) { return adaptive_max_pool1d(x, 3); });
  expectFunction(kAdaptiveMax2d, {2, 2, 5, 7},
                 [](const Tensor &x) { return adaptive_max_pool2d(x, {2, 3}); });
  expectFunction(kAdaptiveMax3d, {1, 2, 4, 3, 2},
                 [](const Tensor &x) { return adaptive_max_pool3d(x, 2); });
  expectFunction(kLinear1d, {2, 2, 4}, [](const Tensor &x) { return upsample_linear(x, 2); });
  expectFunction(kBilinear, {2, 2, 3, 4},
                 [](const Tensor &x) { return upsample_linear(x, {2, 3}); });
  expectFunction(kBilinearOfOne, {2, 2, 1, 3},
                 [](const Tensor &x) { return upsample_linear(x, 2); });
}

// Two uses in training, then one in inference, with its gradients.
template <typename MakeLayer>
void expectSpectral(const std::vector<double> &expected, const std::vector<double> &gradients,
                    const Shape &shape, MakeLayer makeLayer) {
  Program program("spectral");
  Variable x = (program / "inputs").variable("x", f32, shape);
  SpectralNorm layer = makeLayer(program / "layer");
  const SpectralWeight &state = layer.divided;
  std::vector<Variable> inputs = {x, state.weight, layer.layer.bias};
  program.entry("train", {}, training, [&] { return result("y", layer(x)); });
  program.entry("state", {}, [&] { return result("u", state.u).result("v", state.v); });
  program.entry("main", {}, [&] {
    Tensor y = layer(x), weights = known(signedNumbers(9, elementsOf(y.shape())), y.shape());
    EntryResults results = result("y", y);
    for (const Tensor &g : gradient(sum(weights * y), inputs))
      results.values.push_back(
          {"g" + std::to_string(results.values.size()), g, SourceLocation::current()});
    return results;
  });
  EXPECT_EQ(state.u.name(), "layer.parametrizations.weight.0._u");
  EXPECT_EQ((program / "layer").parameters().size(), 2U);
  forBoth(program, [&](Runner &runner) {
    for (size_t i = 0; i < inputs.size(); ++i)
      runner.set(inputs[i],
                 signedNumbers(static_cast<uint32_t>(10 + i), elementsOf(inputs[i].shape())));
    runner.set(state.u, signedNumbers(21, elementsOf(state.u.shape())));
    runner.set(state.v, signedNumbers(22, elementsOf(state.v.shape())));
    std::vector<double> all;
    auto add = [&](const std::vector<double> &values, size_t count) {
      all.insert(all.end(), values.begin(), values.begin() + static_cast<ptrdiff_t>(count));
    };
    for (int use = 0; use < 2; ++use) {
      std::vector<double> y = runner.call("train", {});
      add(y, y.size());
    }
    std::vector<double> last = runner.call("main", {}), vectors = runner.call("state", {});
    add(last, expected.size() - all.size() - vectors.size());
    add(vectors, vectors.size());
    expectClose(all, expected, 1e-5, 1e-6);
    expectClose(last, gradients, 1e-5, 2e-6);
  });
}

TEST(MoreLayers, SpectralNormFollowsPyTorch) {
  expectSpectral(kSpectralLinear, kSpectralLinearGradients, {2, 4},
                 [](const Scope &scope) { return SpectralNorm(scope, Linear(scope, 4, 3)); });
  expectSpectral(kSpectralConv, kSpectralConvGradients, {1, 2, 3, 3}, [](const Scope &scope) {
    return SpectralNorm(scope, Conv2d(scope, 2, 3, 2), {.iterations = 2});
  });
  expectSpectral(
      kSpectralTransposed, kSpectralTransposedGradients, {1, 2, 2, 3},
      [](const Scope &scope) { return SpectralNorm(scope, ConvTranspose2d(scope, 2, 3, 2)); });
}

// In training a part is dropped, the rest scaled, and the gradient is that of what is left; other
// elements in other calls. Elsewhere nothing happens.
TEST(MoreLayers, DropoutDropsInTrainingOnly) {
  constexpr int64_t kCount = 4000;
  Program program("dropout");
  Dimension batch = program.dimension("batch");
  Layer drop = Dropout(0.25);
  auto body = [&](const Tensor &x) {
    Tensor y = drop(x, SourceLocation::current());
    return result("y", y).result("g", gradient(sum(y * y), x));
  };
  const std::vector<Input> x = {input("x", f32, {batch, 8})};
  program.entry("train", x, training, body);
  program.entry("main", x, body);
  forBoth(program, [&](Runner &runner) {
    std::vector<float> values = uniformNumbers(1, kCount);
    for (float &value : values)
      value += 1;
    Argument given{{kCount / 8, 8}, values};
    std::vector<double> first = runner.call("train", {given}),
                        second = runner.call("train", {given});
    size_t kept = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      double y = first[i], scaled = values[i] / 0.75;
      EXPECT_TRUE(y == 0 || std::abs(y - scaled) < 1e-5) << y;
      EXPECT_NEAR(first[kCount + i], 2 * y / 0.75, 1e-4);
      kept += y != 0;
    }
    EXPECT_NEAR(static_cast<double>(kept) / kCount, 0.75, 0.03);
    EXPECT_NE(first, second);
    std::vector<double> plain = runner.call("main", {given});
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(plain[i], values[i]);
  });
}

TEST(MoreLayers, DropoutOfChannelsDropsThemWhole) {
  Program program("dropout");
  program.entry("train", {}, training, [] {
    return result("y", Dropout2d()(ones({16, 8, 3, 3}), SourceLocation::current()));
  });
  forBoth(program, [](Runner &runner) {
    std::vector<double> y = runner.call("train", {});
    std::set<double> values(y.begin(), y.end());
    EXPECT_THAT(values, testing::ElementsAre(0, 2));
    for (size_t i = 0; i < y.size(); ++i)
      EXPECT_EQ(y[i], y[i - i % 9]);
  });
}

TEST(MoreLayers, MistakesAreNamed) {
  Program program("mistakes");
  PReLU prelu(program / "prelu", 5);
  InstanceNorm2d norm(program / "norm", 3);
  auto messageOf = [&](auto body) -> std::string {
    try {
      program.entry("main", {input("x", f32, {2, 6, 4})}, training, [&](Tensor x) {
        body(x);
        return result("x", x);
      });
    } catch (const BuildError &error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(messageOf([&](const Tensor &x) { prelu(x); }),
              HasSubstr("PReLU 'prelu': expected 5 channels along axis 1"));
  EXPECT_THAT(messageOf([&](const Tensor &x) { norm(x); }),
              HasSubstr("InstanceNorm2d 'norm': expected rank 4 and 3 channels"));
  EXPECT_THAT(messageOf([](const Tensor &x) { dropout(x, 1.5); }),
              HasSubstr("dropout: expected a probability from 0 to 1, got 1.5"));
  EXPECT_THAT(messageOf([](const Tensor &x) { local_response_norm(x, 0); }),
              HasSubstr("local_response_norm: expected a window of at least 1 channel"));
  EXPECT_THAT(messageOf([](const Tensor &x) { upsample_linear(x, 0); }),
              HasSubstr("upsample_linear: expected an image of rank 3 or more and a factor of 1"));
  EXPECT_THAT(messageOf([](const Tensor &x) { adaptive_max_pool1d(x, 0); }),
              HasSubstr("adaptive_max_pool1d: expected an image of rank 3"));
  EXPECT_THAT(messageOf([&](const Tensor &) {
                SpectralNorm(program / "s", Linear(program / "s", 4, 3), {.iterations = 0});
              }),
              HasSubstr("SpectralNorm 's': expected a weight of rank 2 or more, and 1 iteration"));
}

} // namespace
