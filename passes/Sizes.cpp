//===- Sizes.cpp - where dynamic sizes come from --------------------------===//

#include "passes/Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include <map>

using namespace mlir;
using namespace mlir::gen;

/// What a loop starts with where `tensor` is carried by it: steps do not change sizes. Else null.
static Value firstValue(Value tensor) {
  if (auto loop = tensor.getDefiningOp<scf::ForOp>())
    return loop.getInits()[cast<OpResult>(tensor).getResultNumber()];
  auto argument = dyn_cast<BlockArgument>(tensor);
  auto loop = argument ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()) : scf::ForOp();
  return loop ? loop.getTiedLoopInit(argument)->get() : Value();
}

OpFoldResult Sizes::get(Value tensor, int64_t axis) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(axis))
    return IntegerAttr::get(IndexType::get(tensor.getContext()), type.getDimSize(axis));
  if (OpFoldResult size = known.lookup({tensor, axis}))
    return size;
  if (Value first = firstValue(tensor))
    return get(first, axis);
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

namespace {

/// Sizes as sums of products, so that (n - 1) + 1 is n, and n * m is m * n.
class SizeArithmetic {
public:
  /// For each product, by the positions of its factors in `atoms`, how often it counts.
  using Sum = std::map<std::vector<size_t>, int64_t>;

  Sum sumOf(OpFoldResult size) {
    if (std::optional<int64_t> number = getConstantIntValue(size))
      return *number ? Sum{{{}, *number}} : Sum();
    auto value = cast<Value>(size);
    Operation *op = value.getDefiningOp();
    if (isa_and_nonnull<arith::AddIOp>(op))
      return combined(sumOf(op->getOperand(0)), sumOf(op->getOperand(1)), 1);
    if (isa_and_nonnull<arith::SubIOp>(op))
      return combined(sumOf(op->getOperand(0)), sumOf(op->getOperand(1)), -1);
    if (isa_and_nonnull<arith::MulIOp>(op))
      return product(sumOf(op->getOperand(0)), sumOf(op->getOperand(1)));
    if (isa_and_nonnull<arith::DivSIOp>(op))
      if (std::optional<Sum> each = quotient(sumOf(op->getOperand(0)), op->getOperand(1)))
        return *each;
    return {{{atom(value)}, 1}};
  }

private:
  static void add(Sum &sum, const std::vector<size_t> &factors, int64_t count) {
    int64_t &total = sum[factors];
    total += count;
    if (total == 0)
      sum.erase(factors);
  }

  static Sum combined(Sum lhs, const Sum &rhs, int64_t sign) {
    for (const auto &[factors, count] : rhs)
      add(lhs, factors, sign * count);
    return lhs;
  }

  static Sum product(const Sum &lhs, const Sum &rhs) {
    Sum result;
    for (const auto &[lhsFactors, lhsCount] : lhs)
      for (const auto &[rhsFactors, rhsCount] : rhs) {
        std::vector<size_t> factors = lhsFactors;
        llvm::append_range(factors, rhsFactors);
        llvm::sort(factors);
        add(result, factors, lhsCount * rhsCount);
      }
    return result;
  }

  /// (2 n + 3) / 2 is n + 1, rounded down as sizes are; nothing if a product is not divisible.
  static std::optional<Sum> quotient(const Sum &sum, Value divisor) {
    std::optional<int64_t> number = getConstantIntValue(divisor);
    if (!number || *number < 1)
      return std::nullopt;
    Sum result;
    for (const auto &[factors, count] : sum) {
      if (!factors.empty() && count % *number != 0)
        return std::nullopt;
      add(result, factors, llvm::divideFloorSigned(count, *number));
    }
    return result;
  }

  /// What is not opened: values that are the same computation are one atom.
  size_t atom(Value value) {
    for (size_t i = 0; i < atoms.size(); ++i)
      if (sameComputation(atoms[i], value))
        return i;
    atoms.push_back(value);
    return atoms.size() - 1;
  }

  static bool sameComputation(Value lhs, Value rhs) {
    if (lhs == rhs)
      return true;
    Operation *lhsOp = lhs.getDefiningOp(), *rhsOp = rhs.getDefiningOp();
    if (!lhsOp || !rhsOp || lhsOp->getName() != rhsOp->getName() ||
        lhsOp->getAttrs() != rhsOp->getAttrs() ||
        lhsOp->getNumOperands() != rhsOp->getNumOperands() || lhsOp->getNumResults() != 1)
      return false;
    return llvm::all_of(llvm::zip(lhsOp->getOperands(), rhsOp->getOperands()), [](auto pair) {
      auto [a, b] = pair;
      return a == b || (a.getType().isIndex() && Sizes::equal(OpFoldResult(a), OpFoldResult(b)));
    });
  }

  SmallVector<Value> atoms;
};

} // namespace

bool Sizes::equal(OpFoldResult lhs, OpFoldResult rhs) {
  if (lhs == rhs)
    return true;
  SizeArithmetic arithmetic;
  return arithmetic.sumOf(lhs) == arithmetic.sumOf(rhs);
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

/// The size of an argument may have been asked for late: further up it is needed too.
static Value availableFromTheStart(tensor::DimOp dim) {
  Block *block = cast<BlockArgument>(dim.getSource()).getOwner();
  Operation *index = dim.getIndex().getDefiningOp();
  if (index != &block->front())
    index->moveBefore(&block->front());
  dim->moveAfter(index);
  return dim;
}

/// The argument of a launch that is the size of its result `tensor`.
static Value sizeOfResult(LaunchOp launch, Value tensor, int64_t axis) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(launch, launch.getKernelAttr());
  auto shapes = kernel->getAttrOfType<ArrayAttr>(kSizesAttr);
  size_t tensors = llvm::count_if(launch.getArguments(),
                                  [](Value v) { return isa<RankedTensorType>(v.getType()); });
  auto numbers =
      cast<DenseI64ArrayAttr>(shapes[tensors + cast<OpResult>(tensor).getResultNumber()]);
  return launch.getArguments()[numbers[axis]];
}

static Value argumentSizeInEntry(func::FuncOp function, Value tensor, int64_t axis) {
  if (auto launch = tensor.getDefiningOp<LaunchOp>())
    return sizeOfResult(launch, tensor, axis);
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
        (symbol && symbolOf(function, source, *index) == symbol))
      return availableFromTheStart(dim);
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
  if (auto launch = tensor.getDefiningOp<LaunchOp>()) // of a group
    return sizeOfResult(launch, tensor, axis);
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
