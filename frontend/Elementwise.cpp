//===- Elementwise.cpp - elementwise functions ----------------------------===//

#include "Ops.h"

using namespace gen::detail;
namespace ops = mlir::gen;

namespace gen {

/// "a + b", operands that are sums themselves in parentheses.
static std::string infix(const Tensor &lhs, const char *sign, const Tensor &rhs) {
  auto text = [](const Tensor &x) {
    std::string text = x.text();
    if (text.size() > 24)
      return std::string("(...)");
    bool compound = text.find(' ') != std::string::npos && text.back() != ')';
    return compound ? '(' + text + ')' : text;
  };
  return text(lhs) + ' ' + sign + ' ' + text(rhs);
}

/// An op on two tensors of one dtype. Functions are named in messages as they are called, operators
/// as they are written.
template <typename Op>
static Tensor binary(const char *name, const char *sign, const Operand &lhs, const Operand &rhs,
                     bool floats = false) {
  SourceLocation where = lhs.isNumber ? rhs.where : lhs.where;
  Tensor left = tensorOf(name, lhs, rhs), right = tensorOf(name, rhs, lhs);
  requireSameDType(name, left, right, where);
  for (const Tensor &x : {left, right})
    floats ? requireFloat(name, x, where) : requireNumber(name, x, where);
  Shape shape = broadcast(name, left, right, where);
  std::string text =
      sign ? infix(left, sign, right) : callText(name + 4, {left.text(), right.text()});
  Entry &entry = Entry::current(name, where);
  mlir::Value l = entry.value(left, where), r = entry.value(right, where);
  return entry.emit<Op>(where, left.dtype(), shape, text, l, r);
}

Tensor operator+(const Operand &lhs, const Operand &rhs) {
  return binary<ops::AddOp>("gen.add", "+", lhs, rhs);
}
Tensor operator-(const Operand &lhs, const Operand &rhs) {
  return binary<ops::SubOp>("gen.sub", "-", lhs, rhs);
}
Tensor operator*(const Operand &lhs, const Operand &rhs) {
  return binary<ops::MulOp>("gen.mul", "*", lhs, rhs);
}
Tensor operator/(const Operand &lhs, const Operand &rhs) {
  return binary<ops::DivOp>("gen.div", "/", lhs, rhs);
}
Tensor maximum(const Operand &lhs, const Operand &rhs) {
  return binary<ops::MaxOp>("gen.max", nullptr, lhs, rhs);
}
Tensor minimum(const Operand &lhs, const Operand &rhs) {
  return binary<ops::MinOp>("gen.min", nullptr, lhs, rhs);
}
Tensor pow(const Operand &base, const Operand &exponent) {
  return binary<ops::PowOp>("gen.pow", nullptr, base, exponent, /*floats=*/true);
}

static Tensor compare(ops::ComparePredicate predicate, const char *sign, const Operand &lhs,
                      const Operand &rhs) {
  constexpr const char *kName = "gen.compare";
  SourceLocation where = lhs.isNumber ? rhs.where : lhs.where;
  Tensor left = tensorOf(kName, lhs, rhs), right = tensorOf(kName, rhs, lhs);
  requireSameDType(kName, left, right, where);
  requireNumber(kName, left, where);
  Shape shape = broadcast(kName, left, right, where);
  Entry &entry = Entry::current(kName, where);
  mlir::Value l = entry.value(left, where), r = entry.value(right, where);
  return entry.emit<ops::CompareOp>(where, boolean, shape, infix(left, sign, right), predicate, l,
                                    r);
}

Tensor operator<(const Operand &lhs, const Operand &rhs) {
  return compare(ops::ComparePredicate::lt, "<", lhs, rhs);
}
Tensor operator<=(const Operand &lhs, const Operand &rhs) {
  return compare(ops::ComparePredicate::le, "<=", lhs, rhs);
}
Tensor operator>(const Operand &lhs, const Operand &rhs) {
  return compare(ops::ComparePredicate::gt, ">", lhs, rhs);
}
Tensor operator>=(const Operand &lhs, const Operand &rhs) {
  return compare(ops::ComparePredicate::ge, ">=", lhs, rhs);
}
Tensor equal(const Operand &lhs, const Operand &rhs) {
  return compare(ops::ComparePredicate::eq, "==", lhs, rhs);
}
Tensor not_equal(const Operand &lhs, const Operand &rhs) {
  return compare(ops::ComparePredicate::ne, "!=", lhs, rhs);
}

static void requireBoolean(const char *op, const Tensor &x, SourceLocation where) {
  if (x.dtype() != boolean)
    throw Diagnostic(where, op, std::string("expected booleans, got ") + name(x.dtype()))
        .operand("input", x)
        .hint("a comparison, as x > 0.5, gives booleans")
        .error();
}

template <typename Op>
static Tensor logical(const char *name, const char *sign, const Operand &lhs, const Operand &rhs) {
  SourceLocation where = lhs.where;
  requireBoolean(name, lhs.tensor, where);
  requireBoolean(name, rhs.tensor, where);
  Shape shape = broadcast(name, lhs.tensor, rhs.tensor, where);
  Entry &entry = Entry::current(name, where);
  mlir::Value l = entry.value(lhs.tensor, where), r = entry.value(rhs.tensor, where);
  return entry.emit<Op>(where, boolean, shape, infix(lhs.tensor, sign, rhs.tensor), l, r);
}
Tensor operator&&(const Operand &lhs, const Operand &rhs) {
  return logical<ops::AndOp>("gen.and", "&&", lhs, rhs);
}
Tensor operator||(const Operand &lhs, const Operand &rhs) {
  return logical<ops::OrOp>("gen.or", "||", lhs, rhs);
}
Tensor operator!(const Operand &x) {
  requireBoolean("gen.not", x.tensor, x.where);
  return unary<ops::NotOp>("gen.not", x.tensor, x.where);
}

Tensor lerp(const Operand &start, const Operand &end, const Operand &weight) {
  SourceScope scope(start.where);
  return start + weight * (end - start);
}

Tensor where(const Tensor &condition, const Operand &on_true, const Operand &on_false) {
  constexpr const char *kName = "gen.select";
  SourceLocation where = on_true.where;
  Tensor left = tensorOf(kName, on_true, on_false), right = tensorOf(kName, on_false, on_true);
  requireBoolean(kName, condition, where);
  requireSameDType(kName, left, right, where);
  Shape shape = broadcast(kName, left, right, where);
  Entry &entry = Entry::current(kName, where);
  mlir::Value c = entry.value(condition, where), l = entry.value(left, where),
              r = entry.value(right, where);
  // The condition broadcasts too: its shape joins that of the branches.
  Tensor joined = entry.wrap(l, left.dtype(), shape, "where(...)", where);
  shape = broadcast(kName, condition, joined, where);
  return entry.emit<ops::SelectOp>(where, left.dtype(), shape, "where(...)", c, l, r);
}

/// Negation and the like take any number, functions of analysis floats.
template <typename Op> static Tensor onNumber(const char *name, const Tensor &x, SourceLocation w) {
  requireNumber(name, x, w);
  return unary<Op>(name, x, w);
}
template <typename Op> static Tensor onFloat(const char *name, const Tensor &x, SourceLocation w) {
  requireFloat(name, x, w);
  return unary<Op>(name, x, w);
}

Tensor operator-(const Operand &x) { return onNumber<ops::NegOp>("gen.neg", x.tensor, x.where); }
Tensor abs(const Tensor &x, SourceLocation w) { return onNumber<ops::AbsOp>("gen.abs", x, w); }
Tensor sign(const Tensor &x, SourceLocation w) { return onNumber<ops::SignOp>("gen.sign", x, w); }
Tensor exp(const Tensor &x, SourceLocation w) { return onFloat<ops::ExpOp>("gen.exp", x, w); }
Tensor log(const Tensor &x, SourceLocation w) { return onFloat<ops::LogOp>("gen.log", x, w); }
Tensor log1p(const Tensor &x, SourceLocation w) { return onFloat<ops::Log1pOp>("gen.log1p", x, w); }
Tensor sqrt(const Tensor &x, SourceLocation w) { return onFloat<ops::SqrtOp>("gen.sqrt", x, w); }
Tensor rsqrt(const Tensor &x, SourceLocation w) { return onFloat<ops::RsqrtOp>("gen.rsqrt", x, w); }
Tensor sin(const Tensor &x, SourceLocation w) { return onFloat<ops::SinOp>("gen.sin", x, w); }
Tensor cos(const Tensor &x, SourceLocation w) { return onFloat<ops::CosOp>("gen.cos", x, w); }
Tensor tanh(const Tensor &x, SourceLocation w) { return onFloat<ops::TanhOp>("gen.tanh", x, w); }
Tensor sigmoid(const Tensor &x, SourceLocation w) {
  return onFloat<ops::SigmoidOp>("gen.sigmoid", x, w);
}
Tensor erf(const Tensor &x, SourceLocation w) { return onFloat<ops::ErfOp>("gen.erf", x, w); }
Tensor relu(const Tensor &x, SourceLocation w) { return onFloat<ops::ReluOp>("gen.relu", x, w); }
Tensor square(const Tensor &x, SourceLocation w) {
  return (Operand(x, w) * Operand(x, w)).named(callText("square", {x.text()}));
}
Tensor leaky_relu(const Tensor &x, double slope, SourceLocation w) {
  requireFloat("gen.leaky_relu", x, w);
  mlir::Builder builder(&Entry::current("gen.leaky_relu", w).program.context);
  return unary<ops::LeakyReluOp>("gen.leaky_relu", x, w, builder.getF64FloatAttr(slope));
}
Tensor stop_gradient(const Tensor &x, SourceLocation w) {
  return unary<ops::StopGradientOp>("gen.stop_gradient", x, w);
}

Tensor cast(const Tensor &x, DType dtype, SourceLocation where) {
  if (x.dtype() == dtype)
    return x;
  Entry &entry = Entry::current("gen.cast", where);
  mlir::Value value = entry.value(x, where);
  return entry.emit<ops::CastOp>(where, dtype, x.shape(), callText("cast", {x.text(), name(dtype)}),
                                 value);
}

Tensor cast(const Dimension &size, DType dtype, SourceLocation where) {
  if (size.isNumber())
    return full({}, static_cast<double>(size.number()), dtype, where);
  Entry &entry = Entry::current("gen.size", where);
  Tensor counted = entry.emit<ops::SizeOp>(where, i64, {}, size.str(), entry.size(size, where));
  return cast(counted, dtype, where).named(size.str());
}

Tensor bce_with_logits(const Tensor &logits, const Operand &targets, SourceLocation where) {
  constexpr const char *kName = "gen.bce_with_logits";
  Tensor right = tensorOf(kName, targets, Operand(logits, where));
  requireFloat(kName, logits, where);
  requireSameDType(kName, logits, right, where);
  Shape shape = broadcast(kName, logits, right, where);
  Tensor left = shape == logits.shape() ? logits : broadcast_to(logits, shape, where);
  if (shape != right.shape())
    right = broadcast_to(right, shape, where);
  Entry &entry = Entry::current(kName, where);
  mlir::Value l = entry.value(left, where), r = entry.value(right, where);
  return entry.emit<ops::BceWithLogitsOp>(
      where, logits.dtype(), shape, callText("bce_with_logits", {logits.text(), right.text()}), l,
      r);
}

} // namespace gen
