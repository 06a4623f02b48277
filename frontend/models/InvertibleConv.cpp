//===- InvertibleConv.cpp - a matrix on channels --------------------------===//

#include "gen/nn.hpp"
#include "models/invertible_conv.hpp"

#include <cmath>
#include <random>

namespace gen::zoo {

using Matrix = std::vector<std::vector<double>>;

double areaOf(const Tensor &x) {
  return static_cast<double>(x.dimension(2).number() * x.dimension(3).number());
}

/// Random rows, each made orthogonal to those before it and of length 1 (Gram, Schmidt).
static Matrix rotation(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  Matrix rows(size, std::vector<double>(size));
  for (size_t i = 0; i < size; ++i) {
    for (double &value : rows[i])
      value = static_cast<double>(random() >> 11) * 0x1p-52 - 1;
    for (size_t j = 0; j <= i; ++j) {
      double product = 0;
      for (size_t k = 0; k < size; ++k)
        product += rows[i][k] * rows[j][k];
      double length = std::sqrt(product);
      for (size_t k = 0; k < size; ++k)
        rows[i][k] = j < i ? rows[i][k] - product * rows[j][k] : rows[i][k] / length;
    }
  }
  return rows;
}

/// Gaussian elimination in place, with the rows in the order of the largest pivots: row i of what
/// is left was row order[i]; below the diagonal is L, the rest is U.
static std::vector<size_t> factorize(Matrix &a) {
  std::vector<size_t> order(a.size());
  for (size_t i = 0; i < a.size(); ++i)
    order[i] = i;
  for (size_t k = 0; k < a.size(); ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < a.size(); ++i)
      if (std::abs(a[i][k]) > std::abs(a[pivot][k]))
        pivot = i;
    std::swap(a[k], a[pivot]);
    std::swap(order[k], order[pivot]);
    for (size_t i = k + 1; i < a.size(); ++i) {
      a[i][k] /= a[k][k];
      for (size_t j = k + 1; j < a.size(); ++j)
        a[i][j] -= a[i][k] * a[k][j];
    }
  }
  return order;
}

/// The matrix of `value(row, column)`.
template <typename Function> static Tensor matrixOf(int64_t size, Function value) {
  std::vector<double> values;
  for (int64_t i = 0; i < size * size; ++i)
    values.push_back(value(static_cast<size_t>(i / size), static_cast<size_t>(i % size)));
  return constant(values, {size, size});
}

InvertibleConv::InvertibleConv(const Scope &scope, int64_t channels, uint64_t seed)
    : channels(channels), lower(scope.variable("lower", f32, {channels, channels})),
      upper(scope.variable("upper", f32, {channels, channels})),
      logScale(scope.variable("log_scale", f32, {channels})) {
  Matrix a = rotation(static_cast<size_t>(channels), seed);
  std::vector<size_t> order = factorize(a);
  std::vector<double> logarithms, sign;
  for (size_t i = 0; i < a.size(); ++i) {
    logarithms.push_back(std::log(std::abs(a[i][i])));
    sign.push_back(a[i][i] < 0 ? -1 : 1);
  }
  firstLogScale = constant(logarithms, {channels});
  signs = constant(sign, {channels});
  auto matrix = [&](auto value) { return matrixOf(channels, value); };
  firstPermutation = matrix([&](size_t i, size_t j) { return order[j] == i ? 1.0 : 0.0; });
  firstLower = matrix([&](size_t i, size_t j) { return i > j ? a[i][j] : 0.0; });
  firstUpper = matrix([&](size_t i, size_t j) { return i < j ? a[i][j] : 0.0; });
  below = matrix([](size_t i, size_t j) { return i > j ? 1.0 : 0.0; });
  one = matrix([](size_t i, size_t j) { return i == j ? 1.0 : 0.0; });
}

Tensor InvertibleConv::apply(const Tensor &x, const Tensor &matrix) const {
  return conv2d(x, reshape(matrix, {channels, channels, 1, 1}));
}

Mapped InvertibleConv::forward(const Tensor &x) const {
  Tensor logs = firstLogScale + logScale;
  Tensor left = one + firstLower + lower * below;
  Tensor right = firstUpper + upper * transpose(below) + one * (signs * exp(logs));
  return {apply(x, matmul(firstPermutation, matmul(left, right))), areaOf(x) * sum(logs)};
}

/// The inverse of I + n for a triangle n with zeros on the diagonal: the sum of the powers of -n,
/// of which as many as there are rows are not 0, is (I - n) (I + n^2) (I + n^4) ...
static Tensor inverseOfTriangle(const Tensor &one, const Tensor &n, int64_t rows) {
  Tensor inverse = one - n, power = n;
  for (int64_t reached = 2; reached < rows; reached *= 2) {
    power = matmul(power, power);
    inverse = matmul(inverse, one + power);
  }
  return inverse;
}

/// U + diag(s) is diag(s) (I + diag(1 / s) U).
Tensor InvertibleConv::inverse(const Tensor &z) const {
  Tensor reciprocal = signs * exp(-(firstLogScale + logScale));
  Tensor scaled = reshape(reciprocal, {channels, 1}) * (firstUpper + upper * transpose(below));
  Tensor right = inverseOfTriangle(one, scaled, channels) * reshape(reciprocal, {1, channels});
  Tensor left = inverseOfTriangle(one, firstLower + lower * below, channels);
  return apply(z, matmul(right, matmul(left, firstPermutation, {.transpose_rhs = true})));
}

} // namespace gen::zoo
