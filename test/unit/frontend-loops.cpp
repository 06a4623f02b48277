// Branches and computed numbers of steps: the results and gradients of plain arithmetic, what a
// branch that is not taken leaves alone, and mistakes; loops that hand on what they carry. Run on
// the reference interpreter and compiled.
#include "Oracle.h"

#include "gen/loops.hpp"
#include "gen/optimizers.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace {

using namespace gen;
using namespace gen::test;
using testing::HasSubstr;

// Newton's method or the negative number, by the sign of the sum.
TEST(Branches, GiveWhatTheTakenOneComputes) {
  Program program("branches");
  Dimension n = program.dimension("n");
  Variable taken = (program / "count").variable("taken", f32, {2});
  program.entry("main", {input("x", f32, {n})}, [&](Tensor x) {
    Tensor plus = 1.0 + x;
    std::vector<Tensor> y = cond(
        sum(x) > 0.0,
        [&] {
          assign(taken, taken + constant({1, 0}, {2}));
          return std::vector<Tensor>{
              repeat(20, plus, [&](Tensor, Tensor root) { return 0.5 * (root + x / root); }),
              sum(plus)};
        },
        [&] {
          assign(taken, taken + constant({0, 1}, {2}));
          return std::vector<Tensor>{-x, sum(x)};
        });
    return result("y", y[0]).result("sum", y[1]).result("taken", taken);
  });
  forBoth(program, [&](Runner &runner) {
    expectClose(runner.call("main", {{{2}, {4, 9}}}), {2, 3, 15, 1, 0}, 1e-5);
    expectClose(runner.call("main", {{{3}, {4, -9, 1}}}), {-4, 9, -1, -4, 1, 1}, 1e-5);
    expectClose(runner.call("main", {{{1}, {16}}}), {4, 17, 2, 1}, 1e-5);
  });
}

// d/dx sum(w sin(x)) or of sum((x w)^2), and for w.
TEST(Branches, HaveTheGradientsOfTheTakenOne) {
  Program program("branches");
  Variable x = (program / "net").variable("x", f32, {3}),
           w = (program / "net").variable("w", f32, {3});
  program.entry("main", {input("flag", f32, {})}, [&](Tensor flag) {
    auto square_of_product = [&] { return std::vector<Tensor>{sum(square(x * w))}; };
    auto weighted_sine = [&] { return std::vector<Tensor>{sum(w * sin(x))}; };
    Tensor y = cond(flag > 0.5, square_of_product, weighted_sine)[0];
    std::vector<Tensor> first = gradient(y, std::vector<Tensor>{x, w});
    Tensor second = gradient(sum(square(first[0])), x);
    return result("dx", first[0]).result("dw", first[1]).result("second", second);
  });
  std::vector<float> xs = {0.5f, -1.f, 2.f}, ws = {1.f, 3.f, -0.5f};
  std::vector<double> product[3], sine[3];
  for (int i = 0; i < 3; ++i) {
    double a = xs[i], b = ws[i];
    product[0].push_back(2 * a * b * b);
    product[1].push_back(2 * b * a * a);
    product[2].push_back(8 * a * b * b * b * b);
    sine[0].push_back(b * std::cos(a));
    sine[1].push_back(std::sin(a));
    sine[2].push_back(-2 * b * b * std::cos(a) * std::sin(a));
  }
  auto joined = [](const auto &parts) {
    std::vector<double> all;
    for (const auto &part : parts)
      all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  forBoth(program, [&](Runner &runner) {
    runner.set(x, xs);
    runner.set(w, ws);
    expectClose(runner.call("main", {{{}, {1}}}), joined(product), 1e-5);
    expectClose(runner.call("main", {{{}, {0}}}), joined(sine), 1e-5);
  });
}

// A branch in each step of a loop, whose condition the step computes: training goes as it does
// where both are computed and one is selected.
TEST(Branches, TrainInTheStepsOfALoop) {
  Program program("branches");
  Dimension length = program.dimension("length"), batch = program.dimension("batch");
  Variable a = (program / "net").variable("a", f32, {4, 4}),
           b = (program / "net").variable("b", f32, {4, 4});
  SGD sgd(program / "sgd", {.learning_rate = 0.1});
  auto train = [&](const std::string &name, bool selects) {
    program.entry(
        name, {input("x", f32, {length, batch, 4}), input("h", f32, {batch, 4})}, training,
        [&](Tensor x, Tensor h) {
          auto step = [&](const Tensor &h, const Tensor &x, const Variable &w) {
            return tanh(matmul(h, w) + x);
          };
          ScanStep all = scan({h}, {x}, [&](const auto &values, const auto &elements) {
            Tensor isPositive = sum(values[0]) > 0.0;
            Tensor next =
                selects
                    ? where(isPositive, step(values[0], elements[0], a),
                            step(values[0], elements[0], b))
                    : cond(
                          isPositive, [&] { return std::vector{step(values[0], elements[0], a)}; },
                          [&] { return std::vector{step(values[0], elements[0], b)}; })[0];
            return ScanStep{{next}, {next}};
          });
          Tensor loss = sum(square(all.outputs[0]));
          sgd.minimize(loss, {a, b});
          return result("loss", loss);
        });
  };
  train("branches", false);
  train("selects", true);
  program.entry("weights", {}, [&] { return result("a", a).result("b", b); });
  Argument x{{5, 2, 4}, signedNumbers(1, 40)}, h{{2, 4}, signedNumbers(2, 8)};
  forBoth(program, [&](Runner &runner) {
    std::vector<double> losses[2], weights[2];
    for (int i : {0, 1}) {
      runner.set(a, signedNumbers(3, 16));
      runner.set(b, signedNumbers(4, 16));
      for (int repetition = 0; repetition < 3; ++repetition)
        losses[i].push_back(runner.call(i ? "selects" : "branches", {x, h}).front());
      weights[i] = runner.call("weights", {});
    }
    expectClose(losses[0], losses[1], 1e-5);
    expectClose(weights[0], weights[1], 1e-5);
  });
}

// As many steps as an argument says, none if it is negative.
TEST(Branches, StepsMayBeCounted) {
  Program program("branches");
  program.entry("power", {input("x", f32, {2}), input("n", f32, {})}, [&](Tensor x, Tensor n) {
    auto times = [&](Tensor, const std::vector<Tensor> &values) {
      return std::vector<Tensor>{values[0] * x};
    };
    return result("y", repeat(cast(n, i64), {ones_like(x)}, times)[0]);
  });
  forBoth(program, [&](Runner &runner) {
    expectClose(runner.call("power", {{{2}, {2, -3}}, {{}, {5}}}), {32, -243}, 1e-6);
    expectClose(runner.call("power", {{{2}, {2, -3}}, {{}, {-2}}}), {1, 1}, 0);
  });
}

// What derivatives need of all steps is kept, in memory of a size that is known before the call.
TEST(Branches, CountedStepsHaveNoGradient) {
  Program program("branches");
  program.entry("main", {input("x", f32, {})}, [&](Tensor x) {
    auto squared = [](Tensor, const std::vector<Tensor> &values) {
      return std::vector<Tensor>{square(values[0])};
    };
    return result("dx", gradient(repeat(cast(x, i64), {x}, squared)[0], x));
  });
  try {
    compile(program);
    FAIL();
  } catch (const std::exception &error) {
    EXPECT_THAT(error.what(),
                HasSubstr("expected a number of steps that is known before the call"));
  }
}

// Loops in loops and after loops: each hands on what it ends with, after an odd or even number of
// steps, whether it computes in place or between two places.
TEST(Loops, HandOnWhatTheyCarry) {
  for (int64_t steps : {0, 1, 2, 3}) {
    Program program("loops");
    program.entry("main", {input("x", f32, {2, 2})}, [&](Tensor x) {
      Tensor w = constant({1, 2, 0.5, -1}, {2, 2});
      auto multiply = [&](Tensor, Tensor value) { return matmul(value, w); };
      auto add = [&](Tensor, Tensor value) { return value + w; };
      auto twice = [&](const auto &first, const auto &second) {
        return [&, first, second](Tensor, Tensor value) {
          return repeat(2, repeat(steps, value, first), second);
        };
      };
      auto mixed = [&](Tensor step, Tensor value) {
        return matmul(repeat(steps, value, add), w) + cast(step, f32);
      };
      return result("a", repeat(3, x + x, twice(multiply, add)))
          .result("b", repeat(3, x + x, twice(add, multiply)))
          .result("c", repeat(3, x + x, mixed));
    });
    std::vector<double> interpreted;
    forBoth(program, [&](Runner &runner) {
      std::vector<double> numbers = runner.call("main", {{{2, 2}, {4, 9, 1, 2}}});
      if (interpreted.empty())
        interpreted = numbers;
      expectClose(numbers, interpreted, 1e-5);
    });
  }
}

template <typename Body> std::string mistake(Body body) {
  try {
    Program program("test");
    program.entry("main", {input("x", f32, {3})}, [&](Tensor x) { body(x); });
  } catch (const BuildError &error) {
    return error.what();
  }
  return "no error";
}

TEST(Branches, NameMistakes) {
  auto give = [](const Tensor &x) { return [=] { return std::vector<Tensor>{x}; }; };
  EXPECT_THAT(mistake([&](Tensor x) { cond(x > 0.0, give(x), give(x)); }),
              HasSubstr("cond: expected a condition, a boolean scalar"));
  EXPECT_THAT(mistake([&](Tensor x) { cond(sum(x) > 0.0, give(x), give(sum(x))); }),
              HasSubstr("cond: value 0 differs in type between the branches"));
  EXPECT_THAT(mistake([&](Tensor x) {
                Tensor leaked;
                cond(sum(x) > 0.0, [&] { return std::vector<Tensor>{leaked = x + 1.0}; }, give(x));
                x + leaked;
              }),
              HasSubstr("a value of a loop's step is used after the loop"));
  EXPECT_THAT(
      mistake([&](Tensor x) { repeat(x, {x}, [](Tensor, const auto &values) { return values; }); }),
      HasSubstr("repeat: expected a number of steps, a scalar of i64"));
}

} // namespace
