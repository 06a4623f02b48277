//===- OpTableWinograd.cpp - rows of Winograd's transformations -----------===//

#include "OpTable.h"

using namespace optable;

void optable::addWinograd(std::vector<Row> &rows) {
  const std::vector<Sizes> sizes = {{2, 3, 4}, {1, 1, 1}, {3, 5, 2}};
  Row split = {.op = "gen.winograd_split",
               .variant = "weight",
               .arguments = {{"x", "AxB+2xC+2x17xE"}},
               .result = "16xAxBxCx17xE",
               .body =
                   "%z = gen.winograd_split %x matrix [1.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, -0.5, "
                   "0.5, 0.0, 0.0, 1.0] rows 4 step 1 : $x -> $z",
               .sizes = sizes,
               .dynamic = false,
               .differentiable = false};
  rows.push_back(split);

  split.variant = "image";
  split.arguments = {{"x", "Ax6x10xBxE"}};
  split.result = "16xAx2x4xBxE";
  const std::string imageBody =
      "%z = gen.winograd_split %x matrix [1.0, 0.0, -1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, -1.0, 1.0, "
      "0.0, 0.0, 1.0, 0.0, -1.0] rows 4 step 2 : $x -> $z";
  split.body = imageBody;
  split.sizes = {{2, 3, 1}, {1, 16, 1}, {3, 37, 1}};
  rows.push_back(split);

  split.variant = "output";
  split.arguments = {{"x", "Ax4x8xBxE"}};
  split.body = "%z = gen.winograd_split %x matrix [1.0, 0.0, 1.0, 1.0, 1.0, -1.0, 0.0, -1.0] "
               "rows 4 step 2 : $x -> $z";
  rows.push_back(split);

  split.variant = "images";
  split.arguments = {{"x", "Ax6x10x17xE"}};
  split.result = "16xAx2x4x17xE";
  split.body = imageBody;
  split.sizes = {{2, 0, 0}};
  split.dynamic = true;
  rows.push_back(split);

  const std::string imageJoin = "%z = gen.winograd_join %x matrix [1.0, 1.0, 1.0, 0.0, 0.0, 1.0, "
                                "-1.0, -1.0] rows 2 step 2 : $x -> $z";
  Row join = {.op = "gen.winograd_join",
              .arguments = {{"x", "16xAxBxCx17xE"}},
              .result = "AxB*2xC*2x17xE",
              .body = imageJoin,
              .sizes = sizes,
              .dynamic = false,
              .differentiable = false};
  rows.push_back(join);

  join.variant = "taps";
  join.result = "AxB*3xC*3x17xE";
  join.body = "%z = gen.winograd_join %x matrix [1.0, 0.5, 0.5, 0.0, 0.0, 0.5, -0.5, 0.0, 0.0, "
              "0.5, 0.5, 1.0] rows 3 step 3 : $x -> $z";
  rows.push_back(join);

  join.variant = "images";
  join.arguments = {{"x", "16xAx2x3x17xE"}};
  join.result = "Ax4x6x17xE";
  join.body = imageJoin;
  join.sizes = {{2, 0, 0}};
  join.dynamic = true;
  rows.push_back(join);
}
