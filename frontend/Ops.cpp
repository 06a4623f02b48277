//===- Ops.cpp - checks that functions on tensors share -------------------===//

#include "Ops.h"

#include "llvm/Support/Format.h"

#include <algorithm>

namespace gen::detail {

static constexpr size_t kLongestText = 40;

std::string callText(const std::string &function, const std::vector<std::string> &arguments) {
  std::string inside;
  for (const std::string &argument : arguments)
    inside += (inside.empty() ? "" : ", ") + argument;
  return function + '(' + (inside.size() > kLongestText ? "..." : inside) + ')';
}

std::string numberText(double number) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", number);
  return text;
}

void requireFloat(const char *op, const Tensor &x, SourceLocation where) {
  if (!isFloat(x.dtype()))
    throw Diagnostic(where, op, std::string("expected f32 or f64, got ") + name(x.dtype()))
        .operand("input", x)
        .hint("cast(x, f32) converts it")
        .error();
}

void requireNumber(const char *op, const Tensor &x, SourceLocation where) {
  if (x.dtype() == DType::i1)
    throw Diagnostic(where, op, "expected numbers, got booleans")
        .operand("input", x)
        .hint("cast(x, f32) gives 0 and 1")
        .error();
}

void requireSameDType(const char *op, const Tensor &lhs, const Tensor &rhs, SourceLocation where) {
  if (lhs.dtype() != rhs.dtype())
    throw Diagnostic(where, op,
                     std::string("lhs is ") + name(lhs.dtype()) + ", rhs is " + name(rhs.dtype()))
        .operand("lhs", lhs)
        .operand("rhs", rhs)
        .hint("cast(x, dtype) converts one of them")
        .error();
}

Shape broadcast(const char *op, const Tensor &lhs, const Tensor &rhs, SourceLocation where) {
  const Shape &left = lhs.shape(), &right = rhs.shape();
  Shape result(std::max(left.size(), right.size()), Dimension(1));
  // i counts axes from the last.
  for (size_t i = 1; i <= result.size(); ++i) {
    Dimension l = i <= left.size() ? left[left.size() - i] : Dimension(1);
    Dimension r = i <= right.size() ? right[right.size() - i] : Dimension(1);
    if (l != r && l != Dimension(1) && r != Dimension(1))
      throw Diagnostic(where, op,
                       "shapes do not broadcast: axis -" + std::to_string(i) + " is " + l.str() +
                           " and " + r.str())
          .operand("lhs", lhs)
          .operand("rhs", rhs)
          .hint("shapes are aligned at their last axes; sizes have to be equal or 1")
          .error();
    result[result.size() - i] = l == Dimension(1) ? r : l;
  }
  return result;
}

int64_t normalizeAxis(const char *op, const Tensor &x, int64_t axis, SourceLocation where) {
  int64_t counted = axis < 0 ? axis + x.rank() : axis;
  if (counted < 0 || counted >= x.rank())
    throw Diagnostic(where, op, "there is no axis " + std::to_string(axis))
        .operand("input", x)
        .error();
  return counted;
}

std::vector<int64_t> normalizeAxes(const char *op, const Tensor &x, std::vector<int64_t> axes,
                                   SourceLocation where) {
  for (int64_t &axis : axes)
    axis = normalizeAxis(op, x, axis, where);
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end())
    throw Diagnostic(where, op, "an axis is given twice").operand("input", x).error();
  return axes;
}

Tensor tensorOf(const char *op, const Operand &operand, const Operand &like) {
  if (!operand.isNumber)
    return operand.tensor;
  if (like.isNumber)
    throw Diagnostic(operand.where, op, "expected a tensor, got numbers only").error();
  DType dtype = like.tensor.dtype();
  if (!isFloat(dtype) &&
      operand.number != static_cast<double>(static_cast<int64_t>(operand.number)))
    throw Diagnostic(operand.where, op,
                     std::string("a number with a fraction meets a tensor of ") + name(dtype))
        .operand("tensor", like.tensor)
        .hint("cast(x, f32) converts the tensor")
        .error();
  Entry &entry = Entry::current(op, operand.where);
  return entry.wrap(entry.scalar(operand.number, dtype, operand.where), dtype, {},
                    numberText(operand.number), operand.where);
}

} // namespace gen::detail
