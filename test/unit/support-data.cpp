// The loader's order, resumption and ranges, and the drawn digits.
#include "gen/data.hpp"
#include "gen/digits.hpp"
#include "support-files.h"

#include <array>
#include <gtest/gtest.h>
#include <numeric>
#include <set>

using namespace gen::data;
using gen::test::errorOf;

namespace {

// Images of one pixel, whose label is their number.
Images numbered(int64_t count) {
  Images images{count, 1, 1, 1, std::vector<uint8_t>(count), std::vector<uint8_t>(count)};
  std::iota(images.pixels.begin(), images.pixels.end(), 0);
  std::iota(images.labels.begin(), images.labels.end(), 0);
  return images;
}

std::vector<int32_t> epochOf(Loader &loader) {
  std::vector<int32_t> seen;
  for (int64_t i = 0; i < loader.batchesPerEpoch(); ++i) {
    const Batch &batch = loader.next();
    seen.insert(seen.end(), batch.labels.begin(), batch.labels.end());
  }
  return seen;
}

TEST(Loader, ShowsEachImageAtMostOnceAnEpoch) {
  Images images = numbered(100);
  Loader loader(images, {.batch = 32, .seed = 3});
  EXPECT_EQ(loader.batchesPerEpoch(), 3);
  std::vector<int32_t> first = epochOf(loader), second = epochOf(loader);
  EXPECT_EQ(std::set<int32_t>(first.begin(), first.end()).size(), 96U);
  EXPECT_NE(first, second);
  EXPECT_EQ(loader.epoch(), 2);
}

TEST(Loader, OrderDependsOnTheSeedAlone) {
  Images images = numbered(10);
  auto order = [&](uint64_t seed) {
    Loader loader(images, {.batch = 10, .seed = seed});
    return epochOf(loader);
  };
  EXPECT_EQ(order(1), order(1));
  EXPECT_NE(order(1), order(2));
  // On every machine: the order is part of what a seed means.
  EXPECT_EQ(order(1), (std::vector<int32_t>{7, 2, 6, 8, 0, 1, 5, 9, 3, 4}));
  Loader plain(images, {.batch = 10, .shuffle = false});
  EXPECT_EQ(epochOf(plain), (std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(Loader, GoesOnExactlyWhereItWas) {
  Images images = numbered(50);
  Loader whole(images, {.batch = 8, .seed = 5});
  for (int i = 0; i < 9; ++i)
    whole.next();
  Loader resumed(images, {.batch = 8, .seed = 5});
  resumed.seek(whole.position());
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(whole.next().images, resumed.next().images) << "batch " << i;
}

TEST(Loader, MapsBytesToTheRangeAsked) {
  Images images{3, 1, 1, 1, {0, 51, 255}, {}};
  LoaderOptions options{.batch = 3, .shuffle = false};
  std::vector<float> values = Loader(images, options).next().images;
  EXPECT_EQ(values[0], 0.0F);
  EXPECT_EQ(values[1], 0.2F);
  EXPECT_EQ(values[2], 1.0F);
  options.range = PixelRange::MinusOneToOne;
  values = Loader(images, options).next().images;
  EXPECT_EQ(values[0], -1.0F);
  EXPECT_EQ(values[1], -0.6F);
  EXPECT_EQ(values[2], 1.0F);
}

TEST(Loader, RefusesBatchesItCannotFill) {
  Images images = numbered(4);
  EXPECT_EQ(errorOf([&] { Loader(images, {.batch = 5}); }),
            "batch: expected 1 to 4, the number of images, got 5");
  EXPECT_EQ(errorOf([&] { Loader(images, {.batch = 0}); }),
            "batch: expected 1 to 4, the number of images, got 0");
  EXPECT_EQ(errorOf([&] { Loader(images, {.batch = 2}).seek(-1); }),
            "position: expected 0 or more batches, got -1");
}

TEST(Loader, ShufflesEvenly) {
  Images images = numbered(10);
  Loader loader(images, {.batch = 10, .seed = 11});
  std::array<int, 10> first{};
  for (int epoch = 0; epoch < 2000; ++epoch)
    ++first[loader.next().labels[0]];
  for (int count : first)
    EXPECT_NEAR(count, 200, 70); // 5 standard deviations
}

TEST(Digits, AreEqualOnEveryMachine) {
  uint64_t hash = 0xcbf29ce484222325; // FNV-1a
  std::array<uint8_t, 784> pixels;
  for (int64_t i = 0; i < 200; ++i) {
    hash = (hash ^ drawDigit(1, i, pixels.data())) * 0x100000001b3;
    for (uint8_t pixel : pixels)
      hash = (hash ^ pixel) * 0x100000001b3;
  }
  EXPECT_EQ(hash, 13219110044212869175U);
}

TEST(Digits, ClassesAreEvenAndInkIsInside) {
  Dataset set = drawnDigits(2000, 100, 4);
  ASSERT_EQ(set.test.count, 100);
  std::array<int, 10> classes{};
  for (int64_t i = 0; i < set.train.count; ++i) {
    ++classes[set.train.labels[i]];
    const uint8_t *p = &set.train.pixels[i * 784];
    double ink = std::accumulate(p, p + 784, 0.0) / (784 * 255);
    EXPECT_GT(ink, 0.015) << "image " << i;
    EXPECT_LT(ink, 0.45) << "image " << i;
    int edge = 0;
    for (int k = 0; k < 28; ++k)
      edge += p[k] + p[27 * 28 + k] + p[k * 28] + p[k * 28 + 27];
    EXPECT_EQ(edge, 0) << "image " << i;
  }
  for (int count : classes)
    EXPECT_NEAR(count, 200, 70);
}

TEST(Digits, DifferBySeedAndIndexAndTestIsNotTrain) {
  std::array<uint8_t, 784> a, b, c;
  drawDigit(1, 0, a.data());
  drawDigit(1, 1, b.data());
  drawDigit(2, 0, c.data());
  EXPECT_NE(a, b);
  EXPECT_NE(a, c);
  Dataset set = drawnDigits(50, 50, 0);
  EXPECT_NE(set.train.pixels, set.test.pixels);
}

} // namespace
