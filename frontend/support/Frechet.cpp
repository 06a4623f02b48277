// Fréchet distances, by eigenvalues of symmetric matrices: (C1 C2)^(1/2) has the trace of
// (S C2 S)^(1/2), where S = C1^(1/2), and S C2 S is symmetric.
#include "gen/frechet.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <stdexcept>

namespace gen {
namespace {

/// A matrix [n, n] and the rotations that make it diagonal.
struct Rotations {
  int64_t n;
  std::vector<double> a, vectors;

  double &at(std::vector<double> &matrix, int64_t row, int64_t column) const {
    return matrix[static_cast<size_t>(row * n + column)];
  }

  /// The sum of squares above the diagonal, and of all.
  std::pair<double, double> squares() {
    double above = 0, all = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double square = at(a, i, j) * at(a, i, j);
        all += square;
        above += j > i ? square : 0;
      }
    return {above, all};
  }

  /// Turns rows p and q of a matrix.
  void turnRows(std::vector<double> &matrix, int64_t p, int64_t q, double c, double s) const {
    for (int64_t k = 0; k < n; ++k) {
      double x = at(matrix, p, k), y = at(matrix, q, k);
      at(matrix, p, k) = c * x - s * y;
      at(matrix, q, k) = s * x + c * y;
    }
  }

  /// Makes a[p, q] zero.
  void turn(int64_t p, int64_t q) {
    if (at(a, p, q) == 0)
      return;
    double tau = (at(a, q, q) - at(a, p, p)) / (2 * at(a, p, q));
    double t = std::copysign(1.0, tau) / (std::abs(tau) + std::hypot(1.0, tau));
    double c = 1 / std::hypot(1.0, t), s = t * c;
    turnRows(a, p, q, c, s);
    for (int64_t k = 0; k < n; ++k) {
      double x = at(a, k, p), y = at(a, k, q);
      at(a, k, p) = c * x - s * y;
      at(a, k, q) = s * x + c * y;
    }
    turnRows(vectors, p, q, c, s);
  }
};

using Matrix = std::vector<double>;

Matrix product(const Matrix &a, const Matrix &b, int64_t n) {
  Matrix c(a.size());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < n; ++k)
      for (int64_t j = 0; j < n; ++j)
        c[i * n + j] += a[i * n + k] * b[k * n + j];
  return c;
}

/// The square root of a matrix without negative eigenvalues; those that rounding has made count as
/// zero.
Matrix squareRoot(const Matrix &matrix, int64_t n) {
  Eigen eigen = eigenOf(matrix, n);
  Matrix root(matrix.size());
  for (int64_t k = 0; k < n; ++k)
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j)
        root[i * n + j] += std::sqrt(std::max(eigen.values[k], 0.0)) * eigen.vectors[k * n + i] *
                           eigen.vectors[k * n + j];
  return root;
}

} // namespace

Eigen eigenOf(std::vector<double> matrix, int64_t n) {
  constexpr int kMostSweeps = 60; // six to ten are usual
  constexpr double kTolerance = 1e-30;
  Rotations rotations{n, std::move(matrix), std::vector<double>(static_cast<size_t>(n * n))};
  for (int64_t i = 0; i < n; ++i)
    rotations.at(rotations.vectors, i, i) = 1;
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    auto [above, all] = rotations.squares();
    if (above <= kTolerance * all)
      break;
    for (int64_t p = 0; p < n; ++p)
      for (int64_t q = p + 1; q < n; ++q)
        rotations.turn(p, q);
  }
  Eigen eigen;
  for (int64_t i = 0; i < n; ++i)
    eigen.values.push_back(rotations.at(rotations.a, i, i));
  eigen.vectors = std::move(rotations.vectors);
  return eigen;
}

void Moments::add(const float *vector) {
  ++number;
  std::vector<double> before(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    before[i] = vector[i] - sums[i];
    sums[i] += before[i] / static_cast<double>(number);
  }
  for (size_t i = 0; i < sums.size(); ++i)
    for (size_t j = 0; j < sums.size(); ++j)
      products[i * sums.size() + j] += before[i] * (vector[j] - sums[j]);
}

std::vector<double> Moments::covariance() const {
  std::vector<double> matrix(products.size());
  for (int64_t i = 0; i < width; ++i)
    for (int64_t j = 0; j < width; ++j) // the two products are equal but for rounding
      matrix[i * width + j] =
          (products[i * width + j] + products[j * width + i]) / 2 / static_cast<double>(number - 1);
  return matrix;
}

double frechetDistance(const Moments &a, const Moments &b) {
  if (a.size() != b.size() || a.count() < 2 || b.count() < 2)
    throw std::runtime_error(
        fmt::format("Fréchet distance: expected two vectors of one width or more, got {} of {} and "
                    "{} of {}",
                    a.count(), a.size(), b.count(), b.size()));
  int64_t n = a.size();
  Matrix ca = a.covariance(), cb = b.covariance(), root = squareRoot(ca, n);
  Matrix between = product(product(root, cb, n), root, n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < i; ++j)
      between[i * n + j] = between[j * n + i];
  double distance = 0;
  for (int64_t i = 0; i < n; ++i) {
    double difference = a.mean()[i] - b.mean()[i];
    distance += difference * difference + ca[i * n + i] + cb[i * n + i];
  }
  for (double value : eigenOf(between, n).values)
    distance -= 2 * std::sqrt(std::max(value, 0.0));
  return distance;
}

} // namespace gen
