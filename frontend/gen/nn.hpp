//===- gen/nn.hpp - layers --------------------------------------*- C++ -*-===//
//
// A layer is a plain struct: its constructor makes variables under a scope, with the names, shapes
// and initial values of PyTorch's layer of the same name; calling it records its ops.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_NN_HPP
#define GEN_NN_HPP

#include "gen/activations.hpp"
#include "gen/builder.hpp"

namespace gen {

struct LinearOptions {
  bool bias = true;
};

/// y = x weight^T + bias, over the last axis: [..., inputs] -> [..., outputs]. Initial values are
/// uniform in
/// +-1 / sqrt(inputs).
class Linear {
public:
  Linear(const Scope &scope, int64_t inputs, int64_t outputs, LinearOptions options = {},
         SourceLocation where = SourceLocation::current());
  Tensor operator()(const Tensor &x, SourceLocation where = SourceLocation::current()) const;

  Variable weight; ///< [outputs, inputs]
  Variable bias;   ///< [outputs]; refers to nothing without bias

private:
  std::string path;
};

/// A table of rows that are looked up by number: [i...] -> [i..., width]. Initial values are normal
/// with deviation 1.
class Embedding {
public:
  Embedding(const Scope &scope, int64_t rows, int64_t width,
            Initializer initial = Initializer::normal(0, 1),
            SourceLocation where = SourceLocation::current());
  Tensor operator()(const Tensor &indices, SourceLocation where = SourceLocation::current()) const;

  Variable weight; ///< [rows, width]

private:
  std::string path;
};

/// A function on tensors as a layer.
using Layer = std::function<Tensor(const Tensor &, SourceLocation)>;

/// Activations as layers; as functions they are relu(x), ...
Layer ReLU();                         // NOLINT(readability-identifier-naming): PyTorch's names
Layer LeakyReLU(double slope = 0.01); // NOLINT(readability-identifier-naming)
Layer Tanh();                         // NOLINT(readability-identifier-naming)
Layer Sigmoid();                      // NOLINT(readability-identifier-naming)
Layer GELU(Approximate approximate = Approximate::None); // NOLINT(readability-identifier-naming)
Layer SiLU();                                            // NOLINT(readability-identifier-naming)
Layer Softplus();                                        // NOLINT(readability-identifier-naming)
Layer ELU(double alpha = 1);                             // NOLINT(readability-identifier-naming)
Layer SELU();                                            // NOLINT(readability-identifier-naming)

/// In training entries: each element is 0 with the given probability, the others are scaled by
/// 1 / (1 - probability); elsewhere `x` (Srivastava et al. 2014). Which ones is a function of the
/// session's seed, the call and the position, which can be computed again rather than kept.
Tensor dropout(const Tensor &x, double probability = 0.5,
               SourceLocation where = SourceLocation::current());
/// The same of whole channels: x [batch, channels, ...] (Tompson et al. 2015).
Tensor dropout_channels(const Tensor &x, double probability = 0.5, // NOLINT: as the others
                        SourceLocation where = SourceLocation::current());
/// As layers; Dropout2d is for channels of any number of spatial axes.
Layer Dropout(double probability = 0.5);   // NOLINT(readability-identifier-naming)
Layer Dropout2d(double probability = 0.5); // NOLINT(readability-identifier-naming)

/// x where x > 0, else weight x: one weight for all, or one a channel (axis 1). Initially 0.25.
class PReLU {
public:
  explicit PReLU(const Scope &scope, int64_t parameters = 1, double initial = 0.25,
                 SourceLocation where = SourceLocation::current());
  Tensor operator()(const Tensor &x, SourceLocation where = SourceLocation::current()) const;

  Variable weight; ///< [parameters]

private:
  std::string path;
};

/// Layers one after another. Number i makes its variables under scope / i:
///
///   Sequential generator(program / "g");
///   generator.linear(100, 256).add(LeakyReLU(0.2)).linear(256, 784).add(Tanh());
class Sequential {
public:
  explicit Sequential(Scope scope) : scope(std::move(scope)) {}
  Sequential &add(Layer layer);
  Sequential &linear(int64_t inputs, int64_t outputs, LinearOptions options = {},
                     SourceLocation where = SourceLocation::current());
  /// The scope of the next layer: images.add(Conv2d(images.next(), 3, 64, 3)).
  Scope next() const { return scope / static_cast<int64_t>(layers.size()); }
  Tensor operator()(const Tensor &x, SourceLocation where = SourceLocation::current()) const;

private:
  Scope scope;
  std::vector<Layer> layers;
};

struct MlpOptions {
  Layer activation = ReLU(); ///< after every linear layer but the last
  Layer last = nullptr;      ///< after the last one, if given
};

/// Linear layers of the given sizes with activations between, numbered as one Sequential.
class Mlp : public Sequential {
public:
  Mlp(const Scope &scope, const std::vector<int64_t> &sizes, const MlpOptions &options = {},
      SourceLocation where = SourceLocation::current());
};

} // namespace gen

#include "gen/conv.hpp"
#include "gen/norm.hpp"

#endif // GEN_NN_HPP
