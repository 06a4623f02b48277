//===- gen/shape.hpp - element types and dimensions -------------*- C++ -*-===//
//
// What a tensor's type is made of while a program is built. A dimension is a number or a symbol,
// and sums and products of these, so that shapes can be checked before any size is known.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_SHAPE_HPP
#define GEN_SHAPE_HPP

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gen {

/// Element types; the values are those of the artefact (gen/artefact.h).
enum class DType : uint32_t { f32, f64, i1, i8, i32, i64 };

inline constexpr DType f32 = DType::f32;
inline constexpr DType f64 = DType::f64;
inline constexpr DType boolean = DType::i1;
inline constexpr DType i8 = DType::i8;
inline constexpr DType i32 = DType::i32;
inline constexpr DType i64 = DType::i64;

/// "f32"; booleans are "i1".
const char *name(DType dtype);
/// True for f32 and f64.
constexpr bool isFloat(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

/// The extent of an axis: a polynomial with integer coefficients in named symbols. Numbers convert
/// implicitly; symbols come from `Program::dimension`. Two dimensions are equal when their
/// polynomials are. Immutable; may be shared by threads.
class Dimension {
public:
  template <std::integral T>
  Dimension(T number) // implicit: {batch, 784} is a shape
      : Dimension(Terms{{{}, static_cast<int64_t>(number)}}) {}
  /// A size that is known only when an entry is called.
  static Dimension symbol(const std::string &name);

  /// True if no symbol is left.
  bool isNumber() const;
  /// The number. Only where `isNumber()`.
  int64_t number() const;
  /// The quotient, if it is a polynomial with integer coefficients and `divisor` a single term.
  std::optional<Dimension> dividedBy(const Dimension &divisor) const;
  /// "784", "batch", "2 * length + 1".
  std::string str() const;

  friend Dimension operator+(const Dimension &lhs, const Dimension &rhs);
  friend Dimension operator-(const Dimension &lhs, const Dimension &rhs);
  friend Dimension operator*(const Dimension &lhs, const Dimension &rhs);
  bool operator==(const Dimension &other) const = default;

  /// Symbols of a term, sorted, each as often as it is a factor; and the term's coefficient.
  using Terms = std::map<std::vector<std::string>, int64_t>;
  const Terms &terms() const { return polynomial; }

private:
  explicit Dimension(Terms terms);
  Terms polynomial; ///< without zero coefficients
};

/// The dimensions of a tensor, outermost axis first; empty for a scalar.
using Shape = std::vector<Dimension>;

/// "f32[batch, 784]".
std::string describe(DType dtype, const Shape &shape);

} // namespace gen

#endif // GEN_SHAPE_HPP
