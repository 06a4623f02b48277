//===- gen/tensor.hpp - handles to values -----------------------*- C++ -*-===//
//
// `Tensor` is a cheap handle to a value of a program under construction. Every function that makes
// one checks shapes and dtypes at once and throws `BuildError` with the caller's file and line.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TENSOR_HPP
#define GEN_TENSOR_HPP

#include "gen/shape.hpp"

#include <memory>
#include <source_location>
#include <stdexcept>

namespace gen {

namespace detail {
struct Node;
} // namespace detail

using SourceLocation = std::source_location;

/// A mistake in a model. `what()` is the whole message:
///
///     vae.cpp:23:31: error: gen.matmul: lhs has 400 columns, rhs has 20 rows
///       lhs: relu(vae.fc1(x))  f32[batch, 400]  vae.cpp:22:16
///       rhs: vae.fc2.weight  f32[400, 20] transposed  vae.cpp:12:7
///       hint: ...
class BuildError : public std::runtime_error {
public:
  BuildError(const std::string &message, SourceLocation where)
      : std::runtime_error(message), location(where) {}
  /// The line of the model that is wrong.
  const SourceLocation &where() const { return location; }

private:
  SourceLocation location;
};

/// While one lives, all ops of this thread are said to be made at `where`: layers and other
/// functions made of several ops use it, so that errors and profiles name the line of their caller.
/// The outermost one counts.
class SourceScope {
public:
  explicit SourceScope(SourceLocation where);
  ~SourceScope();
  SourceScope(const SourceScope &) = delete;
  SourceScope &operator=(const SourceScope &) = delete;

private:
  bool outermost;
};

/// A value of the entry that is being built, a variable, or a constant. Copies are handles to the
/// same value. A value can be used in its own entry only; variables and constants in any.
class Tensor {
public:
  /// Refers to nothing; using it is an error.
  Tensor() = default;
  explicit Tensor(std::shared_ptr<const detail::Node> node) : node(std::move(node)) {}

  DType dtype() const;
  const Shape &shape() const;
  int64_t rank() const { return static_cast<int64_t>(shape().size()); }
  /// The extent of an axis; negative axes count from the last.
  Dimension dimension(int64_t axis) const;
  /// How it was written: "relu(vae.fc1(x))"; long expressions are shortened.
  std::string text() const;
  /// Where it was made.
  SourceLocation where() const;
  /// The same value, called `text` in messages.
  Tensor named(std::string text) const;

  /// Opaque; null for a handle to nothing.
  const std::shared_ptr<const detail::Node> &handle() const { return node; }

private:
  const detail::Node &get() const;
  std::shared_ptr<const detail::Node> node;
};

/// State of a session, by name: a parameter, an optimizer's moment. As a tensor it is the
/// variable's present value: what it was at the start of the call, or what the entry has assigned
/// to it since.
class Variable : public Tensor {
public:
  using Tensor::Tensor;
  /// The whole name, "vae.fc1.weight".
  std::string name() const { return text(); }
};

/// An operand of an operator: a tensor, or a number that takes the dtype of the other operand. It
/// notes where it was written, which is how operators know the user's line.
class Operand {
public:
  Operand(Tensor tensor, SourceLocation where = SourceLocation::current())
      : tensor(std::move(tensor)), where(where) {}
  template <typename T>
    requires std::is_arithmetic_v<T>
  Operand(T number, SourceLocation where = SourceLocation::current())
      : number(static_cast<double>(number)), isNumber(true), where(where) {}

  Tensor tensor;
  double number = 0;
  bool isNumber = false;
  SourceLocation where;
};

} // namespace gen

#endif // GEN_TENSOR_HPP
