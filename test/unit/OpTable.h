//===- OpTable.h - one row tests an op everywhere ---------------*- C++ -*-===//
//
// A row is a small function around one op, with letters for sizes and element types. From it come
// modules of static and dynamic shapes, whose compiled code is compared with the interpreter, whose
// gradients are compared with finite differences, and whose values are compared with PyTorch's.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TEST_UNIT_OPTABLE_H
#define GEN_TEST_UNIT_OPTABLE_H

#include "dialect/Gen.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <array>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace optable {

/// Values of the size letters A, B and C.
using Sizes = std::array<int64_t, 3>;

struct Argument {
  std::string name;
  /// As in `tensor<...>`: sizes are A, B, C, terms like A+2 and A*B, or numbers; the element type
  /// is E or a type.
  std::string type;
  /// Elements are drawn from here, uniformly.
  double low = -2, high = 2;
};

struct Row {
  /// "gen.add", and what sets this row apart from others of that op.
  std::string op, variant = "";
  std::vector<Argument> arguments = {};
  /// Type of %z, written like an argument's.
  std::string result = "AxBxE";
  /// Ops that compute %z. $x is the type of %x (and $z of %z), $E the element type; ?{...}? is kept
  /// for dynamic shapes only, where %A, %B and %C are the sizes as `index`.
  std::string body = "";
  /// Further names for types.
  std::vector<Argument> types = {};
  /// Declarations beside the function.
  std::string module = "";
  /// What E stands for.
  std::vector<std::string> elements = {"f32", "f64"};
  /// At the first ones derivatives are compared with differences, element by element: small sizes.
  std::vector<Sizes> sizes = {{4, 16, 3}, {5, 37, 7}, {1, 1, 1}, {33, 130, 5}};
  /// False where shapes have to be static.
  bool dynamic = true;
  /// False where the gradient stops or is not defined.
  bool differentiable = true;
  /// True if infinities, NaN and zeros are inputs to test too.
  bool special = false;
  /// True if the one result is the sum of so many elements that most of it cancels: it is compared
  /// on the scale of the largest partial sum, where the order of the sum is not the CPU's.
  bool cancels = false;
  /// Room of an element of a compiled result: so many units in the last place of itself and of the
  /// largest one. Single operations stay within a few, and so do sums of some hundred products.
  double ulps = 8;
  /// False for rows that no kernel comes from.
  bool compiled = true;
};

/// How test names and failures show a row.
inline void PrintTo(const Row &row, std::ostream *stream) {
  *stream << row.op << " " << row.variant;
}

/// Rows of families that have a file of their own.
void addNormalization(std::vector<Row> &rows);

/// The table.
const std::vector<Row> &rows();

/// The rows of a family that has a file of its own.
void addConvolutions(std::vector<Row> &rows);
void addPooling(std::vector<Row> &rows);
void addSequences(std::vector<Row> &rows);
void addIndexing(std::vector<Row> &rows);
void addAttention(std::vector<Row> &rows);
void addWinograd(std::vector<Row> &rows);

/// "add", "add_scalar", ...: a row's name in test names.
std::string rowName(const Row &row);

/// One function of a row: its element type, and its sizes, or dynamic ones.
struct Function {
  const Row &row;
  std::string element;
  std::optional<Sizes> sizes;

  /// "f32_5x37x7", "f64_dynamic".
  std::string suffix() const;
  /// `tensor<...>` of a type pattern.
  std::string type(const std::string &pattern) const;
  /// The row's declarations.
  std::string declarations() const { return expanded(row.module); }
  /// @forward_SUFFIX: the row's op.
  std::string forward() const;
  /// @gradient_SUFFIX: the gradient of sum(weights * %z) with respect to the floating-point
  /// arguments; `weights` comes last.
  std::string gradient() const;
  /// @curvature_SUFFIX: the gradient of sum(directions * first gradient); after `weights` a
  /// direction for each of these arguments.
  std::string curvature() const;
  /// The arguments that have a gradient.
  std::vector<Argument> differentiated() const;

private:
  std::string text(const std::string &name, const std::vector<Argument> &arguments,
                   const std::string &code, const std::vector<std::string> &results) const;
  std::string signature(const std::vector<Argument> &arguments) const;
  std::string expanded(const std::string &code) const;
  std::string scalar(const std::string &pattern) const;
  std::string weighted(const std::string &sum, const std::string &value, const std::string &weights,
                       const std::string &pattern) const;
  std::string firstGradient() const;
};

/// The functions to compile: every element type, with every size and dynamic.
std::vector<Function> functionsOf(const Row &row);

/// The shape of a type pattern at `sizes`.
llvm::SmallVector<int64_t> shapeOf(const std::string &pattern, const Sizes &sizes);
/// Random elements for a type pattern, equal for equal `seed`s; floating point is exact in f32.
mlir::gen::Array randomArray(mlir::MLIRContext &context, const Argument &argument,
                             const std::string &element, const Sizes &sizes, unsigned seed);
/// The same shape with infinities, NaN, zeros and large numbers in turn.
mlir::gen::Array specialArray(mlir::MLIRContext &context, const Argument &argument,
                              const std::string &element, const Sizes &sizes, unsigned seed);

/// A context with everything a row needs.
std::unique_ptr<mlir::MLIRContext> makeContext();
/// The functions as a module with the row's declarations; null after a diagnostic.
mlir::OwningOpRef<mlir::ModuleOp> parse(mlir::MLIRContext &context, const std::string &text);

} // namespace optable

#endif // GEN_TEST_UNIT_OPTABLE_H
