//===- gen/norm.hpp - softmax and normalization -----------------*- C++ -*-===//
//
// Functions, and layers with the variables, names, defaults and initial values of PyTorch's layers
// of the same name. Channels are axis 1.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_NORM_HPP
#define GEN_NORM_HPP

#include "gen/builder.hpp"

namespace gen {

// NOLINTBEGIN(readability-identifier-naming): the field's names

/// exp(x) / sum(exp(x)) along an axis; negative axes count from the last.
Tensor softmax(const Tensor &x, int64_t axis, SourceLocation where = SourceLocation::current());
/// Its logarithm, without overflow.
Tensor log_softmax(const Tensor &x, int64_t axis, SourceLocation where = SourceLocation::current());

/// (x - mean) / sqrt(variance + epsilon) * scale + bias over the last axes of `x`, those of
/// `scale`.
Tensor layer_norm(const Tensor &x, const Tensor &scale, const Tensor &bias, double epsilon = 1e-5,
                  SourceLocation where = SourceLocation::current());
/// x / sqrt(mean(x * x) + epsilon) * scale over the last axes of `x`, those of `scale`.
Tensor rms_norm(const Tensor &x, const Tensor &scale, double epsilon,
                SourceLocation where = SourceLocation::current());

struct ChannelNormOptions {
  int64_t axis = 1; ///< the axis of channels
  double epsilon = 1e-5;
};
/// As layer_norm, over each group of channels of each example (axis 0), and all pixels; `scale` and
/// `bias` hold a number a channel.
Tensor group_norm(const Tensor &x, int64_t groups, const Tensor &scale, const Tensor &bias,
                  const ChannelNormOptions &options = {},
                  SourceLocation where = SourceLocation::current());
/// As many groups as channels.
Tensor instance_norm(const Tensor &x, const Tensor &scale, const Tensor &bias,
                     const ChannelNormOptions &options = {},
                     SourceLocation where = SourceLocation::current());

struct LocalResponseNormOptions {
  double alpha = 1e-4;
  double beta = 0.75;
  double k = 1;
};
/// x / (k + alpha m)^beta, where m is the mean of x^2 over the `size` channels (axis 1) around
/// each, zeros beyond the ends (Krizhevsky et al. 2012, whose alpha is that of the sum).
Tensor local_response_norm(const Tensor &x, int64_t size,
                           const LocalResponseNormOptions &options = {},
                           SourceLocation where = SourceLocation::current());

struct BatchNormResults {
  Tensor result;
  Tensor mean;     ///< [channels]
  Tensor variance; ///< [channels], the biased one
};
/// As layer_norm, each channel over all other axes.
BatchNormResults batch_norm(const Tensor &x, const Tensor &scale, const Tensor &bias,
                            const ChannelNormOptions &options = {},
                            SourceLocation where = SourceLocation::current());

// NOLINTEND(readability-identifier-naming)

struct LayerNormOptions {
  double epsilon = 1e-5;
  bool elementwise_affine = true; // NOLINT(readability-identifier-naming): PyTorch's name
  bool bias = true;
};

/// Normalizes the last axes, of the given sizes. Initial values: weight 1, bias 0.
class LayerNorm {
public:
  LayerNorm(const Scope &scope, const Shape &sizes, LayerNormOptions options = {},
            SourceLocation where = SourceLocation::current());
  LayerNorm(const Scope &scope, int64_t size, LayerNormOptions options = {},
            SourceLocation where = SourceLocation::current())
      : LayerNorm(scope, Shape{size}, options, where) {}
  Tensor operator()(const Tensor &x, SourceLocation where = SourceLocation::current()) const;

  Variable weight, bias; ///< of the given sizes; refer to nothing where left out

private:
  Shape sizes;
  std::string path;
  double epsilon;
};

struct RMSNormOptions {
  double epsilon = 1.1920928955078125e-07; ///< f32's, as PyTorch where none is given
  bool elementwise_affine = true;          // NOLINT(readability-identifier-naming): PyTorch's name
};

/// Divides the last axes, of the given sizes, by their root mean square. Initial weight: 1.
class RMSNorm {
public:
  RMSNorm(const Scope &scope, const Shape &sizes, RMSNormOptions options = {},
          SourceLocation where = SourceLocation::current());
  RMSNorm(const Scope &scope, int64_t size, RMSNormOptions options = {},
          SourceLocation where = SourceLocation::current())
      : RMSNorm(scope, Shape{size}, options, where) {}
  Tensor operator()(const Tensor &x, SourceLocation where = SourceLocation::current()) const;

  Variable weight;

private:
  Shape sizes;
  std::string path;
  double epsilon;
};

struct GroupNormOptions {
  double epsilon = 1e-5;
  bool affine = true;
};

/// Normalizes each group of channels (axis 1) of each example. Initial values: weight 1, bias 0.
class GroupNorm {
public:
  GroupNorm(const Scope &scope, int64_t groups, int64_t channels, GroupNormOptions options = {},
            SourceLocation where = SourceLocation::current());
  Tensor operator()(const Tensor &x, SourceLocation where = SourceLocation::current()) const;

  Variable weight, bias; ///< [channels]; refer to nothing without `affine`

private:
  int64_t groups, channels;
  std::string path;
  double epsilon;
};

struct InstanceNormOptions {
  double epsilon = 1e-5;
  bool affine = false;
};

/// Normalizes each channel (axis 1) of each example; no running statistics. Initial values, if
/// `affine`: weight 1, bias 0. The ranks are PyTorch's.
class InstanceNorm {
public:
  Tensor operator()(const Tensor &x, SourceLocation where = SourceLocation::current()) const;

  Variable weight, bias; ///< [channels]; refer to nothing without `affine`

protected:
  InstanceNorm(const Scope &scope, int64_t rank, int64_t channels, InstanceNormOptions options,
               SourceLocation where)
      : path(scope.path()), rank(rank), channels(channels),
        groups(scope, channels, channels, {options.epsilon, options.affine}, where) {
    weight = groups.weight;
    bias = groups.bias;
  }

private:
  std::string path;
  int64_t rank, channels;
  GroupNorm groups; ///< of one channel
};

/// [n, channels, length].
class InstanceNorm1d : public InstanceNorm {
public:
  InstanceNorm1d(const Scope &scope, int64_t channels, InstanceNormOptions options = {},
                 SourceLocation where = SourceLocation::current())
      : InstanceNorm(scope, 3, channels, options, where) {}
};
/// [n, channels, height, width].
class InstanceNorm2d : public InstanceNorm {
public:
  InstanceNorm2d(const Scope &scope, int64_t channels, InstanceNormOptions options = {},
                 SourceLocation where = SourceLocation::current())
      : InstanceNorm(scope, 4, channels, options, where) {}
};
/// [n, channels, depth, height, width].
class InstanceNorm3d : public InstanceNorm {
public:
  InstanceNorm3d(const Scope &scope, int64_t channels, InstanceNormOptions options = {},
                 SourceLocation where = SourceLocation::current())
      : InstanceNorm(scope, 5, channels, options, where) {}
};

struct BatchNormOptions {
  double epsilon = 1e-5;
  double momentum = 0.1; ///< the part of the batch in the running statistics
  bool affine = true;
};

/// Normalizes each channel (axis 1). In training entries by the batch's statistics, which change
/// the running ones; in others by the running ones. Initial values: weight and running_var 1, the
/// rest 0. The ranks are PyTorch's.
class BatchNorm {
public:
  Tensor operator()(const Tensor &x, SourceLocation where = SourceLocation::current()) const;

  Variable weight, bias;                                   ///< [channels]
  Variable running_mean, running_var, num_batches_tracked; // NOLINT(readability-identifier-naming)

protected:
  BatchNorm(const Scope &scope, const char *name, std::vector<int64_t> ranks, int64_t channels,
            BatchNormOptions options, SourceLocation where);

private:
  const char *name;
  std::vector<int64_t> ranks;
  int64_t channels;
  std::string path;
  BatchNormOptions options;
};

/// [n, channels] or [n, channels, length].
class BatchNorm1d : public BatchNorm {
public:
  BatchNorm1d(const Scope &scope, int64_t channels, BatchNormOptions options = {},
              SourceLocation where = SourceLocation::current())
      : BatchNorm(scope, "BatchNorm1d", {2, 3}, channels, options, where) {}
};

/// [n, channels, height, width].
class BatchNorm2d : public BatchNorm {
public:
  BatchNorm2d(const Scope &scope, int64_t channels, BatchNormOptions options = {},
              SourceLocation where = SourceLocation::current())
      : BatchNorm(scope, "BatchNorm2d", {4}, channels, options, where) {}
};

/// [n, channels, depth, height, width].
class BatchNorm3d : public BatchNorm {
public:
  BatchNorm3d(const Scope &scope, int64_t channels, BatchNormOptions options = {},
              SourceLocation where = SourceLocation::current())
      : BatchNorm(scope, "BatchNorm3d", {5}, channels, options, where) {}
};

} // namespace gen

#endif // GEN_NORM_HPP
