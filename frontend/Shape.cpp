//===- Shape.cpp - dimensions as polynomials of symbols -------------------===//

#include "gen/shape.hpp"

#include <algorithm>

namespace gen {

const char *name(DType dtype) {
  static constexpr const char *kNames[] = {"f32", "f64", "i1", "i8", "i32", "i64"};
  return kNames[static_cast<uint32_t>(dtype)];
}

Dimension::Dimension(Terms terms) : polynomial(std::move(terms)) {
  std::erase_if(polynomial, [](const auto &term) { return term.second == 0; });
}

Dimension Dimension::symbol(const std::string &name) { return Dimension(Terms{{{name}, 1}}); }

bool Dimension::isNumber() const {
  return polynomial.empty() || (polynomial.size() == 1 && polynomial.begin()->first.empty());
}

int64_t Dimension::number() const { return polynomial.empty() ? 0 : polynomial.begin()->second; }

Dimension operator+(const Dimension &lhs, const Dimension &rhs) {
  Dimension::Terms sum = lhs.polynomial;
  for (const auto &[symbols, coefficient] : rhs.polynomial)
    sum[symbols] += coefficient;
  return Dimension(std::move(sum));
}

Dimension operator-(const Dimension &lhs, const Dimension &rhs) {
  return lhs + Dimension(-1) * rhs;
}

Dimension operator*(const Dimension &lhs, const Dimension &rhs) {
  Dimension::Terms product;
  for (const auto &[left, a] : lhs.polynomial)
    for (const auto &[right, b] : rhs.polynomial) {
      std::vector<std::string> symbols;
      std::merge(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(symbols));
      product[symbols] += a * b;
    }
  return Dimension(std::move(product));
}

std::optional<Dimension> Dimension::dividedBy(const Dimension &divisor) const {
  if (divisor.polynomial.size() != 1)
    return std::nullopt;
  const auto &[factors, factor] = *divisor.polynomial.begin();
  Terms quotient;
  for (const auto &[symbols, coefficient] : polynomial) {
    if (coefficient % factor != 0 ||
        !std::includes(symbols.begin(), symbols.end(), factors.begin(), factors.end()))
      return std::nullopt;
    std::vector<std::string> rest;
    std::set_difference(symbols.begin(), symbols.end(), factors.begin(), factors.end(),
                        std::back_inserter(rest));
    quotient[rest] += coefficient / factor;
  }
  return Dimension(std::move(quotient));
}

/// "2 * batch * length".
static std::string product(const std::vector<std::string> &symbols, int64_t coefficient) {
  std::string text = coefficient == 1 && !symbols.empty() ? "" : std::to_string(coefficient);
  for (const std::string &symbol : symbols)
    text += (text.empty() ? "" : " * ") + symbol;
  return text;
}

std::string Dimension::str() const {
  std::string text;
  // The constant term sorts first, and is written last.
  for (auto term = polynomial.rbegin(); term != polynomial.rend(); ++term)
    text += (text.empty() ? "" : " + ") + product(term->first, term->second);
  return text.empty() ? "0" : text;
}

std::string describe(DType dtype, const Shape &shape) {
  std::string text = name(dtype);
  text += '[';
  for (size_t axis = 0; axis < shape.size(); ++axis)
    text += (axis ? ", " : "") + shape[axis].str();
  return text + ']';
}

} // namespace gen
