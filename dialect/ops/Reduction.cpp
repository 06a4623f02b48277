//===- Reduction.cpp - folds along axes -----------------------------------===//
//
// The shape rules are shared; an op states its identity, its fold (on numbers and on SSA values)
// and its derivative.
//
//===----------------------------------------------------------------------===//

#include "dialect/Canonicalization.h"
#include "dialect/Folding.h"
#include "dialect/Permutation.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <limits>

using namespace mlir;
using namespace mlir::gen;

using Gradients = SmallVector<Value>;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// The axes of a tensor of `rank` that are not in `axes`, ascending.
static SmallVector<int64_t> otherAxes(int64_t rank, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> others;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (!llvm::is_contained(axes, axis))
      others.push_back(axis);
  return others;
}

static bool areAxesOf(RankedTensorType type, ArrayRef<int64_t> axes) {
  bool inRange =
      llvm::all_of(axes, [&](int64_t axis) { return axis >= 0 && axis < type.getRank(); });
  return inRange && llvm::is_sorted(axes, std::less_equal<>());
}

static RankedTensorType reducedType(RankedTensorType input, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> shape;
  for (int64_t axis : otherAxes(input.getRank(), axes))
    shape.push_back(input.getDimSize(axis));
  return RankedTensorType::get(shape, input.getElementType());
}

static std::string listed(ArrayRef<int64_t> axes) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "[";
  llvm::interleaveComma(axes, stream);
  stream << "]";
  return text;
}

static LogicalResult inferReduction(StringRef name, std::optional<Location> location, Value input,
                                    ArrayRef<int64_t> axes, SmallVectorImpl<Type> &types) {
  auto type = dyn_cast<RankedTensorType>(input.getType());
  if (!type || !areAxesOf(type, axes))
    return emitOptionalError(location, "'", name,
                             "' op expected ascending axes of the input (C1), got ", listed(axes),
                             " for ", input.getType());
  types.push_back(reducedType(type, axes));
  return success();
}

static LogicalResult verifyReduction(Operation *op, ArrayRef<int64_t> axes) {
  auto input = cast<RankedTensorType>(op->getOperand(0).getType());
  if (!areAxesOf(input, axes)) {
    InFlightDiagnostic error = op->emitOpError("expected ascending axes of the input (C1), got ")
                               << listed(axes) << " for " << input;
    error.attachNote() << "hint: axes count from 0, outermost first; each is given once";
    return error;
  }
  RankedTensorType expected = reducedType(input, axes);
  auto got = cast<RankedTensorType>(op->getResult(0).getType());
  if (got.getElementType() == expected.getElementType() &&
      succeeded(verifyCompatibleShape(expected, got)))
    return success();
  return op->emitOpError("expected result type ") << expected << " (C2), got " << got;
}

static LogicalResult reifyReduction(Operation *op, ArrayRef<int64_t> axes, OpBuilder &b,
                                    ReifiedRankedShapedTypeDims &shapes) {
  Value input = op->getOperand(0);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<OpFoldResult> sizes;
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  for (auto [axis, from] : llvm::enumerate(otherAxes(rank, axes))) {
    if (!type.isDynamicDim(axis)) {
      sizes.push_back(b.getIndexAttr(type.getDimSize(axis)));
      continue;
    }
    OpFoldResult size = tensor::getMixedSize(b, op->getLoc(), input, from);
    sizes.push_back(getValueOrCreateConstantIndexOp(b, op->getLoc(), size));
  }
  shapes.push_back(std::move(sizes));
  return success();
}

static OpFoldResult foldReduction(ReferenceOpInterface op, ArrayRef<int64_t> axes,
                                  Attribute input) {
  if (axes.empty() && op->getOperand(0).getType() == op->getResult(0).getType())
    return op->getOperand(0);
  return foldConstants(op, {input});
}

//===----------------------------------------------------------------------===//
// Reference semantics
//===----------------------------------------------------------------------===//

/// Calls `fold` with the result's and the input's position for every element of the input.
static void forEachFolded(const Array &input, ArrayRef<int64_t> axes, ArrayRef<int64_t> shape,
                          llvm::function_ref<void(int64_t, int64_t)> fold) {
  SmallVector<int64_t> kept = otherAxes(input.rank(), axes);
  forEachIndex(input.shape, [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t> target;
    for (int64_t axis : kept)
      target.push_back(index[axis]);
    fold(linearize(target, shape), linearize(index, input.shape));
  });
}

static Array emptyResult(const Array &input, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> shape;
  for (int64_t axis : otherAxes(input.rank(), axes))
    shape.push_back(input.shape[axis]);
  return Array(input.elementType, shape);
}

/// Folds with `fold`, on double and int64_t, from `identity`.
template <typename F>
static Array reduced(const Array &input, ArrayRef<int64_t> axes, TypedAttr identity, F fold) {
  Array result = emptyResult(input, axes);
  if (input.isFloat())
    llvm::fill(result.floats, cast<FloatAttr>(identity).getValueAsDouble());
  else
    llvm::fill(result.integers, cast<IntegerAttr>(identity).getInt());
  forEachFolded(input, axes, result.shape, [&](int64_t to, int64_t from) {
    if (input.isFloat())
      result.floats[to] = fold(result.floats[to], input.floats[from]);
    else
      result.setInteger(to, fold(result.integers[to], input.integers[from]));
  });
  return result;
}

/// The number that is `infinite` in floating point and `least` or greatest in integers.
static TypedAttr extreme(Type type, bool least) {
  Builder b(type.getContext());
  if (isa<FloatType>(type)) {
    double infinity = std::numeric_limits<double>::infinity();
    return b.getFloatAttr(type, least ? -infinity : infinity);
  }
  unsigned width = type.getIntOrFloatBitWidth();
  return b.getIntegerAttr(type, least ? APInt::getSignedMinValue(width)
                                      : APInt::getSignedMaxValue(width));
}

#define GET_OP_CLASSES
#include "dialect/ops/Reduction.cpp.inc"

/// Broadcasts a value of the result's shape back along the reduced axes.
template <typename Op> static Value spread(Op op, GenBuilder &b, Value x) {
  int64_t rank = op.getInput().getType().getRank();
  return b.broadcastLike(x, otherAxes(rank, op.getAxes()), op.getInput());
}

//===----------------------------------------------------------------------===//
// The ops
//===----------------------------------------------------------------------===//

// reduce_sum: dx = dz
ArrayRef<int64_t> ReduceSumOp::reductionAxes() { return getAxes(); }
TypedAttr ReduceSumOp::identity() {
  return Builder(getContext()).getZeroAttr(getType().getElementType());
}
Value ReduceSumOp::combine(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  if (isa<FloatType>(getElementTypeOrSelf(lhs)))
    return arith::AddFOp::create(b, lhs, rhs);
  return arith::AddIOp::create(b, lhs, rhs);
}
LogicalResult ReduceSumOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                    SmallVectorImpl<Array> &results) {
  results.push_back(reduced(operands[0], getAxes(), identity(), [](auto x, auto y) {
    if constexpr (std::is_floating_point_v<decltype(x)>)
      return x + y;
    else // wraps
      return static_cast<int64_t>(static_cast<uint64_t>(x) + static_cast<uint64_t>(y));
  }));
  return success();
}
Gradients ReduceSumOp::derivative(GenBuilder &b, ValueRange dz) {
  return {spread(*this, b, dz[0])};
}

/// The gradient of a largest or smallest element: equal shares for all elements that tie.
template <typename Op> static Value sharedGradient(Op op, GenBuilder &b, Value dz) {
  Value x = op.getInput();
  Type element = op.getType().getElementType();
  Value winner = b.compare(ComparePredicate::eq, x, spread(op, b, op.getResult()));
  Value count = b.sum(b.cast(winner, element), op.getAxes());
  return b.select(winner, spread(op, b, b.div(dz, count)), b.scalar(0, dz));
}

/// To order zeros by their signs would cost more than the rest.
static constexpr arith::FastMathFlags kAnyZero = arith::FastMathFlags::nsz;

// reduce_max: dx = x == z ? dz / number of ties : 0
ArrayRef<int64_t> ReduceMaxOp::reductionAxes() { return getAxes(); }
TypedAttr ReduceMaxOp::identity() { return extreme(getType().getElementType(), /*least=*/true); }
Value ReduceMaxOp::combine(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  if (isa<FloatType>(getElementTypeOrSelf(lhs)))
    return arith::MaximumFOp::create(b, lhs, rhs, kAnyZero);
  return arith::MaxSIOp::create(b, lhs, rhs);
}
LogicalResult ReduceMaxOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                    SmallVectorImpl<Array> &results) {
  results.push_back(reduced(operands[0], getAxes(), identity(),
                            [](auto x, auto y) { return x != x || x > y ? x : y; }));
  return success();
}
Gradients ReduceMaxOp::derivative(GenBuilder &b, ValueRange dz) {
  return {sharedGradient(*this, b, dz[0])};
}

// reduce_min: dx = x == z ? dz / number of ties : 0
ArrayRef<int64_t> ReduceMinOp::reductionAxes() { return getAxes(); }
TypedAttr ReduceMinOp::identity() { return extreme(getType().getElementType(), /*least=*/false); }
Value ReduceMinOp::combine(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  if (isa<FloatType>(getElementTypeOrSelf(lhs)))
    return arith::MinimumFOp::create(b, lhs, rhs, kAnyZero);
  return arith::MinSIOp::create(b, lhs, rhs);
}
LogicalResult ReduceMinOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                    SmallVectorImpl<Array> &results) {
  results.push_back(reduced(operands[0], getAxes(), identity(),
                            [](auto x, auto y) { return x != x || x < y ? x : y; }));
  return success();
}
Gradients ReduceMinOp::derivative(GenBuilder &b, ValueRange dz) {
  return {sharedGradient(*this, b, dz[0])};
}

// reduce_mean: z = sum / count, dx = dz / count
LogicalResult ReduceMeanOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                     SmallVectorImpl<Array> &results) {
  TypedAttr zero = Builder(getContext()).getZeroAttr(getType().getElementType());
  Array result = reduced(operands[0], getAxes(), zero, [](auto x, auto y) { return x + y; });
  double count = 1;
  for (int64_t axis : getAxes())
    count *= static_cast<double>(operands[0].shape[axis]);
  for (double &element : result.floats)
    element /= count;
  results.push_back(std::move(result));
  return success();
}
/// 1 / the number of elements that become one.
static Value reciprocalCount(ReduceMeanOp op, GenBuilder &b) {
  Value count = b.count(op.getInput(), op.getAxes());
  return b.div(b.scalar(1, count), count);
}
Gradients ReduceMeanOp::derivative(GenBuilder &b, ValueRange dz) {
  return {spread(*this, b, b.mul(dz[0], reciprocalCount(*this, b)))};
}
SmallVector<Value> ReduceMeanOp::decompose(GenBuilder &b) {
  return {b.mul(b.sum(getInput(), getAxes()), reciprocalCount(*this, b))};
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

/// A reduction of the same reduction -> one along both's axes.
template <typename Op> struct MergeReductions : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    auto inner = op.getInput().template getDefiningOp<Op>();
    if (!inner || !inner->hasOneUse())
      return rewriter.notifyMatchFailure(op, "input is not such a reduction of its own");
    SmallVector<int64_t> axes(inner.getAxes());
    SmallVector<int64_t> kept = otherAxes(inner.getInput().getType().getRank(), axes);
    for (int64_t axis : op.getAxes())
      axes.push_back(kept[axis]);
    llvm::sort(axes);
    rewriter.replaceOpWithNewOp<Op>(op, op.getType(), inner.getInput(), axes);
    return success();
  }
};

} // namespace

void mlir::gen::populateReductionPatterns(RewritePatternSet &patterns) {
  patterns.add<MergeReductions<ReduceSumOp>, MergeReductions<ReduceMaxOp>,
               MergeReductions<ReduceMinOp>, MergeReductions<ReduceMeanOp>>(patterns.getContext());
}
