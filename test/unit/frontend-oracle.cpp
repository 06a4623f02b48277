// Layers, activations, losses, initial values and optimizers against PyTorch's numbers
// (frontend-oracle.py), on the reference interpreter and compiled.
#include "frontend-oracle.inc"
#include "Oracle.h"

#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using namespace gen::test;

// As expectLikePyTorch, of a layer on array 10: its variables have the values of the arrays 11, 12,
// ...
template <typename MakeLayer>
void expectLayerLikePyTorch(const std::vector<double> &expected, const Shape &shape,
                            MakeLayer makeLayer) {
  Program program("oracle");
  Variable x = (program / "inputs").variable("x", f32, shape);
  auto layer = makeLayer(program / "layer");
  std::vector<Variable> inputs = {x};
  std::vector<std::vector<float>> values = {signedNumbers(10, elementsOf(shape))};
  for (const Variable &variable : (program / "layer").variables()) {
    auto number = static_cast<uint32_t>(10 + inputs.size());
    values.push_back(signedNumbers(number, elementsOf(variable.shape())));
    inputs.push_back(variable);
  }
  expectLikePyTorch(expected, program, inputs, values, [&] { return layer(x); });
}

TEST(Layers, LinearFollowsPyTorch) {
  auto linear = [](const Scope &scope) { return Linear(scope, 5, 4); };
  expectLayerLikePyTorch(kLinear, {3, 5}, linear);
  expectLayerLikePyTorch(kLinearOfRank3, {2, 3, 5}, linear);
  expectLayerLikePyTorch(kLinearWithoutBias, {3, 5},
                         [](const Scope &scope) { return Linear(scope, 5, 4, {.bias = false}); });
}

TEST(Layers, SequentialFollowsPyTorch) {
  expectLayerLikePyTorch(kSequential, {3, 5}, [](const Scope &scope) {
    Sequential net(scope);
    net.linear(5, 6).add(LeakyReLU(0.2)).linear(6, 4).add(Tanh());
    return net;
  });
  expectLayerLikePyTorch(kSequential, {3, 5}, [](const Scope &scope) {
    return Mlp(scope, {5, 6, 4}, {.activation = LeakyReLU(0.2), .last = Tanh()});
  });
}

TEST(Layers, ActivationsFollowPyTorch) {
  std::vector<float> x = signedNumbers(3, 10, 6.0);
  x[0] = 0; // where the derivatives of some are a convention
  auto expectActivation = [&](const std::vector<double> &expected, const Layer &layer) {
    expectLikePyTorch(expected, {{{2, 5}, x}}, [&](const std::vector<Variable> &inputs) {
      return layer(inputs[0], SourceLocation::current());
    });
  };
  expectActivation(kRelu, ReLU());
  expectActivation(kLeakyRelu, LeakyReLU());
  expectActivation(kLeakyRelu02, LeakyReLU(0.2));
  expectActivation(kTanh, Tanh());
  expectActivation(kSigmoid, Sigmoid());
}

// PyTorch's bound and standard deviation; drawn anew by each variable and seed.
TEST(Layers, InitialValuesAreDistributedAsPyTorchs) {
  Program program("initial");
  Linear layer(program / "layer", 400, 300), other(program / "other", 400, 300);
  program.entry("main", {}, [&] {
    auto spread = [](const Tensor &x) { return sqrt(mean(square(x)) - square(mean(x))); };
    return result("bound", max(abs(layer.weight)))
        .result("spread", spread(layer.weight))
        .result("bias bound", max(abs(layer.bias)))
        .result("bias spread", spread(layer.bias))
        .result("difference", spread(layer.weight - other.weight));
  });
  Interpreted interpreted(program);
  Compiled compiled(program);
  std::vector<double> numbers = compiled.call("main", {});
  expectClose(numbers, interpreted.call("main", {}), 1e-5);
  EXPECT_LE(numbers[0], 0.05);
  EXPECT_NEAR(numbers[0], kLinearInitial[0], 1e-4);
  EXPECT_NEAR(numbers[1], kLinearInitial[1], 2e-4);
  EXPECT_LE(numbers[2], 0.05);
  EXPECT_NEAR(numbers[2], kLinearInitial[2], 2e-3); // of 300 numbers only
  EXPECT_NEAR(numbers[3], kLinearInitial[3], 4e-3);
  EXPECT_NEAR(numbers[4], kLinearInitial[1] * std::sqrt(2.0), 4e-4); // of independent numbers
}

TEST(Losses, FollowPyTorch) {
  Argument x = {{2, 3}, signedNumbers(3, 6, 4.0)}, t = {{2, 3}, uniformNumbers(4, 6)},
           p = {{2, 3}, uniformNumbers(7, 6)};
  Argument mean = {{2, 3}, signedNumbers(5, 6, 2.0)},
           logVariance = {{2, 3}, signedNumbers(6, 6, 2.0)};
  using Inputs = const std::vector<Variable> &;
  expectLikePyTorch(kBceWithLogits, {x, t}, [](Inputs v) { return bce_with_logits(v[0], v[1]); });
  expectLikePyTorch(kBce, {p}, [&](Inputs v) { return bce(v[0], known(t.values, t.shape)); });
  expectLikePyTorch(kMse, {x, t}, [](Inputs v) { return mse(v[0], v[1]); });
  expectLikePyTorch(kL1, {x, t}, [](Inputs v) { return l1(v[0], v[1]); });
  expectLikePyTorch(kKl, {mean, logVariance},
                    [](Inputs v) { return kl_standard_normal(v[0], v[1]); });
}

// Probabilities of exactly 0 and 1: the loss is clamped as PyTorch's, and a sigmoid before it
// passes no NaN back.
TEST(Losses, BceOfCertaintyIsFinite) {
  Program program("certain");
  Variable logits = (program / "inputs").variable("x", f32, {4});
  program.entry("main", {}, [&] {
    Tensor loss = bce(sigmoid(logits), constant({0, 1, 0, 1}, {4}));
    return result("loss", loss).result("gradient", gradient(sum(loss), logits));
  });
  Interpreted interpreted(program);
  Compiled compiled(program);
  for (Runner *runner : {static_cast<Runner *>(&interpreted), static_cast<Runner *>(&compiled)}) {
    runner->set(logits, {-1000, -1000, 1000, 1000});
    expectClose(runner->call("main", {}), {0, 100, 100, 0, 0, 0, 0, 0}, 1e-6);
  }
}

// Weights after each of five steps down sum(c w^2) + sum(w).
template <typename Optimizer, typename Options>
void expectDescent(const std::vector<double> &expected, const Options &options) {
  Program program("descent");
  Variable w = (program / "model").variable("w", f32, {4});
  Optimizer optimizer(program / "optimizer", options);
  program.entry("train_step", {}, training, [&] {
    Tensor c = known(signedNumbers(2, 4), {4});
    optimizer.minimize(sum(c * w * w) + sum(w), {w});
    return result("w", w);
  });
  Interpreted interpreted(program);
  Compiled compiled(program);
  for (Runner *runner : {static_cast<Runner *>(&interpreted), static_cast<Runner *>(&compiled)}) {
    runner->set(w, signedNumbers(1, 4));
    std::vector<double> path;
    for (int step = 0; step < 5; ++step)
      for (double number : runner->call("train_step", {}))
        path.push_back(number);
    expectClose(path, expected, 1e-5);
  }
}

TEST(Optimizers, AdamFollowsPyTorch) {
  expectDescent<Adam>(
      kAdam, AdamOptions{.learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6});
}

TEST(Optimizers, SgdFollowsPyTorch) {
  expectDescent<SGD>(kSgd, SgdOptions{.learning_rate = 0.05});
  expectDescent<SGD>(kMomentum, SgdOptions{.learning_rate = 0.05, .momentum = 0.9});
}

TEST(Optimizers, MistakesAreNamed) {
  Program program("test");
  Variable w = (program / "a").variable("w", f32, {4}), v = (program / "b").variable("v", f32, {4});
  Adam adam(program / "adam");
  auto minimize = [&](const std::vector<Variable> &variables) -> std::string {
    try {
      program.entry("step", {}, training, [&] {
        Tensor loss = sum(w * w) + sum(v * v);
        adam.minimize(loss, variables);
      });
    } catch (const BuildError &error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(minimize({}), testing::HasSubstr("adam.minimize: there are no variables to change"));
  EXPECT_EQ(minimize({w}), "no error");
}

} // namespace
