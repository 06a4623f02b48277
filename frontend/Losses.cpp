//===- Losses.cpp - losses ------------------------------------------------===//

#include "gen/losses.hpp"
#include "Ops.h"
#include "gen/norm.hpp"

#include <cmath>
#include <numbers>

using namespace gen::detail;

namespace gen {

static Tensor reduced(const Tensor &losses, Reduction reduction) {
  switch (reduction) {
  case Reduction::None:
    return losses;
  case Reduction::Mean:
    return mean(losses);
  case Reduction::Sum:
    return sum(losses);
  case Reduction::BatchMean:
    return sum(losses) / cast(losses.rank() ? losses.dimension(0) : 1, losses.dtype());
  }
  return {};
}

/// Broadcasting [n, 1] against [n] would give the losses of all pairs.
static void requireSameShape(const char *name, const char *lhsName, const Tensor &lhs,
                             const char *rhsName, const Operand &rhs, SourceLocation where) {
  requireFloat(name, lhs, where);
  if (rhs.isNumber || lhs.shape() == rhs.tensor.shape())
    return;
  throw Diagnostic(where, name,
                   std::string("expected ") + lhsName + " and " + rhsName + " of one shape")
      .operand(lhsName, lhs)
      .operand(rhsName, rhs.tensor)
      .hint("reshape or broadcast_to make them equal")
      .error();
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

Tensor bce(const Tensor &probabilities, const Operand &targets, SourceLocation where) {
  SourceScope scope(where);
  // The inner choice keeps log(0) away: its infinite derivative times 0 would be NaN.
  auto logarithm = [](const Tensor &p) {
    return gen::where(p > 0.0, log(gen::where(p > 0.0, p, 1.0)), -100.0);
  };
  Tensor yes = logarithm(probabilities), no = logarithm(1.0 - probabilities);
  return -(targets * yes + (1.0 - targets) * no);
}

namespace {
/// A label for each row of `scores` [..., classes], and a weight for each class.
class LabeledRows {
public:
  LabeledRows(const char *name, const Tensor &scores, const Tensor &given, int64_t ignored,
              const Tensor &weight, SourceLocation where)
      : scores(scores), labels(given), weight(weight) {
    requireFloat(name, scores, where);
    Shape rows = scores.shape();
    if (!rows.empty())
      rows.pop_back();
    if (scores.rank() < 1 || rows != given.shape() ||
        (given.dtype() != i32 && given.dtype() != i64))
      throw Diagnostic(where, name,
                       "expected a label of i32 or i64 for each row of logits along the last axis")
          .operand("logits", scores)
          .operand("labels", given)
          .error();
    if (weight.handle() &&
        (weight.dtype() != scores.dtype() || weight.shape() != Shape{scores.dimension(-1)}))
      throw Diagnostic(where, name, "expected a weight for each class")
          .operand("logits", scores)
          .operand("weight", weight)
          .error();
    if (ignored >= 0)
      labels = gen::where(equal(given, ignored), -1, given);
  }

  /// Whether each label names a class.
  Tensor isLabeled() const {
    return labels >= 0 && labels < cast(scores.dimension(-1), labels.dtype());
  }
  /// The score of each row's label; 0 where it names no class.
  Tensor picked() const {
    Tensor flat = reshape(cast(labels, i64), {-1}), row = iota(flat.shape(), 0, i64);
    Tensor position = row * cast(scores.dimension(-1), i64) + flat;
    position = gen::where(reshape(isLabeled(), flat.shape()), position, -1);
    return reshape(gather(reshape(scores, {-1}), position), labels.shape());
  }
  Tensor weighted(const Tensor &losses) const {
    return weight.handle() ? gather(weight, labels) * losses : losses;
  }
  Tensor reduce(const Tensor &losses, Reduction reduction) const {
    if (reduction != Reduction::Mean)
      return reduced(losses, reduction);
    Tensor weights = weight.handle() ? gather(weight, labels) : cast(isLabeled(), losses.dtype());
    return sum(losses) / sum(weights);
  }

  Tensor scores, labels, weight;
};
} // namespace

Tensor cross_entropy(const Tensor &logits, const Tensor &labels, const CrossEntropyOptions &options,
                     SourceLocation where) {
  constexpr const char *kName = "gen.cross_entropy";
  SourceScope scope(where);
  LabeledRows rows(kName, logits, labels, options.ignore_index, options.weight, where);
  const double smoothing = options.label_smoothing;
  if (!(smoothing >= 0 && smoothing <= 1))
    throw Diagnostic(where, kName,
                     "expected a label_smoothing from 0 to 1, got " + numberText(smoothing))
        .error();
  Entry &entry = Entry::current(kName, where);
  mlir::Value x = entry.value(logits, where), classes = entry.value(rows.labels, where);
  Tensor loss = rows.weighted(entry.emit<mlir::gen::CrossEntropyOp>(
      where, logits.dtype(), labels.shape(),
      callText("cross_entropy", {logits.text(), labels.text()}), x, classes));
  if (smoothing > 0) {
    Tensor all = log_softmax(logits, -1);
    Tensor spread = -mean(options.weight.handle() ? all * options.weight : all, {.axes = {-1}});
    loss = (1 - smoothing) * loss + smoothing * gen::where(rows.isLabeled(), spread, 0.0);
  }
  return rows.reduce(loss, options.reduction);
}

Tensor nll(const Tensor &log_probabilities, const Tensor &labels, const NllOptions &options,
           SourceLocation where) {
  SourceScope scope(where);
  LabeledRows rows("nll", log_probabilities, labels, options.ignore_index, options.weight, where);
  return rows.reduce(rows.weighted(-rows.picked()), options.reduction);
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Tensor mse(const Tensor &prediction, const Operand &target, Reduction reduction,
           SourceLocation where) {
  SourceScope scope(where);
  requireSameShape("mse", "prediction", prediction, "target", target, where);
  return reduced(square(prediction - target), reduction);
}

Tensor l1(const Tensor &prediction, const Operand &target, Reduction reduction,
          SourceLocation where) {
  SourceScope scope(where);
  requireSameShape("l1", "prediction", prediction, "target", target, where);
  return reduced(abs(prediction - target), reduction);
}

/// d^2 / 2 where |d| < knee, else knee (|d| - knee / 2).
static Tensor huberOf(const char *name, const char *knob, const Tensor &prediction,
                      const Operand &target, double knee, SourceLocation where) {
  requireSameShape(name, "prediction", prediction, "target", target, where);
  if (!(knee > 0))
    throw Diagnostic(where, name,
                     std::string("expected a positive ") + knob + ", got " + numberText(knee))
        .error();
  Tensor d = prediction - target, size = abs(d);
  return gen::where(size < knee, 0.5 * square(d), knee * (size - 0.5 * knee));
}

Tensor huber(const Tensor &prediction, const Operand &target, const HuberOptions &options,
             SourceLocation where) {
  SourceScope scope(where);
  return reduced(huberOf("huber", "delta", prediction, target, options.delta, where),
                 options.reduction);
}

Tensor smooth_l1(const Tensor &prediction, const Operand &target, const SmoothL1Options &options,
                 SourceLocation where) {
  SourceScope scope(where);
  Tensor losses = huberOf("smooth_l1", "beta", prediction, target, options.beta, where);
  return reduced(losses / options.beta, options.reduction);
}

Tensor gaussian_nll(const Tensor &mean, const Operand &target, const Tensor &variance,
                    const GaussianNllOptions &options, SourceLocation where) {
  SourceScope scope(where);
  requireSameShape("gaussian_nll", "mean", mean, "target", target, where);
  Tensor bounded = variance + stop_gradient(maximum(variance, options.epsilon) - variance);
  Tensor losses = 0.5 * (log(bounded) + square(mean - target) / bounded);
  if (options.full)
    losses = losses + 0.5 * std::log(2 * std::numbers::pi);
  return reduced(losses, options.reduction);
}

//===----------------------------------------------------------------------===//
// Distributions and distances
//===----------------------------------------------------------------------===//

Tensor kl_standard_normal(const Tensor &mean, const Tensor &log_variance, SourceLocation where) {
  SourceScope scope(where);
  return 0.5 * (square(mean) + exp(log_variance) - log_variance - 1.0);
}

Tensor kl_div(const Tensor &input, const Tensor &target, const KlDivOptions &options,
              SourceLocation where) {
  SourceScope scope(where);
  requireSameShape("kl_div", "input", input, "target", target, where);
  if (options.log_target)
    return reduced(exp(target) * (target - input), options.reduction);
  Tensor isSome = target > 0.0;
  Tensor entropy = gen::where(isSome, target * log(gen::where(isSome, target, 1.0)), 0.0);
  return reduced(entropy - target * input, options.reduction);
}

Tensor triplet_margin(const Tensor &anchor, const Tensor &positive, const Tensor &negative,
                      const TripletMarginOptions &options, SourceLocation where) {
  SourceScope scope(where);
  requireSameShape("triplet_margin", "anchor", anchor, "positive", positive, where);
  requireSameShape("triplet_margin", "anchor", anchor, "negative", negative, where);
  auto distance = [&](const Tensor &lhs, const Tensor &rhs) {
    return norm(lhs - rhs + options.epsilon, {.axes = {-1}});
  };
  Tensor far = distance(anchor, negative);
  if (options.swap)
    far = minimum(far, distance(positive, negative));
  return reduced(relu(distance(anchor, positive) - far + options.margin), options.reduction);
}

//===----------------------------------------------------------------------===//
// Adversarial
//===----------------------------------------------------------------------===//

Tensor hinge_discriminator(const Tensor &real, const Tensor &fake, SourceLocation where) {
  SourceScope scope(where);
  return mean(relu(1.0 - real)) + mean(relu(1.0 + fake));
}

Tensor hinge_generator(const Tensor &fake, SourceLocation where) {
  SourceScope scope(where);
  return -mean(fake);
}

Tensor wasserstein_critic(const Tensor &real, const Tensor &fake, SourceLocation where) {
  SourceScope scope(where);
  return mean(fake) - mean(real);
}

Tensor wasserstein_generator(const Tensor &fake, SourceLocation where) {
  SourceScope scope(where);
  return -mean(fake);
}

} // namespace gen
