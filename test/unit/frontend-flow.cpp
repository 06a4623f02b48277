// The flow of the zoo: what goes through it comes back, and the bits it tells are those of the
// formula where nothing is learned yet.
#include "gen/compile.hpp"
#include "models/zoo.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <numbers>

namespace {

using namespace gen;

constexpr int64_t kImages = 4, kPixels = 784;

Session smallFlow() {
  Program program("flow");
  const zoo::ModelInfo *model = zoo::find("realnvp");
  model->build(program, zoo::settingsOf(*model, {"couplings=6", "hidden=24"}));
  return Session(compile(program), {.seed = 5});
}

Array pictures() {
  Array x(GEN_F32, {kImages, kPixels});
  for (size_t i = 0; i < x.size(); ++i)
    x.data<float>()[i] = static_cast<float>(i * 37 % 256) / 255.0F;
  return x;
}

TEST(Flow, ComesBack) {
  Session session = smallFlow();
  Array x = pictures();
  View again = session.call("reconstruct", {x})["x"];
  for (size_t i = 0; i < x.size(); ++i)
    ASSERT_NEAR(again.data<float>()[i], x.data<float>()[i], 1e-4) << i;
}

TEST(Flow, BitsOfLogitsAreThoseOfTheFormula) {
  Session session = smallFlow();
  for (const TensorSpec &variable : session.model().variables())
    if (variable.dtype == GEN_F32)
      session.setVariable(variable.name, Array(GEN_F32, variable.shape));
  Array x = pictures();
  double nats = 0;
  constexpr int kParts = 64; // of a byte's interval, over which the noise is uniform
  for (size_t i = 0; i < x.size(); ++i)
    for (int part = 0; part < kParts; ++part) {
      double y = (255.0 * x.data<float>()[i] + (part + 0.5) / kParts) / 256;
      double inner = 0.05 + 0.9 * y, z = std::log(inner / (1 - inner));
      nats +=
          (z * z / 2 + std::log(2 * std::numbers::pi) / 2 - std::log(0.9 / (inner * (1 - inner)))) /
          kParts;
    }
  double expected = nats / static_cast<double>(x.size()) / std::numbers::ln2 + 8;
  EXPECT_NEAR(session.call("evaluate", {x}).scalar<float>("bits_per_dimension"), expected, 1e-3);
}

} // namespace
