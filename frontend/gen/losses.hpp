//===- gen/losses.hpp - losses ----------------------------------*- C++ -*-===//
//
// Formulas, names and defaults are PyTorch's, but for the reduction of those that have always been
// element by element here (bce, cross_entropy, nll, kl_standard_normal). A loss of your own is a
// function of tensors like these.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_LOSSES_HPP
#define GEN_LOSSES_HPP

#include "gen/ops.hpp"

namespace gen {

// NOLINTBEGIN(readability-identifier-naming): the field's names

/// What becomes of the losses of the elements.
enum class Reduction {
  None,     ///< they are the result
  Mean,     ///< their mean
  Sum,      ///< their sum
  BatchMean ///< their sum over the size of axis 0
};

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

/// -(targets log(p) + (1 - targets) log(1 - p)), element by element; log(0) is -100 (as PyTorch)
/// and passes no gradient back. Prefer `bce_with_logits` (gen/ops.hpp) where there are logits.
Tensor bce(const Tensor &probabilities, const Operand &targets,
           SourceLocation where = SourceLocation::current());

struct CrossEntropyOptions {
  double label_smoothing = 0;  ///< the part of each target that is spread over all classes
  int64_t ignore_index = -100; ///< a label that is ignored, as every one that names no class
  Tensor weight = {};          ///< [classes]: each row's loss is scaled by its label's
  Reduction reduction = Reduction::None; ///< Mean divides by the weights of the rows not ignored
};
/// -log softmax(logits) at each label: logits [..., classes] and labels [...] (i32 or i64) ->
/// [...]. Rows with an ignored label are 0. PyTorch's cross_entropy, classes last.
Tensor cross_entropy(const Tensor &logits, const Tensor &labels,
                     const CrossEntropyOptions &options = {},
                     SourceLocation where = SourceLocation::current());

struct NllOptions {
  int64_t ignore_index = -100;
  Tensor weight = {};
  Reduction reduction = Reduction::None;
};
/// -log_probabilities at each label: [..., classes] and labels [...] -> [...]. PyTorch's nll_loss,
/// classes last; options as of cross_entropy.
Tensor nll(const Tensor &log_probabilities, const Tensor &labels, const NllOptions &options = {},
           SourceLocation where = SourceLocation::current());

//===----------------------------------------------------------------------===//
// Numbers: prediction and target have one shape, or the target is a number
//===----------------------------------------------------------------------===//

/// (prediction - target)^2.
Tensor mse(const Tensor &prediction, const Operand &target, Reduction reduction = Reduction::Mean,
           SourceLocation where = SourceLocation::current());
/// |prediction - target|.
Tensor l1(const Tensor &prediction, const Operand &target, Reduction reduction = Reduction::Mean,
          SourceLocation where = SourceLocation::current());

struct HuberOptions {
  double delta = 1;
  Reduction reduction = Reduction::Mean;
};
/// d^2 / 2 where |d| < delta, else delta (|d| - delta / 2); d = prediction - target (Huber 1964).
Tensor huber(const Tensor &prediction, const Operand &target, const HuberOptions &options = {},
             SourceLocation where = SourceLocation::current());

struct SmoothL1Options {
  double beta = 1;
  Reduction reduction = Reduction::Mean;
};
/// d^2 / (2 beta) where |d| < beta, else |d| - beta / 2 (Girshick 2015).
Tensor smooth_l1(const Tensor &prediction, const Operand &target,
                 const SmoothL1Options &options = {},
                 SourceLocation where = SourceLocation::current());

struct GaussianNllOptions {
  bool full = false;     ///< with the constant log(2 pi) / 2
  double epsilon = 1e-6; ///< the least variance; gradients go through as if there were none
  Reduction reduction = Reduction::Mean;
};
/// (log(variance) + (mean - target)^2 / variance) / 2. The variance may broadcast.
Tensor gaussian_nll(const Tensor &mean, const Operand &target, const Tensor &variance,
                    const GaussianNllOptions &options = {},
                    SourceLocation where = SourceLocation::current());

//===----------------------------------------------------------------------===//
// Distributions and distances
//===----------------------------------------------------------------------===//

/// KL divergence of N(mean, exp(log_variance)) from N(0, 1), element by element
/// (Kingma, Welling 2014, appendix B): (mean^2 + exp(log_variance) - log_variance - 1) / 2.
Tensor kl_standard_normal(const Tensor &mean, const Tensor &log_variance,
                          SourceLocation where = SourceLocation::current());

struct KlDivOptions {
  bool log_target = false; ///< the target is the logarithm of the probabilities
  Reduction reduction = Reduction::Mean;
};
/// target (log(target) - input), 0 where the target is 0: the divergence of the target's
/// distribution from that whose log-probabilities `input` are. BatchMean is the one of the books.
Tensor kl_div(const Tensor &input, const Tensor &target, const KlDivOptions &options = {},
              SourceLocation where = SourceLocation::current());

struct TripletMarginOptions {
  double margin = 1;
  double epsilon = 1e-6; ///< added to each difference
  bool swap = false;     ///< the negative's distance from the positive, where that is less
  Reduction reduction = Reduction::Mean;
};
/// max(d(anchor, positive) - d(anchor, negative) + margin, 0), Euclidean distances along the last
/// axis: three tensors [..., width] (Balntas et al. 2016).
Tensor triplet_margin(const Tensor &anchor, const Tensor &positive, const Tensor &negative,
                      const TripletMarginOptions &options = {},
                      SourceLocation where = SourceLocation::current());

//===----------------------------------------------------------------------===//
// Adversarial: means over all logits (scores) of real and generated examples
//===----------------------------------------------------------------------===//

/// mean(max(1 - real, 0)) + mean(max(1 + fake, 0)) (Lim, Ye 2017; Miyato et al. 2018).
Tensor hinge_discriminator(const Tensor &real, const Tensor &fake,
                           SourceLocation where = SourceLocation::current());
/// -mean(fake).
Tensor hinge_generator(const Tensor &fake, SourceLocation where = SourceLocation::current());
/// mean(fake) - mean(real) (Arjovsky et al. 2017): what the critic makes small.
Tensor wasserstein_critic(const Tensor &real, const Tensor &fake,
                          SourceLocation where = SourceLocation::current());
/// -mean(fake).
Tensor wasserstein_generator(const Tensor &fake, SourceLocation where = SourceLocation::current());

// NOLINTEND(readability-identifier-naming)

} // namespace gen

#endif // GEN_LOSSES_HPP
