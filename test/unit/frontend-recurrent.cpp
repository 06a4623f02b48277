// Loops of the builder: recurrent layers against PyTorch's numbers (frontend-recurrent.py), loops
// against the same steps unrolled, variables and random numbers in steps, and mistakes. Run on the
// reference interpreter and compiled.
#include "frontend-recurrent.inc"
#include "Oracle.h"

#include "gen/loops.hpp"
#include "gen/optimizers.hpp"
#include "gen/recurrent.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using namespace gen::test;
using testing::HasSubstr;

// Expects the output of a layer on array 10, whose variables have the values of the arrays 11, ...,
// then the gradients for the input and the variables of its sum weighted by array 9.
template <typename MakeLayer>
void expectLikePyTorch(const std::vector<double> &expected, const Shape &shape,
                       MakeLayer makeLayer) {
  Program program("oracle");
  std::vector<Variable> inputs = {(program / "inputs").variable("x", f32, shape)};
  auto layer = makeLayer(program / "layer");
  for (const Variable &variable : (program / "layer").variables())
    inputs.push_back(variable);
  program.entry("main", {}, [&] {
    Tensor y = layer(inputs.front()).output;
    EntryResults results = result("y", y);
    Tensor weights = known(signedNumbers(9, elementsOf(y.shape())), y.shape());
    for (const Tensor &g : gradient(sum(weights * y), inputs))
      results.values.push_back(
          {"g" + std::to_string(results.values.size()), g, SourceLocation::current()});
    return results;
  });
  forBoth(program, [&](Runner &runner) {
    for (size_t i = 0; i < inputs.size(); ++i)
      runner.set(inputs[i],
                 signedNumbers(static_cast<uint32_t>(10 + i), elementsOf(inputs[i].shape())));
    expectClose(runner.call("main", {}), expected, 1e-5);
  });
}

TEST(Recurrent, LayersFollowPyTorch) {
  expectLikePyTorch(kLstm, {2, 3, 3}, [](const Scope &scope) {
    return LSTM(scope, 3, 4, {.layers = 2, .batch_first = true});
  });
  expectLikePyTorch(kLstmWithoutBias, {2, 3, 3},
                    [](const Scope &scope) { return LSTM(scope, 3, 2, {.bias = false}); });
  expectLikePyTorch(kGru, {3, 2, 3}, [](const Scope &scope) { return GRU(scope, 3, 4); });
  expectLikePyTorch(kLstmBothWays, {3, 2, 3}, [](const Scope &scope) {
    return LSTM(scope, 3, 2, {.layers = 2, .bidirectional = true});
  });
  expectLikePyTorch(kGruBothWays, {2, 3, 3}, [](const Scope &scope) {
    return GRU(scope, 3, 2, {.batch_first = true, .bidirectional = true});
  });
  expectLikePyTorch(kRnn, {3, 2, 3},
                    [](const Scope &scope) { return RNN(scope, 3, 4, {.layers = 2}); });
  expectLikePyTorch(kRnnRelu, {3, 2, 3},
                    [](const Scope &scope) { return RNN(scope, 3, 4, {}, Nonlinearity::ReLU); });
}

TEST(Recurrent, StatesOfBothDirectionsFollowPyTorch) {
  expectLikePyTorch(kLstmStates, {3, 2, 3}, [](const Scope &scope) {
    LSTM lstm(scope, 3, 2, {.layers = 2, .bidirectional = true});
    return [lstm](const Tensor &x) {
      auto state = [](uint32_t number) { return known(signedNumbers(number, 16), {4, 2, 2}); };
      RecurrentResult all = lstm(x, state(40), state(41)), flat;
      flat.output =
          concat({reshape(all.output, {-1}), reshape(all.hidden, {-1}), reshape(all.cell, {-1})});
      return flat;
    };
  });
}

// Between layers only, and in training only: with everything dropped, the second layer sees zeros.
TEST(Recurrent, DropsBetweenLayers) {
  Program program("dropout");
  RNN all(program / "rnn", 3, 4, {.layers = 2, .dropout = 1.0});
  Dimension batch = program.dimension("batch");
  const std::vector<Input> x = {input("x", f32, {2, batch, 3})};
  auto output = [&](const Tensor &x) { return result("y", all(x).output); };
  program.entry("train", x, training, output);
  program.entry("main", x, output);
  forBoth(program, [&](Runner &runner) {
    Argument some{{2, 2, 3}, signedNumbers(1, 12)}, other{{2, 2, 3}, signedNumbers(2, 12)};
    EXPECT_EQ(runner.call("train", {some}), runner.call("train", {other}));
    EXPECT_NE(runner.call("main", {some}), runner.call("main", {other}));
    EXPECT_NE(runner.call("main", {some}), runner.call("train", {some}));
  });
}

// Dynamic lengths, zero steps included: a training step through a loop changes the weights as the
// unrolled steps do.
TEST(Loops, TrainAsUnrolledSteps) {
  Program program("loops");
  Dimension length = program.dimension("length"), batch = program.dimension("batch");
  Variable w = (program / "net").variable("w", f32, {4, 4});
  SGD sgd(program / "sgd", {.learning_rate = 0.1});
  auto step = [&](const Tensor &h, const Tensor &x) {
    return tanh(matmul(h, w, {.transpose_rhs = true}) + x);
  };
  program.entry("loop", {input("x", f32, {length, batch, 4}), input("h", f32, {batch, 4})},
                training, [&](Tensor x, Tensor h) {
                  ScanStep all = scan({h}, {x}, [&](const auto &values, const auto &elements) {
                    Tensor next = step(values[0], elements[0]);
                    return ScanStep{{next}, {next}};
                  });
                  Tensor loss =
                      sum(square(all.outputs[0])) + sum(all.values[0] * w.dimension(0).number());
                  sgd.minimize(loss, {w});
                  return result("loss", loss);
                });
  program.entry("unrolled", {input("x", f32, {3, batch, 4}), input("h", f32, {batch, 4})}, training,
                [&](Tensor x, Tensor h) {
                  Tensor squares = constant({0}, {});
                  for (int64_t i = 0; i < 3; ++i) {
                    h = step(h, reshape(slice(x, {0, i, i + 1}), {batch, 4}));
                    squares = squares + sum(square(h));
                  }
                  Tensor loss = squares + sum(h * 4.0);
                  sgd.minimize(loss, {w});
                  return result("loss", loss);
                });
  program.entry("weights", {}, [&] { return result("w", w); });
  Argument x{{3, 2, 4}, signedNumbers(1, 24)}, h{{2, 4}, signedNumbers(2, 8)};
  Argument none{{0, 2, 4}, {}};
  forBoth(program, [&](Runner &runner) {
    std::vector<double> losses[2], weights[2];
    for (int i : {0, 1}) {
      runner.set(w, signedNumbers(3, 16));
      for (int repetition = 0; repetition < 3; ++repetition)
        losses[i].push_back(runner.call(i ? "unrolled" : "loop", {x, h}).front());
      weights[i] = runner.call("weights", {});
    }
    expectClose(losses[0], losses[1], 1e-5);
    expectClose(weights[0], weights[1], 1e-5);
    double total = 0;
    for (float value : h.values)
      total += 4 * value;
    expectClose(runner.call("loop", {none, h}), {total}, 1e-5);
    expectClose(runner.call("weights", {}), weights[0], 1e-5);
  });
}

// A step sees what the one before has assigned; what is only read stays what it was.
TEST(Loops, CarryVariables) {
  Program program("loops");
  Variable total = (program / "s").variable("total", f32, {2});
  Variable rate = (program / "s").variable("rate", f32, {}, Initializer::constant(2));
  program.entry("main", {input("x", f32, {2})}, [&](Tensor x) {
    assign(total, total + 1.0);
    Tensor y = repeat(3, x, [&](Tensor step, Tensor value) {
      assign(total, total * rate + cast(step, f32));
      return value + total;
    });
    return result("y", y).result("total", total);
  });
  // total: 1, then 2 + 0, 4 + 1, 10 + 2 in the first call.
  forBoth(program, [&](Runner &runner) {
    expectClose(runner.call("main", {{{2}, {0, 1}}}), {19, 20, 12, 12}, 1e-6);
    expectClose(runner.call("main", {{{2}, {0, 0}}}), {26 + 53 + 108, 26 + 53 + 108, 108, 108},
                1e-6);
  });
}

// Every step, nested or not, draws other numbers; a call draws others again.
TEST(Loops, DrawOtherNumbersInEveryStep) {
  Program program("loops");
  program.entry("main", {}, [&] {
    Tensor before = normal({4});
    ScanStep all = scan({}, {zeros({3, 1})}, [&](const auto &, const auto &) {
      Tensor outer = normal({4});
      ScanStep inner = scan({}, {zeros({2, 1})}, [&](const auto &, const auto &) {
        return ScanStep{{}, {normal({4})}};
      });
      return ScanStep{{}, {outer, inner.outputs[0]}};
    });
    return result("before", before).result("outer", all.outputs[0]).result("inner", all.outputs[1]);
  });
  std::vector<double> interpreted;
  forBoth(program, [&](Runner &runner) {
    std::vector<double> numbers = runner.call("main", {}), more = runner.call("main", {});
    ASSERT_EQ(numbers.size(), 4u + 12 + 24);
    if (interpreted.empty())
      interpreted = numbers;
    expectClose(numbers, interpreted, 1e-4);
    numbers.insert(numbers.end(), more.begin(), more.end());
    std::sort(numbers.begin(), numbers.end());
    EXPECT_EQ(std::adjacent_find(numbers.begin(), numbers.end()), numbers.end());
  });
}

// The message of the BuildError that the body of an entry with an input x: f32[batch, 4] throws.
template <typename Body> std::string mistake(Body body) {
  try {
    Program program("test");
    Dimension batch = program.dimension("batch");
    program.entry("main", {input("x", f32, {batch, 4})}, [&](Tensor x) { body(x); });
  } catch (const BuildError &error) {
    return error.what();
  }
  return "no error";
}

TEST(Loops, NameMistakes) {
  EXPECT_THAT(
      mistake([](Tensor x) { repeat(3, x, [](Tensor, Tensor value) { return sum(value); }); }),
      HasSubstr("repeat: value 0 changes its type in a step"));
  EXPECT_THAT(mistake([](Tensor x) { repeat(-1, x, [](Tensor, Tensor value) { return value; }); }),
              HasSubstr("repeat: expected 0 or more steps, got -1"));
  EXPECT_THAT(mistake([](Tensor x) {
                scan({x}, {},
                     [](const auto &values, const auto &) { return ScanStep{values, {}}; });
              }),
              HasSubstr("scan: expected at least one sequence"));
  EXPECT_THAT(mistake([](Tensor x) {
                scan({}, {x, zeros({3, 4})}, [](const auto &, const auto &) { return ScanStep(); });
              }),
              HasSubstr("scan: expected sequences of one length along the first axis"));
  EXPECT_THAT(mistake([](Tensor x) {
                Tensor leaked;
                repeat(3, x, [&](Tensor, Tensor value) { return leaked = value + 1.0; });
                x + leaked;
              }),
              HasSubstr("a value of a loop's step is used after the loop"));
  EXPECT_THAT(mistake([](Tensor x) {
                Program program("other");
                LSTM(program / "rnn", 3, 4)(x);
              }),
              HasSubstr("'rnn': expected a sequence [steps, batch, 3], got f32[batch, 4]"));
  EXPECT_THAT(mistake([](Tensor) {
                Program program("other");
                GRU(program / "rnn", 3, 0);
              }),
              HasSubstr("GRU 'rnn': expected sizes and layers of at least 1"));
}

} // namespace
