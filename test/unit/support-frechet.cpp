// Fréchet distances beside what they are in closed form, and images in other sizes beside PyTorch.
#include "gen/frechet.hpp"
#include "gen/loader.hpp"
#include "support-files.h"

#include <cmath>
#include <gmock/gmock.h>
#include <random>

using namespace gen;
using testing::Pointwise;

namespace {

Moments momentsOf(const std::vector<std::vector<float>> &vectors) {
  Moments moments(static_cast<int64_t>(vectors.front().size()));
  for (const std::vector<float> &vector : vectors)
    moments.add(vector.data());
  return moments;
}

TEST(Eigen, TakesRandomMatricesApart) {
  std::mt19937 random(1); // NOLINT: equal numbers in every run
  std::normal_distribution<double> normal;
  for (int64_t n : {1, 2, 3, 12, 40}) {
    std::vector<double> matrix(static_cast<size_t>(n * n));
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j <= i; ++j)
        matrix[i * n + j] = matrix[j * n + i] = normal(random);
    Eigen eigen = eigenOf(matrix, n);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double again = 0, product = 0;
        for (int64_t k = 0; k < n; ++k) {
          again += eigen.values[k] * eigen.vectors[k * n + i] * eigen.vectors[k * n + j];
          product += eigen.vectors[i * n + k] * eigen.vectors[j * n + k];
        }
        EXPECT_NEAR(again, matrix[i * n + j], 1e-12) << n;
        EXPECT_NEAR(product, i == j ? 1 : 0, 1e-13) << n;
      }
  }
}

TEST(Eigen, TakesWhatIsDiagonalAlready) {
  EXPECT_THAT(eigenOf({3, 0, 0, -2}, 2).values, testing::ElementsAre(3, -2));
  EXPECT_THAT(eigenOf({0, 0, 0, 0}, 2).values, testing::ElementsAre(0, 0));
}

TEST(Moments, AreMeanAndCovariance) {
  Moments moments = momentsOf({{1, 10}, {2, 40}, {6, 10}});
  EXPECT_THAT(moments.mean(), Pointwise(testing::DoubleNear(1e-12), {3.0, 20.0}));
  EXPECT_THAT(moments.covariance(), Pointwise(testing::DoubleNear(1e-12), {7., -15., -15., 300.}));
}

// Two covariances of order two that do not commute: the trace of the root of a matrix of order two
// with trace t and determinant d is sqrt(t + 2 sqrt(d)).
TEST(FrechetDistance, IsThatOfTwoGaussians) {
  Moments a = momentsOf({{1, 0}, {3, 1}, {5, 7}, {2, 2}}), b = momentsOf({{0, 3}, {4, 2}, {1, -5}});
  std::vector<double> p = a.covariance(), q = b.covariance();
  double trace = p[0] * q[0] + p[1] * q[2] + p[2] * q[1] + p[3] * q[3];
  double determinant = (p[0] * p[3] - p[1] * p[2]) * (q[0] * q[3] - q[1] * q[2]);
  double expected = std::pow(a.mean()[0] - b.mean()[0], 2) +
                    std::pow(a.mean()[1] - b.mean()[1], 2) + p[0] + p[3] + q[0] + q[3] -
                    2 * std::sqrt(trace + 2 * std::sqrt(determinant));
  EXPECT_NEAR(frechetDistance(a, b), expected, 1e-10);
  EXPECT_NEAR(frechetDistance(b, a), expected, 1e-10);
  EXPECT_NEAR(frechetDistance(a, a), 0, 1e-10);
}

TEST(FrechetDistance, TakesFeaturesThatAreAlwaysZero) {
  Moments a = momentsOf({{1, 0, 0}, {3, 0, 0}}), b = momentsOf({{1, 0, 5}, {1, 0, 7}});
  EXPECT_NEAR(frechetDistance(a, b), 1 + 36 + 2 + 2, 1e-12);
}

TEST(FrechetDistance, RefusesWhatCannotBeCompared) {
  Moments two = momentsOf({{1, 2}, {3, 4}}), one = momentsOf({{1, 2}}),
          wide = momentsOf({{1}, {2}});
  EXPECT_EQ(gen::test::errorOf([&] { frechetDistance(two, one); }),
            "Fréchet distance: expected two vectors of one width or more, got 2 of 2 and 1 of 2");
  EXPECT_NE(gen::test::errorOf([&] { frechetDistance(two, wide); }), "");
}

// torch.nn.functional.interpolate(x, size, mode="bilinear", antialias=True).
TEST(Resizer, EqualsPyTorch) {
  const std::vector<float> x = {1, 2, 4, 8, 16, 3, 9, 27, 81, 5, 0, 7, 1, 6, 2};
  auto expect = [&](int64_t height, int64_t width, const std::vector<float> &values) {
    std::vector<float> twice = x;
    twice.insert(twice.end(), x.begin(), x.end());
    std::vector<float> made;
    data::Resizer({3, 5}, {height, width})(twice.data(), 2, made);
    ASSERT_EQ(made.size(), 2 * values.size());
    for (size_t i = 0; i < made.size(); ++i)
      EXPECT_NEAR(made[i], values[i % values.size()], 2e-5) << height << "x" << width << ": " << i;
  };
  expect(4, 7, {1.0,   1.57143, 2.57143,  4.0,    6.85714,  11.42857, 16.0,
                2.25,  4.60714, 9.80357,  18.375, 43.55357, 34.55357, 9.125,
                1.875, 5.51786, 10.82143, 17.25,  42.69643, 31.875,   3.875,
                0.0,   4.0,     5.28571,  1.0,    4.57143,  4.28571,  2.0});
  expect(2, 2, {6.92614, 21.32955, 7.52273, 17.75});
  expect(6, 3,
         {1.42857, 4.44444, 12.57143, 2.46429, 12.08333, 18.82143, 4.53571, 27.36111, 31.32143,
          4.92857, 27.11111, 29.10715, 3.64286, 11.33333, 12.17857, 3.0, 3.44444, 3.71429});
  expect(3, 5, x);
}

TEST(ImageSource, ResizesEachChannel) {
  data::ImageSource source({2, 1, 2, 3, {0, 10, 255, 100, 30, 255, 1, 2, 3, 1, 2, 3}, {4, 5}}, 0,
                           255, 1);
  EXPECT_EQ(source.features()[0].describe(), "f32[3, 1, 1]");
  data::Batch batch = source.batch(0, 2);
  EXPECT_THAT(batch.features[0].reals,
              Pointwise(testing::FloatNear(1e-4), {50.F, 20.F, 255.F, 1.F, 2.F, 3.F}));
  EXPECT_THAT(batch.features[1].integers, testing::ElementsAre(4, 5));
}

} // namespace
