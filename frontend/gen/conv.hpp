//===- gen/conv.hpp - convolution, pooling and resizing ---------*- C++ -*-===//
//
// Images are [batch, channels, spatial...], weights are PyTorch's; names, options, defaults and
// initial values too. The compiler computes with channels last, whatever the model says.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_CONV_HPP
#define GEN_CONV_HPP

#include "gen/builder.hpp"

#include <concepts>
#include <initializer_list>
#include <optional>
#include <vector>

namespace gen {

// NOLINTBEGIN(readability-identifier-naming): the field's names

/// A number for all spatial axes, or one for each: 2 or {2, 1}.
class PerAxis {
public:
  template <std::integral T>
  PerAxis(T number) // implicit: {.stride = 2}
      : numbers{static_cast<int64_t>(number)} {}
  PerAxis(std::initializer_list<int64_t> numbers) : numbers(numbers) {}
  PerAxis(std::vector<int64_t> numbers) : numbers(std::move(numbers)) {}
  /// True for {}.
  bool empty() const { return numbers.empty(); }
  /// One number for each of `axes` axes; empty if there are others.
  std::vector<int64_t> over(int64_t axes) const;

private:
  std::vector<int64_t> numbers;
};

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

struct ConvOptions {
  PerAxis stride = 1;
  PerAxis padding = 0; ///< zeros before and after
  PerAxis dilation = 1;
  int64_t groups = 1;
};
/// [n, c, spatial...] with a weight [o, c / groups, kernel...] -> [n, o, spatial...].
Tensor conv1d(const Tensor &x, const Tensor &weight, const ConvOptions &options = {},
              SourceLocation where = SourceLocation::current());
Tensor conv2d(const Tensor &x, const Tensor &weight, const ConvOptions &options = {},
              SourceLocation where = SourceLocation::current());
Tensor conv3d(const Tensor &x, const Tensor &weight, const ConvOptions &options = {},
              SourceLocation where = SourceLocation::current());

struct ConvTransposeOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;        ///< taken off both ends of the result
  PerAxis output_padding = 0; ///< added to the end of the result; less than the stride
  PerAxis dilation = 1;
  int64_t groups = 1;
};
/// [n, c, spatial...] with a weight [c, o / groups, kernel...] -> [n, o, spatial...]: the gradient
/// of a convolution with respect to its input.
Tensor conv_transpose1d(const Tensor &x, const Tensor &weight,
                        const ConvTransposeOptions &options = {},
                        SourceLocation where = SourceLocation::current());
Tensor conv_transpose2d(const Tensor &x, const Tensor &weight,
                        const ConvTransposeOptions &options = {},
                        SourceLocation where = SourceLocation::current());
Tensor conv_transpose3d(const Tensor &x, const Tensor &weight,
                        const ConvTransposeOptions &options = {},
                        SourceLocation where = SourceLocation::current());

struct PoolOptions {
  PerAxis stride = {}; ///< the window, if not given
  PerAxis padding = 0; ///< at most half of the window
};
/// The largest element of each window of each channel.
Tensor max_pool1d(const Tensor &x, const PerAxis &window, const PoolOptions &options = {},
                  SourceLocation where = SourceLocation::current());
Tensor max_pool2d(const Tensor &x, const PerAxis &window, const PoolOptions &options = {},
                  SourceLocation where = SourceLocation::current());
Tensor max_pool3d(const Tensor &x, const PerAxis &window, const PoolOptions &options = {},
                  SourceLocation where = SourceLocation::current());
/// The mean of each window; padding counts as zeros (count_include_pad).
Tensor avg_pool1d(const Tensor &x, const PerAxis &window, const PoolOptions &options = {},
                  SourceLocation where = SourceLocation::current());
Tensor avg_pool2d(const Tensor &x, const PerAxis &window, const PoolOptions &options = {},
                  SourceLocation where = SourceLocation::current());
Tensor avg_pool3d(const Tensor &x, const PerAxis &window, const PoolOptions &options = {},
                  SourceLocation where = SourceLocation::current());
/// Means over windows that make `sizes` results; window i of n starts at i size / n, rounded down,
/// and ends at (i + 1) size / n, rounded up. Sizes of the image have to be numbers.
Tensor adaptive_avg_pool1d(const Tensor &x, const PerAxis &sizes,
                           SourceLocation where = SourceLocation::current());
Tensor adaptive_avg_pool2d(const Tensor &x, const PerAxis &sizes,
                           SourceLocation where = SourceLocation::current());
Tensor adaptive_avg_pool3d(const Tensor &x, const PerAxis &sizes,
                           SourceLocation where = SourceLocation::current());
/// The largest elements of the same windows.
Tensor adaptive_max_pool1d(const Tensor &x, const PerAxis &sizes,
                           SourceLocation where = SourceLocation::current());
Tensor adaptive_max_pool2d(const Tensor &x, const PerAxis &sizes,
                           SourceLocation where = SourceLocation::current());
Tensor adaptive_max_pool3d(const Tensor &x, const PerAxis &sizes,
                           SourceLocation where = SourceLocation::current());

/// Repeats each element of the spatial axes `factor` times (PyTorch's interpolate, mode nearest).
Tensor upsample_nearest(const Tensor &x, const PerAxis &factor,
                        SourceLocation where = SourceLocation::current());
/// `factor` times as many elements along the spatial axes, between the old ones in straight lines;
/// their sizes have to be numbers (PyTorch's interpolate, modes linear, bilinear and trilinear,
/// without align_corners).
Tensor upsample_linear(const Tensor &x, const PerAxis &factor,
                       SourceLocation where = SourceLocation::current());
/// Joins the axes from `start` on.
Tensor flatten(const Tensor &x, int64_t start = 1,
               SourceLocation where = SourceLocation::current());

// NOLINTEND(readability-identifier-naming)

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

struct ConvLayerOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;
  PerAxis dilation = 1;
  int64_t groups = 1;
  bool bias = true;
  /// Of the weight; by default uniform in +-1 / sqrt(inputs of one output), as of the bias.
  std::optional<Initializer> initial = {};
};

/// y = convolution of x with weight, + bias.
class Conv {
public:
  Tensor operator()(const Tensor &x, SourceLocation where = SourceLocation::current()) const;

  Variable weight; ///< [outputs, inputs / groups, kernel...]
  Variable bias;   ///< [outputs]; refers to nothing without bias

protected:
  Conv(const Scope &scope, const char *name, int64_t spatialRank, int64_t inputs, int64_t outputs,
       const PerAxis &kernel, ConvLayerOptions options, SourceLocation where);

private:
  std::string path;
  int64_t spatialRank;
  ConvLayerOptions options;
};

class Conv1d : public Conv {
public:
  Conv1d(const Scope &scope, int64_t inputs, int64_t outputs, const PerAxis &kernel,
         ConvLayerOptions options = {}, SourceLocation where = SourceLocation::current())
      : Conv(scope, "Conv1d", 1, inputs, outputs, kernel, std::move(options), where) {}
};
class Conv2d : public Conv {
public:
  Conv2d(const Scope &scope, int64_t inputs, int64_t outputs, const PerAxis &kernel,
         ConvLayerOptions options = {}, SourceLocation where = SourceLocation::current())
      : Conv(scope, "Conv2d", 2, inputs, outputs, kernel, std::move(options), where) {}
};
class Conv3d : public Conv {
public:
  Conv3d(const Scope &scope, int64_t inputs, int64_t outputs, const PerAxis &kernel,
         ConvLayerOptions options = {}, SourceLocation where = SourceLocation::current())
      : Conv(scope, "Conv3d", 3, inputs, outputs, kernel, std::move(options), where) {}
};

struct ConvTransposeLayerOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;
  PerAxis output_padding = 0; // NOLINT(readability-identifier-naming): PyTorch's name
  PerAxis dilation = 1;
  int64_t groups = 1;
  bool bias = true;
  /// As of ConvLayerOptions.
  std::optional<Initializer> initial = {};
};

/// y = transposed convolution of x with weight, + bias.
class ConvTranspose {
public:
  Tensor operator()(const Tensor &x, SourceLocation where = SourceLocation::current()) const;

  Variable weight; ///< [inputs, outputs / groups, kernel...]
  Variable bias;   ///< [outputs]; refers to nothing without bias

protected:
  ConvTranspose(const Scope &scope, const char *name, int64_t spatialRank, int64_t inputs,
                int64_t outputs, const PerAxis &kernel, ConvTransposeLayerOptions options,
                SourceLocation where);

private:
  std::string path;
  int64_t spatialRank;
  ConvTransposeLayerOptions options;
};

class ConvTranspose1d : public ConvTranspose {
public:
  ConvTranspose1d(const Scope &scope, int64_t inputs, int64_t outputs, const PerAxis &kernel,
                  ConvTransposeLayerOptions options = {},
                  SourceLocation where = SourceLocation::current())
      : ConvTranspose(scope, "ConvTranspose1d", 1, inputs, outputs, kernel, std::move(options),
                      where) {}
};
class ConvTranspose2d : public ConvTranspose {
public:
  ConvTranspose2d(const Scope &scope, int64_t inputs, int64_t outputs, const PerAxis &kernel,
                  ConvTransposeLayerOptions options = {},
                  SourceLocation where = SourceLocation::current())
      : ConvTranspose(scope, "ConvTranspose2d", 2, inputs, outputs, kernel, std::move(options),
                      where) {}
};
class ConvTranspose3d : public ConvTranspose {
public:
  ConvTranspose3d(const Scope &scope, int64_t inputs, int64_t outputs, const PerAxis &kernel,
                  ConvTransposeLayerOptions options = {},
                  SourceLocation where = SourceLocation::current())
      : ConvTranspose(scope, "ConvTranspose3d", 3, inputs, outputs, kernel, std::move(options),
                      where) {}
};

} // namespace gen

#endif // GEN_CONV_HPP
