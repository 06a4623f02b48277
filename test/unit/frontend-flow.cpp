// The flows of the zoo: what goes through them comes back, and the bits that RealNVP tells are
// those of the formula where nothing is learned yet.
#include "gen/compile.hpp"
#include "models/zoo.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <numbers>

namespace {

using namespace gen;

constexpr int64_t kImages = 4, kPixels = 784;

Session smallFlow(const std::string &name, const std::vector<std::string> &settings) {
  Program program("flow");
  const zoo::ModelInfo *model = zoo::find(name);
  model->build(program, zoo::settingsOf(*model, settings));
  return Session(compile(program), {.seed = 5});
}

Array pictures() {
  Array x(GEN_F32, {kImages, kPixels});
  for (size_t i = 0; i < x.size(); ++i)
    x.data<float>()[i] = static_cast<float>(i * 37 % 256) / 255.0F;
  return x;
}

// After some steps of training, so that no part of it is as simple as it was at first.
void expectComesBack(Session session) {
  Array x = pictures();
  float before = session.call("evaluate", {x}).scalar<float>("bits_per_dimension");
  for (int step = 0; step < 20; ++step)
    session.call("train_step", {x});
  EXPECT_LT(session.call("evaluate", {x}).scalar<float>("bits_per_dimension"), before);
  Results results = session.call("reconstruct", {x});
  View again = results["x"];
  for (size_t i = 0; i < x.size(); ++i)
    ASSERT_NEAR(again.data<float>()[i], x.data<float>()[i], 1e-4) << i;
}

TEST(Flow, RealNvpComesBack) {
  expectComesBack(smallFlow("realnvp", {"couplings=6", "hidden=24"}));
}
TEST(Flow, NiceComesBack) { expectComesBack(smallFlow("nice", {"hidden=24"})); }
TEST(Flow, GlowComesBack) { expectComesBack(smallFlow("glow", {"steps=3", "hidden=8"})); }

// The scales of the first batch stay, whatever comes after.
TEST(Flow, GlowSetsScalesByTheFirstBatch) {
  Session session = smallFlow("glow", {"steps=1", "hidden=8", "learning_rate=0"});
  Array x = pictures();
  auto scale = [&] { return Array(session.variable("flow.levels.0.0.norm.log_scale")); };
  EXPECT_EQ(scale().data<float>()[0], 0);
  session.call("train_step", {x});
  Array first = scale();
  EXPECT_NE(first.data<float>()[0], 0);
  Array others(GEN_F32, {kImages, kPixels});
  session.call("train_step", {others});
  EXPECT_EQ(scale().data<float>()[0], first.data<float>()[0]);
}

TEST(Flow, BitsOfLogitsAreThoseOfTheFormula) {
  Session session = smallFlow("realnvp", {"couplings=6", "hidden=24"});
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
