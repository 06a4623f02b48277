// Convolution, pooling and resizing against PyTorch's numbers (frontend-convolution.py), on the
// reference interpreter and compiled; and what they say to wrong use.
#include "frontend-convolution.inc"
#include "Oracle.h"

#include "gen/nn.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using namespace gen::test;
using testing::HasSubstr;

// Expects the elements of `function` of array 10, then the gradient of their sum, weighted by array
// 9, for array 10 and the variables below `scope`, which have the values of arrays 11, 12, ...
void expectLikePyTorch(const std::vector<double> &expected, Program &program, const Scope &scope,
                       const Shape &shape, const std::function<Tensor(const Tensor &)> &function) {
  std::vector<Variable> inputs = {(program / "inputs").variable("x", f32, shape)};
  for (const Variable &variable : scope.variables())
    inputs.push_back(variable);
  program.entry("main", {}, [&] {
    Tensor y = function(inputs.front());
    Tensor weights = known(signedNumbers(9, elementsOf(y.shape())), y.shape());
    EntryResults results = result("y", y);
    for (const Tensor &g : gradient(sum(weights * y), inputs))
      results.values.push_back(
          {"g" + std::to_string(results.values.size()), g, SourceLocation::current()});
    return results;
  });
  forBoth(program, [&](Runner &runner) {
    for (size_t i = 0; i < inputs.size(); ++i)
      runner.set(inputs[i],
                 signedNumbers(static_cast<uint32_t>(10 + i), elementsOf(inputs[i].shape())));
    std::vector<double> actual = runner.call("main", {});
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i)
      EXPECT_NEAR(actual[i], expected[i], 1e-5 * std::abs(expected[i]) + 1e-5) << "number " << i;
  });
}

template <typename Layer, typename... Arguments>
void expectLayerLikePyTorch(const std::vector<double> &expected, const Shape &shape,
                            Arguments &&...arguments) {
  Program program("oracle");
  Layer layer(program / "layer", std::forward<Arguments>(arguments)...);
  expectLikePyTorch(expected, program, program / "layer", shape,
                    [&](const Tensor &x) { return layer(x); });
}

void expectFunctionLikePyTorch(const std::vector<double> &expected, const Shape &shape,
                               const std::function<Tensor(const Tensor &)> &function) {
  Program program("oracle");
  expectLikePyTorch(expected, program, program / "layer", shape, function);
}

TEST(Convolution, LayersFollowPyTorch) {
  expectLayerLikePyTorch<Conv1d>(kConv1d, {2, 2, 5}, 2, 3, 3, ConvLayerOptions{.padding = 1});
  expectLayerLikePyTorch<Conv2d>(
      kConv2d, {2, 4, 5, 6}, 4, 6, PerAxis{3, 2},
      ConvLayerOptions{.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 3}, .groups = 2});
  expectLayerLikePyTorch<Conv3d>(kConv3d, {1, 2, 3, 4, 3}, 2, 2, 2,
                                 ConvLayerOptions{.bias = false});
  expectLayerLikePyTorch<Conv2d>(kDepthwise, {2, 3, 4, 5}, 3, 3, 3,
                                 ConvLayerOptions{.padding = 1, .groups = 3});
}

TEST(Convolution, TransposedLayersFollowPyTorch) {
  expectLayerLikePyTorch<ConvTranspose1d>(kConvTranspose1d, {2, 3, 4}, 3, 2, 4,
                                          ConvTransposeLayerOptions{.stride = 2, .padding = 1});
  expectLayerLikePyTorch<ConvTranspose2d>(
      kConvTranspose2d, {2, 4, 3, 4}, 4, 6, 3,
      ConvTransposeLayerOptions{.stride = 2, .padding = 1, .output_padding = {1, 0}, .groups = 2});
  expectLayerLikePyTorch<ConvTranspose3d>(kConvTranspose3d, {1, 2, 2, 3, 2}, 2, 2, 2,
                                          ConvTransposeLayerOptions{.bias = false});
}

TEST(Pooling, FollowsPyTorch) {
  expectFunctionLikePyTorch(kMaxPool1d, {2, 2, 7}, [](const Tensor &x) {
    return max_pool1d(x, 3, {.stride = 2, .padding = 1});
  });
  expectFunctionLikePyTorch(kMaxPool2d, {2, 2, 5, 7},
                            [](const Tensor &x) { return max_pool2d(x, {2, 3}); });
  expectFunctionLikePyTorch(kMaxPool3d, {1, 2, 4, 3, 4},
                            [](const Tensor &x) { return max_pool3d(x, 2); });
  expectFunctionLikePyTorch(kAvgPool2d, {2, 2, 5, 6}, [](const Tensor &x) {
    return avg_pool2d(x, 3, {.stride = 2, .padding = 1});
  });
  expectFunctionLikePyTorch(kAvgPool1d, {2, 2, 7},
                            [](const Tensor &x) { return avg_pool1d(x, 2); });
  expectFunctionLikePyTorch(kAvgPool3d, {1, 2, 3, 2, 4}, [](const Tensor &x) {
    return avg_pool3d(x, 2, {.stride = 1, .padding = 1});
  });
  expectFunctionLikePyTorch(kAdaptive1d, {2, 2, 7},
                            [](const Tensor &x) { return adaptive_avg_pool1d(x, 3); });
  expectFunctionLikePyTorch(kAdaptive3d, {1, 2, 4, 3, 2},
                            [](const Tensor &x) { return adaptive_avg_pool3d(x, 2); });
  expectFunctionLikePyTorch(kAdaptive, {2, 2, 5, 7},
                            [](const Tensor &x) { return adaptive_avg_pool2d(x, {2, 3}); });
  expectFunctionLikePyTorch(kUpsample, {2, 2, 2, 3},
                            [](const Tensor &x) { return upsample_nearest(x, {2, 3}); });
}

/// The message of the error that building `function` on an image of `shape` throws.
std::string messageOf(const Shape &shape, const std::function<Tensor(const Tensor &)> &function) {
  Program program("wrong");
  try {
    program.entry("main", {input("x", f32, shape)},
                  [&](Tensor x) { return result("y", function(x)); });
  } catch (const BuildError &error) {
    return error.what();
  }
  return "";
}

TEST(Convolution, SaysWhatIsWrong) {
  auto onImage = [](const std::function<Tensor(const Tensor &)> &function) {
    return messageOf({1, 2, 8, 8}, function);
  };
  EXPECT_THAT(onImage([](const Tensor &x) { return conv2d(x, zeros({5, 3, 3, 3})); }),
              HasSubstr("expected 3 channels in the input for 1 groups, got 2"));
  EXPECT_THAT(onImage([](const Tensor &x) { return conv1d(x, zeros({5, 2, 3})); }),
              HasSubstr("expected an image and a weight of rank 3"));
  EXPECT_THAT(onImage([](const Tensor &x) { return conv2d(x, zeros({5, 2, 9, 3})); }),
              HasSubstr("the padded input is shorter than the window along axis 2"));
  EXPECT_THAT(onImage([](const Tensor &x) {
                return conv2d(x, zeros({5, 2, 3, 3}), {.stride = {1, 2, 3}});
              }),
              HasSubstr("expected stride to be one number of 1 or more, or 2"));
  EXPECT_THAT(onImage([](const Tensor &x) {
                return conv_transpose2d(x, zeros({2, 5, 3, 3}), {.stride = 2, .output_padding = 2});
              }),
              HasSubstr("expected an output_padding less than the stride"));
  EXPECT_THAT(onImage([](const Tensor &x) { return max_pool2d(x, 2, {.padding = 2}); }),
              HasSubstr("a padding of at most half the window"));
  EXPECT_THAT(onImage([](const Tensor &x) { return max_pool2d(x, 9); }),
              HasSubstr("axis 2 of size 8 has no known number of windows of 9"));
}

TEST(Convolution, LayersCheckTheirSizes) {
  Program program("layers");
  EXPECT_THROW(Conv2d(program / "groups", 3, 5, 3, {.groups = 2}), BuildError);
  EXPECT_THROW(Conv2d(program / "kernel", 3, 5, {3, 3, 3}), BuildError);
  EXPECT_THROW(ConvTranspose1d(program / "channels", 0, 5, 3), BuildError);
}

TEST(Convolution, TakesDynamicSizes) {
  Program program("dynamic");
  Conv2d down(program / "down", 2, 3, 3, {.stride = 2, .padding = 1});
  ConvTranspose2d up(program / "up", 3, 2, 4, {.stride = 2, .padding = 1});
  Conv2d same(program / "same", 2, 3, 3, {.padding = 1});
  Dimension batch = program.dimension("batch"), width = program.dimension("width");
  program.entry("main", {input("x", f32, {batch, 2, 8, width})}, [&](Tensor x) {
    Tensor y = up(max_pool2d(same(x), 2, {.stride = {2, 1}, .padding = {0, 1}}));
    EXPECT_EQ(y.dimension(3), Dimension(2) * (width + Dimension(1)));
    Tensor z = down(y);
    EXPECT_EQ(z.dimension(3), width + Dimension(1));
    return result("z", z);
  });
  EXPECT_FALSE(program.str().empty());
}

} // namespace
