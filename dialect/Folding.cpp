//===- Folding.cpp - folding by the reference semantics -------------------===//
//
// Whatever the interpreter can compute can be folded. Only small results are, and results of
// elementwise ops on splats, which take one evaluation whatever their size: constants live in the
// artefact.
//
//===----------------------------------------------------------------------===//

#include "dialect/Folding.h"
#include "llvm/ADT/APFloat.h"

using namespace mlir;
using namespace mlir::gen;

/// Largest number of elements that folding makes.
static constexpr int64_t kMostElements = 1024;

namespace {
/// Folding sees no state.
class StatelessContext : public EvaluationContext {
public:
  Array *variable(StringRef) override { return nullptr; }
  LogicalResult call(Operation *, ArrayRef<Array>, SmallVectorImpl<Array> &) override {
    return failure();
  }
};
} // namespace

DenseElementsAttr mlir::gen::toAttribute(const Array &array) {
  SmallVector<Attribute> elements;
  Builder b(array.elementType.getContext());
  for (int64_t position = 0, size = array.size(); position < size; ++position)
    elements.push_back(array.isFloat()
                           ? TypedAttr(b.getFloatAttr(array.elementType, array.floats[position]))
                           : b.getIntegerAttr(array.elementType, array.integers[position]));
  return DenseElementsAttr::get(array.type(), elements);
}

std::optional<double> mlir::gen::splatNumber(Attribute constant) {
  auto elements = dyn_cast_if_present<DenseElementsAttr>(constant);
  if (!elements || !elements.isSplat())
    return std::nullopt;
  if (isa<FloatType>(elements.getElementType()))
    return elements.getSplatValue<APFloat>().convertToDouble();
  if (elements.getElementType().isInteger(1))
    return elements.getSplatValue<bool>() ? 1.0 : 0.0;
  return static_cast<double>(elements.getSplatValue<APInt>().getSExtValue());
}

/// A splat as a rank-0 array, which broadcasts to any shape.
static Array splatArray(DenseElementsAttr splat) {
  auto type = RankedTensorType::get({}, splat.getElementType());
  return Array::fromAttribute(DenseElementsAttr::get(type, splat.getSplatValue<Attribute>()));
}

static bool isElementwise(Operation *op) {
  auto pointwise = dyn_cast<PointwiseOpInterface>(op);
  return pointwise && pointwise.isElementwise();
}

OpFoldResult mlir::gen::foldConstants(ReferenceOpInterface op, ArrayRef<Attribute> operands) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  bool known = llvm::all_of(operands, llvm::IsaAndPresentPred<DenseElementsAttr>);
  if (!type || !type.hasStaticShape() || op->getNumResults() != 1 || !known)
    return {};
  bool splats = isElementwise(op) && llvm::all_of(operands, [](Attribute operand) {
                  return cast<DenseElementsAttr>(operand).isSplat();
                });
  if (!splats && type.getNumElements() > kMostElements)
    return {};

  SmallVector<Array> values, results;
  for (Attribute operand : operands) {
    auto elements = cast<DenseElementsAttr>(operand);
    if (!splats && elements.getNumElements() > kMostElements)
      return {};
    values.push_back(splats ? splatArray(elements) : Array::fromAttribute(elements));
  }
  StatelessContext context;
  if (failed(op.evaluate(context, values, results)))
    return {};
  DenseElementsAttr result = toAttribute(results.front());
  return splats ? DenseElementsAttr::get(type, result.getSplatValue<Attribute>()) : result;
}
