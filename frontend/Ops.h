//===- Ops.h - checks that functions on tensors share -----------*- C++ -*-===//

#ifndef GEN_FRONTEND_OPS_H
#define GEN_FRONTEND_OPS_H

#include "Diagnostic.h"
#include "Entry.h"

namespace gen::detail {

/// "exp(x)"; arguments too long for a message are left out.
std::string callText(const std::string &function, const std::vector<std::string> &arguments);

/// "0.5".
std::string numberText(double number);

/// Throws unless `x` has one of the dtypes.
void requireFloat(const char *op, const Tensor &x, SourceLocation where);
void requireNumber(const char *op, const Tensor &x, SourceLocation where);
void requireSameDType(const char *op, const Tensor &lhs, const Tensor &rhs, SourceLocation where);

/// The shape of an elementwise op on `lhs` and `rhs`; throws where they do not fit.
Shape broadcast(const char *op, const Tensor &lhs, const Tensor &rhs, SourceLocation where);

/// `axis`, counted from the first; throws if `x` has no such axis.
int64_t normalizeAxis(const char *op, const Tensor &x, int64_t axis, SourceLocation where);
/// The same for all, ascending, each once.
std::vector<int64_t> normalizeAxes(const char *op, const Tensor &x, std::vector<int64_t> axes,
                                   SourceLocation where);

/// The operand as a tensor; a number becomes a scalar of dtype `like`.
Tensor tensorOf(const char *op, const Operand &operand, const Operand &like);

/// f(x) of x's type.
template <typename Op, typename... Args>
Tensor unary(const char *name, const Tensor &x, SourceLocation where, Args &&...args) {
  Entry &entry = Entry::current(name, where);
  mlir::Value value = entry.value(x, where);
  return entry.emit<Op>(where, x.dtype(), x.shape(), callText(name + 4, {x.text()}), value,
                        std::forward<Args>(args)...);
}

} // namespace gen::detail

#endif // GEN_FRONTEND_OPS_H
