// Losses against PyTorch's numbers (frontend-losses.py), values and gradients, on the reference
// interpreter and compiled; their mistakes.
#include "frontend-losses.inc"
#include "Oracle.h"

#include "gen/losses.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using namespace gen::test;
using testing::HasSubstr;
using Inputs = const std::vector<Variable> &;

Argument signedArray(uint32_t number, const Shape &shape, double bound = 1.0) {
  return {shape, signedNumbers(number, elementsOf(shape), bound)};
}
Argument uniformArray(uint32_t number, const Shape &shape) {
  return {shape, uniformNumbers(number, elementsOf(shape))};
}

const std::vector<float> kLabels = {4, 0, 1, -100, 3, 0};
Tensor labels(DType dtype = i64) { return cast(known(kLabels, {6}), dtype); }
Tensor classWeights() { return known(uniformNumbers(4, 5), {5}); }

// All reductions of a loss of logits [6, 5].
template <typename Loss>
void expectRowLoss(const std::vector<double> &elements, const std::vector<double> &mean,
                   const std::vector<double> &sum, const Loss &loss) {
  auto expect = [&](const std::vector<double> &expected, Reduction reduction) {
    expectLikePyTorch(expected, {signedArray(3, {6, 5}, 4.0)},
                      [&](Inputs v) { return loss(v[0], reduction); });
  };
  expect(elements, Reduction::None);
  expect(mean, Reduction::Mean);
  expect(sum, Reduction::Sum);
}

TEST(Losses, CrossEntropyFollowsPyTorch) {
  expectRowLoss(kCrossEntropySmooth, kCrossEntropySmoothMean, kCrossEntropySmoothSum,
                [](const Tensor &x, Reduction reduction) {
                  return cross_entropy(x, labels(),
                                       {.label_smoothing = 0.1, .reduction = reduction});
                });
  expectRowLoss(kCrossEntropyWeight, kCrossEntropyWeightMean, kCrossEntropyWeightSum,
                [](const Tensor &x, Reduction reduction) {
                  return cross_entropy(x, labels(i32),
                                       {.weight = classWeights(), .reduction = reduction});
                });
  expectRowLoss(kCrossEntropyIgnore, kCrossEntropyIgnoreMean, kCrossEntropyIgnoreSum,
                [](const Tensor &x, Reduction reduction) {
                  return cross_entropy(x, labels(), {.ignore_index = 0, .reduction = reduction});
                });
  expectRowLoss(kCrossEntropyAll, kCrossEntropyAllMean, kCrossEntropyAllSum,
                [](const Tensor &x, Reduction reduction) {
                  return cross_entropy(x, labels(),
                                       {.label_smoothing = 0.3,
                                        .ignore_index = 1,
                                        .weight = classWeights(),
                                        .reduction = reduction});
                });
}

TEST(Losses, NllFollowsPyTorch) {
  expectRowLoss(kNll, kNllMean, kNllSum, [](const Tensor &x, Reduction reduction) {
    return nll(x, labels(), {.weight = classWeights(), .reduction = reduction});
  });
}

TEST(Losses, OfNumbersFollowPyTorch) {
  Argument x = signedArray(3, {2, 3}, 4.0), t = uniformArray(4, {2, 3}),
           v = uniformArray(5, {2, 3});
  expectLikePyTorch(kMseSum, {x, t}, [](Inputs v) { return mse(v[0], v[1], Reduction::Sum); });
  expectLikePyTorch(kL1Elements, {x, t}, [](Inputs v) { return l1(v[0], v[1], Reduction::None); });
  expectLikePyTorch(kHuber, {x, t}, [](Inputs v) { return huber(v[0], v[1]); });
  expectLikePyTorch(kHuberDelta, {x, t}, [](Inputs v) {
    return huber(v[0], v[1], {.delta = 1.7, .reduction = Reduction::None});
  });
  expectLikePyTorch(kSmoothL1, {x, t}, [](Inputs v) { return smooth_l1(v[0], v[1]); });
  expectLikePyTorch(kSmoothL1Beta, {x, t}, [](Inputs v) {
    return smooth_l1(v[0], v[1], {.beta = 1.7, .reduction = Reduction::None});
  });
  expectLikePyTorch(kGaussianNll, {x, t, v},
                    [](Inputs v) { return gaussian_nll(v[0], v[1], v[2]); });
  expectLikePyTorch(kGaussianNllFull, {x, t, uniformArray(5, {2, 1})}, [](Inputs v) {
    return gaussian_nll(v[0], v[1], v[2],
                        {.full = true, .epsilon = 0.5, .reduction = Reduction::None});
  });
}

TEST(Losses, OfDistributionsFollowPyTorch) {
  Argument x = signedArray(3, {2, 3}, 4.0), t = uniformArray(4, {2, 3});
  expectLikePyTorch(kKlDiv, {x, t}, [](Inputs v) { return kl_div(v[0], v[1]); });
  expectLikePyTorch(kKlDivBatchMean, {x, t}, [](Inputs v) {
    return kl_div(v[0], v[1], {.reduction = Reduction::BatchMean});
  });
  expectLikePyTorch(kKlDivLogTarget, {x, t}, [](Inputs v) {
    return kl_div(v[0], v[1], {.log_target = true, .reduction = Reduction::None});
  });
  std::vector<Argument> three;
  for (uint32_t number : {3, 4, 5})
    three.push_back(signedArray(number, {4, 3}));
  expectLikePyTorch(kTripletMargin, three,
                    [](Inputs v) { return triplet_margin(v[0], v[1], v[2]); });
  expectLikePyTorch(kTripletMarginSwap, three, [](Inputs v) {
    return triplet_margin(v[0], v[1], v[2],
                          {.margin = 0.5, .swap = true, .reduction = Reduction::None});
  });
}

TEST(Losses, AdversarialOnesFollowPyTorch) {
  Argument real = signedArray(3, {6, 1}, 2.0), fake = signedArray(4, {6, 1}, 2.0);
  expectLikePyTorch(kHingeDiscriminator, {real, fake},
                    [](Inputs v) { return hinge_discriminator(v[0], v[1]); });
  expectLikePyTorch(kHingeGenerator, {fake}, [](Inputs v) { return hinge_generator(v[0]); });
  expectLikePyTorch(kWassersteinCritic, {real, fake},
                    [](Inputs v) { return wasserstein_critic(v[0], v[1]); });
  expectLikePyTorch(kHingeGenerator, {fake}, [](Inputs v) { return wasserstein_generator(v[0]); });
}

// One program for batches of any size: the first rows of the reference's, whose loss is their mean.
TEST(Losses, OfABatchOfAnySize) {
  Program program("batches");
  Dimension batch = program.dimension("batch");
  program.entry("main", {input("x", f32, {batch, 5}), input("labels", f32, {batch})},
                [](const Tensor &x, const Tensor &given) {
                  CrossEntropyOptions options = {.label_smoothing = 0.1,
                                                 .reduction = Reduction::Mean};
                  return result("loss", cross_entropy(x, cast(given, i64), options))
                      .result("nll", nll(x, cast(given, i64), {.reduction = Reduction::Sum}));
                });
  std::vector<float> x = signedNumbers(3, 30, 4.0);
  forBoth(program, [&](Runner &runner) {
    for (int64_t rows : {2, 6, 3}) {
      double smooth = 0, negative = 0, named = 0;
      for (size_t i = 0; i < static_cast<size_t>(rows); ++i) {
        smooth += kCrossEntropySmooth[i];
        if (kLabels[i] < 0)
          continue;
        negative -= x[5 * i + static_cast<size_t>(kLabels[i])];
        ++named;
      }
      Argument logits = {{rows, 5}, {x.begin(), x.begin() + 5 * rows}};
      Argument given = {{rows}, {kLabels.begin(), kLabels.begin() + rows}};
      expectClose(runner.call("main", {logits, given}), {smooth / named, negative}, 1e-5);
    }
  });
}

TEST(Losses, MistakesAreNamed) {
  Program program("mistakes");
  auto messageOf = [&](auto body) -> std::string {
    try {
      program.entry("main", {input("x", f32, {6, 5})},
                    [&](Tensor x) { return result("y", body(x)); });
    } catch (const BuildError &error) {
      return error.what();
    }
    return "no error";
  };
  auto flat = [] { return zeros({6}); };
  EXPECT_THAT(messageOf([](const Tensor &x) { return cross_entropy(x, zeros({5}, i64)); }),
              HasSubstr("gen.cross_entropy: expected a label of i32 or i64 for each row"));
  EXPECT_THAT(messageOf([&](const Tensor &x) { return nll(x, flat()); }),
              HasSubstr("nll: expected a label of i32 or i64 for each row"));
  EXPECT_THAT(
      messageOf([&](const Tensor &x) { return cross_entropy(x, labels(), {.weight = flat()}); }),
      HasSubstr("expected a weight for each class"));
  EXPECT_THAT(
      messageOf([](const Tensor &x) { return cross_entropy(x, labels(), {.label_smoothing = 2}); }),
      HasSubstr("expected a label_smoothing from 0 to 1, got 2"));
  EXPECT_THAT(messageOf([&](const Tensor &x) { return mse(x, flat()); }),
              HasSubstr("mse: expected prediction and target of one shape"));
  EXPECT_THAT(messageOf([](const Tensor &x) { return huber(x, 0.0, {.delta = 0}); }),
              HasSubstr("huber: expected a positive delta, got 0"));
  EXPECT_THAT(messageOf([&](const Tensor &x) { return triplet_margin(x, x, flat()); }),
              HasSubstr("triplet_margin: expected anchor and negative of one shape"));
  EXPECT_THAT(messageOf([&](const Tensor &x) { return kl_div(x, flat()); }),
              HasSubstr("kl_div: expected input and target of one shape"));
}

} // namespace
