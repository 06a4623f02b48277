//===- ElementwisePatterns.cpp - what elementwise ops share ---------------===//
//
// Shape inference, verification and emission by broadcasting, and the patterns that simplify
// elementwise ops.
//
//===----------------------------------------------------------------------===//

#include "dialect/Canonicalization.h"
#include "dialect/Folding.h"
#include "dialect/ops/Elementwise.h"
#include "mlir/IR/Matchers.h"
#include <cmath>

using namespace mlir;
using namespace mlir::gen;

//===----------------------------------------------------------------------===//
// Broadcasting
//===----------------------------------------------------------------------===//

static FailureOr<SmallVector<int64_t>> broadcastOperands(ValueRange operands) {
  SmallVector<ArrayRef<int64_t>> shapes;
  for (Value operand : operands)
    shapes.push_back(cast<RankedTensorType>(operand.getType()).getShape());
  return broadcastShapes(shapes);
}

static std::string quoted(TypeRange types) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::interleave(types, stream, [&](Type type) { stream << "'" << type << "'"; }, " and ");
  return text;
}

LogicalResult mlir::gen::inferBroadcast(StringRef name, std::optional<Location> location,
                                        ValueRange operands, Type elementType,
                                        SmallVectorImpl<Type> &types) {
  if (!llvm::all_of(operands.getTypes(), llvm::IsaPred<RankedTensorType>))
    return failure();
  FailureOr<SmallVector<int64_t>> shape = broadcastOperands(operands);
  if (failed(shape))
    return emitOptionalError(location, "'", name,
                             "' op expected operand shapes to broadcast (C1), got ",
                             quoted(operands.getTypes()));
  types.push_back(RankedTensorType::get(*shape, elementType));
  return success();
}

LogicalResult mlir::gen::verifyBroadcast(Operation *op, ValueRange numbers, Type elementType) {
  ValueRange operands = op->getOperands();
  FailureOr<SmallVector<int64_t>> shape = broadcastOperands(operands);
  if (failed(shape)) {
    InFlightDiagnostic error = op->emitOpError("expected operand shapes to broadcast (C1), got ")
                               << quoted(operands.getTypes());
    error.attachNote() << "hint: shapes are aligned at their last axes, where sizes are equal or "
                          "one of them is 1";
    return error;
  }
  auto elementTypeOf = [](Value value) { return getElementTypeOrSelf(value); };
  if (!llvm::all_equal(llvm::map_range(numbers, elementTypeOf))) {
    InFlightDiagnostic error = op->emitOpError("expected operands of one element type (C2), got ")
                               << quoted(numbers.getTypes());
    error.attachNote() << "hint: gen.cast converts the element type";
    return error;
  }
  auto expected = RankedTensorType::get(*shape, elementType);
  Type got = op->getResult(0).getType();
  if (getElementTypeOrSelf(got) == elementType && succeeded(verifyCompatibleShape(expected, got)))
    return success();
  return op->emitOpError("expected result type ") << expected << " (C3), got " << got;
}

SmallVector<Value> mlir::gen::operandElements(Operation *op, ElementEmitter &emitter,
                                              const Indices &at) {
  SmallVector<Value> elements;
  for (Value operand : op->getOperands()) {
    auto type = cast<RankedTensorType>(operand.getType());
    elements.push_back(emitter.elementAt(operand, broadcastIndices(emitter, type, at)));
  }
  return elements;
}

FailureOr<SmallVector<int64_t>> mlir::gen::broadcastArrays(Operation *op,
                                                           ArrayRef<Array> operands) {
  SmallVector<ArrayRef<int64_t>> shapes;
  SmallVector<Type> types;
  for (const Array &operand : operands) {
    shapes.push_back(operand.shape);
    types.push_back(operand.type());
  }
  FailureOr<SmallVector<int64_t>> shape = broadcastShapes(shapes);
  if (failed(shape))
    return op->emitOpError("expected operand shapes to broadcast (C1), got ") << quoted(types);
  return shape;
}

SmallVector<int64_t> mlir::gen::broadcastStrides(ArrayRef<int64_t> operandShape,
                                                 ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 0);
  size_t missing = shape.size() - operandShape.size();
  int64_t stride = 1;
  for (size_t axis = operandShape.size(); axis-- > 0;) {
    strides[missing + axis] = operandShape[axis] == 1 ? 0 : stride;
    stride *= operandShape[axis];
  }
  return strides;
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

/// What an operand repeats: the input of a broadcast along leading axes, or the number of a splat.
/// Elementwise ops broadcast by themselves.
Value unrepeated(PatternRewriter &rewriter, Value operand) {
  if (auto broadcast = operand.getDefiningOp<BroadcastOp>()) {
    int64_t rank = cast<RankedTensorType>(operand.getType()).getRank();
    ArrayRef<int64_t> axes = broadcast.getAxes();
    for (auto [i, axis] : llvm::enumerate(axes))
      if (axis != rank - static_cast<int64_t>(axes.size() - i))
        return {};
    return broadcast.getInput();
  }
  auto constant = operand.getDefiningOp<ConstantOp>();
  auto splat = constant ? dyn_cast<SplatElementsAttr>(constant.getValue()) : SplatElementsAttr();
  if (!splat || splat.getType().getRank() == 0)
    return {};
  auto scalar = RankedTensorType::get({}, splat.getElementType());
  return ConstantOp::create(rewriter, operand.getLoc(),
                            DenseElementsAttr::get(scalar, splat.getSplatValue<Attribute>()));
}

/// mul(x, broadcast(y)) -> mul(x, y), as long as the other operands give the result its shape.
struct DropRepetition : OpInterfaceRewritePattern<PointwiseOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(PointwiseOpInterface op, PatternRewriter &rewriter) const override {
    if (!op.isElementwise() || op->getNumOperands() < 2 ||
        !llvm::all_of(op->getOperandTypes(), llvm::IsaPred<RankedTensorType>))
      return rewriter.notifyMatchFailure(op, "not several tensors that broadcast");
    auto result = cast<RankedTensorType>(op->getResult(0).getType());
    for (OpOperand &operand : op->getOpOperands()) {
      if (!othersGiveShape(op, operand.getOperandNumber(), result))
        continue;
      if (Value input = unrepeated(rewriter, operand.get())) {
        rewriter.modifyOpInPlace(op, [&] { operand.set(input); });
        return success();
      }
    }
    return rewriter.notifyMatchFailure(op, "no operand repeats another tensor");
  }

  static bool othersGiveShape(Operation *op, unsigned without, RankedTensorType result) {
    SmallVector<Value> others = llvm::to_vector(op->getOperands());
    others.erase(others.begin() + without);
    FailureOr<SmallVector<int64_t>> shape = broadcastOperands(others);
    return succeeded(shape) && ArrayRef<int64_t>(*shape) == result.getShape();
  }
};

bool isPowerOfTwo(double value) {
  int exponent = 0;
  return std::isnormal(value) && std::isnormal(1 / value) &&
         std::fabs(std::frexp(value, &exponent)) == 0.5;
}

/// x / c -> x * (1 / c) where that is exact: c a power of two.
struct DivideByPowerOfTwo : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DivOp op, PatternRewriter &rewriter) const override {
    DenseElementsAttr divisor;
    if (!matchPattern(op.getRhs(), m_Constant(&divisor)) ||
        !isa<FloatType>(divisor.getElementType()))
      return rewriter.notifyMatchFailure(op, "divisor is not a constant");
    std::optional<double> number = splatNumber(divisor);
    // Both c and 1/c have to be normal numbers in f32 too.
    if (!number || !isPowerOfTwo(*number) || std::fabs(std::log2(std::fabs(*number))) > 126)
      return rewriter.notifyMatchFailure(op, "divisor is not a power of two");
    auto reciprocal = DenseElementsAttr::get(
        divisor.getType(), Attribute(FloatAttr::get(divisor.getElementType(), 1 / *number)));
    Value factor = ConstantOp::create(rewriter, op.getLoc(), reciprocal);
    rewriter.replaceOpWithNewOp<MulOp>(op, op.getType(), op.getLhs(), factor);
    return success();
  }
};

/// pow(x, 2) -> x * x; pow(x, -1) -> 1 / x.
struct StrengthReducePow : OpRewritePattern<PowOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PowOp op, PatternRewriter &rewriter) const override {
    Attribute constant;
    Value x = op.getLhs();
    if (!matchPattern(op.getRhs(), m_Constant(&constant)) || x.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "exponent is not a constant");
    std::optional<double> exponent = splatNumber(constant);
    if (exponent == 2.0) {
      rewriter.replaceOpWithNewOp<MulOp>(op, op.getType(), x, x);
      return success();
    }
    if (exponent == -1.0) {
      Value one = GenBuilder(op.getLoc(), rewriter).scalar(1, x);
      rewriter.replaceOpWithNewOp<DivOp>(op, op.getType(), one, x);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "exponent is neither 2 nor -1");
  }
};

/// x + (-y) -> x - y.
struct AddOfNegation : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp op, PatternRewriter &rewriter) const override {
    Value lhs = op.getLhs(), rhs = op.getRhs();
    if (lhs.getDefiningOp<NegOp>())
      std::swap(lhs, rhs);
    auto negation = rhs.getDefiningOp<NegOp>();
    if (!negation)
      return rewriter.notifyMatchFailure(op, "no operand is negated");
    rewriter.replaceOpWithNewOp<SubOp>(op, op.getType(), lhs, negation.getInput());
    return success();
  }
};

/// Padding with zeros along one axis.
struct Padding {
  PadOp op;
  int64_t axis;

  static std::optional<Padding> of(PadOp op) {
    auto number = dyn_cast<FloatAttr>(op.getValue());
    std::optional<Padding> padding;
    if (!number || !number.getValue().isZero())
      return padding;
    for (int64_t axis = 0, rank = op.getType().getRank(); axis < rank; ++axis) {
      if (op.getInterior()[axis] != 0 || (padding && op.getLow()[axis] + op.getHigh()[axis] != 0))
        return std::nullopt;
      if (op.getLow()[axis] + op.getHigh()[axis] != 0)
        padding = Padding{op, axis};
    }
    return padding;
  }
  int64_t first() { return op.getLow()[axis]; }
  int64_t last() { return first() + op.getInput().getType().getDimSize(axis); }
};

/// pad(x) + pad(y) -> pad(concat(x, y)), where elements of x and y lie side by side among zeros:
/// the gradient of what is cut into parts.
struct AddOfParts : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp op, PatternRewriter &rewriter) const override {
    SmallVector<Padding> parts;
    if (!collect(op.getLhs(), op.getType(), parts) || !collect(op.getRhs(), op.getType(), parts))
      return rewriter.notifyMatchFailure(op, "not a sum of parts among zeros");
    llvm::sort(parts, [](auto &x, auto &y) { return x.first() < y.first(); });
    int64_t axis = parts.front().axis;
    for (auto [part, next] : llvm::zip(parts, MutableArrayRef(parts).drop_front()))
      if (next.axis != axis || next.first() != part.last() || op.getType().isDynamicDim(axis))
        return rewriter.notifyMatchFailure(op, "parts do not lie side by side");
    SmallVector<Value> inputs;
    for (Padding &part : parts) {
      auto inner = part.op.getInput().getDefiningOp<ConcatOp>();
      bool isJoined = inner && int64_t(inner.getAxis()) == axis && inner->hasOneUse();
      llvm::append_range(inputs,
                         isJoined ? ValueRange(inner.getInputs()) : ValueRange(part.op.getInput()));
    }
    GenBuilder b(op.getLoc(), rewriter);
    Value joined = b.make<ConcatOp>(inputs, axis);
    SmallVector<int64_t> low(op.getType().getRank(), 0), high = low, interior = low;
    low[axis] = parts.front().first();
    high[axis] = parts.back().op.getHigh()[axis];
    rewriter.replaceOp(op, b.make<PadOp>(joined, cast<TypedAttr>(parts.front().op.getValue()), low,
                                         high, interior));
    return success();
  }

  /// Adds the parts that `value` is the sum of; false if it is something else.
  static bool collect(Value value, Type type, SmallVectorImpl<Padding> &parts) {
    if (!value.hasOneUse() || value.getType() != type)
      return false;
    if (auto add = value.getDefiningOp<AddOp>())
      return collect(add.getLhs(), type, parts) && collect(add.getRhs(), type, parts);
    auto pad = value.getDefiningOp<PadOp>();
    std::optional<Padding> part = pad ? Padding::of(pad) : std::nullopt;
    if (part)
      parts.push_back(*part);
    return part.has_value();
  }
};

} // namespace

void mlir::gen::populateElementwisePatterns(RewritePatternSet &patterns) {
  patterns.add<DropRepetition, DivideByPowerOfTwo, StrengthReducePow, AddOfNegation, AddOfParts>(
      patterns.getContext());
}
