//===- gen/activations.hpp - activation functions ---------------*- C++ -*-===//
//
// Activations that are compositions of other functions: as their ops meet in one kernel, they cost
// what one op would, forward and backward. Names, formulas and defaults are PyTorch's.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_ACTIVATIONS_HPP
#define GEN_ACTIVATIONS_HPP

#include "gen/tensor.hpp"

namespace gen {

/// How `gelu` computes the normal distribution function.
enum class Approximate {
  None, ///< by erf
  Tanh  ///< tanh(sqrt(2 / pi) (x + 0.044715 x^3)), Hendrycks, Gimpel 2016
};

/// x times the probability that a standard normal number is below x.
Tensor gelu(const Tensor &x, Approximate approximate = Approximate::None,
            SourceLocation where = SourceLocation::current());
/// x sigmoid(x), also called swish.
Tensor silu(const Tensor &x, SourceLocation where = SourceLocation::current());
/// log(1 + e^x), without overflow.
Tensor softplus(const Tensor &x, SourceLocation where = SourceLocation::current());
/// x where x > 0, else alpha (e^x - 1).
Tensor elu(const Tensor &x, double alpha = 1, SourceLocation where = SourceLocation::current());
/// 1.0507 times elu of alpha 1.6733, which keeps mean 0 and variance 1 (Klambauer et al. 2017).
Tensor selu(const Tensor &x, SourceLocation where = SourceLocation::current());
/// x, but no less than `low` and no more than `high`; relu6 is hardtanh(x, 0, 6).
Tensor hardtanh(const Tensor &x, double low = -1, double high = 1,
                SourceLocation where = SourceLocation::current());
/// max(min(x / 6 + 1 / 2, 1), 0).
Tensor hardsigmoid(const Tensor &x, SourceLocation where = SourceLocation::current());
/// x hardsigmoid(x).
Tensor hardswish(const Tensor &x, SourceLocation where = SourceLocation::current());

} // namespace gen

#endif // GEN_ACTIVATIONS_HPP
