// The loader's order and resumption, sources of images and texts, the drawn digits.
#include "gen/digits.hpp"
#include "gen/loader.hpp"
#include "support-files.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>
#include <set>

using namespace gen::data;
using gen::test::errorOf;

namespace {

// Images of one pixel, whose label is their number.
std::shared_ptr<ImageSource> numbered(int64_t count) {
  Images images{count, 1, 1, 1, std::vector<uint8_t>(count), std::vector<uint8_t>(count)};
  std::iota(images.pixels.begin(), images.pixels.end(), 0);
  std::iota(images.labels.begin(), images.labels.end(), 0);
  return std::make_shared<ImageSource>(images, 0, 1);
}

std::vector<int64_t> epochOf(Loader &loader) {
  std::vector<int64_t> seen;
  for (int64_t i = 0; i < loader.batchesPerEpoch(); ++i) {
    const std::vector<int64_t> &labels = loader.next().features[1].integers;
    seen.insert(seen.end(), labels.begin(), labels.end());
  }
  return seen;
}

TEST(Loader, ShowsEachImageAtMostOnceAnEpoch) {
  Loader loader(numbered(100), {.batch = 32, .seed = 3});
  EXPECT_EQ(loader.batchesPerEpoch(), 3);
  std::vector<int64_t> first = epochOf(loader), second = epochOf(loader);
  EXPECT_EQ(std::set<int64_t>(first.begin(), first.end()).size(), 96U);
  EXPECT_NE(first, second);
  EXPECT_EQ(loader.epoch(), 2);
}

TEST(Loader, OrderDependsOnTheSeedAlone) {
  auto order = [&](uint64_t seed) {
    Loader loader(numbered(10), {.batch = 10, .seed = seed});
    return epochOf(loader);
  };
  EXPECT_EQ(order(1), order(1));
  EXPECT_NE(order(1), order(2));
  // On every machine: the order is part of what a seed means.
  EXPECT_EQ(order(1), (std::vector<int64_t>{7, 2, 6, 8, 0, 1, 5, 9, 3, 4}));
}

TEST(Loader, RowsOfStreamsGoOnWhereTheyEnded) {
  Loader loader(numbered(11), {.batch = 3, .order = Order::Streams});
  for (int epoch = 0; epoch < 2; ++epoch)
    EXPECT_EQ(epochOf(loader), (std::vector<int64_t>{0, 3, 6, 1, 4, 7, 2, 5, 8}));
}

TEST(Loader, GoesOnExactlyWhereItWas) {
  Loader whole(numbered(50), {.batch = 8, .seed = 5});
  for (int i = 0; i < 9; ++i)
    whole.next();
  Loader resumed(numbered(50), {.batch = 8, .seed = 5});
  resumed.next();
  resumed.seek(whole.position());
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(whole.next().features[0].reals, resumed.next().features[0].reals) << "batch " << i;
}

TEST(Loader, RefusesBatchesItCannotFill) {
  EXPECT_EQ(errorOf([&] { Loader(numbered(4), {.batch = 5}); }),
            "batch: expected 1 to 4, the number of examples, got 5");
  EXPECT_EQ(errorOf([&] { Loader(numbered(4), {.batch = 0}); }),
            "batch: expected 1 to 4, the number of examples, got 0");
  EXPECT_EQ(errorOf([&] { Loader(numbered(4), {.batch = 2}).seek(-1); }),
            "position: expected 0 or more batches, got -1");
}

TEST(Loader, ShufflesEvenly) {
  Loader loader(numbered(10), {.batch = 10, .seed = 11});
  std::array<int, 10> first{};
  for (int epoch = 0; epoch < 2000; ++epoch)
    ++first[static_cast<size_t>(loader.next().features[1].integers[0])];
  for (int count : first)
    EXPECT_NEAR(count, 200, 70); // 5 standard deviations
}

TEST(ImageSource, MapsBytesToTheRangeAsked) {
  Images images{3, 1, 1, 1, {0, 51, 255}, {}};
  auto values = [&](double low, double high) {
    return ImageSource(images, low, high).batch(0, 3).features[0].reals;
  };
  EXPECT_EQ(values(0, 1), (std::vector<float>{0.0F, 0.2F, 1.0F}));
  EXPECT_EQ(values(-1, 1), (std::vector<float>{-1.0F, -0.6F, 1.0F}));
}

TEST(ImageSource, PutsChannelsFirst) {
  ImageSource source({1, 1, 2, 3, {0, 51, 102, 153, 204, 255}, {}}, 0, 5);
  EXPECT_EQ(source.features()[0].describe(), "f32[3, 1, 2]");
  EXPECT_EQ(source.batch(0, 1).features[0].reals, (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(errorOf([&] { source.find("labels"); }), "expected data with 'labels', got images");
}

TEST(Text, NumbersCharactersInTheOrderOfTheAlphabet) {
  Text text = textOf("t", "ba\u00e4b");
  EXPECT_EQ(text.alphabet, U"ab\u00e4");
  EXPECT_EQ(text.characters, (std::vector<int32_t>{1, 0, 2, 1}));
}

TEST(Text, GoesToCharactersAndBack) {
  std::string text = "a \u00df \u20ac \U0001f600\n";
  EXPECT_EQ(charactersOf("t", text), U"a \u00df \u20ac \U0001f600\n");
  EXPECT_EQ(utf8Of(charactersOf("t", text)), text);
}

TEST(Text, RefusesWhatIsNoUtf8) {
  // A lone lead, a lone rest, a longer form than needed, a surrogate, beyond Unicode.
  for (const char *bytes :
       {"ab\xc3", "ab\x80", "ab\xc0\x80", "ab\xe0\x80\x80", "ab\xed\xa0\x80", "ab\xf4\x90\x80\x80"})
    EXPECT_THAT(errorOf([&] { textOf("t", bytes); }),
                testing::StartsWith("t: expected UTF-8, got byte "))
        << bytes;
  EXPECT_EQ(errorOf([] { charactersOf("t", "ab\xff"); }),
            "t: expected UTF-8, got byte ff at offset 2");
}

TEST(TextSource, WindowsAndTheirSuccessors) {
  auto text = std::make_shared<Text>(textOf("t", "abcdefgh"));
  TextSource every(text, 1, 7, 3, 1); // bcdefg
  EXPECT_EQ(every.count(), 3);
  Batch batch = every.batch(1, 2);
  EXPECT_EQ(batch.size, 2);
  EXPECT_EQ(batch.features[0].integers, (std::vector<int64_t>{2, 3, 4, 3, 4, 5}));
  EXPECT_EQ(batch.features[1].integers, (std::vector<int64_t>{3, 4, 5, 4, 5, 6}));
  EXPECT_EQ(TextSource(text, 1, 7, 3, 3).count(), 1);
  EXPECT_EQ(TextSource(text, 1, 8, 3, 3).count(), 2);
  EXPECT_EQ(TextSource(text, 1, 4, 3, 3).count(), 0);
}

TEST(Tales, AreEqualOnEveryMachine) {
  EXPECT_EQ(toldTales(2, 1),
            "\"Wait,\" said Oskar, \"the loaf of bread is golden.\" Bruno and Rosa "
            "walked on the hill. ");
  EXPECT_NE(toldTales(2, 1), toldTales(2, 2));
  EXPECT_THAT(toldTales(100, 3), testing::StartsWith(toldTales(50, 3)));
}

TEST(Text, DataAreSplitAndKnowTheirAlphabet) {
  TrainingData data = textData("", {.length = 32});
  EXPECT_EQ(data.name, "tales");
  EXPECT_EQ(data.facts.at("vocabulary"),
            static_cast<double>(charactersOf("a", data.metadata.at("alphabet")).size()));
  EXPECT_GT(data.train->count(), 200000);
  EXPECT_GT(data.test->count(), 500);
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
