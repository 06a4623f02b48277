// Weights that the compiler keeps in the order of their gradients: training, sampling, and what the
// outside sees and sets, against the reference interpreter.
#include "Oracle.h"

#include "gen/conv.hpp"
#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using namespace gen::test;

constexpr int64_t kChannels = 96, kFilters = 80, kBatch = 2, kSize = 5;

// A convolution whose gradient is a product, large enough to be kept as it is computed.
struct Filter {
  Program program{"filter"};
  Scope net = program / "net";
  Conv2d conv{net / "conv", kChannels, kFilters, 3, {.stride = 2}};
  SGD sgd{program / "sgd", {.learning_rate = 1e-1, .momentum = 0.9}};

  Filter() {
    Input images = input("x", f32, {kBatch, kChannels, kSize, kSize});
    program.entry("main", {images}, training, [&](Tensor x) {
      Tensor loss = mean(square(conv(x) - 0.5));
      sgd.minimize(loss, net.variables());
      return result("loss", loss);
    });
    program.entry("sample", {images}, [&](Tensor x) { return result("y", conv(x)); });
  }
};

std::vector<double> run(Runner &runner, const Filter &filter) {
  Variable weight = filter.net.variables().front();
  Argument x{{kBatch, kChannels, kSize, kSize},
             signedNumbers(1, kBatch * kChannels * kSize * kSize)};
  std::vector<double> all;
  auto call = [&](const char *entry) {
    for (double value : runner.call(entry, {x}))
      all.push_back(value);
  };
  runner.set(weight, signedNumbers(2, elementsOf(weight.shape()), 0.05));
  for (const char *entry : {"main", "main", "sample", "main"})
    call(entry);
  runner.set(weight, signedNumbers(3, elementsOf(weight.shape()), 0.05)); // the moments stay
  for (const char *entry : {"main", "sample"})
    call(entry);
  return all;
}

TEST(OrderedVariables, AreSeenAndSetInTheModelsOrder) {
  Filter filter;
  Interpreted interpreted(filter.program);
  Compiled compiled(filter.program);
  expectClose(run(compiled, filter), run(interpreted, filter), 1e-5, 1e-6);
}

// What is saved is what the model says, and it goes on from there.
TEST(OrderedVariables, AreSavedInTheModelsOrder) {
  Filter filter;
  Model model = compile(filter.program);
  Session session(model), other(model);
  std::vector<float> x = signedNumbers(1, kBatch * kChannels * kSize * kSize);
  View images(x.data(), {kBatch, kChannels, kSize, kSize});
  session.call("main", {images});
  const std::string name = filter.net.variables().front().name();
  std::vector<float> once = session.variable(name).values<float>();
  EXPECT_EQ(session.variable(name).values<float>(), once);
  for (const Variable &variable : filter.program.variables())
    other.setVariable(variable.name(), session.variable(variable.name()));
  float expected = session.call("main", {images}).scalar<float>("loss");
  EXPECT_EQ(other.call("main", {images}).scalar<float>("loss"), expected);
  EXPECT_EQ(other.variable(name).values<float>(), session.variable(name).values<float>());
  EXPECT_NE(session.variable(name).values<float>(), once);
}

} // namespace
