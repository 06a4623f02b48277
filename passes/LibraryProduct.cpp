//===- LibraryProduct.cpp - products that a library could compute ---------===//

#include "passes/LibraryProduct.h"
#include "passes/DeviceCode.h"

using namespace mlir;
using namespace mlir::gen;

static bool isHalf(Type element) { return element.isF16() || element.isBF16(); }

/// What has the numbers of `tensor`, in the same order, before conversions that are `allowed`.
static Value sourceOf(Value tensor, llvm::function_ref<bool(Type from, Type to)> allowed) {
  while (true) {
    auto cast = tensor.getDefiningOp<CastOp>();
    if (auto reshape = tensor.getDefiningOp<ReshapeOp>())
      tensor = reshape.getInput();
    else if (cast && allowed(getElementTypeOrSelf(cast.getInput()), getElementTypeOrSelf(tensor)))
      tensor = cast.getInput();
    else
      return tensor;
  }
}

/// The argument that has the numbers of an operand.
static BlockArgument argumentOf(Value operand) {
  auto isExact = [](Type from, Type to) { return isHalf(from) && to.isF32(); };
  return dyn_cast<BlockArgument>(sourceOf(operand, isExact));
}

/// The product that a kernel's one result has the numbers of, rounded once at most.
static MatmulOp productOf(Operation *yield) {
  if (yield->getNumOperands() != 1)
    return {};
  auto isRounding = [](Type from, Type to) { return from.isF32() && isHalf(to); };
  return sourceOf(yield->getOperand(0), isRounding).getDefiningOp<MatmulOp>();
}

/// Static, and not empty.
static bool isKnownShape(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return type.hasStaticShape() && type.getNumElements() > 0;
}

std::optional<LibraryProduct> mlir::gen::libraryProductOf(KernelOp kernel) {
  Operation *yield = kernel.getBody().front().getTerminator();
  MatmulOp op = productOf(yield);
  if (!op || op.getChain() || !getElementTypeOrSelf(op.getType()).isF32() ||
      !isKnownShape(op.getLhs()) || !isKnownShape(op.getRhs()))
    return std::nullopt;
  LibraryProduct product = {.op = op,
                            .operands = {argumentOf(op.getLhs()), argumentOf(op.getRhs())},
                            .resultType = getElementTypeOrSelf(yield->getOperand(0))};
  auto [lhs, rhs] = product.operands;
  if (!lhs || !rhs || getElementTypeOrSelf(lhs.getType()) != getElementTypeOrSelf(rhs.getType()))
    return std::nullopt;
  if (auto rounded = op->getAttrOfType<TypeAttr>(kProductsAttr)) {
    product.isTf32 = isa<FloatTF32Type>(rounded.getValue());
    if (!product.isTf32) // f32 that the kernel itself rounds to 16 bits
      return std::nullopt;
  }
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op.getType()).getShape();
  product.count = ShapedType::getNumElements(shape.drop_back(2));
  product.rows = shape[shape.size() - 2];
  product.columns = shape.back();
  ArrayRef<int64_t> left = cast<RankedTensorType>(op.getLhs().getType()).getShape();
  product.depth = left[left.size() - (op.getTransposeLhs() ? 2 : 1)];
  return product;
}
