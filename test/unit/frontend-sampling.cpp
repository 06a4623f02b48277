// Drawing classes: which ones are drawn, and how often.
#include "gen/compile.hpp"
#include "gen/sampling.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using testing::ElementsAre;

constexpr int64_t kRows = 20000;

// How often each of 5 classes with probabilities .1 .4 .2 .05 .25 is drawn.
class Draws {
public:
  Draws() {
    Program program("draws");
    std::vector<Input> inputs = {input("temperature", f32, {}), input("top_k", i64, {}),
                                 input("top_p", f32, {})};
    program.entry("draw", inputs, [](Tensor temperature, Tensor k, Tensor p) {
      Tensor logits = log(constant({0.1, 0.4, 0.2, 0.05, 0.25}, {5})) + 3.0;
      return result("classes", categorical(broadcast_to(logits, {kRows, 5}), {temperature, k, p}));
    });
    program.entry("largest", {input("x", f32, {2, 5})},
                  [](Tensor x) { return result("places", argmax(x)); });
    session = Session(compile(program));
  }

  std::vector<double> shares(double temperature, int64_t k, double p) {
    View classes = session.call("draw", {Array::of(static_cast<float>(temperature)), Array::of(k),
                                         Array::of(static_cast<float>(p))})["classes"];
    std::vector<double> shares(5);
    for (int64_t i = 0; i < kRows; ++i)
      shares.at(static_cast<size_t>(classes.data<int64_t>()[i])) += 1.0 / kRows;
    return shares;
  }
  Session session;
};

// Five standard deviations of a share are at most 0.018.
auto shares(double a, double b, double c, double d, double e) {
  auto near = [](double share) { return testing::DoubleNear(share, share == 0 ? 0 : 0.018); };
  return ElementsAre(near(a), near(b), near(c), near(d), near(e));
}

TEST(Categorical, DrawsFromTheDistribution) {
  Draws draws;
  EXPECT_THAT(draws.shares(1, 0, 1), shares(0.1, 0.4, 0.2, 0.05, 0.25));
  // Squares of the probabilities, over their sum 0.275.
  EXPECT_THAT(draws.shares(0.5, 0, 1),
              shares(0.01 / 0.275, 0.16 / 0.275, 0.04 / 0.275, 0.0025 / 0.275, 0.0625 / 0.275));
}

TEST(Categorical, AtTemperatureZeroTheLikeliest) {
  Draws draws;
  EXPECT_THAT(draws.shares(0, 0, 1), ElementsAre(0, testing::DoubleNear(1, 1e-9), 0, 0, 0));
}

TEST(Categorical, OnlyTheLikeliestOfTopK) {
  Draws draws;
  EXPECT_THAT(draws.shares(1, 2, 1), shares(0, 0.4 / 0.65, 0, 0, 0.25 / 0.65));
  EXPECT_THAT(draws.shares(1, 9, 1), shares(0.1, 0.4, 0.2, 0.05, 0.25));
}

TEST(Categorical, OnlyTheNucleusOfTopP) {
  Draws draws;
  EXPECT_THAT(draws.shares(1, 0, 0.6), shares(0, 0.4 / 0.65, 0, 0, 0.25 / 0.65));
  EXPECT_THAT(draws.shares(1, 0, 0.7), shares(0, 0.4 / 0.85, 0.2 / 0.85, 0, 0.25 / 0.85));
  // Of the two that are left, the first has 0.615 alone.
  EXPECT_THAT(draws.shares(1, 2, 0.6), shares(0, 1, 0, 0, 0));
  // At least one is left.
  EXPECT_THAT(draws.shares(1, 0, 0), shares(0, 1, 0, 0, 0));
}

TEST(Argmax, FirstOfTheLargest) {
  Draws draws;
  Array x(std::vector<float>{1, 3, 2, 3, 0, -5, -4, -3, -2, -6}, {2, 5});
  View places = draws.session.call("largest", {x})["places"];
  EXPECT_EQ(places.data<int64_t>()[0], 1);
  EXPECT_EQ(places.data<int64_t>()[1], 3);
}

TEST(Argmax, NeedsAnAxis) {
  Program program("p");
  EXPECT_THAT(
      [&] {
        program.entry("f", {input("x", f32, {})}, [](Tensor x) { return result("y", argmax(x)); });
      },
      testing::ThrowsMessage<BuildError>(
          testing::HasSubstr("argmax: expected a last axis whose size is a number")));
}

} // namespace
