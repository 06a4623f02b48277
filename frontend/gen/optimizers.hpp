//===- gen/optimizers.hpp - optimizers --------------------------*- C++ -*-===//
//
// An optimizer makes its state beside the model's variables, under its own scope: PyTorch's names
// after the variable's (adam.vae.fc1.weight.exp_avg), and the number of steps taken (adam.step).
// Each variable's update is one chain of elementwise ops, which the compiler makes one kernel with
// the last op of its gradient.
//
// One of your own derives from Optimizer, and says what the next value of a variable is.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_OPTIMIZERS_HPP
#define GEN_OPTIMIZERS_HPP

#include "gen/builder.hpp"
#include "gen/schedules.hpp"

namespace gen {

// NOLINTBEGIN(readability-identifier-naming): the field's names

/// How steps are taken, by whatever optimizer. Numbers of 0 leave out what they are for.
struct MinimizeOptions {
  double clip_norm = 0;        ///< the largest Euclidean norm of all gradients together; larger
                               ///< ones are scaled down (PyTorch's clip_grad_norm_)
  double clip_value = 0;       ///< the largest magnitude of an element of a gradient
  int64_t accumulate = 1;      ///< only every n-th call takes a step, down the mean of n gradients
  Schedule schedule = nullptr; ///< a factor on the learning rate (gen/schedules.hpp)
};

// NOLINTEND(readability-identifier-naming)

/// What all optimizers share: gradients, clipping, accumulation, the count of steps.
class Optimizer {
public:
  virtual ~Optimizer() = default;
  /// Assigns each variable its value after one step down the gradient of the scalar `loss`. All
  /// calls have to be given the same variables: steps are counted for all of them at once.
  void minimize(const Tensor &loss, const std::vector<Variable> &variables,
                const MinimizeOptions &options = {},
                SourceLocation where = SourceLocation::current());

protected:
  Optimizer(Scope scope, double learningRate)
      : scope(std::move(scope)), learningRate(learningRate) {}

  /// One variable's part of a step.
  class Update {
  public:
    Update(Scope scope, Variable w, Tensor g, std::vector<Operand> scalars, Tensor isDue)
        : w(std::move(w)), g(std::move(g)), scalars(std::move(scalars)), scope(std::move(scope)),
          isDue(std::move(isDue)) {}
    const Variable w;                   ///< its value before the step
    const Tensor g;                     ///< its gradient
    const std::vector<Operand> scalars; ///< what `scalars` has computed, of w's dtype

    /// State of w's shape: its value before the step. Made at its first use.
    Tensor state(const std::string &name, double initial = 0) const;
    /// Gives state a new value, which it returns.
    Tensor set(const std::string &name, const Tensor &value, double initial = 0) const;
    /// g + factor w: the gradient of the loss and factor / 2 ||w||^2 (L2 regularization).
    Tensor decayed(double factor) const;

  private:
    Variable find(const std::string &name, double initial) const;
    Scope scope;  ///< of w's state
    Tensor isDue; ///< refers to nothing if every call takes a step
  };

  /// What is computed once for all variables, given the number of this step (an f64 scalar, from 1)
  /// and the learning rate (a number, or an f64 scalar).
  virtual std::vector<Operand> scalars(const Tensor &step, const Operand &rate) const;
  /// The variable's value after the step.
  virtual Tensor next(const Update &u) const = 0;

private:
  void check(const std::vector<Variable> &variables, const MinimizeOptions &options,
             SourceLocation where);
  Tensor accumulate(std::vector<Tensor> &gradients, const std::vector<Variable> &variables,
                    int64_t calls) const;

  Scope scope;
  double learningRate;
  std::vector<std::string> names; ///< of the variables
};

struct SgdOptions {
  double learning_rate = 1e-2;
  double momentum = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

/// Stochastic gradient descent, as PyTorch computes it: with g = g + weight_decay w,
/// b = momentum b + g, w = w - learning_rate b; Nesterov's: w = w - learning_rate (g + momentum b).
class SGD : public Optimizer {
public:
  explicit SGD(Scope scope, SgdOptions options = {})
      : Optimizer(std::move(scope), options.learning_rate), options(options) {}

private:
  Tensor next(const Update &u) const override;
  SgdOptions options;
};

struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};

/// Adam (Kingma, Ba 2015), as PyTorch computes it: with t steps taken, and g = g + weight_decay w,
///
///   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
///   w = w - learning_rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
class Adam : public Optimizer {
public:
  explicit Adam(Scope scope, AdamOptions options = {})
      : Optimizer(std::move(scope), options.learning_rate), options(options) {}

private:
  std::vector<Operand> scalars(const Tensor &step, const Operand &rate) const override;
  Tensor next(const Update &u) const override;
  AdamOptions options;
};

struct AdamWOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 1e-2;
};

/// Adam, but the weights decay by themselves: w = w - learning_rate weight_decay w first
/// (Loshchilov, Hutter 2019), as PyTorch computes it.
class AdamW : public Optimizer {
public:
  explicit AdamW(Scope scope, AdamWOptions options = {})
      : Optimizer(std::move(scope), options.learning_rate), options(options) {}

private:
  std::vector<Operand> scalars(const Tensor &step, const Operand &rate) const override;
  Tensor next(const Update &u) const override;
  AdamWOptions options;
};

struct AdagradOptions {
  double learning_rate = 1e-2;
  double epsilon = 1e-10;
  double weight_decay = 0;
  double initial_accumulator_value = 0; // NOLINT(readability-identifier-naming)
};

/// sum = sum + g^2, w = w - learning_rate g / (sqrt(sum) + epsilon) (Duchi et al. 2011), as
/// PyTorch.
class Adagrad : public Optimizer {
public:
  explicit Adagrad(Scope scope, AdagradOptions options = {})
      : Optimizer(std::move(scope), options.learning_rate), options(options) {}

private:
  Tensor next(const Update &u) const override;
  AdagradOptions options;
};

struct RMSpropOptions {
  double learning_rate = 1e-2;
  double alpha = 0.99;
  double epsilon = 1e-8;
  double momentum = 0;
  double weight_decay = 0;
  bool centered = false; ///< by the variance of the gradient, not its second moment
};

/// v = alpha v + (1 - alpha) g^2, b = momentum b + g / (sqrt(v) + epsilon),
/// w = w - learning_rate b (Hinton 2012), as PyTorch.
class RMSprop : public Optimizer {
public:
  explicit RMSprop(Scope scope, RMSpropOptions options = {})
      : Optimizer(std::move(scope), options.learning_rate), options(options) {}

private:
  Tensor next(const Update &u) const override;
  RMSpropOptions options;
};

struct LARSOptions {
  double learning_rate = 0.1;
  double momentum = 0.9;
  double weight_decay = 0;
  double trust = 1e-3; ///< the paper's eta
};

/// Layer-wise adaptive rates (You et al. 2017): with l = trust ||w|| / (||g|| + weight_decay
/// ||w||), or 1 where a norm is 0, b = momentum b + learning_rate l (g + weight_decay w), w = w -
/// b. Biases and scales are usually left to another optimizer.
class LARS : public Optimizer {
public:
  explicit LARS(Scope scope, LARSOptions options = {})
      : Optimizer(std::move(scope), options.learning_rate), options(options) {}

private:
  Tensor next(const Update &u) const override;
  LARSOptions options;
};

struct LAMBOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-6;
  double weight_decay = 1e-2;
};

/// LAMB (You et al. 2020, algorithm 2): Adam's direction r, with u = r + weight_decay w,
/// w = w - learning_rate ||w|| / ||u|| u, or learning_rate u where a norm is 0.
class LAMB : public Optimizer {
public:
  explicit LAMB(Scope scope, LAMBOptions options = {})
      : Optimizer(std::move(scope), options.learning_rate), options(options) {}

private:
  std::vector<Operand> scalars(const Tensor &step, const Operand &rate) const override;
  Tensor next(const Update &u) const override;
  LAMBOptions options;
};

struct FTRLOptions {
  double learning_rate = 1e-3; ///< alpha
  double beta = 0;
  double l1 = 0;
  double l2 = 0;
  double initial_accumulator_value = 0.1; // NOLINT(readability-identifier-naming)
};

/// Follow the regularized leader, proximal (McMahan et al. 2013, algorithm 1): with
/// s = (sqrt(n + g^2) - sqrt(n)) / alpha, z = z + g - s w, n = n + g^2,
/// w = -sign(z) max(|z| - l1, 0) / ((beta + sqrt(n)) / alpha + l2).
class FTRL : public Optimizer {
public:
  explicit FTRL(Scope scope, FTRLOptions options = {})
      : Optimizer(std::move(scope), options.learning_rate), options(options) {}

private:
  Tensor next(const Update &u) const override;
  FTRLOptions options;
};

struct LionOptions {
  double learning_rate = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0;
};

/// w = w - learning_rate (sign(beta1 m + (1 - beta1) g) + weight_decay w),
/// m = beta2 m + (1 - beta2) g (Chen et al. 2023).
class Lion : public Optimizer {
public:
  explicit Lion(Scope scope, LionOptions options = {})
      : Optimizer(std::move(scope), options.learning_rate), options(options) {}

private:
  Tensor next(const Update &u) const override;
  LionOptions options;
};

/// An exponential moving average of the weights: average = decay average + (1 - decay) w after each
/// step, the weights themselves after the first (PyTorch's AveragedModel with get_ema_avg_fn). The
/// averages are variables after the weights' names (ema.unet.conv.weight), and start with the same
/// values.
class EMA {
public:
  explicit EMA(Scope scope, double decay = 0.999) : scope(std::move(scope)), decay(decay) {}
  /// Adds the weights to the averages; after `minimize`, in the same entry.
  void update(const std::vector<Variable> &variables,
              SourceLocation where = SourceLocation::current()) const;
  /// From here on in this entry, the weights' averages stand for them: for sampling.
  void apply(const std::vector<Variable> &variables,
             SourceLocation where = SourceLocation::current()) const;

private:
  Variable average(const Variable &w) const;
  Scope scope;
  double decay;
};

} // namespace gen

#endif // GEN_OPTIMIZERS_HPP
