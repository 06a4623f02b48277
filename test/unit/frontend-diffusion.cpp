// Diffusion models of the zoo draw in parts: a callback sees how far they are and the images so
// far, and may end it.
#include "gen/compile.hpp"
#include "gen/outputs.hpp"
#include "models/zoo.hpp"

#include <gtest/gtest.h>
#include <optional>

namespace {

using namespace gen;

constexpr int64_t kSteps = 20;

std::vector<float> numbersOf(const View &images) {
  return {images.data<float>(), images.data<float>() + images.size()};
}

struct Part {
  int64_t done, left;
  std::vector<float> images;
};

class Diffusion : public testing::Test {
protected:
  static void SetUpTestSuite() {
    Program program("diffusion");
    const zoo::ModelInfo *info = zoo::find("ddpm");
    info->build(program, zoo::settingsOf(*info, {"width=8", "samples=2",
                                                 "sample_steps=" + std::to_string(kSteps)}));
    model = compile(program);
  }
  static void TearDownTestSuite() { model.reset(); }

  // Draws by a new session, until `most` parts are done.
  static std::vector<float> draw(size_t most, std::vector<Part> &parts) {
    Session session(*model, {.seed = 5});
    Samples samples = denoise(session, [&](const View &images, int64_t done, int64_t left) {
      parts.push_back({done, left, numbersOf(images)});
      return parts.size() < most;
    });
    return numbersOf(samples.images);
  }

  static inline std::optional<Model> model;
};

TEST_F(Diffusion, TellsHowFarItIs) {
  std::vector<Part> parts;
  std::vector<float> images = draw(1000, parts);
  ASSERT_EQ(parts.size(), 10U);
  for (size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(parts[i].done + parts[i].left, kSteps);
    EXPECT_GT(parts[i].done, i ? parts[i - 1].done : 0);
  }
  EXPECT_EQ(parts.back().left, 0);
  EXPECT_EQ(parts.back().images, images);
}

// The images are those of a run that is not ended, at that time.
TEST_F(Diffusion, IsEndedByTheCallback) {
  std::vector<Part> all, some;
  std::vector<float> last = draw(1000, all), early = draw(2, some);
  ASSERT_EQ(some.size(), 2U);
  EXPECT_EQ(early, all[1].images);
  EXPECT_NE(early, last);
}

} // namespace
