//===- gen/ops.hpp - operators and functions on tensors ---------*- C++ -*-===//
//
// The field's names and semantics: elementwise functions broadcast as NumPy does; names, argument
// order and gradients are PyTorch's. Each throws `BuildError` where shapes or dtypes do not fit.
// The `where` of every function is the caller's line; leave it out.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_OPS_HPP
#define GEN_OPS_HPP

#include "gen/tensor.hpp"

#include <array>

namespace gen {

// NOLINTBEGIN(readability-identifier-naming): the field's names

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

Tensor operator+(const Operand &lhs, const Operand &rhs);
Tensor operator-(const Operand &lhs, const Operand &rhs);
Tensor operator*(const Operand &lhs, const Operand &rhs);
Tensor operator/(const Operand &lhs, const Operand &rhs);
Tensor operator-(const Operand &x);

/// Comparisons give booleans; NaN compares as in C.
Tensor operator<(const Operand &lhs, const Operand &rhs);
Tensor operator<=(const Operand &lhs, const Operand &rhs);
Tensor operator>(const Operand &lhs, const Operand &rhs);
Tensor operator>=(const Operand &lhs, const Operand &rhs);
Tensor equal(const Operand &lhs, const Operand &rhs);
Tensor not_equal(const Operand &lhs, const Operand &rhs);
/// Logic on booleans.
Tensor operator&&(const Operand &lhs, const Operand &rhs);
Tensor operator||(const Operand &lhs, const Operand &rhs);
Tensor operator!(const Operand &x);

Tensor maximum(const Operand &lhs, const Operand &rhs);
Tensor minimum(const Operand &lhs, const Operand &rhs);
Tensor pow(const Operand &base, const Operand &exponent);
/// start + weight * (end - start).
Tensor lerp(const Operand &start, const Operand &end, const Operand &weight);
/// `on_true` where `condition` holds, else `on_false`.
Tensor where(const Tensor &condition, const Operand &on_true, const Operand &on_false);

Tensor abs(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor sign(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor exp(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor log(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor log1p(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor sqrt(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor rsqrt(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor square(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor sin(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor cos(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor tanh(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor sigmoid(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor erf(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor relu(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor leaky_relu(const Tensor &x, double slope = 0.01,
                  SourceLocation where = SourceLocation::current());
/// `x` as another dtype: rounds to nearest (floats) or towards zero (to integers).
Tensor cast(const Tensor &x, DType dtype, SourceLocation where = SourceLocation::current());
/// A size as a scalar of `dtype`.
Tensor cast(const Dimension &size, DType dtype, SourceLocation where = SourceLocation::current());

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

struct ReduceOptions {
  std::vector<int64_t> axes = {}; ///< all if empty; negative ones count from the last
  bool keepdim = false;           ///< keep reduced axes with size 1
};
Tensor sum(const Tensor &x, const ReduceOptions &options = {},
           SourceLocation where = SourceLocation::current());
Tensor mean(const Tensor &x, const ReduceOptions &options = {},
            SourceLocation where = SourceLocation::current());
Tensor max(const Tensor &x, const ReduceOptions &options = {},
           SourceLocation where = SourceLocation::current());
Tensor min(const Tensor &x, const ReduceOptions &options = {},
           SourceLocation where = SourceLocation::current());
/// Euclidean norm, sqrt(sum(x * x)). Its gradient at 0 is not finite.
Tensor norm(const Tensor &x, const ReduceOptions &options = {},
            SourceLocation where = SourceLocation::current());

//===----------------------------------------------------------------------===//
// Matrices and shapes
//===----------------------------------------------------------------------===//

struct MatmulOptions {
  bool transpose_lhs = false; ///< lhs is stored as [..., k, m]
  bool transpose_rhs = false; ///< rhs is stored as [..., n, k]
};
/// [..., m, k] x [..., k, n] -> [..., m, n]; equal leading axes.
Tensor matmul(const Tensor &lhs, const Tensor &rhs, const MatmulOptions &options = {},
              SourceLocation where = SourceLocation::current());
/// The same elements in row-major order in another shape; one dimension may be -1: what is left.
Tensor reshape(const Tensor &x, const Shape &shape,
               SourceLocation where = SourceLocation::current());
/// Axis i of the result is axis permutation[i] of `x`; by default the last two axes change places.
Tensor transpose(const Tensor &x, const std::vector<int64_t> &permutation = {},
                 SourceLocation where = SourceLocation::current());
/// Elements start, start + stride, ... up to, without, limit along `axis`.
struct SliceOptions {
  int64_t axis = 0;
  int64_t start = 0;
  int64_t limit = 0;
  int64_t stride = 1;
};
/// The axis needs a size that is a number.
Tensor slice(const Tensor &x, const SliceOptions &options,
             SourceLocation where = SourceLocation::current());
/// Joins tensors along an axis.
Tensor concat(const std::vector<Tensor> &tensors, int64_t axis = 0,
              SourceLocation where = SourceLocation::current());
/// `count` equal parts along an axis.
std::vector<Tensor> chunk(const Tensor &x, int64_t count, int64_t axis = 0,
                          SourceLocation where = SourceLocation::current());
/// The same, to be taken apart: auto [mean, log_variance] = chunk<2>(x, 1);
template <size_t Count>
std::array<Tensor, Count> chunk(const Tensor &x, int64_t axis = 0,
                                SourceLocation where = SourceLocation::current()) {
  std::vector<Tensor> parts = chunk(x, Count, axis, where);
  std::array<Tensor, Count> result;
  std::move(parts.begin(), parts.end(), result.begin());
  return result;
}
struct PadOptions {
  std::vector<int64_t> low;  ///< elements before the first, one number an axis
  std::vector<int64_t> high; ///< elements after the last
  double value = 0;
};
Tensor pad(const Tensor &x, const PadOptions &options,
           SourceLocation where = SourceLocation::current());
/// Repeats `x` to `shape`, as elementwise functions do.
Tensor broadcast_to(const Tensor &x, const Shape &shape,
                    SourceLocation where = SourceLocation::current());

//===----------------------------------------------------------------------===//
// New tensors
//===----------------------------------------------------------------------===//

Tensor full(const Shape &shape, double value, DType dtype = f32,
            SourceLocation where = SourceLocation::current());
Tensor zeros(const Shape &shape, DType dtype = f32,
             SourceLocation where = SourceLocation::current());
Tensor ones(const Shape &shape, DType dtype = f32,
            SourceLocation where = SourceLocation::current());
Tensor full_like(const Tensor &x, double value, SourceLocation where = SourceLocation::current());
Tensor zeros_like(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor ones_like(const Tensor &x, SourceLocation where = SourceLocation::current());
/// A constant of known values in row-major order; may be made outside of entries.
Tensor constant(std::vector<double> values, const Shape &shape, DType dtype = f32,
                SourceLocation where = SourceLocation::current());

/// Random tensors draw from the session's seed: every call of an entry, and every draw in it, gives
/// other numbers; equal seeds give equal numbers, for any number of threads. An element depends on
/// its row-major position only, so the first rows are the same in a batch of any size.
Tensor normal(const Shape &shape, DType dtype = f32,
              SourceLocation where = SourceLocation::current());
/// Uniform in [0, 1).
Tensor uniform(const Shape &shape, DType dtype = f32,
               SourceLocation where = SourceLocation::current());
/// Booleans that are true with `probability`.
Tensor bernoulli(const Shape &shape, double probability = 0.5,
                 SourceLocation where = SourceLocation::current());
Tensor normal_like(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor uniform_like(const Tensor &x, SourceLocation where = SourceLocation::current());
Tensor bernoulli_like(const Tensor &x, double probability = 0.5,
                      SourceLocation where = SourceLocation::current());

//===----------------------------------------------------------------------===//
// Gradients and state
//===----------------------------------------------------------------------===//

/// `x`, a constant to gradients (PyTorch's detach).
Tensor stop_gradient(const Tensor &x, SourceLocation where = SourceLocation::current());
/// The gradient of the scalar `y` with respect to each of `xs`, which `y` has to depend on.
/// Gradients are values like others: they may be used in any expression, again under `gradient`.
std::vector<Tensor> gradient(const Tensor &y, const std::vector<Tensor> &xs,
                             SourceLocation where = SourceLocation::current());
std::vector<Tensor> gradient(const Tensor &y, const std::vector<Variable> &xs,
                             SourceLocation where = SourceLocation::current());
Tensor gradient(const Tensor &y, const Tensor &x, SourceLocation where = SourceLocation::current());
/// Gives a variable a new value; later uses in this entry see it.
void assign(const Variable &variable, const Tensor &value,
            SourceLocation where = SourceLocation::current());

/// binary cross-entropy of sigmoid(logits) against targets, element by element, without overflow.
Tensor bce_with_logits(const Tensor &logits, const Operand &targets,
                       SourceLocation where = SourceLocation::current());

// NOLINTEND(readability-identifier-naming)

} // namespace gen

#include "gen/activations.hpp"
#include "gen/indexing.hpp"

#endif // GEN_OPS_HPP
