// How far two sets of vectors are from each other, by their means and covariances.
#ifndef GEN_FRECHET_HPP
#define GEN_FRECHET_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gen {

/// A symmetric matrix taken apart: matrix = vectors^T diag(values) vectors.
struct Eigen {
  std::vector<double> values;  ///< [n]
  std::vector<double> vectors; ///< [n, n], a row for each value
};
/// By Jacobi's rotations (Golub, Van Loan: Matrix Computations, section 8.5). `matrix` is [n, n],
/// row-major and symmetric.
Eigen eigenOf(std::vector<double> matrix, int64_t n);

/// Mean and covariance of vectors, which are added one by one (Welford 1962).
class Moments {
public:
  explicit Moments(int64_t width)
      : width(width), sums(static_cast<std::size_t>(width)),
        products(static_cast<std::size_t>(width * width)) {}
  /// A vector of `width` numbers.
  void add(const float *vector);

  int64_t count() const { return number; }
  int64_t size() const { return width; }
  const std::vector<double> &mean() const { return sums; }
  /// [width, width], divided by count() - 1. Of two vectors or more.
  std::vector<double> covariance() const;

private:
  int64_t width, number = 0;
  std::vector<double> sums, products; ///< the mean so far; products of what differs from it
};

/// The Fréchet distance of two Gaussians with these moments, squared, as it is usually given:
///
///   |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2))
///
/// (Dowson, Landau 1982; Heusel et al. 2017). Throws std::runtime_error where the widths differ or
/// there are fewer than two vectors.
double frechetDistance(const Moments &a, const Moments &b);

} // namespace gen

#endif // GEN_FRECHET_HPP
