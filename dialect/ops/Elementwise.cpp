//===- Elementwise.cpp - formulas of the elementwise ops ------------------===//
//
// A table: each op's formula on numbers (the reference), on SSA values (the kernel), its derivative
// and its algebra stand side by side. What they share is in Elementwise.h and Elementwise.td. `x`
// and `y` are the operands, `z` is the result, `dz` its gradient.
//
// Derivatives are written in terms of the result where they can be, so that fewer tensors live
// until the backward pass.
//
//===----------------------------------------------------------------------===//

#include "dialect/ops/Elementwise.h"
#include "dialect/Folding.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>
#include <numbers>

using namespace mlir;
using namespace mlir::gen;

using Gradients = SmallVector<Value>;
using Constants = ArrayRef<Attribute>;

/// The name of a comparison, as in `gen.compare lt`.
static ParseResult parsePredicate(OpAsmParser &parser, ComparePredicateAttr &predicate) {
  SMLoc location = parser.getCurrentLocation();
  StringRef name;
  if (failed(parser.parseOptionalKeyword(&name)))
    return parser.emitError(location, "expected eq, ne, lt, le, gt or ge");
  std::optional<ComparePredicate> value = symbolizeComparePredicate(name);
  if (!value)
    return parser.emitError(location, "expected eq, ne, lt, le, gt or ge, got ") << name;
  predicate = ComparePredicateAttr::get(parser.getContext(), *value);
  return success();
}
static void printPredicate(OpAsmPrinter &printer, Operation *, ComparePredicateAttr predicate) {
  printer << stringifyComparePredicate(predicate.getValue());
}

#define GET_OP_CLASSES
#include "dialect/ops/Elementwise.cpp.inc"

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

static bool isFloat(Value x) { return isa<FloatType>(getElementTypeOrSelf(x)); }

/// A constant of the type of `like`, a scalar or a vector.
static Value constantLike(ImplicitLocOpBuilder &b, Value like, double value) {
  Type element = getElementTypeOrSelf(like);
  TypedAttr attribute = b.getIntegerAttr(b.getI64Type(), 0);
  if (isa<FloatType>(element))
    attribute = b.getFloatAttr(element, value);
  else
    attribute = b.getIntegerAttr(element, static_cast<int64_t>(value));
  if (auto vector = dyn_cast<VectorType>(like.getType()))
    attribute = DenseElementsAttr::get(vector, attribute);
  return arith::ConstantOp::create(b, attribute);
}

template <typename FloatOp, typename IntegerOp>
static Value emitEither(ImplicitLocOpBuilder &b, Value x, Value y) {
  if (isFloat(x))
    return FloatOp::create(b, x, y);
  return IntegerOp::create(b, x, y);
}

static Value emitLess(ImplicitLocOpBuilder &b, Value x, Value y) {
  if (isFloat(x))
    return arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, y);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, x, y);
}

static Value emitEqual(ImplicitLocOpBuilder &b, Value x, Value y) {
  if (isFloat(x))
    return arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, x, y);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, y);
}

static Value emitSelect(ImplicitLocOpBuilder &b, Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, condition, x, y);
}

/// Integers wrap, as in two's complement; signed overflow would be undefined in C++.
template <typename T, typename F> static T wrapping(T x, T y, F f) {
  if constexpr (std::is_floating_point_v<T>)
    return f(x, y);
  else
    return static_cast<T>(f(static_cast<uint64_t>(x), static_cast<uint64_t>(y)));
}
template <typename T> static T negate(T x) { return wrapping<T>(-T(0), x, std::minus<>()); }

/// `x` as the result of `op`, if it has its type.
static OpFoldResult same(Operation *op, Value x) {
  return x.getType() == op->getResult(0).getType() ? OpFoldResult(x) : OpFoldResult();
}

/// The constant `value` as the result of `op`, if its shape is static.
static OpFoldResult filled(Operation *op, double value) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (!type.hasStaticShape())
    return {};
  Array scalar(type.getElementType(), {});
  scalar.setNumber(0, value);
  return DenseElementsAttr::get(type, toAttribute(scalar).getSplatValue<Attribute>());
}

//===----------------------------------------------------------------------===//
// Unary ops
//===----------------------------------------------------------------------===//

// neg: z = -x, dx = -dz
template <typename T> T NegOp::compute(ArrayRef<T> x) {
  if constexpr (std::is_floating_point_v<T>)
    return -x[0];
  else
    return negate(x[0]);
}
Value NegOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  if (isFloat(x[0]))
    return arith::NegFOp::create(b, x[0]);
  return arith::SubIOp::create(b, constantLike(b, x[0], 0), x[0]);
}
Gradients NegOp::derivative(GenBuilder &b, ValueRange dz) { return {b.neg(dz[0])}; }
OpFoldResult NegOp::simplify(Constants) {
  auto inner = getInput().getDefiningOp<NegOp>();
  return inner ? same(*this, inner.getInput()) : OpFoldResult();
}

// abs: z = |x|, dx = dz * sign(x)
template <typename T> T AbsOp::compute(ArrayRef<T> x) {
  if constexpr (std::is_floating_point_v<T>)
    return std::fabs(x[0]);
  else
    return x[0] < 0 ? negate(x[0]) : x[0];
}
Value AbsOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  if (isFloat(x[0]))
    return math::AbsFOp::create(b, x[0]);
  return arith::MaxSIOp::create(b, x[0], arith::SubIOp::create(b, constantLike(b, x[0], 0), x[0]));
}
Gradients AbsOp::derivative(GenBuilder &b, ValueRange dz) {
  return {b.mul(dz[0], b.sign(getInput()))};
}

// sign: z = [x > 0] - [x < 0], x where that is NaN or a zero; dx = 0
template <typename T> T SignOp::compute(ArrayRef<T> x) {
  return x[0] > 0 ? T(1) : x[0] < 0 ? T(-1) : x[0];
}
Value SignOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  Value zero = constantLike(b, x[0], 0);
  Value negative = emitSelect(b, emitLess(b, x[0], zero), constantLike(b, x[0], -1), x[0]);
  return emitSelect(b, emitLess(b, zero, x[0]), constantLike(b, x[0], 1), negative);
}
Gradients SignOp::derivative(GenBuilder &, ValueRange) { return {Value()}; }

// exp: dx = dz * z
double ExpOp::compute(ArrayRef<double> x) { return std::exp(x[0]); }
Value ExpOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return math::ExpOp::create(b, x[0]);
}
Gradients ExpOp::derivative(GenBuilder &b, ValueRange dz) { return {b.mul(dz[0], getResult())}; }

// log: dx = dz / x
double LogOp::compute(ArrayRef<double> x) { return std::log(x[0]); }
Value LogOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return math::LogOp::create(b, x[0]);
}
Gradients LogOp::derivative(GenBuilder &b, ValueRange dz) { return {b.div(dz[0], getInput())}; }

// log1p: dx = dz / (1 + x)
double Log1pOp::compute(ArrayRef<double> x) { return std::log1p(x[0]); }
Value Log1pOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return math::Log1pOp::create(b, x[0]);
}
Gradients Log1pOp::derivative(GenBuilder &b, ValueRange dz) {
  return {b.div(dz[0], b.add(getInput(), b.scalar(1, getInput())))};
}

// sqrt: dx = dz * 0.5 / z
double SqrtOp::compute(ArrayRef<double> x) { return std::sqrt(x[0]); }
Value SqrtOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return math::SqrtOp::create(b, x[0]);
}
Gradients SqrtOp::derivative(GenBuilder &b, ValueRange dz) {
  return {b.div(b.mul(dz[0], b.scalar(0.5, dz[0])), getResult())};
}

// rsqrt: dx = dz * -0.5 * z^3
double RsqrtOp::compute(ArrayRef<double> x) { return 1 / std::sqrt(x[0]); }
Value RsqrtOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return math::RsqrtOp::create(b, x[0]);
}
Gradients RsqrtOp::derivative(GenBuilder &b, ValueRange dz) {
  Value z = getResult();
  return {b.mul(b.mul(dz[0], b.scalar(-0.5, z)), b.mul(z, b.mul(z, z)))};
}

// tanh: dx = dz * (1 - z^2)
double TanhOp::compute(ArrayRef<double> x) { return std::tanh(x[0]); }
Value TanhOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return math::TanhOp::create(b, x[0]);
}
Gradients TanhOp::derivative(GenBuilder &b, ValueRange dz) {
  Value z = getResult();
  return {b.mul(dz[0], b.sub(b.scalar(1, z), b.mul(z, z)))};
}

// sigmoid: z = 1 / (1 + exp(-x)), dx = dz * z * (1 - z)
double SigmoidOp::compute(ArrayRef<double> x) { return 1 / (1 + std::exp(-x[0])); }
Value SigmoidOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  Value one = constantLike(b, x[0], 1);
  Value exponential = math::ExpOp::create(b, arith::NegFOp::create(b, x[0]));
  return arith::DivFOp::create(b, one, arith::AddFOp::create(b, one, exponential));
}
Gradients SigmoidOp::derivative(GenBuilder &b, ValueRange dz) {
  Value z = getResult();
  return {b.mul(dz[0], b.mul(z, b.sub(b.scalar(1, z), z)))};
}

// erf: dx = dz * 2 / sqrt(pi) * exp(-x^2)
double ErfOp::compute(ArrayRef<double> x) { return std::erf(x[0]); }
Value ErfOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return math::ErfOp::create(b, x[0]);
}
Gradients ErfOp::derivative(GenBuilder &b, ValueRange dz) {
  Value x = getInput();
  Value bell = b.exp(b.neg(b.mul(x, x)));
  return {b.mul(dz[0], b.mul(b.scalar(2 * std::numbers::inv_sqrtpi, x), bell))};
}

// sin: dx = dz * cos(x)
double SinOp::compute(ArrayRef<double> x) { return std::sin(x[0]); }
Value SinOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return math::SinOp::create(b, x[0]);
}
Gradients SinOp::derivative(GenBuilder &b, ValueRange dz) {
  return {b.mul(dz[0], b.cos(getInput()))};
}

// cos: dx = -dz * sin(x)
double CosOp::compute(ArrayRef<double> x) { return std::cos(x[0]); }
Value CosOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return math::CosOp::create(b, x[0]);
}
Gradients CosOp::derivative(GenBuilder &b, ValueRange dz) {
  return {b.neg(b.mul(dz[0], b.sin(getInput())))};
}

// relu: z = max(x, 0), dx = z > 0 ? dz : 0
double ReluOp::compute(ArrayRef<double> x) { return x[0] <= 0 ? 0.0 : x[0]; }
Value ReluOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return arith::MaximumFOp::create(b, x[0], constantLike(b, x[0], 0));
}
Gradients ReluOp::derivative(GenBuilder &b, ValueRange dz) {
  Value zero = b.scalar(0, dz[0]);
  Value positive = b.compare(ComparePredicate::gt, getResult(), zero);
  return {b.select(positive, dz[0], zero)};
}

// leaky_relu: z = x > 0 ? x : slope * x, dx = x > 0 ? dz : slope * dz; z has the sign of x unless
// slope < 0
double LeakyReluOp::compute(ArrayRef<double> x) {
  return x[0] > 0 ? x[0] : getSlope().convertToDouble() * x[0];
}
Value LeakyReluOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  Value slope = constantLike(b, x[0], getSlope().convertToDouble());
  Value positive = emitLess(b, constantLike(b, x[0], 0), x[0]);
  return emitSelect(b, positive, x[0], arith::MulFOp::create(b, slope, x[0]));
}
Gradients LeakyReluOp::derivative(GenBuilder &b, ValueRange dz) {
  Value zero = b.scalar(0, dz[0]), slope = b.scalar(getSlope().convertToDouble(), dz[0]);
  Value signedLikeX = getSlope().isNegative() ? Value(getInput()) : Value(getResult());
  Value positive = b.compare(ComparePredicate::gt, signedLikeX, zero);
  return {b.select(positive, dz[0], b.mul(dz[0], slope))};
}
LogicalResult LeakyReluOp::verify() {
  if (getSlope().isFinite())
    return success();
  return emitOpError("expected a finite slope (C1), got ") << getSlopeAttr().getValueAsDouble();
}

// not: z = !x
int64_t NotOp::compute(ArrayRef<int64_t> x) { return x[0] == 0; }
Value NotOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return arith::XOrIOp::create(b, x[0], constantLike(b, x[0], 1));
}
StringRef NotOp::whyNotDifferentiable() { return "truth values have no gradient"; }
OpFoldResult NotOp::simplify(Constants) {
  auto inner = getInput().getDefiningOp<NotOp>();
  return inner ? same(*this, inner.getInput()) : OpFoldResult();
}

// stop_gradient: z = x
template <typename T> T StopGradientOp::compute(ArrayRef<T> x) { return x[0]; }
Value StopGradientOp::emitElement(ImplicitLocOpBuilder &, ValueRange x) { return x[0]; }
StringRef StopGradientOp::whyNotDifferentiable() { return "it is there to stop them"; }
SmallVector<Value> StopGradientOp::decompose(GenBuilder &) { return {getInput()}; }

//===----------------------------------------------------------------------===//
// Binary ops
//===----------------------------------------------------------------------===//

// add: dx = dz, dy = dz
template <typename T> T AddOp::compute(ArrayRef<T> x) {
  return wrapping(x[0], x[1], std::plus<>());
}
Value AddOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return emitEither<arith::AddFOp, arith::AddIOp>(b, x[0], x[1]);
}
Gradients AddOp::derivative(GenBuilder &b, ValueRange dz) {
  return {b.sumTo(dz[0], getLhs()), b.sumTo(dz[0], getRhs())};
}
OpFoldResult AddOp::simplify(Constants constants) {
  // The sign of a zero is not kept: -0 + 0 is 0.
  return splatNumber(constants[1]) == 0.0 ? same(*this, getLhs()) : OpFoldResult();
}

// sub: dx = dz, dy = -dz
template <typename T> T SubOp::compute(ArrayRef<T> x) {
  return wrapping(x[0], x[1], std::minus<>());
}
Value SubOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return emitEither<arith::SubFOp, arith::SubIOp>(b, x[0], x[1]);
}
Gradients SubOp::derivative(GenBuilder &b, ValueRange dz) {
  return {b.sumTo(dz[0], getLhs()), b.neg(b.sumTo(dz[0], getRhs()))};
}
OpFoldResult SubOp::simplify(Constants constants) {
  return splatNumber(constants[1]) == 0.0 ? same(*this, getLhs()) : OpFoldResult();
}

// mul: dx = dz * y, dy = dz * x
template <typename T> T MulOp::compute(ArrayRef<T> x) {
  return wrapping(x[0], x[1], std::multiplies<>());
}
Value MulOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return emitEither<arith::MulFOp, arith::MulIOp>(b, x[0], x[1]);
}
Gradients MulOp::derivative(GenBuilder &b, ValueRange dz) {
  return {b.sumTo(b.mul(dz[0], getRhs()), getLhs()), b.sumTo(b.mul(dz[0], getLhs()), getRhs())};
}
OpFoldResult MulOp::simplify(Constants constants) {
  std::optional<double> factor = splatNumber(constants[1]);
  if (factor == 1.0)
    return same(*this, getLhs());
  // Not for floating point: NaN * 0 is NaN.
  return factor == 0.0 && !isFloat(getResult()) ? filled(*this, 0) : OpFoldResult();
}

// div: dx = dz / y, dy = -dz / y * z. Integers: towards zero, x / 0 = 0, the least one by -1 is
// itself
template <typename T> T DivOp::compute(ArrayRef<T> x) {
  if constexpr (std::is_floating_point_v<T>)
    return x[0] / x[1];
  else
    return x[1] == 0 ? 0 : x[1] == -1 ? negate(x[0]) : x[0] / x[1];
}
Value DivOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  if (isFloat(x[0]))
    return arith::DivFOp::create(b, x[0], x[1]);
  Value zero = constantLike(b, x[0], 0), one = constantLike(b, x[0], 1);
  Value byZero = emitEqual(b, x[1], zero),
        byMinusOne = emitEqual(b, x[1], constantLike(b, x[0], -1));
  Value divisor = emitSelect(b, arith::OrIOp::create(b, byZero, byMinusOne), one, x[1]);
  Value quotient = arith::DivSIOp::create(b, x[0], divisor);
  Value negated = arith::SubIOp::create(b, zero, x[0]);
  return emitSelect(b, byZero, zero, emitSelect(b, byMinusOne, negated, quotient));
}
Gradients DivOp::derivative(GenBuilder &b, ValueRange dz) {
  Value scaled = b.div(dz[0], getRhs());
  return {b.sumTo(scaled, getLhs()), b.neg(b.sumTo(b.mul(scaled, getResult()), getRhs()))};
}
OpFoldResult DivOp::simplify(Constants constants) {
  return splatNumber(constants[1]) == 1.0 ? same(*this, getLhs()) : OpFoldResult();
}

/// The gradient of one side of a maximum or minimum: dz where that side won, half of it at a tie,
/// as PyTorch does.
static Value winnersGradient(GenBuilder &b, Value dz, Value x, Value y, ComparePredicate loses) {
  Value half = b.mul(dz, b.scalar(0.5, dz));
  Value shared = b.select(b.compare(ComparePredicate::eq, x, y), half, dz);
  Value gradient = b.select(b.compare(loses, x, y), b.scalar(0, dz), shared);
  return b.sumTo(gradient, x);
}

/// The larger, or NaN if one is.
template <typename T> static T larger(T x, T y) { return x != x || x > y ? x : y; }

// max: dx = x > y ? dz : x == y ? dz / 2 : 0
template <typename T> T MaxOp::compute(ArrayRef<T> x) { return larger(x[0], x[1]); }
Value MaxOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return emitEither<arith::MaximumFOp, arith::MaxSIOp>(b, x[0], x[1]);
}
Gradients MaxOp::derivative(GenBuilder &b, ValueRange dz) {
  return {winnersGradient(b, dz[0], getLhs(), getRhs(), ComparePredicate::lt),
          winnersGradient(b, dz[0], getRhs(), getLhs(), ComparePredicate::lt)};
}

// min: dx = x < y ? dz : x == y ? dz / 2 : 0
template <typename T> T MinOp::compute(ArrayRef<T> x) {
  return x[0] != x[0] || x[0] < x[1] ? x[0] : x[1];
}
Value MinOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return emitEither<arith::MinimumFOp, arith::MinSIOp>(b, x[0], x[1]);
}
Gradients MinOp::derivative(GenBuilder &b, ValueRange dz) {
  return {winnersGradient(b, dz[0], getLhs(), getRhs(), ComparePredicate::gt),
          winnersGradient(b, dz[0], getRhs(), getLhs(), ComparePredicate::gt)};
}

// pow: dx = y == 0 ? 0 : dz * y * x^(y - 1), dy = x == 0 and y >= 0 ? 0 : dz * z * log(x)
double PowOp::compute(ArrayRef<double> x) { return std::pow(x[0], x[1]); }
Value PowOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return math::PowFOp::create(b, x[0], x[1]);
}
Gradients PowOp::derivative(GenBuilder &b, ValueRange dz) {
  Value x = getLhs(), y = getRhs(), zero = b.scalar(0, x);
  Value slope = b.mul(y, b.pow(x, b.sub(y, b.scalar(1, y))));
  Value dx = b.select(b.compare(ComparePredicate::eq, y, zero), zero, b.mul(dz[0], slope));
  Value flat = b.make<AndOp>(b.compare(ComparePredicate::eq, x, zero),
                             b.compare(ComparePredicate::ge, y, zero));
  Value dy = b.select(flat, zero, b.mul(dz[0], b.mul(getResult(), b.log(x))));
  return {b.sumTo(dx, x), b.sumTo(dy, y)};
}
OpFoldResult PowOp::simplify(Constants constants) {
  std::optional<double> exponent = splatNumber(constants[1]);
  if (exponent == 1.0)
    return same(*this, getLhs());
  return exponent == 0.0 ? filled(*this, 1) : OpFoldResult();
}

// and, or: of truth values
int64_t AndOp::compute(ArrayRef<int64_t> x) { return x[0] & x[1]; }
Value AndOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return arith::AndIOp::create(b, x[0], x[1]);
}
StringRef AndOp::whyNotDifferentiable() { return "truth values have no gradient"; }
int64_t OrOp::compute(ArrayRef<int64_t> x) { return x[0] | x[1]; }
Value OrOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return arith::OrIOp::create(b, x[0], x[1]);
}
StringRef OrOp::whyNotDifferentiable() { return "truth values have no gradient"; }

//===----------------------------------------------------------------------===//
// Compare, select, cast
//===----------------------------------------------------------------------===//

// compare: false if one is NaN, but for ne
template <typename T> T CompareOp::compute(ArrayRef<T> x) {
  switch (getPredicate()) {
  case ComparePredicate::eq:
    return x[0] == x[1];
  case ComparePredicate::ne:
    return x[0] != x[1];
  case ComparePredicate::lt:
    return x[0] < x[1];
  case ComparePredicate::le:
    return x[0] <= x[1];
  case ComparePredicate::gt:
    return x[0] > x[1];
  case ComparePredicate::ge:
    return x[0] >= x[1];
  }
  llvm_unreachable("every predicate has its case");
}
StringRef CompareOp::whyNotDifferentiable() { return "truth values have no gradient"; }
Value CompareOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  using arith::CmpFPredicate;
  using arith::CmpIPredicate;
  static constexpr CmpFPredicate ofFloats[] = {CmpFPredicate::OEQ, CmpFPredicate::UNE,
                                               CmpFPredicate::OLT, CmpFPredicate::OLE,
                                               CmpFPredicate::OGT, CmpFPredicate::OGE};
  static constexpr CmpIPredicate ofIntegers[] = {CmpIPredicate::eq,  CmpIPredicate::ne,
                                                 CmpIPredicate::slt, CmpIPredicate::sle,
                                                 CmpIPredicate::sgt, CmpIPredicate::sge};
  auto predicate = static_cast<uint32_t>(getPredicate());
  if (isFloat(x[0]))
    return arith::CmpFOp::create(b, ofFloats[predicate], x[0], x[1]);
  return arith::CmpIOp::create(b, ofIntegers[predicate], x[0], x[1]);
}

// select: z = c ? x : y, dx = c ? dz : 0, dy = c ? 0 : dz
template <typename T> T SelectOp::compute(ArrayRef<T> x) { return x[0] != 0 ? x[1] : x[2]; }
Value SelectOp::emitElement(ImplicitLocOpBuilder &b, ValueRange x) {
  return emitSelect(b, x[0], x[1], x[2]);
}
Gradients SelectOp::derivative(GenBuilder &b, ValueRange dz) {
  Value zero = b.scalar(0, dz[0]);
  return {Value(), b.sumTo(b.select(getCondition(), dz[0], zero), getOnTrue()),
          b.sumTo(b.select(getCondition(), zero, dz[0]), getOnFalse())};
}
OpFoldResult SelectOp::simplify(Constants constants) {
  if (getOnTrue() == getOnFalse())
    return same(*this, getOnTrue());
  if (std::optional<double> condition = splatNumber(constants[0]))
    return same(*this, *condition != 0 ? getOnTrue() : getOnFalse());
  return {};
}

/// Float to integer: towards zero; what is out of range becomes the nearest integer there is, NaN
/// becomes 0.
static Value emitFloatToInteger(ImplicitLocOpBuilder &b, Value x, Type laneType) {
  unsigned width = getElementTypeOrSelf(laneType).getIntOrFloatBitWidth();
  double limit = std::ldexp(1.0, static_cast<int>(width) - 1);
  Value least = constantLike(b, x, -limit), beyond = constantLike(b, x, limit);
  using arith::CmpFPredicate;
  Value tooLarge = arith::CmpFOp::create(b, CmpFPredicate::OGE, x, beyond);
  Value tooSmall = arith::CmpFOp::create(b, CmpFPredicate::OLT, x, least);
  Value isNumber = arith::CmpFOp::create(b, CmpFPredicate::ORD, x, x);
  // The conversion itself must not see what it cannot convert.
  Value outside = arith::OrIOp::create(b, tooLarge, tooSmall);
  Value safe = emitSelect(b, outside, constantLike(b, x, 0), x);
  safe = emitSelect(b, isNumber, safe, constantLike(b, x, 0));
  Value converted = arith::FPToSIOp::create(b, laneType, safe);
  auto extreme = [&](APInt value) -> Value {
    TypedAttr attribute = b.getIntegerAttr(getElementTypeOrSelf(laneType), value);
    if (auto vector = dyn_cast<VectorType>(laneType))
      attribute = DenseElementsAttr::get(vector, attribute);
    return arith::ConstantOp::create(b, attribute);
  };
  converted = emitSelect(b, tooSmall, extreme(APInt::getSignedMinValue(width)), converted);
  return emitSelect(b, tooLarge, extreme(APInt::getSignedMaxValue(width)), converted);
}

static Value emitCast(ImplicitLocOpBuilder &b, Value x, Type laneType) {
  Type from = getElementTypeOrSelf(x), to = getElementTypeOrSelf(laneType);
  unsigned fromWidth = from.getIntOrFloatBitWidth(), toWidth = to.getIntOrFloatBitWidth();
  if (from == to)
    return x;
  if (to.isInteger(1))
    return isFloat(x)
               ? Value(
                     arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, x, constantLike(b, x, 0)))
               : arith::CmpIOp::create(b, arith::CmpIPredicate::ne, x, constantLike(b, x, 0));
  if (isa<FloatType>(from) && isa<FloatType>(to))
    return fromWidth < toWidth ? Value(arith::ExtFOp::create(b, laneType, x))
                               : arith::TruncFOp::create(b, laneType, x);
  if (isa<FloatType>(from))
    return emitFloatToInteger(b, x, laneType);
  if (isa<FloatType>(to))
    return from.isInteger(1) ? Value(arith::UIToFPOp::create(b, laneType, x))
                             : arith::SIToFPOp::create(b, laneType, x);
  if (from.isInteger(1))
    return arith::ExtUIOp::create(b, laneType, x);
  return fromWidth < toWidth ? Value(arith::ExtSIOp::create(b, laneType, x))
                             : arith::TruncIOp::create(b, laneType, x);
}

Value CastOp::emitAt(ElementEmitter &emitter, Indices at) {
  return emitCast(emitter.b, emitter.elementAt(getInput(), at),
                  emitter.laneType(getType().getElementType()));
}

/// The nearest number of a narrow type; of f32 and f64 the number itself, see Array.h.
static double narrowed(double number, Type type) {
  if (!type.isBF16() && !type.isF16())
    return number;
  APFloat value(number);
  bool lost;
  value.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

/// One number converted to an integer of `width` bits.
static int64_t saturated(double value, unsigned width) {
  if (std::isnan(value))
    return 0;
  double limit = std::ldexp(1.0, static_cast<int>(width) - 1);
  if (value >= limit)
    return APInt::getSignedMaxValue(width).getSExtValue();
  return value < -limit ? APInt::getSignedMinValue(width).getSExtValue()
                        : static_cast<int64_t>(value);
}

LogicalResult CastOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                               SmallVectorImpl<Array> &results) {
  const Array &input = operands.front();
  Type to = getType().getElementType();
  Array result(to, input.shape);
  for (int64_t position = 0, size = input.size(); position < size; ++position) {
    double number = input.number(position);
    if (result.isFloat())
      result.floats[position] = narrowed(number, to);
    else if (to.isInteger(1))
      result.setInteger(position, input.isFloat() ? number != 0 : input.integers[position] != 0);
    else
      result.setInteger(position, input.isFloat() ? saturated(number, to.getIntOrFloatBitWidth())
                                                  : input.integers[position]);
  }
  results.push_back(std::move(result));
  return success();
}

Gradients CastOp::derivative(GenBuilder &b, ValueRange dz) {
  bool differentiable = isFloat(getInput()) && isFloat(getResult());
  return {differentiable ? b.cast(dz[0], getInput().getType().getElementType()) : Value()};
}

LogicalResult CastOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reifyBroadcast(*this, b, shapes);
}

LogicalResult CastOp::verify() {
  if (succeeded(verifyCompatibleShape(getInput().getType(), getType())))
    return success();
  return emitOpError("expected the result to have the shape of the input (C1), got ")
         << getType() << " for " << getInput().getType();
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  return foldConstants(*this, adaptor.getOperands());
}
