//===- OpTableNormalization.cpp - softmax and normalization ---------------===//

#include "OpTable.h"

using namespace optable;

static Row softmax(const std::string &op, int64_t axis) {
  return {.op = "gen." + op,
          .variant = "axis_" + std::to_string(axis),
          .arguments = {{"x", "AxBxCxE", -4, 4}},
          .result = "AxBxCxE",
          .body = "%z = gen." + op + " %x axis " + std::to_string(axis) + " : $x"};
}

/// The exponentials of a row are needed again, but there is no result of their shape to keep them
/// in.
static Row weightedSoftmax(int64_t axis) {
  Row row = softmax("softmax", axis);
  row.variant = "weighted_axis_" + std::to_string(axis);
  row.arguments = {{"x", "AxBxE", -4, 4}, {"w", "AxBxE"}};
  row.result = axis == 0 ? "BxE" : "AxE";
  row.body = "%y = gen.softmax %x axis " + std::to_string(axis) +
             " : $x\n  %p = gen.mul %y, %w : ($x, $x) -> $x\n  %z = gen.reduce_sum %p axes [" +
             std::to_string(axis) + "] : $x -> $z";
  return row;
}

/// An op of an input, a scale and a bias.
static Row scaled(const std::string &op, const std::string &variant, const std::string &input,
                  const std::string &scale, const std::string &attributes) {
  return {.op = "gen." + op,
          .variant = variant,
          .arguments = {{"x", input}, {"scale", scale}, {"bias", scale}},
          .result = input,
          .body = "%z = gen." + op + " %x, %scale, %bias " + attributes +
                  " epsilon 1.0e-01 : $x, $scale",
          .sizes = {{4, 16, 3}, {5, 37, 7}, {1, 1, 1}, {3, 33, 40}}};
}

/// Uses all results.
static Row batchNorm(const std::string &variant, const std::string &input, int64_t axis) {
  Row row = scaled("batch_norm", variant, input, "6xE", "");
  row.result = "6xE";
  row.sizes = {{4, 16, 3}, {5, 9, 7}, {1, 1, 1}, {3, 11, 13}};
  std::string sum = axis == 1 ? "[0, 2, 3]" : "[0, 1, 2]";
  row.body = "%y, %mean, %variance = gen.batch_norm %x, %scale, %bias axis " +
             std::to_string(axis) +
             " epsilon 1.0e-01 : $x, $scale\n  %square = gen.mul %y, %y : ($x, $x) -> $x\n"
             "  %cube = gen.mul %square, %y : ($x, $x) -> $x\n  %sum = gen.reduce_sum %cube axes " +
             sum +
             " : $x -> $z\n  %both = gen.mul %mean, %variance : ($z, $z) -> $z\n"
             "  %z = gen.add %sum, %both : ($z, $z) -> $z";
  return row;
}

void optable::addNormalization(std::vector<Row> &rows) {
  for (const char *op : {"softmax", "log_softmax"})
    for (int64_t axis : {0, 1, 2})
      rows.push_back(softmax(op, axis));
  rows.push_back(weightedSoftmax(0));
  rows.push_back(weightedSoftmax(1));
  rows.push_back(scaled("layer_norm", "", "AxBxCxE", "CxE", ""));
  rows.push_back(scaled("layer_norm", "two_axes", "AxBxCxE", "BxCxE", ""));
  rows.push_back(scaled("layer_norm", "one_row", "BxE", "BxE", ""));
  for (Row row : {scaled("rms_norm", "", "AxBxE", "BxE", ""),
                  scaled("rms_norm", "two_axes", "AxBxCxE", "BxCxE", "")}) {
    row.arguments.pop_back();
    row.body = "%z = gen.rms_norm %x, %scale epsilon 1.0e-01 : $x, $scale";
    rows.push_back(row);
  }
  rows.push_back(scaled("group_norm", "", "Ax6xBxCxE", "6xE", "groups 3 axis 1"));
  rows.push_back(scaled("group_norm", "channels_last", "AxBxCx6xE", "6xE", "groups 2 axis 3"));
  rows.push_back(scaled("group_norm", "instances", "AxBx6xE", "6xE", "groups 6 axis 2"));
  rows.back().sizes = {{4, 16, 3}, {5, 37, 7}, {3, 2, 1}}; // one pixel is its own mean
  rows.push_back(scaled("group_norm", "no_pixels", "Ax6xE", "6xE", "groups 2 axis 1"));
  rows.push_back(batchNorm("", "Ax6xBxCxE", 1));
  rows.push_back(batchNorm("channels_last", "AxBxCx6xE", 3));
  rows.push_back(scaled("batch_norm", "no_pixels", "AxBxE", "BxE", ""));
  rows.back().body =
      "%z, %mean, %variance = gen.batch_norm %x, %scale, %bias axis 1 epsilon 1.0e-01 : $x, $scale";
}
