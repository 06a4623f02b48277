//===- OpTableSequence.cpp - rows of the ops on sequences, and loops ------===//

#include "OpTable.h"

using namespace optable;

static Row slice(const std::string &variant, const std::string &input, const std::string &result,
                 const std::string &at) {
  return {.op = "gen.dynamic_slice",
          .variant = variant,
          .arguments = {{"x", input}},
          .result = result,
          .body = "%i = arith.constant " + at + " : $x -> $z"};
}

static Row update(const std::string &variant, const std::string &input, const std::string &update,
                  const std::string &at) {
  return {.op = "gen.dynamic_update_slice",
          .variant = variant,
          .arguments = {{"x", input}, {"u", update}},
          .result = input,
          .body = "%i = arith.constant " + at + " : $x, $u"};
}

/// A loop over the first axis of %x; `body` is its steps, from %i.
static Row loop(const std::string &variant, std::vector<Argument> arguments,
                const std::string &result, const std::string &code) {
  return {.op = "gen.dynamic_slice",
          .variant = "loop_" + variant,
          .arguments = std::move(arguments),
          .result = result,
          .body = R"(%c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %steps = tensor.dim %x, %c0 : $x
  %zero = gen.constant dense<0.0> : tensor<$E>
  )" + code,
          .types = {{"s", "1xBxCxE"}, {"e", "BxCxE"}},
          .elements = {"f32"},
          .sizes = {{4, 3, 5}, {1, 1, 1}, {7, 17, 33}}};
}

/// %x at %i, as %xi.
static const std::string kElement = R"(
    %x1 = gen.dynamic_slice %x at %i axis 0 length 1 : $x -> $s
    %xi = gen.reshape %x1 ?{sizes(%B, %C)}? : $s -> $e)";

/// A recurrent network that collects its states.
static Row recurrence(const std::string &variant, const std::string &index) {
  return loop(variant, {{"x", "AxBxCxE"}, {"h", "BxCxE"}, {"w", "CxCxE", -0.5, 0.5}}, "AxBxCxE",
              R"(%empty = gen.broadcast %zero axes [] ?{sizes(%A, %B, %C)}? : tensor<$E> -> $z
  %last, %z = scf.for %j = %c0 to %steps step %c1 iter_args(%s = %h, %y = %empty) -> ($e, $z) {
    )" + index + kElement +
                  R"(
    %p = gen.matmul %s, %w transposed : ($e, $w) -> $e
    %a = gen.add %p, %xi : ($e, $e) -> $e
    %n = gen.tanh %a : $e
    %n1 = gen.reshape %n ?{sizes(%B, %C)}? : $e -> $s
    %y1 = gen.dynamic_update_slice %y with %n1 at %i axis 0 : $z, $s
    scf.yield %n, %y1 : $e, $z
  })");
}

void optable::addSequences(std::vector<Row> &rows) {
  rows.push_back(slice("rows", "A+2xBxE", "2xBxE",
                       "1 : index\n  %z = gen.dynamic_slice %x at %i "
                       "axis 0 length 2"));
  rows.push_back(slice("clamped", "AxB+3xCxE", "Ax3xCxE",
                       "1000 : index\n  %z = gen.dynamic_slice %x at %i axis 1 length 3"));
  rows.push_back(update("rows", "A+2xBxE", "2xBxE",
                        "1 : index\n  %z = gen.dynamic_update_slice %x with %u at %i axis 0"));
  rows.push_back(update("columns", "AxB+3xE", "Ax2xE",
                        "2 : index\n  %z = gen.dynamic_update_slice %x with %u at %i axis 1"));
  rows.push_back(recurrence("recurrence", "%i = arith.addi %j, %c0 : index"));
  rows.push_back(recurrence("backwards", "%l = arith.subi %steps, %c1 : index\n    "
                                         "%i = arith.subi %l, %j : index"));
  // A value from outside that is no weight; carried values that change places.
  rows.push_back(loop("exchange", {{"x", "AxBxCxE"}, {"v", "BxCxE"}, {"h", "BxCxE"}}, "BxCxE",
                      R"(%z, %other = scf.for %i = %c0 to %steps step %c1
      iter_args(%s = %h, %t = %v) -> ($e, $e) {)" +
                          kElement + R"(
    %m = gen.mul %s, %v : ($e, $e) -> $e
    %n = gen.add %m, %xi : ($e, $e) -> $e
    scf.yield %t, %n : $e, $e
  })"));
  // Every second element, and a loop in a loop.
  rows.push_back(loop("nested", {{"x", "AxBxCxE", -1, 1}, {"h", "BxCxE"}}, "BxCxE",
                      R"(%z = scf.for %j = %c1 to %steps step %c2 iter_args(%s = %h) -> ($e) {
    %r = scf.for %i = %c0 to %steps step %c1 iter_args(%t = %s) -> ($e) {)" +
                          kElement + R"(
      %m = gen.mul %t, %xi : ($e, $e) -> $e
      %n = gen.sin %m : $e
      scf.yield %n : $e
    }
    %q = gen.add %r, %s : ($e, $e) -> $e
    scf.yield %q : $e
  })"));
}
