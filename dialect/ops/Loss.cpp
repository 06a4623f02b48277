//===- Loss.cpp - losses kept whole until fusion --------------------------===//

#include "dialect/Broadcasting.h"
#include "dialect/Gen.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace mlir::gen;

#define GET_OP_CLASSES
#include "dialect/ops/Loss.cpp.inc"

//===----------------------------------------------------------------------===//
// BceWithLogitsOp
//===----------------------------------------------------------------------===//

LogicalResult BceWithLogitsOp::verify() {
  for (Type type : {getTargets().getType(), getType()})
    if (getElementTypeOrSelf(type) != getLogits().getType().getElementType() ||
        failed(verifyCompatibleShape(getLogits().getType(), type)))
      return emitOpError("expected logits, targets and result of one type (C1), got ")
             << getLogits().getType() << ", " << getTargets().getType() << " and " << getType();
  return success();
}

LogicalResult BceWithLogitsOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                                ValueRange operands, DictionaryAttr,
                                                OpaqueProperties, RegionRange,
                                                SmallVectorImpl<Type> &types) {
  types.push_back(operands[0].getType());
  return success();
}

LogicalResult BceWithLogitsOp::refineReturnTypes(MLIRContext *, std::optional<Location>, ValueRange,
                                                 DictionaryAttr, OpaqueProperties, RegionRange,
                                                 SmallVectorImpl<Type> &) {
  return success(); // the verifier compares the types, with a better message
}

LogicalResult BceWithLogitsOp::reifyResultShapes(OpBuilder &b,
                                                 ReifiedRankedShapedTypeDims &shapes) {
  return reifyBroadcast(*this, b, shapes);
}

LogicalResult BceWithLogitsOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                        SmallVectorImpl<Array> &results) {
  const Array &logits = operands[0], &targets = operands[1];
  if (logits.shape != targets.shape)
    return emitOpError("expected logits, targets and result of one type (C1), got ")
           << logits.type() << " and " << targets.type();
  Array result(logits.elementType, logits.shape);
  for (auto [z, x, t] : llvm::zip_equal(result.floats, logits.floats, targets.floats))
    z = std::fmax(x, 0.0) - x * t + std::log1p(std::exp(-std::fabs(x)));
  results.push_back(std::move(result));
  return success();
}

// With z = max(x, 0) - x t + log(1 + exp(-|x|)):  dx = dz (sigmoid(x) - t),  dt = -dz x
SmallVector<Value> BceWithLogitsOp::derivative(GenBuilder &b, ValueRange dz) {
  Value x = getLogits(), t = getTargets();
  return {b.sumTo(b.mul(dz[0], b.sub(b.sigmoid(x), t)), x), b.sumTo(b.neg(b.mul(dz[0], x)), t)};
}

SmallVector<Value> BceWithLogitsOp::decompose(GenBuilder &b) {
  Value x = getLogits(), t = getTargets();
  Value tail = b.log1p(b.exp(b.neg(b.abs(x))));
  return {b.add(b.sub(b.relu(x), b.mul(x, t)), tail)};
}

//===----------------------------------------------------------------------===//
// CrossEntropyOp
//===----------------------------------------------------------------------===//

LogicalResult CrossEntropyOp::verify() {
  RankedTensorType logits = getLogits().getType(), labels = getLabels().getType();
  if (logits.getRank() < 1 ||
      failed(verifyCompatibleShape(logits.getShape().drop_back(), labels.getShape())))
    return emitOpError(
               "expected labels of the shape of the logits without the last axis (C1), got ")
           << labels << " for " << logits;
  if (getType().getElementType() != logits.getElementType() ||
      failed(verifyCompatibleShape(labels.getShape(), getType().getShape())))
    return emitOpError("expected a result of the shape of the labels ")
           << labels << " and the element type of the logits " << logits << " (C2), got "
           << getType();
  return success();
}

LogicalResult CrossEntropyOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                               ValueRange operands, DictionaryAttr,
                                               OpaqueProperties, RegionRange,
                                               SmallVectorImpl<Type> &types) {
  types.push_back(RankedTensorType::get(cast<RankedTensorType>(operands[1].getType()).getShape(),
                                        getElementTypeOrSelf(operands[0])));
  return success();
}

LogicalResult CrossEntropyOp::refineReturnTypes(MLIRContext *, std::optional<Location>, ValueRange,
                                                DictionaryAttr, OpaqueProperties, RegionRange,
                                                SmallVectorImpl<Type> &) {
  return success(); // the verifier compares the types, with a better message
}

LogicalResult CrossEntropyOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> &shape = shapes.emplace_back();
  for (auto [axis, size] : llvm::enumerate(getType().getShape()))
    if (ShapedType::isDynamic(size))
      shape.push_back(b.createOrFold<tensor::DimOp>(getLoc(), getLabels(), axis));
    else
      shape.push_back(b.getIndexAttr(size));
  return success();
}

LogicalResult CrossEntropyOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                       SmallVectorImpl<Array> &results) {
  const Array &logits = operands[0], &labels = operands[1];
  if (ArrayRef<int64_t>(logits.shape).drop_back() != ArrayRef<int64_t>(labels.shape))
    return emitOpError(
               "expected labels of the shape of the logits without the last axis (C1), got ")
           << labels.type() << " for " << logits.type();
  int64_t classes = logits.shape.back();
  Array result(logits.elementType, labels.shape);
  for (auto [i, label] : llvm::enumerate(labels.integers)) {
    if (label < 0 || label >= classes)
      continue;
    const double *row = logits.floats.data() + static_cast<int64_t>(i) * classes;
    double largest = *std::max_element(row, row + classes), sum = 0;
    for (int64_t c = 0; c < classes; ++c)
      sum += std::exp(row[c] - largest);
    result.floats[i] = std::log(sum) + largest - row[label];
  }
  results.push_back(std::move(result));
  return success();
}

namespace {

/// What the formulas of cross-entropy share. The ops are made in one way, so that those of the loss
/// and of its derivative are found to be the same.
class CrossEntropyFormula {
public:
  CrossEntropyFormula(GenBuilder &b, CrossEntropyOp op)
      : b(b), logits(op.getLogits()), labels(op.getLabels()),
        classes(cast<RankedTensorType>(logits.getType()).getRank() - 1),
        leading(llvm::to_vector(llvm::seq<int64_t>(0, classes))) {}

  /// Repeats one number a label along the classes.
  Value repeated(Value x) { return b.broadcastLike(x, leading, logits); }

  /// log(sum over the classes of e^logits). The largest is subtracted first; the result does not
  /// depend on it.
  Value logSumExp() {
    Value largest = b.make<StopGradientOp>(b.make<ReduceMaxOp>(logits, ArrayRef<int64_t>(classes)));
    Value shifted = b.sub(logits, repeated(largest));
    return b.add(b.log(b.sum(b.exp(shifted), classes)), largest);
  }

  /// Whether each label names a class.
  Value isLabeled() {
    Value count;
    auto type = cast<RankedTensorType>(logits.getType());
    if (type.isDynamicDim(classes))
      count = b.cast(b.make<SizeOp>(b.createOrFold<tensor::DimOp>(logits, classes)),
                     getElementTypeOrSelf(labels));
    else
      count = integer(static_cast<double>(type.getDimSize(classes)));
    return b.make<AndOp>(b.compare(ComparePredicate::ge, labels, integer(0)),
                         b.compare(ComparePredicate::lt, labels, count));
  }

  Value integer(double number) { return b.scalar(number, labels); }

  GenBuilder &b;
  Value logits, labels;
  int64_t classes; ///< Their axis.
  SmallVector<int64_t> leading;
};

} // namespace

// The label's logit is an element of all logits, by its row-major position.
static Value pickLabeled(CrossEntropyFormula &formula, Value isLabeled) {
  GenBuilder &b = formula.b;
  Type i64 = b.getI64Type();
  auto type = cast<RankedTensorType>(formula.logits.getType());
  Value count = arith::ConstantIndexOp::create(b, 1), classes;
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    classes = b.createOrFold<tensor::DimOp>(formula.logits, axis);
    if (axis != formula.classes)
      count = b.createOrFold<arith::MulIOp>(count, classes);
  }
  auto flat = [&](bool isStatic, int64_t size, Type element) {
    return RankedTensorType::get({isStatic ? size : ShapedType::kDynamic}, element);
  };
  auto labels = cast<RankedTensorType>(formula.labels.getType());
  auto rowType =
      flat(labels.hasStaticShape(), labels.hasStaticShape() ? labels.getNumElements() : 0, i64);
  auto allType = flat(type.hasStaticShape(), type.hasStaticShape() ? type.getNumElements() : 0,
                      type.getElementType());
  auto sizesOf = [](RankedTensorType of, Value size) {
    return of.hasStaticShape() ? SmallVector<Value>() : SmallVector<Value>{size};
  };
  Value all = b.createOrFold<arith::MulIOp>(count, classes);
  Value elements = b.make<ReshapeOp>(allType, formula.logits, sizesOf(allType, all));
  Value rows = b.reshapeLike(b.make<IotaOp>(rowType, sizesOf(rowType, count), 0), formula.labels);
  Value width = b.make<SizeOp>(classes);
  Value position = b.add(b.mul(rows, width), b.cast(formula.labels, i64));
  Value none = b.scalar(-1, position);
  return b.make<GatherOp>(elements, b.select(isLabeled, position, none));
}

SmallVector<Value> CrossEntropyOp::decompose(GenBuilder &b) {
  CrossEntropyFormula formula(b, *this);
  Value isLabeled = formula.isLabeled();
  Value loss = b.sub(formula.logSumExp(), pickLabeled(formula, isLabeled));
  return {b.select(isLabeled, loss, b.scalar(0, loss))};
}

// dx = dz (softmax(x) - one_hot(labels)), 0 where there is no label
SmallVector<Value> CrossEntropyOp::derivative(GenBuilder &b, ValueRange dz) {
  CrossEntropyFormula formula(b, *this);
  Value x = getLogits(), isLabeled = formula.isLabeled();
  Value p = b.exp(b.sub(x, formula.repeated(formula.logSumExp())));
  // Classes are compared as the narrowest integers: many fit into a vector.
  Value label = b.select(isLabeled, getLabels(), formula.integer(-1));
  Type narrow = b.getI32Type();
  auto classType = cast<RankedTensorType>(x.getType()).clone(narrow);
  Value numbers = b.make<IotaOp>(classType, b.dynamicSizes(x), formula.classes);
  Value isLabel = b.compare(ComparePredicate::eq, numbers, formula.repeated(b.cast(label, narrow)));
  Value slope = b.select(isLabel, b.sub(p, b.scalar(1, p)), p);
  Value scale = b.select(isLabeled, dz[0], b.scalar(0, dz[0]));
  return {b.mul(slope, formula.repeated(scale)), Value()};
}
