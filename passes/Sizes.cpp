//===- Sizes.cpp - where dynamic sizes come from --------------------------===//

#include "passes/Sizes.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"

using namespace mlir;
using namespace mlir::gen;

OpFoldResult Sizes::get(Value tensor, int64_t axis) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(axis))
    return IntegerAttr::get(IndexType::get(tensor.getContext()), type.getDimSize(axis));
  if (OpFoldResult size = known.lookup({tensor, axis}))
    return size;
  auto op = dyn_cast_or_null<ReifyRankedShapedTypeOpInterface>(tensor.getDefiningOp());
  if (!op) {
    Value size = argumentSize(tensor, axis);
    return size ? known[{tensor, axis}] = size : OpFoldResult();
  }
  OpBuilder b(op->getContext());
  b.setInsertionPointAfter(op);
  Operation *next = op->getNextNode();
  ReifiedRankedShapedTypeDims shapes;
  if (failed(op.reifyResultShapes(b, shapes)))
    return {};
  OpFoldResult size = shapes[cast<OpResult>(tensor).getResultNumber()][axis];
  // The sizes that the arithmetic starts from are traced on.
  SmallVector<tensor::DimOp> dims;
  for (Operation *made = op->getNextNode(); made != next; made = made->getNextNode())
    if (auto dim = dyn_cast<tensor::DimOp>(made))
      dims.push_back(dim);
  for (tensor::DimOp dim : dims) {
    std::optional<int64_t> index = dim.getConstantIndex();
    OpFoldResult source = index ? get(dim.getSource(), *index) : OpFoldResult();
    if (!source || source == OpFoldResult(dim.getResult()))
      continue;
    if (size == OpFoldResult(dim.getResult()))
      size = source;
    b.setInsertionPoint(dim);
    dim.replaceAllUsesWith(getValueOrCreateConstantIndexOp(b, dim.getLoc(), source));
    dim.erase();
  }
  return known[{tensor, axis}] = size;
}

SmallVector<OpFoldResult> Sizes::shape(Value tensor) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t axis = 0; axis < cast<RankedTensorType>(tensor.getType()).getRank(); ++axis) {
    sizes.push_back(get(tensor, axis));
    if (!sizes.back())
      return {};
  }
  return sizes;
}

bool Sizes::equal(OpFoldResult lhs, OpFoldResult rhs) {
  if (lhs == rhs)
    return true;
  std::optional<int64_t> lhsNumber = getConstantIntValue(lhs), rhsNumber = getConstantIntValue(rhs);
  if (lhsNumber || rhsNumber)
    return lhsNumber == rhsNumber;
  auto lhsValue = dyn_cast_if_present<Value>(lhs), rhsValue = dyn_cast_if_present<Value>(rhs);
  Operation *lhsOp = lhsValue ? lhsValue.getDefiningOp() : nullptr;
  Operation *rhsOp = rhsValue ? rhsValue.getDefiningOp() : nullptr;
  if (!lhsOp || !rhsOp || lhsOp->getName() != rhsOp->getName() ||
      lhsOp->getAttrs() != rhsOp->getAttrs() ||
      lhsOp->getNumOperands() != rhsOp->getNumOperands() || lhsOp->getNumResults() != 1)
    return false;
  return llvm::all_of(llvm::zip(lhsOp->getOperands(), rhsOp->getOperands()), [](auto pair) {
    auto [a, b] = pair;
    return a == b || (a.getType().isIndex() && equal(OpFoldResult(a), OpFoldResult(b)));
  });
}

bool Sizes::sameShape(Value lhs, Value rhs) {
  auto lhsType = cast<RankedTensorType>(lhs.getType()),
       rhsType = cast<RankedTensorType>(rhs.getType());
  if (lhsType.getShape() != rhsType.getShape())
    return false;
  for (int64_t axis = 0; axis < lhsType.getRank(); ++axis)
    if (lhsType.isDynamicDim(axis)) {
      OpFoldResult a = get(lhs, axis), b = get(rhs, axis);
      if (!a || !b || !equal(a, b))
        return false;
    }
  return true;
}

/// The dimension symbol of an axis of an entry's argument; null for none.
static StringAttr symbolOf(func::FuncOp function, BlockArgument argument, int64_t axis) {
  auto names = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), kDimensionsAttr);
  auto name = names ? cast<StringAttr>(names[axis]) : StringAttr();
  return name && !name.empty() ? name : StringAttr();
}

static Value argumentSizeInEntry(func::FuncOp function, Value tensor, int64_t axis) {
  if (auto launch = tensor.getDefiningOp<LaunchOp>()) {
    auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(launch, launch.getKernelAttr());
    auto shapes = kernel->getAttrOfType<ArrayAttr>(kSizesAttr);
    size_t tensors = llvm::count_if(launch.getArguments(),
                                    [](Value v) { return isa<RankedTensorType>(v.getType()); });
    auto numbers =
        cast<DenseI64ArrayAttr>(shapes[tensors + cast<OpResult>(tensor).getResultNumber()]);
    return launch.getArguments()[numbers[axis]];
  }
  auto argument = dyn_cast<BlockArgument>(tensor);
  if (!argument)
    return {};
  // There is one tensor.dim for each symbol, of the first argument that has it.
  StringAttr symbol = symbolOf(function, argument, axis);
  for (auto dim : function.getOps<tensor::DimOp>()) {
    auto source = dyn_cast<BlockArgument>(dim.getSource());
    std::optional<int64_t> index = dim.getConstantIndex();
    if (!source || !index)
      continue;
    if ((source == argument && *index == axis) ||
        (symbol && symbolOf(function, source, *index) == symbol)) {
      // Whoever asks may stand before it.
      dim->moveBefore(&argument.getOwner()->front());
      dim.getIndex().getDefiningOp()->moveBefore(dim);
      return dim;
    }
  }
  // Nobody asked for this size yet.
  OpBuilder b = OpBuilder::atBlockBegin(argument.getOwner());
  return tensor::DimOp::create(b, function.getLoc(), argument, axis);
}

Sizes mlir::gen::entrySizes(func::FuncOp function) {
  return Sizes([function](Value tensor, int64_t axis) {
    return argumentSizeInEntry(function, tensor, axis);
  });
}

static Value argumentSizeInKernel(KernelOp kernel, Value tensor, int64_t axis) {
  auto argument = dyn_cast<BlockArgument>(tensor);
  auto shapes = kernel->getAttrOfType<ArrayAttr>(kSizesAttr);
  if (!argument || !shapes)
    return {};
  return argument.getOwner()->getArgument(
      cast<DenseI64ArrayAttr>(shapes[argument.getArgNumber()])[axis]);
}

Sizes mlir::gen::kernelSizes(KernelOp kernel) {
  return Sizes(
      [kernel](Value tensor, int64_t axis) { return argumentSizeInKernel(kernel, tensor, axis); });
}
