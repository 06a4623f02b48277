//===- gen/optimizers.hpp - optimizers --------------------------*- C++ -*-===//
//
// An optimizer makes its state beside the model's variables, under its own scope: PyTorch's names
// after the variable's (adam.vae.fc1.weight.exp_avg). Each variable's update is one chain of
// elementwise ops, which the compiler makes one kernel.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_OPTIMIZERS_HPP
#define GEN_OPTIMIZERS_HPP

#include "gen/builder.hpp"

namespace gen {

struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

/// Adam (Kingma, Ba 2015), as PyTorch computes it: with t steps taken,
///
///   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
///   w = w - learning_rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
class Adam {
public:
  explicit Adam(Scope scope, AdamOptions options = {})
      : scope(std::move(scope)), options(options) {}
  /// Assigns each variable its value after one step down the gradient of the scalar `loss`. All
  /// calls have to be given the same variables: steps are counted for all of them at once.
  void minimize(const Tensor &loss, const std::vector<Variable> &variables,
                SourceLocation where = SourceLocation::current());

private:
  Scope scope;
  AdamOptions options;
  std::vector<std::string> names; ///< of the variables
};

struct SgdOptions {
  double learning_rate = 1e-2;
  double momentum = 0;
};

/// Stochastic gradient descent, as PyTorch computes it: b = momentum b + g, w = w - learning_rate
/// b.
class SGD {
public:
  explicit SGD(Scope scope, SgdOptions options = {}) : scope(std::move(scope)), options(options) {}
  void minimize(const Tensor &loss, const std::vector<Variable> &variables,
                SourceLocation where = SourceLocation::current());

private:
  Scope scope;
  SgdOptions options;
};

} // namespace gen

#endif // GEN_OPTIMIZERS_HPP
