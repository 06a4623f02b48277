//===- OpTablePooling.cpp - rows of the pooling ops -----------------------===//
//
// One case is a row for each op: they share their windows.
//
//===----------------------------------------------------------------------===//

#include "OpTable.h"

using namespace optable;

namespace {
struct Case {
  std::string variant, image, pooled, windows;
  /// `index` values of the image's dynamic sizes, and the ops that make them.
  std::string sizes, arithmetic = "";
  std::vector<Sizes> letters = {{2, 2, 3}, {1, 1, 1}, {3, 9, 17}, {1, 2, 33}};
};
} // namespace

static const std::vector<Case> &cases() {
  static const std::string twice = "%two = arith.constant 2 : index\n  "
                                   "%rows = arith.muli %B, %two : index\n  "
                                   "%columns = arith.muli %C, %two : index\n  ";
  static const std::vector<Sizes> tiled = {{2, 3}, {1, 1}, {3, 17}, {2, 32}};
  static const std::vector<Case> table = {
      {"halves", "Ax3xB*2xC*2xE", "Ax3xBxCxE",
       "window [2, 2] strides [2, 2] low [0, 0] high [0, 0]", "%A, %rows, %columns", twice},
      {"overlapping", "Ax2xB*2xC*2xE", "Ax2xBxCxE",
       "window [3, 3] strides [2, 2] low [1, 1] high [1, 1]", "%A, %rows, %columns", twice},
      {"every_position", "Ax2xBxCxE", "Ax2xBxCxE",
       "window [3, 2] strides [1, 1] low [1, 0] high [1, 1]", "%A, %B, %C"},
      {"with_gaps", "Ax2xB*2xC*2xE", "Ax2xBxCxE",
       "window [1, 2] strides [2, 2] low [0, 1] high [0, 0]", "%A, %rows, %columns", twice},
      {"line", "Ax3xBxE", "Ax3xBxE", "window [3] strides [1] low [0] high [2]", "%A, %B"},
      {"volume", "Ax2xBxCx5xE", "Ax2xBxCx2xE",
       "window [1, 2, 3] strides [1, 1, 2] low [0, 1, 0] high [0, 0, 0]", "%A, %B, %C"},
      {"channels_last", "AxB*2xC*2x17xE", "AxBxCx17xE",
       "window [3, 2] strides [2, 2] low [1, 0] high [0, 0] channels_last", "%A, %rows, %columns",
       twice},
      {"tiles", "Ax6x4xBxE", "Ax3x2xBxE",
       "window [2, 2] strides [2, 2] low [0, 0] high [0, 0] channels_last", "%A, %B", "", tiled},
      {"tiles_of_a_volume", "Ax2x6x3xBxE", "Ax2x2x1xBxE",
       "window [1, 3, 3] strides [1, 3, 3] low [0, 0, 0] high [0, 0, 0] channels_last", "%A, %B",
       "", tiled},
      {"more_than_tiles", "Ax5x4xBxE", "Ax2x2xBxE",
       "window [2, 2] strides [2, 2] low [0, 0] high [0, 0] channels_last", "%A, %B", "", tiled},
  };
  return table;
}

void optable::addPooling(std::vector<Row> &rows) {
  for (const Case &each : cases()) {
    Row row = {.op = "gen.max_pool",
               .variant = each.variant,
               .arguments = {{"x", each.image}},
               .result = each.pooled,
               .body = "%z = gen.max_pool %x " + each.windows + " : $x -> $z",
               .sizes = each.letters};
    rows.push_back(row);

    row.op = "gen.sum_pool";
    row.body = "%z = gen.sum_pool %x " + each.windows + " : $x -> $z";
    rows.push_back(row);

    row.op = "gen.max_pool_select";
    row.arguments.push_back({"v", each.image});
    row.body = "%z = gen.max_pool_select %x, %v " + each.windows + " : $x -> $z";
    rows.push_back(row);

    row.op = "gen.max_pool_gradient";
    row.arguments[1] = {"dy", each.pooled};
    row.result = each.image;
    row.body = "%z = gen.max_pool_gradient %x, %dy " + each.windows + " : $x, $dy";
    rows.push_back(row);

    row.op = "gen.sum_pool_transpose";
    row.arguments = {{"x", each.pooled}};
    row.body = "?{" + each.arithmetic + "}?%z = gen.sum_pool_transpose %x?{ sizes(" + each.sizes +
               ")}? " + each.windows + " : $x -> $z";
    rows.push_back(row);
  }
  // Numbers that tie: i8 values of three kinds, as floating point.
  Row ties = {.op = "gen.max_pool_gradient",
              .variant = "ties",
              .arguments = {{"n", "Ax2xB*2xC*2xi8", -1.5, 1.5}, {"dy", "Ax2xBxCxE"}},
              .result = "Ax2xB*2xC*2xE",
              .body = "%x = gen.cast %n : $n -> $z\n  %z = gen.max_pool_gradient %x, %dy "
                      "window [3, 3] strides [2, 2] low [1, 1] high [1, 1] : $z, $dy",
              .sizes = {{2, 3, 4}, {3, 9, 17}}};
  rows.push_back(ties);

  ties.variant = "ties_in_tiles";
  ties.arguments = {{"n", "Ax6x4xBxi8", -1.5, 1.5}, {"dy", "Ax3x2xBxE"}};
  ties.result = "Ax6x4xBxE";
  ties.body = "%x = gen.cast %n : $n -> $z\n  %z = gen.max_pool_gradient %x, %dy "
              "window [2, 2] strides [2, 2] low [0, 0] high [0, 0] channels_last : $z, $dy";
  ties.sizes = {{2, 3}, {3, 17}};
  rows.push_back(ties);
}
