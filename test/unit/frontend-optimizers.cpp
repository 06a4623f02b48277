// Optimizers, what they share, and schedules: fifty steps against PyTorch's and the papers' numbers
// (frontend-optimizers.py), on the reference interpreter and compiled.
#include "frontend-optimizers.inc"
#include "Oracle.h"

#include "gen/loops.hpp"
#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using namespace gen::test;
using testing::HasSubstr;

constexpr int64_t kWeights = 10; // of both variables

// The weights of frontend-optimizers.py, and a step down sum(c (w - x)^2).
struct Descent {
  Program program{"descent"};
  Variable a = (program / "model").variable("a", f32, {4});
  Variable b = (program / "model").variable("b", f32, {2, 3});
  std::vector<Variable> weights = {a, b};

  static std::array<Tensor, 2> parts(const Tensor &flat) {
    return {slice(flat, {0, 0, 4}), reshape(slice(flat, {0, 4, 10}), {2, 3})};
  }

  void train(const std::function<void(const Tensor &loss)> &step) {
    program.entry("train_step", {input("x", f32, {kWeights})}, training, [&](const Tensor &x) {
      std::vector<float> curvatures = uniformNumbers(2, kWeights);
      auto [c, d] = parts(0.5 + known(curvatures, {kWeights}));
      auto [s, t] = parts(x);
      step(sum(c * square(a - s)) + sum(d * square(b - t)));
      return result("a", a).result("b", b);
    });
  }

  void start(Runner &runner) const {
    std::vector<float> values = signedNumbers(1, kWeights);
    runner.set(a, {values.begin(), values.begin() + 4});
    runner.set(b, {values.begin() + 4, values.end()});
  }

  static std::vector<double> step(Runner &runner, uint32_t number) {
    return runner.call("train_step", {{{kWeights}, signedNumbers(100 + number, kWeights)}});
  }

  // The weights, or what the entry `shown` returns, after every tenth of 50 steps.
  void expectPath(const std::vector<double> &expected, const std::string &shown = "") const {
    forBoth(program, [&](Runner &runner) {
      start(runner);
      std::vector<double> path;
      for (uint32_t number = 0; number < 50; ++number) {
        std::vector<double> weights = step(runner, number);
        if (number % 10 != 9)
          continue;
        if (!shown.empty())
          weights = runner.call(shown, {});
        path.insert(path.end(), weights.begin(), weights.end());
      }
      expectClose(path, expected, 1e-5, 5e-7); // of numbers near 1
    });
  }
};

template <typename Optimizer, typename Options>
void expectDescent(const std::vector<double> &expected, const Options &options,
                   const MinimizeOptions &how = {}) {
  Descent descent;
  Optimizer optimizer(descent.program / "optimizer", options);
  descent.train([&](const Tensor &loss) { optimizer.minimize(loss, descent.weights, how); });
  descent.expectPath(expected);
}

TEST(Optimizers, SgdOfAllKindsFollowsPyTorch) {
  expectDescent<SGD>(kSgdDecay, SgdOptions{.learning_rate = 0.05, .weight_decay = 0.1});
  expectDescent<SGD>(kSgdMomentum,
                     SgdOptions{.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.1});
  expectDescent<SGD>(kNesterov,
                     SgdOptions{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true});
}

TEST(Optimizers, AdamAndAdamWFollowPyTorch) {
  expectDescent<Adam>(kAdamDecay, AdamOptions{.learning_rate = 0.05,
                                              .beta1 = 0.8,
                                              .beta2 = 0.99,
                                              .epsilon = 1e-6,
                                              .weight_decay = 0.1});
  expectDescent<AdamW>(kAdamW, AdamWOptions{.learning_rate = 0.05,
                                            .beta1 = 0.8,
                                            .beta2 = 0.99,
                                            .epsilon = 1e-6,
                                            .weight_decay = 0.1});
}

TEST(Optimizers, AdagradAndRmspropFollowPyTorch) {
  expectDescent<Adagrad>(
      kAdagrad,
      AdagradOptions{.learning_rate = 0.1, .weight_decay = 0.1, .initial_accumulator_value = 0.1});
  expectDescent<RMSprop>(kRmsprop,
                         RMSpropOptions{.learning_rate = 0.01, .alpha = 0.9, .weight_decay = 0.1});
  expectDescent<RMSprop>(
      kRmspropCentered,
      RMSpropOptions{
          .learning_rate = 0.01, .alpha = 0.9, .epsilon = 1e-3, .momentum = 0.8, .centered = true});
}

TEST(Optimizers, OfPapersFollowTheirFormulas) {
  expectDescent<LARS>(kLars,
                      LARSOptions{.learning_rate = 0.5, .weight_decay = 0.01, .trust = 0.02});
  expectDescent<LAMB>(kLamb, LAMBOptions{.learning_rate = 0.02, .beta2 = 0.99});
  expectDescent<FTRL>(kFtrl,
                      FTRLOptions{.learning_rate = 0.1, .beta = 0.5, .l1 = 0.05, .l2 = 0.01});
  expectDescent<Lion>(kLion, LionOptions{.learning_rate = 0.01, .weight_decay = 0.1});
}

// With weights of 0 the trust ratio is 1.
TEST(Optimizers, LayersOfZerosAreTrained) {
  auto expectMoved = [](auto makeOptimizer) {
    Program program("zeros");
    Variable w = (program / "model").variable("w", f32, {2});
    auto optimizer = makeOptimizer(program / "optimizer");
    program.entry("train_step", {}, training, [&] {
      optimizer.minimize(sum(w * constant({1, -2}, {2})), {w});
      return result("w", w);
    });
    std::vector<double> moved = Compiled(program).call("train_step", {});
    EXPECT_LT(moved[0], -1e-4);
    EXPECT_GT(moved[1], 1e-4);
  };
  expectMoved([](const Scope &scope) { return LARS(scope); });
  expectMoved([](const Scope &scope) { return LAMB(scope); });
}

TEST(Optimizers, GradientsAreClippedAndAccumulatedAsPyTorchs) {
  SgdOptions sgd = {.learning_rate = 0.05, .momentum = 0.9};
  expectDescent<SGD>(kClipNorm, sgd, {.clip_norm = 0.5});
  expectDescent<SGD>(kClipValue, sgd, {.clip_value = 0.3});
  expectDescent<Adam>(kAccumulated, AdamOptions{.learning_rate = 0.05},
                      {.clip_norm = 1.0, .accumulate = 3});
}

TEST(Optimizers, AveragesOfWeightsFollowPyTorch) {
  Descent descent;
  SGD sgd(descent.program / "sgd", {.learning_rate = 0.05, .momentum = 0.9});
  EMA ema(descent.program / "ema", 0.9);
  descent.train([&](const Tensor &loss) {
    sgd.minimize(loss, descent.weights);
    ema.update(descent.weights);
  });
  descent.program.entry("average", {}, [&] {
    ema.apply(descent.weights);
    return result("a", descent.a).result("b", descent.b);
  });
  descent.expectPath(kAveraged, "average");
}

// Before the first step the averages are the weights; using them leaves the weights as they are,
// also in a loop.
TEST(Optimizers, AveragesStandForTheWeights) {
  Program program("averages");
  Variable w = (program / "model").variable("w", f32, {4}, Initializer::normal(0, 1));
  EMA ema(program / "ema", 0.5);
  program.entry("sample", {}, [&] {
    ema.apply({w});
    return result("x",
                  repeat(2, zeros({4}), [&](const Tensor &, const Tensor &x) { return x + w; }));
  });
  program.entry("step", {}, training, [&] {
    assign(w, w + 1.0);
    ema.update({w});
    return result("w", w);
  });
  program.entry("weights", {}, [&] { return result("w", w); });
  Compiled compiled(program);
  std::vector<double> first = compiled.call("weights", {}), twice = compiled.call("sample", {});
  for (size_t i = 0; i < 4; ++i)
    EXPECT_FLOAT_EQ(static_cast<float>(twice[i]), static_cast<float>(2 * first[i]));
  compiled.call("step", {});
  compiled.call("step", {}); // averages: first + 1.5
  std::vector<double> averages = compiled.call("sample", {}), now = compiled.call("weights", {});
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(averages[i], 2 * (first[i] + 1.5), 1e-5);
    EXPECT_NEAR(now[i], first[i] + 2, 1e-5);
  }
}

// How many kernels a training step of three layers launches.
template <typename Optimizer>
uint64_t launchesOf(const MinimizeOptions &how = {}, bool averages = false) {
  constexpr int64_t kWidth = 64;
  Program program("launches");
  Mlp net(program / "net", {kWidth, kWidth, kWidth, kWidth});
  Optimizer optimizer(program / "optimizer");
  EMA ema(program / "ema");
  program.entry("step", {input("x", f32, {32, kWidth})}, training, [&](const Tensor &x) {
    std::vector<Variable> weights = (program / "net").parameters();
    Tensor loss = mse(net(x), x);
    optimizer.minimize(loss, weights, how);
    if (averages)
      ema.update(weights);
    return result("loss", loss);
  });
  Model model = compile(program);
  Session session(model, {.threads = 1});
  std::vector<float> x(32 * kWidth);
  session.startProfile();
  session.call("step", {View(x.data(), {32, kWidth})});
  uint64_t launches = 0;
  for (const gen_kernel_profile &kernel : session.profile())
    launches += kernel.calls;
  return launches;
}

// The update of each of six variables is part of the kernel of its gradient, whatever the
// optimizer, with moments and averages: what is added are kernels of scalars.
TEST(Optimizers, UpdatesArePartOfTheGradientsKernels) {
  const uint64_t least = launchesOf<SGD>();
  constexpr uint64_t kScalars = 4; // less than there are variables
  EXPECT_LE(launchesOf<Adam>(), least + kScalars);
  EXPECT_LE(launchesOf<AdamW>({.schedule = schedule::cosine(100)}, true), least + kScalars);
  EXPECT_LE(launchesOf<RMSprop>({.clip_value = 1}), least + kScalars);
  EXPECT_LE(launchesOf<Adagrad>(), least + kScalars);
  EXPECT_LE(launchesOf<FTRL>(), least + kScalars);
  EXPECT_LE(launchesOf<Lion>({.accumulate = 2}), least + kScalars);
}

void expectSchedule(const std::vector<double> &expected, const Schedule &schedule) {
  Program program("schedule");
  program.entry("main", {input("step", f32, {})}, [&](const Tensor &step) {
    return result("factor", cast(schedule(cast(step, f64)), f32));
  });
  forBoth(program, [&](Runner &runner) {
    std::vector<double> factors;
    for (size_t step = 0; step < expected.size(); ++step)
      factors.push_back(runner.call("main", {{{}, {static_cast<float>(step)}}}).front());
    expectClose(factors, expected, 1e-5);
  });
}

TEST(Schedules, FollowPyTorch) {
  expectSchedule(kScheduleConstant, schedule::constant(0.25));
  expectSchedule(kScheduleStep, schedule::step(7, 0.5));
  expectSchedule(kScheduleExponential, schedule::exponential(0.9));
  expectSchedule(kScheduleLinear, schedule::linear(25, 0.2, 0.8));
  expectSchedule(kScheduleCosine, schedule::cosine(39, 0.05));
  expectSchedule(kScheduleOneCycle, schedule::one_cycle(40));
  expectSchedule(kScheduleWarmUp, schedule::warm_up(10, schedule::cosine(30)));
  expectSchedule(kScheduleInverseSqrt, schedule::inverse_sqrt(12));
  expectDescent<AdamW>(kScheduled, AdamWOptions{.learning_rate = 0.05},
                       {.schedule = schedule::cosine(60)});
}

// After the last step of a schedule its end stays.
TEST(Schedules, Stay) {
  expectSchedule({1, 0.5, 0, 0, 0}, schedule::cosine(2));
  expectSchedule({0, 0.5, 1, 1, 1}, schedule::linear(2, 0, 1));
}

// All that a step depends on is in variables: a session that is given them goes on with equal bits.
TEST(Schedules, ResumedTrainingGoesOnExactly) {
  Descent descent;
  AdamW adam(descent.program / "adam", {.learning_rate = 0.05});
  EMA ema(descent.program / "ema");
  descent.train([&](const Tensor &loss) {
    adam.minimize(loss, descent.weights,
                  {.accumulate = 2, .schedule = schedule::warm_up(8, schedule::cosine(20))});
    ema.update(descent.weights);
  });
  Model model = compile(descent.program);
  auto steps = [](Session &session, uint32_t first, uint32_t limit) {
    std::vector<float> weights;
    for (uint32_t number = first; number < limit; ++number) {
      std::vector<float> x = signedNumbers(100 + number, kWeights);
      Results results = session.call("train_step", {View(x.data(), {kWeights})});
      const float *a = results["a"].data<float>();
      weights.insert(weights.end(), a, a + 4);
    }
    return weights;
  };
  Session session(model), resumed(model);
  steps(session, 0, 21);
  for (const Variable &variable : descent.program.variables())
    resumed.setVariable(variable.name(), session.variable(variable.name()));
  EXPECT_EQ(steps(resumed, 21, 40), steps(session, 21, 40));
}

TEST(Schedules, MistakesAreNamed) {
  auto messageOf = [](auto body) -> std::string {
    try {
      body();
    } catch (const BuildError &error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(messageOf([] { schedule::cosine(0); }),
              HasSubstr("schedule::cosine: expected a number of steps above 0"));
  EXPECT_THAT(messageOf([] { schedule::one_cycle(2); }),
              HasSubstr("schedule::one_cycle: expected"));
  Descent descent;
  SGD sgd(descent.program / "sgd");
  auto minimize = [&](const MinimizeOptions &options) {
    return messageOf([&] {
      descent.train([&](const Tensor &loss) { sgd.minimize(loss, descent.weights, options); });
    });
  };
  EXPECT_THAT(minimize({.accumulate = 0}), HasSubstr("sgd.minimize: expected accumulate of 1"));
  EXPECT_THAT(minimize({.clip_norm = -1}), HasSubstr("clip_norm and clip_value of 0 or more"));
}

} // namespace
