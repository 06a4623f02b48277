//===- OpTableWinograd.cpp - rows of Winograd's transformations -----------===//

#include "OpTable.h"
#include "passes/Winograd.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace optable;

/// The matrix as an attribute.
static std::string text(llvm::ArrayRef<double> matrix) {
  std::string result;
  llvm::raw_string_ostream stream(result);
  stream << '[';
  llvm::interleaveComma(matrix, stream, [&](double x) { stream << llvm::format("%.17e", x); });
  stream << ']';
  return result;
}

/// Tiles of 6 x 6 and 4 x 4.
static void addLargerTiles(std::vector<Row> &rows) {
  const auto algorithm =
      mlir::gen::WinogradAlgorithm::at({0, 2. / 3, -2. / 3, 3. / 2, -3. / 2}, /*taps=*/3);
  rows.push_back({.op = "gen.winograd_split",
                  .variant = "larger",
                  .arguments = {{"x", "Ax10x14xBxE"}},
                  .result = "36xAx2x3xBxE",
                  .body = "%z = gen.winograd_split %x matrix " + text(algorithm.image) +
                          " rows 6 step 4 : $x -> $z",
                  .sizes = {{2, 3, 1}, {1, 16, 1}, {3, 37, 1}},
                  .dynamic = false,
                  .differentiable = false});
  const std::string join =
      " = gen.winograd_join %x matrix " + text(algorithm.result) + " rows 4 step 4 : $x -> ";
  Row row = {.op = "gen.winograd_join",
             .variant = "larger",
             .arguments = {{"x", "36xAxBxCx17xE"}},
             .result = "AxB*4xC*4x17xE",
             .body = "%z" + join + "$z",
             .sizes = {{2, 3, 4}, {1, 1, 1}, {0, 1, 1}},
             .dynamic = false,
             .differentiable = false};
  rows.push_back(row);

  // What is elementwise behind it, and a frame, are computed tile by tile, too.
  row.variant = "followed";
  row.arguments = {{"x", "36xAx2x3xBxE"}, {"y", "36xAx2x3xBxE"}, {"bias", "BxE"}};
  row.types = {{"t", "Ax8x12xBxE"}};
  row.result = "Ax11x13xBxE";
  row.body =
      "%j" + join + "$t\n  " + "%k = gen.winograd_join %y matrix " + text(algorithm.result) +
      " rows 4 step 4 : $y -> $t\n  " + "%s = gen.mul %j, %k : ($t, $t) -> $t\n  " +
      "%w = gen.broadcast %bias axes [3] : $bias -> $t\n  "
      "%b = gen.add %s, %w : ($t, $t) -> $t\n  %r = gen.relu %b : $t\n  "
      "%z = gen.pad %r value -1.0 : $E low [0, 1, 1, 0] high [0, 2, 0, 0] interior [0, 0, 0, "
      "0] : $t -> $z";
  row.sizes = {{2, 3, 0}, {1, 16, 0}, {2, 37, 0}};
  rows.push_back(row);
}

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

  addLargerTiles(rows);
}
