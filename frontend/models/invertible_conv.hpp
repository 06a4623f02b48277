//===- models/invertible_conv.hpp - a matrix on channels --------*- C++ -*-===//
//
// The invertible 1x1 convolution of Glow (Kingma, Dhariwal, NeurIPS 2018), in the form of 3.2: its
// matrix is P L (U + diag(s)) with a permutation P, a triangle L with ones on the diagonal, and a
// triangle U with zeros there, so that the logarithm of the determinant is the sum of log |s|. At
// first it is a rotation that depends on `seed` alone; the variables are what is added to that
// one's L, U and log |s|, 0 at first. P and the signs of s do not change.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_INVERTIBLE_CONV_HPP
#define GEN_MODELS_INVERTIBLE_CONV_HPP

#include "gen/builder.hpp"
#include "models/flow.hpp"

namespace gen::zoo {

/// How many pixels an image [batch, channels, height, width] has.
double areaOf(const Tensor &x);

class InvertibleConv {
public:
  InvertibleConv(const Scope &scope, int64_t channels, uint64_t seed);
  /// The values have x's shape; the determinant, that of all pixels together, is a scalar.
  Mapped forward(const Tensor &x) const;
  Tensor inverse(const Tensor &z) const;

private:
  Tensor apply(const Tensor &x, const Tensor &matrix) const;

  int64_t channels;
  Variable lower, upper, logScale;
  // Of the first matrix; `below` has ones where L has variables.
  Tensor firstPermutation, firstLower, firstUpper, firstLogScale, signs, below, one;
};

} // namespace gen::zoo

#endif // GEN_MODELS_INVERTIBLE_CONV_HPP
