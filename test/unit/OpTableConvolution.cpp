//===- OpTableConvolution.cpp - rows of the convolutions ------------------===//
//
// One case is a row for each of the three ops: what is an operand of one is the result of another.
//
//===----------------------------------------------------------------------===//

#include "OpTable.h"

using namespace optable;

namespace {
/// Types of input, weight and output, and the window's attributes.
struct Case {
  std::string variant, input, weight, output, window;
  /// `index` values of the input's dynamic sizes, and the ops that make them.
  std::string sizes, arithmetic = "";
  /// True for weights too large for finite differences.
  bool large = false;
  std::vector<Sizes> letters = {{2, 3, 4}, {1, 1, 1}, {3, 9, 17}, {1, 2, 33}};
  double ulps = 8;
  std::vector<std::string> elements = {"f32", "f64"};
};
} // namespace

static const std::vector<Case> &cases() {
  static const std::vector<Case> table = {
      {"3x3", "Ax3xBxCxE", "5x3x3x3xE", "Ax5xBxCxE",
       "strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1]", "%A, %B, %C"},
      // Winograd's algorithm; the last one has too few tiles for it, as have dynamic images.
      {"many_channels",
       "Ax67xBxCxE",
       "70x67x3x3xE",
       "Ax70xBxCxE",
       "strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1]",
       "%A, %B, %C",
       "",
       true,
       {{4, 8, 8}, {1, 8, 10}, {1, 6, 8}}},
      {"many_channels_images",
       "Ax67x8x10xE",
       "70x67x3x3xE",
       "Ax70x8x10xE",
       "strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1]",
       "%A",
       "",
       true,
       {{1, 0, 0}, {3, 0, 0}}},
      // Tiles of 4 x 4, which multiply the rounding of a sum by 4.6, those of 2 x 2 by 2.2.
      {"larger_tiles",
       "Ax65x16x16xE",
       "64x65x3x3xE",
       "Ax64x16x16xE",
       "strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1]",
       "%A",
       "",
       true,
       {{1, 0, 0}, {2, 0, 0}},
       /*ulps=*/16,
       /*elements=*/{"f32"}},
      // The same after steps are channels; the last one's images are too small.
      {"folded_strides",
       "Ax64xB*2xC*2xE",
       "65x64x4x4xE",
       "Ax65xBxCxE",
       "strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]",
       "%A, %rows, %columns",
       "%two = arith.constant 2 : index\n  %rows = arith.muli %B, %two : index\n  "
       "%columns = arith.muli %C, %two : index\n  ",
       true,
       {{2, 8, 8}, {1, 8, 10}, {1, 4, 6}}},
      {"folded_strides_larger_tiles",
       "Ax64x32x32xE",
       "65x64x4x4xE",
       "Ax65x16x16xE",
       "strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]",
       "%A",
       "",
       true,
       {{2, 0, 0}},
       /*ulps=*/16,
       /*elements=*/{"f32"}},
      // Runs of pixels as one: two of six channels, three, with a stride, of five.
      {"few_channels",
       "Ax1x5x8xE",
       "6x1x5x5xE",
       "Ax6x5x8xE",
       "strides [1, 1] low [2, 2] high [2, 2] dilations [1, 1]",
       "%A",
       "",
       false,
       {{2, 0, 0}, {17, 0, 0}}},
      {"few_channels_strided",
       "AxBx13x3xE",
       "2x3x3x5xE",
       "AxBx6x5xE",
       "strides [1, 2] low [1, 0] high [0, 0] dilations [1, 1] channels_last",
       "%A, %B",
       "",
       false,
       {{2, 3, 0}, {1, 1, 0}}},
      // The batch in lanes, of static sizes only where it fills them: lines of positions, positions
      // of two spatial axes, of one, with taps that some positions lack; many taps.
      {"batch_last",
       "Ax3x5x6xE",
       "7x3x3x2xE",
       "Ax7x5x6xE",
       "strides [1, 1] low [1, 1] high [1, 0] dilations [1, 1]",
       "%A",
       "",
       false,
       {{5, 0, 0}, {16, 0, 0}, {48, 0, 0}, {1, 0, 0}}},
      {"batch_last_strided",
       "Ax6x8x7xE",
       "16x6x4x3xE",
       "Ax16x4x4xE",
       "strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]",
       "%A",
       "",
       true,
       {{32, 0, 0}, {16, 0, 0}, {17, 0, 0}}},
      {"batch_last_skipping",
       "Ax5x7x6xE",
       "6x5x1x2xE",
       "Ax6x3x3xE",
       "strides [3, 2] low [0, 0] high [0, 0] dilations [1, 1]",
       "%A",
       "",
       false,
       {{3, 0, 0}, {16, 0, 0}}},
      {"batch_last_line",
       "Ax4x9xE",
       "11x4x5xE",
       "Ax11x9xE",
       "strides [1] low [2] high [2] dilations [1]",
       "%A",
       "",
       false,
       {{7, 0, 0}, {16, 0, 0}}},
      {"batch_last_many_taps",
       "Ax15x9x9xE",
       "9x15x7x7xE",
       "Ax9x3x3xE",
       "strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]",
       "%A",
       "",
       true,
       {{16, 0, 0}, {80, 0, 0}, {2, 0, 0}}},
      // Zeros around small images are left out: by tiles of one position or several, by vectors of
      // k.
      {"margins",
       "Ax20x4x4xE",
       "24x20x3x3xE",
       "Ax24x4x4xE",
       "strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1]",
       "%A",
       "",
       true,
       {{8, 0, 0}, {3, 0, 0}, {24, 0, 0}}},
      {"margins_strided",
       "Ax20x8x6xE",
       "70x20x4x4xE",
       "Ax70x4x3xE",
       "strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]",
       "%A",
       "",
       true,
       {{16, 0, 0}, {1, 0, 0}, {5, 0, 0}}},
      {"margins_dilated",
       "Ax16x5x7xE",
       "5x16x3x2xE",
       "Ax5x4x6xE",
       "strides [1, 1] low [2, 1] high [1, 1] dilations [2, 3]",
       "%A",
       "",
       true,
       {{8, 0, 0}, {2, 0, 0}}},
      {"margins_line",
       "Ax16x6xE",
       "8x16x5xE",
       "Ax8x6xE",
       "strides [1] low [2] high [2] dilations [1]",
       "%A",
       "",
       true,
       {{8, 0, 0}, {5, 0, 0}}},
      {"margins_volume",
       "Ax16x3x3x3xE",
       "6x16x3x3x3xE",
       "Ax6x3x3x3xE",
       "strides [1, 1, 1] low [1, 1, 1] high [1, 1, 1] dilations [1, 1, 1]",
       "%A",
       "",
       true,
       {{8, 0, 0}, {3, 0, 0}}},
      {"1x1", "Ax17xBxCxE", "33x17x1x1xE", "Ax33xBxCxE",
       "strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]", "%A, %B, %C", "", true},
      {"strided", "Ax2xB*2xC*2xE", "3x2x4x4xE", "Ax3xBxCxE",
       "strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]", "%A, %rows, %columns",
       "%two = arith.constant 2 : index\n  %rows = arith.muli %B, %two : index\n  "
       "%columns = arith.muli %C, %two : index\n  "},
      // One column of the input meets no weight; the stride is longer than the weight.
      {"skipping", "Ax2xB*3xC*2xE", "3x2x1x2xE", "Ax3xBxCxE",
       "strides [3, 2] low [0, 0] high [0, 0] dilations [1, 1]", "%A, %rows, %columns",
       "%three = arith.constant 3 : index\n  %two = arith.constant 2 : index\n  "
       "%rows = arith.muli %B, %three : index\n  %columns = arith.muli %C, %two : index\n  "},
      {"dilated_groups", "Ax4xBxCxE", "6x2x2x3xE", "Ax6xBxCxE",
       "strides [1, 1] low [0, 2] high [2, 4] dilations [2, 3] groups 2", "%A, %B, %C"},
      {"depthwise", "Ax4xBxCxE", "4x1x3x3xE", "Ax4xBxCxE",
       "strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1] groups 4", "%A, %B, %C"},
      {"line", "Ax2xBxE", "3x2x5xE", "Ax3xBxE", "strides [1] low [2] high [2] dilations [1]",
       "%A, %B"},
      {"volume", "Ax2xBxCx3xE", "3x2x3x1x2xE", "Ax3xBxCx2xE",
       "strides [1, 1, 2] low [1, 0, 1] high [1, 0, 0] dilations [1, 1, 1]", "%A, %B, %C"},
      {"channels_last", "AxBxCx3xE", "3x3x3x5xE", "AxBxCx5xE",
       "strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1] channels_last", "%A, %B, %C"},
      {"channels_last_strided", "AxB*2xC*2x17xE", "4x4x17x33xE", "AxBxCx33xE",
       "strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1] channels_last",
       "%A, %rows, %columns",
       "%two = arith.constant 2 : index\n  %rows = arith.muli %B, %two : index\n  "
       "%columns = arith.muli %C, %two : index\n  ",
       true},
      {"channels_last_groups", "AxBxCx4xE", "2x3x2x6xE", "AxBxCx6xE",
       "strides [1, 1] low [0, 2] high [2, 4] dilations [2, 3] groups 2 channels_last",
       "%A, %B, %C"},
      {"channels_last_depthwise", "AxBxCx17xE", "3x3x1x17xE", "AxBxCx17xE",
       "strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1] groups 17 channels_last",
       "%A, %B, %C"},
      {"channels_last_inside", "AxB*2xC*2x6xE", "2x2x6x20xE", "AxBxCx20xE",
       "strides [2, 2] low [0, 0] high [0, 0] dilations [1, 1] channels_last",
       "%A, %rows, %columns",
       "%two = arith.constant 2 : index\n  %rows = arith.muli %B, %two : index\n  "
       "%columns = arith.muli %C, %two : index\n  "},
      {"channels_last_inside_1x1", "AxBxCx40xE", "1x1x40x3xE", "AxBxCx3xE",
       "strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last", "%A, %B, %C"},
      {"channels_last_inside_groups", "AxBxCx6xE", "1x1x3x34xE", "AxBxCx34xE",
       "strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] groups 2 channels_last",
       "%A, %B, %C"},
      {"channels_last_line", "AxBx2xE", "5x2x3xE", "AxBx3xE",
       "strides [1] low [2] high [2] dilations [1] channels_last", "%A, %B"},
  };
  return table;
}

void optable::addConvolutions(std::vector<Row> &rows) {
  for (const Case &each : cases()) {
    Row row = {.op = "gen.convolution",
               .variant = each.variant,
               .arguments = {{"x", each.input, -1, 1}, {"w", each.weight, -1, 1}},
               .result = each.output,
               .body = "%z = gen.convolution %x, %w " + each.window + " : ($x, $w) -> $z",
               .elements = each.elements,
               .sizes = each.letters,
               .differentiable = !each.large,
               .ulps = each.ulps};
    rows.push_back(row);

    row.op = "gen.convolution_transpose";
    row.arguments[0] = {"x", each.output, -1, 1};
    row.result = each.input;
    row.body = "?{" + each.arithmetic + "}?%z = gen.convolution_transpose %x, %w?{ sizes(" +
               each.sizes + ")}? " + each.window + " : ($x, $w) -> $z";
    rows.push_back(row);

    row.op = "gen.convolution_weight_gradient";
    row.arguments = {{"x", each.input, -1, 1}, {"y", each.output, -1, 1}};
    row.result = each.weight;
    row.body = "%z = gen.convolution_weight_gradient %x, %y " + each.window + " : ($x, $y) -> $z";
    rows.push_back(row);
  }

  // The first one's result is stored with the padding of the second.
  const std::string window = "strides [1, 1] low [1, 2] high [1, 0] dilations [1, 1]";
  rows.push_back({.op = "gen.convolution",
                  .variant = "twice",
                  .arguments = {{"x", "Ax3xBxCxE", -1, 1},
                                {"w", "5x3x3x3xE", -1, 1},
                                {"v", "4x5x3x3xE", -1, 1}},
                  .result = "Ax4xBxCxE",
                  .body = "%y = gen.convolution %x, %w " + window + " : ($x, $w) -> $y\n  " +
                          "%h = gen.sigmoid %y : $y\n  " + "%z = gen.convolution %h, %v " + window +
                          " : ($y, $v) -> $z",
                  .types = {{"y", "Ax5xBxCxE"}},
                  .sizes = {{2, 3, 4}, {1, 1, 1}, {3, 9, 17}, {1, 2, 33}}});

  // With the batch last, pooling is done so, too.
  for (std::string pool : {"max_pool", "sum_pool"})
    rows.push_back({.op = "gen." + pool,
                    .variant = "batch_last",
                    .arguments = {{"x", "Ax2x6x5xE", -1, 1}, {"w", "3x2x3x2xE", -1, 1}},
                    .result = "Ax3x3x2xE",
                    .body = "%y = gen.convolution %x, %w strides [1, 1] low [1, 0] high [1, 0] "
                            "dilations [1, 1] : ($x, $w) -> $y\n  "
                            "%z = gen." +
                            pool +
                            " %y window [2, 3] strides [2, 2] low [0, 1] high [0, 0] : $y -> $z",
                    .types = {{"y", "Ax3x6x4xE"}},
                    .sizes = {{5, 0, 0}, {16, 0, 0}, {32, 0, 0}}});
}
