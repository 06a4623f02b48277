// What a run leaves to look at: files, pictures, curves, the progress line.
#include "gen/files.hpp"
#include "gen/picture.hpp"
#include "gen/plot.hpp"
#include "gen/progress.hpp"
#include "support-files.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

using namespace gen::test;
using testing::HasSubstr;

namespace {

struct Png {
  uint32_t width, height;
  std::vector<uint8_t> pixels;
};

Png readPng(const std::string &path, png_uint_32 format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_TRUE(png_image_begin_read_from_file(&image, path.c_str())) << image.message;
  EXPECT_EQ(image.format, format);
  std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(image));
  EXPECT_TRUE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr)) << image.message;
  return {image.width, image.height, pixels};
}

TEST(Files, ReplaceTheOldFileWhole) {
  Folder folder;
  folder.write("a", "old");
  gen::writeFileAtomically(folder.path("a"), std::string("new\0text", 8));
  EXPECT_EQ(folder.read("a"), std::string("new\0text", 8));
  EXPECT_EQ(folder.entries(), 1U);
}

TEST(Files, LeaveNothingBehindOnFailure) {
  Folder folder;
  gen::createFolder(folder.path("taken/deep"));
  EXPECT_THAT(errorOf([&] { gen::writeFileAtomically(folder.path("taken"), "x"); }),
              HasSubstr("taken: cannot replace the file"));
  EXPECT_EQ(folder.entries(), 1U);
  EXPECT_THAT(errorOf([&] { gen::writeFileAtomically(folder.path("no/a"), "x"); }),
              HasSubstr("cannot create the file: No such file or directory"));
  EXPECT_THAT(errorOf([&] { gen::writeFileAtomically("/dev/full/a", "x"); }),
              HasSubstr("Not a directory"));
  folder.write("file", "");
  EXPECT_THAT(errorOf([&] { gen::createFolder(folder.path("file")); }),
              HasSubstr("cannot create the folder"));
}

TEST(Grid, PlacesImagesRowByRow) {
  Folder folder;
  std::vector<float> values = {0.0F, 1.0F, 0.5F}; // three images of one pixel
  gen::writeGrid(folder.path("g.png"), values.data(), {3, 1, 1},
                 {.columns = 2, .padding = 1, .scale = 1});
  Png png = readPng(folder.path("g.png"), PNG_FORMAT_GRAY);
  EXPECT_EQ(png.width, 5U);
  EXPECT_EQ(png.height, 5U);
  EXPECT_EQ(png.pixels[1 * 5 + 1], 0);
  EXPECT_EQ(png.pixels[1 * 5 + 3], 255);
  EXPECT_EQ(png.pixels[3 * 5 + 1], 128);
  EXPECT_EQ(png.pixels[3 * 5 + 3], 96) << "no image here";
}

TEST(Grid, TakesColoursInBothOrdersAndScales) {
  Folder folder;
  float last[] = {1.0F, 0.0F, -1.0F}, first[] = {1.0F, 0.0F, -1.0F};
  for (bool channelsFirst : {false, true}) {
    gen::writeGrid(folder.path("c.png"), channelsFirst ? first : last, {1, 1, 1, 3, channelsFirst},
                   {.padding = 0, .scale = 2, .black = -1.0F});
    Png png = readPng(folder.path("c.png"), PNG_FORMAT_RGB);
    EXPECT_EQ(png.width, 2U);
    EXPECT_EQ(png.pixels,
              (std::vector<uint8_t>{255, 128, 0, 255, 128, 0, 255, 128, 0, 255, 128, 0}));
  }
  float planes[] = {1, 0, 0, 0, 0, 1}; // red, green, blue planes of two pixels
  gen::writeGrid(folder.path("p.png"), planes, {1, 1, 2, 3, true}, {.padding = 0, .scale = 1});
  EXPECT_EQ(readPng(folder.path("p.png"), PNG_FORMAT_RGB).pixels,
            (std::vector<uint8_t>{255, 0, 0, 0, 0, 255}));
}

TEST(Grid, ClampsAndShowsNanAsBlack) {
  Folder folder;
  float values[] = {-3.0F, 7.0F, NAN, INFINITY};
  gen::writeGrid(folder.path("g.png"), values, {1, 1, 4}, {.padding = 0, .scale = 1});
  EXPECT_EQ(readPng(folder.path("g.png"), PNG_FORMAT_GRAY).pixels,
            (std::vector<uint8_t>{0, 255, 0, 255}));
}

TEST(Grid, RefusesWhatIsNoPicture) {
  float value = 0;
  auto error = [&](gen::GridShape shape, gen::GridOptions options = {}) {
    return errorOf([&] { gen::writeGrid("x.png", &value, shape, options); });
  };
  EXPECT_THAT(error({0, 1, 1}),
              HasSubstr("x.png: expected images with 1 or 3 channels, got 0 of 1x1"));
  EXPECT_THAT(error({1, 1, 1, 2}), HasSubstr("with 2 channels"));
  EXPECT_THAT(error({1, 1, 1}, {.scale = 0}), HasSubstr("expected a scale of 1 to 64"));
  EXPECT_THAT(error({1, 1, 1}, {.black = 1}), HasSubstr("black unlike white"));
  EXPECT_THAT(error({1000000, 1000, 1000}), HasSubstr("pixels, more than 65536 a side"));
  EXPECT_THAT(errorOf([&] { gen::writeGrid("/dev/null/x.png", &value, {1, 1, 1}); }),
              HasSubstr("/dev/null/x.png: cannot create the file"));
}

TEST(Plot, DrawsEverySeriesWithFiniteCoordinates) {
  gen::Series train{"train", {}}, test{"test", {{468, 3.5}, {936, NAN}, {936, 3.25}}};
  for (int i = 0; i < 5000; ++i)
    train.points.emplace_back(i, i == 100 ? INFINITY : 3 + std::exp(-i / 100.0));
  std::string svg = gen::plotSvg("a < b & c", "step", "loss", {train, test});
  EXPECT_THAT(svg, HasSubstr("a &lt; b &amp; c"));
  for (const char *text :
       {">train</text>", ">test</text>", ">step</text>", ">loss</text>", ">1000</text>"})
    EXPECT_THAT(svg, HasSubstr(text));
  EXPECT_THAT(svg, testing::Not(testing::AnyOf(HasSubstr("nan"), HasSubstr("inf"))));
  EXPECT_LT(svg.size(), 20000U) << "long curves are averaged";
}

TEST(Plot, SurvivesCurvesWithoutARange) {
  for (const gen::Series &series : {gen::Series{"none", {}},
                                    {"one", {{0, 0}}},
                                    {"flat", {{0, 5}, {1, 5}}},
                                    {"huge", {{0, 1e300}, {1, -1e300}}}}) {
    std::string svg = gen::plotSvg("t", "x", "y", {series});
    EXPECT_THAT(svg, HasSubstr("</svg>"));
    EXPECT_THAT(svg, testing::Not(HasSubstr("nan"))) << series.name;
    EXPECT_LT(svg.size(), 20000U) << series.name;
  }
}

// Runs `action` with a progress line whose clock is `now` and returns what it writes.
template <typename Action> std::string shown(bool terminal, double &now, Action action) {
  char *text = nullptr;
  size_t size = 0;
  std::FILE *file = open_memstream(&text, &size);
  {
    gen::Progress progress(
        {.total = 100, .examplesPerStep = 10, .file = file, .terminal = terminal, .clock = [&] {
           return now;
         }});
    action(progress);
  }
  std::fclose(file);
  std::string result(text, size);
  std::free(text);
  return result;
}

TEST(Progress, RedrawsATerminalAtMostTenTimesASecond) {
  double now = 0;
  std::string text = shown(true, now, [&](gen::Progress &progress) {
    for (int step = 1; step <= 100; ++step) {
      now += 0.01; // one second in all
      progress.update(step, 2.5);
    }
  });
  auto redraws = std::count(text.begin(), text.end(), '\r');
  EXPECT_GE(redraws, 8);
  EXPECT_LE(redraws, 12);
  EXPECT_THAT(text, HasSubstr("step 100/100  loss 2.5  1000 examples/s"));
  EXPECT_TRUE(text.ends_with("\n"));
}

TEST(Progress, WritesPlainLinesElsewhere) {
  double now = 0;
  std::string text = shown(false, now, [&](gen::Progress &progress) {
    for (int step = 1; step <= 100; ++step) {
      now += 0.25;
      progress.update(step, 1.0 / step);
    }
  });
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5) << text;
  EXPECT_THAT(text, HasSubstr("step  40/100  loss 0.025  40 examples/s  0:15 left"));
  EXPECT_THAT(text, HasSubstr("step 100/100  loss 0.01  40 examples/s  0:25\n"));
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST(Progress, NeedsNoLoss) {
  double now = 0;
  std::string text = shown(false, now, [&](gen::Progress &progress) {
    now += 2;
    progress.update(50);
  });
  EXPECT_EQ(text, "step  50/100  250 examples/s  0:02 left\n");
}

TEST(Progress, CountsARateOfTheStepsOfThisRun) {
  double now = 0;
  char *text = nullptr;
  size_t size = 0;
  std::FILE *file = open_memstream(&text, &size);
  gen::Progress progress(
      {.total = 30, .first = 20, .file = file, .terminal = 0, .clock = [&] { return now; }});
  now = 10;
  progress.update(25, 1);
  std::fclose(file);
  EXPECT_STREQ(text, "step 25/30  loss 1  0.5 steps/s  0:10 left\n");
  std::free(text);
}

} // namespace
