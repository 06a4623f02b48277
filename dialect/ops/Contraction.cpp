//===- Contraction.cpp - sums of products ---------------------------------===//

#include "dialect/Bounds.h"
#include "dialect/Folding.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::gen;

#define GET_OP_CLASSES
#include "dialect/ops/Contraction.cpp.inc"

namespace {
/// Shapes of a matrix product, transposition applied: lhs is [batch..., m, k], rhs is [batch..., k,
/// n].
struct Product {
  Product(ArrayRef<int64_t> lhs, ArrayRef<int64_t> rhs, bool transposeLhs, bool transposeRhs)
      : lhsBatch(lhs.drop_back(2)), rhsBatch(rhs.drop_back(2)),
        rows(lhs.take_back(2)[transposeLhs]), lhsColumns(lhs.take_back(2)[!transposeLhs]),
        rhsRows(rhs.take_back(2)[transposeRhs]), columns(rhs.take_back(2)[!transposeRhs]) {}

  ArrayRef<int64_t> lhsBatch, rhsBatch;
  int64_t rows, lhsColumns, rhsRows, columns;

  /// The result's shape; a batch size known on one side is known.
  SmallVector<int64_t> shape() const {
    SmallVector<int64_t> shape;
    for (auto [l, r] : llvm::zip_equal(lhsBatch, rhsBatch))
      shape.push_back(ShapedType::isDynamic(l) ? r : l);
    shape.append({rows, columns});
    return shape;
  }
};
} // namespace

static bool sizesAgree(int64_t lhs, int64_t rhs) {
  return lhs == rhs || ShapedType::isDynamic(lhs) || ShapedType::isDynamic(rhs);
}

/// The violated constraint, or null.
static const char *findMistake(RankedTensorType lhs, RankedTensorType rhs) {
  if (lhs.getRank() < 2 || lhs.getRank() != rhs.getRank())
    return "expected operands of one rank, at least 2 (C1)";
  for (int64_t axis = 0; axis < lhs.getRank() - 2; ++axis)
    if (!sizesAgree(lhs.getDimSize(axis), rhs.getDimSize(axis)))
      return "expected equal batch axes (C3)";
  return lhs.getElementType() == rhs.getElementType()
             ? nullptr
             : "expected operands of one element type (C4)";
}

LogicalResult MatmulOp::verify() {
  RankedTensorType lhs = getLhs().getType(), rhs = getRhs().getType();
  if (const char *mistake = findMistake(lhs, rhs))
    return emitOpError(mistake) << ", got " << lhs << " and " << rhs;

  if (std::optional<uint64_t> chain = getChain(); chain && static_cast<int64_t>(*chain) < 1)
    return emitOpError("expected a positive chain (C6), got ") << static_cast<int64_t>(*chain);
  Product product(lhs.getShape(), rhs.getShape(), getTransposeLhs(), getTransposeRhs());
  if (!sizesAgree(product.lhsColumns, product.rhsRows)) {
    InFlightDiagnostic error = emitOpError("expected lhs columns to equal rhs rows (C2), got ");
    error << product.lhsColumns << " and " << product.rhsRows << " for lhs " << lhs
          << (getTransposeLhs() ? " transposed" : "") << " and rhs " << rhs
          << (getTransposeRhs() ? " transposed" : "");
    error.attachNote() << "hint: 'transposed' after an operand swaps its last two axes";
    return error;
  }
  auto expected = RankedTensorType::get(product.shape(), lhs.getElementType());
  if (getType().getElementType() == lhs.getElementType() &&
      succeeded(verifyCompatibleShape(expected, getType())))
    return success();
  return emitOpError("expected result type ") << expected << " (C5), got " << getType();
}

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                         ValueRange operands, DictionaryAttr attributes,
                                         OpaqueProperties properties, RegionRange regions,
                                         SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto lhs = dyn_cast<RankedTensorType>(adaptor.getLhs().getType());
  auto rhs = dyn_cast<RankedTensorType>(adaptor.getRhs().getType());
  if (!lhs || !rhs)
    return failure();
  if (const char *mistake = findMistake(lhs, rhs))
    return emitOptionalError(location, "'gen.matmul' op ", mistake, ", got ", lhs, " and ", rhs);
  Product product(lhs.getShape(), rhs.getShape(), adaptor.getTransposeLhs(),
                  adaptor.getTransposeRhs());
  types.push_back(RankedTensorType::get(product.shape(), lhs.getElementType()));
  return success();
}

LogicalResult MatmulOp::refineReturnTypes(MLIRContext *, std::optional<Location>, ValueRange,
                                          DictionaryAttr, OpaqueProperties, RegionRange,
                                          SmallVectorImpl<Type> &) {
  return success(); // the verifier compares the types, with a better message
}

LogicalResult MatmulOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  int64_t rank = getType().getRank();
  SmallVector<OpFoldResult> sizes;
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (!getType().isDynamicDim(axis)) {
      sizes.push_back(b.getIndexAttr(getType().getDimSize(axis)));
      continue;
    }
    bool isColumn = axis == rank - 1;
    int64_t from = axis;
    if (isColumn)
      from = getTransposeRhs() ? rank - 2 : rank - 1;
    else if (axis == rank - 2)
      from = getTransposeLhs() ? rank - 1 : rank - 2;
    Value source = isColumn ? getRhs() : getLhs();
    OpFoldResult size = tensor::getMixedSize(b, getLoc(), source, from);
    sizes.push_back(getValueOrCreateConstantIndexOp(b, getLoc(), size));
  }
  shapes.push_back(std::move(sizes));
  return success();
}

bool MatmulOp::isLhsTransposed() { return getTransposeLhs(); }
bool MatmulOp::isRhsTransposed() { return getTransposeRhs(); }
int64_t MatmulOp::longestChain() { return static_cast<int64_t>(getChain().value_or(0)); }

int64_t MatmulOp::countProducts(SmallVectorImpl<std::pair<Value, int64_t>> &sizes) {
  int64_t rank = getType().getRank();
  for (int64_t axis = 0; axis < rank; ++axis)
    sizes.push_back({getResult(), axis});
  sizes.push_back({getLhs(), getTransposeLhs() ? rank - 2 : rank - 1});
  return 1;
}

LogicalResult MatmulOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                 SmallVectorImpl<Array> &results) {
  const Array &lhs = operands[0], &rhs = operands[1];
  Product product(lhs.shape, rhs.shape, getTransposeLhs(), getTransposeRhs());
  if (product.lhsColumns != product.rhsRows || product.lhsBatch != product.rhsBatch)
    return emitOpError("expected lhs columns to equal rhs rows (C2), got ")
           << lhs.type() << " and " << rhs.type();
  int64_t m = product.rows, n = product.columns, depth = product.rhsRows;
  int64_t lhsRow = getTransposeLhs() ? 1 : depth, lhsColumn = getTransposeLhs() ? m : 1;
  int64_t rhsRow = getTransposeRhs() ? 1 : n, rhsColumn = getTransposeRhs() ? depth : 1;
  Array result(lhs.elementType, product.shape());
  for (int64_t position = 0, size = result.size(); position < size; ++position) {
    int64_t batch = position / (m * n), i = position / n % m, j = position % n;
    double sum = 0;
    for (int64_t k = 0; k < depth; ++k)
      sum += lhs.floats[batch * m * depth + i * lhsRow + k * lhsColumn] *
             rhs.floats[batch * depth * n + k * rhsRow + j * rhsColumn];
    result.floats[position] = sum;
  }
  results.push_back(std::move(result));
  return success();
}

// With A = op(lhs), B = op(rhs), Z = A B:  dA = dZ B^T,  dB = A^T dZ. Transposed operands get the
// transposed product, by the operands' order and flags, without moving elements.
SmallVector<Value> MatmulOp::derivative(GenBuilder &b, ValueRange dz) {
  bool tl = getTransposeLhs(), tr = getTransposeRhs();
  Value lhs = getLhs(), rhs = getRhs();
  Value dlhs = tl ? b.matmul(rhs, dz[0], tr, true) : b.matmul(dz[0], rhs, false, !tr);
  Value drhs = tr ? b.matmul(dz[0], lhs, true, tl) : b.matmul(lhs, dz[0], !tl, false);
  return {b.sumTo(dlhs, lhs), b.sumTo(drhs, rhs)};
}

//===----------------------------------------------------------------------===//
// PartialSumsOp
//===----------------------------------------------------------------------===//

LogicalResult PartialSumsOp::verify() {
  RankedTensorType input = getInput().getType(), result = getType();
  if (result.getRank() == input.getRank() + 1 && result.getDimSize(0) > 0 &&
      result.getShape().drop_front() == input.getShape() &&
      result.getElementType() == input.getElementType())
    return success();
  return emitOpError("expected a result with one more axis in front, of a static size that is not "
                     "0, and the element type of ")
         << input << " (C1), got " << result;
}

LogicalResult PartialSumsOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> &sizes = shapes.emplace_back();
  sizes.push_back(b.getIndexAttr(getType().getDimSize(0)));
  llvm::append_range(sizes, tensor::getMixedSizes(b, getLoc(), getInput()));
  return success();
}

StringRef PartialSumsOp::whyNotDifferentiable() {
  return "it is made of a product, which is differentiated";
}

LogicalResult PartialSumsOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                      SmallVectorImpl<Array> &results) {
  SmallVector<int64_t> shape{getType().getDimSize(0)};
  llvm::append_range(shape, operands[0].shape);
  Array result(operands[0].elementType, shape);
  llvm::copy(operands[0].floats, result.floats.begin());
  results.push_back(std::move(result));
  return success();
}

bool PartialSumsOp::isElementwise() { return false; }

Value PartialSumsOp::emitAt(ElementEmitter &emitter, Indices at) {
  Bounds bounds(emitter);
  bounds.require(at.front(), Value(), emitter.i64(1));
  at.erase(at.begin());
  return bounds.guarded(
      at, emitter.constant(getType().getElementType(), 0.0),
      [&](const Indices &inside) { return emitter.elementAt(getInput(), inside); });
}
