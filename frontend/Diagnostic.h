//===- Diagnostic.h - error messages of the builder -------------*- C++ -*-===//
//
// Where, which op, expected and got, the operands with their shapes and origins, and a hint.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_FRONTEND_DIAGNOSTIC_H
#define GEN_FRONTEND_DIAGNOSTIC_H

#include "gen/tensor.hpp"

namespace gen::detail {

/// "vae.cpp:23:31".
std::string str(SourceLocation where);
/// The line an op made at `where` belongs to: that of the outermost SourceScope, if there is one.
SourceLocation outermost(SourceLocation where);

/// One error. Throw what `error()` gives:
///
///   throw Diagnostic(where, "gen.matmul", "lhs has 400 columns, rhs has 20 rows")
///       .operand("lhs", lhs).operand("rhs", rhs).hint("...").error();
class Diagnostic {
public:
  Diagnostic(SourceLocation where, const std::string &op, const std::string &message);
  Diagnostic &operand(const std::string &role, const Tensor &tensor, const std::string &note = "");
  Diagnostic &hint(const std::string &text);
  BuildError error() const;

private:
  struct Line {
    std::string role, text, type, where;
  };
  SourceLocation where;
  std::string message, hintText;
  std::vector<Line> operands;
};

/// "400 columns", "1 row".
std::string count(const Dimension &number, const std::string &noun);

} // namespace gen::detail

#endif // GEN_FRONTEND_DIAGNOSTIC_H
