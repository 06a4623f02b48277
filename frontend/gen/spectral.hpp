//===- gen/spectral.hpp - spectral normalization ----------------*- C++ -*-===//
//
// A layer whose weight is divided by its largest singular value, which power iteration follows from
// step to step.
//
// Miyato et al.: Spectral Normalization for Generative Adversarial Networks, 2018.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_SPECTRAL_HPP
#define GEN_SPECTRAL_HPP

#include "gen/nn.hpp"

namespace gen {

struct SpectralNormOptions {
  int64_t iterations = 1; ///< of the power method in each use in a training entry
  double epsilon = 1e-12; ///< the least norm by which a vector is divided
};

/// A weight over its largest singular value, as PyTorch's parametrization computes it, with its
/// state: the variables parametrizations.weight.0._u and ._v under the layer's scope, random at
/// first, and a good estimate after some steps of training. Other entries only read them.
class SpectralWeight {
public:
  /// `axis` counts outputs; all other axes of the weight are those of inputs.
  SpectralWeight(const Scope &scope, Variable weight, int64_t axis, SpectralNormOptions options,
                 SourceLocation where = SourceLocation::current());
  Tensor operator()(SourceLocation where = SourceLocation::current()) const;

  Variable weight, u, v; ///< the weight before division; [outputs], [inputs]

private:
  int64_t axis;
  SpectralNormOptions options;
};

/// A layer with a weight so divided, to be called in its place:
///
///   SpectralNorm conv(scope, Conv2d(scope, 3, 64, 3));
template <typename WeightedLayer> class SpectralNorm {
public:
  /// `scope` is the layer's.
  SpectralNorm(const Scope &scope, WeightedLayer layer, SpectralNormOptions options = {},
               SourceLocation where = SourceLocation::current())
      : layer(std::move(layer)), divided(scope, this->layer.weight, kAxis, options, where) {}

  Tensor operator()(const Tensor &x, SourceLocation where = SourceLocation::current()) const {
    SourceScope scope(where);
    WeightedLayer copy = layer;
    copy.weight = Variable(divided(where).handle());
    return copy(x, where);
  }

  const WeightedLayer layer;
  const SpectralWeight divided;

private:
  /// Weights of transposed convolutions are [inputs, outputs, ...].
  static constexpr int64_t kAxis = std::is_base_of_v<ConvTranspose, WeightedLayer> ? 1 : 0;
};

} // namespace gen

#endif // GEN_SPECTRAL_HPP
