//===- SinkReshapes.cpp - reshapes of rows move down ----------------------===//
//
// In:   %r = gen.reshape %p : tensor<512x768xf32> -> tensor<8x64x768xf32>    %y = gen.add %r, %x
// Out:  %x2 = gen.reshape %x    %y2 = gen.add %p, %x2    %y = gen.reshape %y2
//
// A linear layer of a sequence is a product of matrices between two reshapes. Behind it come
// elementwise ops, sums over rows, broadcasts of one number a row: they do not mind how rows are
// numbered, so the reshape moves behind them, down to the next layer's, and both are gone. So these
// ops have the product's shape and fit into its kernel.
//
// Only reshapes that keep the last axis move, and those of one number a row that the pass has made
// itself: the axes that they change are called leading. Works downwards, once.
//
//===----------------------------------------------------------------------===//

#include "dialect/Permutation.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::gen {
#define GEN_PASS_DEF_SINKRESHAPES
#include "passes/Passes.h.inc"

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// A reshape [inner leading..., kept...] -> [outer leading..., kept...].
struct RowReshape {
  ReshapeOp op;
  int64_t inner = 0, outer = 0; ///< The number of leading axes.

  ArrayRef<int64_t> innerShape() { return typeOf(op.getInput()).getShape().take_front(inner); }
  ArrayRef<int64_t> outerShape() { return op.getType().getShape().take_front(outer); }
};

/// Reshapes of one number a row.
using RowNumbers = llvm::SmallDenseSet<Operation *>;

/// The reshape that makes `value`, if it keeps the last axis or is one of `numbers`.
std::optional<RowReshape> rowReshapeOf(Value value, const RowNumbers &numbers) {
  auto op = value.getDefiningOp<ReshapeOp>();
  if (!op)
    return std::nullopt;
  int64_t kept = 0;
  ArrayRef<int64_t> input = typeOf(op.getInput()).getShape(), result = op.getType().getShape();
  for (const ReshapeAxes &group : reshapeGroups(input, result)) {
    if (group.inputLast - group.inputFirst != 1 || group.resultLast - group.resultFirst != 1)
      break;
    ++kept;
  }
  RowReshape reshape{op, static_cast<int64_t>(input.size()) - kept,
                     static_cast<int64_t>(result.size()) - kept};
  if (kept == 0 ? !numbers.contains(op) : reshape.inner == 0 && reshape.outer == 0)
    return std::nullopt;
  return reshape;
}

/// Moves one reshape behind the ops that read it.
class Sinker {
public:
  Sinker(RowReshape reshape, RowNumbers &numbers, GenBuilder &b)
      : reshape(reshape), numbers(numbers), b(b) {}

  /// What replaces the result of `op`, or null if it minds the reshape.
  Value sink(Operation *op) {
    if (auto broadcast = dyn_cast<BroadcastOp>(op))
      return sinkBroadcast(broadcast);
    if (auto reduction = dyn_cast<ReductionOpInterface>(op))
      return sinkReduction(reduction);
    auto pointwise = dyn_cast<PointwiseOpInterface>(op);
    if (pointwise && pointwise.isElementwise() && op->getNumOperands() > 0)
      return sinkElementwise(op);
    return {};
  }

private:
  int64_t shift() const { return reshape.inner - reshape.outer; }

  /// [inner leading..., rest...], where `rest` is what follows the leading axes of an outer shape.
  RankedTensorType innerType(RankedTensorType outer) {
    SmallVector<int64_t> shape(reshape.innerShape());
    llvm::append_range(shape, outer.getShape().drop_front(reshape.outer));
    return outer.clone(shape);
  }

  bool startsWithOuter(RankedTensorType type) {
    return type.getRank() >= reshape.outer &&
           type.getShape().take_front(reshape.outer) == reshape.outerShape();
  }

  /// Sizes of the dynamic dimensions of the inner type of `outer`, a value.
  SmallVector<Value> innerSizes(Value outer) {
    SmallVector<Value> sizes;
    for (int64_t axis = 0; axis < reshape.inner; ++axis)
      if (typeOf(reshape.op.getInput()).isDynamicDim(axis))
        sizes.push_back(b.createOrFold<tensor::DimOp>(reshape.op.getInput(), axis));
    for (int64_t axis = reshape.outer; axis < typeOf(outer).getRank(); ++axis)
      if (typeOf(outer).isDynamicDim(axis))
        sizes.push_back(sizeOf(outer, axis));
    return sizes;
  }

  /// A dynamic size. A broadcast, which may be replaced, has it as an operand.
  Value sizeOf(Value value, int64_t axis) {
    if (auto broadcast = value.getDefiningOp<BroadcastOp>())
      return broadcast.getSizes()[broadcast.getType().getDynamicDimIndex(axis)];
    return b.createOrFold<tensor::DimOp>(value, axis);
  }

  /// `inner` in the shape of `outer`, the value that it stands for.
  Value toOuter(Value inner, Value outer) {
    SmallVector<Value> sizes;
    for (int64_t axis = 0; axis < typeOf(outer).getRank(); ++axis)
      if (typeOf(outer).isDynamicDim(axis))
        sizes.push_back(axis < reshape.outer
                            ? b.createOrFold<tensor::DimOp>(reshape.op.getResult(), axis)
                            : b.createOrFold<tensor::DimOp>(inner, axis + shift()));
    Value result = b.make<ReshapeOp>(outer.getType(), inner, sizes);
    if (typeOf(outer).getRank() == reshape.outer && result.getDefiningOp<ReshapeOp>())
      numbers.insert(result.getDefiningOp());
    return result;
  }

  /// An operand of an op of the shape of `result`, numbered as the inner rows; null if there is no
  /// such thing.
  Value operandToInner(Value operand, RankedTensorType result) {
    if (operand == reshape.op.getResult())
      return reshape.op.getInput();
    RankedTensorType type = typeOf(operand);
    auto other = operand.getDefiningOp<ReshapeOp>();
    if (other && startsWithOuter(type) && other.getInput().getType() == innerType(type) &&
        innerType(type).getNumDynamicDims() <= 1) // else equal types may be of other sizes
      return other.getInput();
    int64_t kept = result.getRank() - reshape.outer;
    if (type.getRank() <= kept)
      return operand; // repeated along all leading axes
    if (type.getRank() != result.getRank() || !startsWithOuter(type))
      return {};
    if (auto broadcast = operand.getDefiningOp<BroadcastOp>())
      if (Value inner = broadcastToInner(broadcast, /*mayLackLeading=*/true))
        return inner;
    return b.make<ReshapeOp>(innerType(type), operand, innerSizes(operand));
  }

  /// A broadcast whose input has all leading axes or none of them.
  Value broadcastToInner(BroadcastOp broadcast, bool mayLackLeading) {
    Value input = broadcast.getInput();
    ArrayRef<int64_t> axes = broadcast.getAxes();
    bool hasAll =
        static_cast<int64_t>(axes.size()) >= reshape.outer && startsWithOuter(typeOf(input));
    for (int64_t axis = 0; hasAll && axis < reshape.outer; ++axis)
      hasAll = axes[axis] == axis;
    bool hasNone = axes.empty() || axes.front() >= reshape.outer;
    if (!hasAll && !(hasNone && mayLackLeading))
      return {};
    SmallVector<int64_t> innerAxes;
    if (hasAll)
      innerAxes = llvm::to_vector(llvm::seq<int64_t>(0, reshape.inner));
    for (int64_t axis : axes.drop_front(hasAll ? reshape.outer : 0))
      innerAxes.push_back(axis + shift());
    if (hasAll)
      input = input == reshape.op.getResult()
                  ? reshape.op.getInput()
                  : b.make<ReshapeOp>(innerType(typeOf(input)), input, innerSizes(input));
    return b.make<BroadcastOp>(innerType(broadcast.getType()), input,
                               innerSizes(broadcast.getResult()), innerAxes);
  }

  Value sinkBroadcast(BroadcastOp broadcast) {
    if (!startsWithOuter(broadcast.getType()))
      return {};
    Value inner = broadcastToInner(broadcast, /*mayLackLeading=*/false);
    return inner ? toOuter(inner, broadcast.getResult()) : Value();
  }

  /// A copy of `op` on other operands.
  Operation *cloned(Operation *op, ArrayRef<Value> operands, RankedTensorType type) {
    IRMapping mapping;
    for (auto [from, to] : llvm::zip_equal(op->getOperands(), operands))
      mapping.map(from, to);
    Operation *clone = b.clone(*op, mapping);
    clone->getResult(0).setType(type);
    return clone;
  }

  Value sinkElementwise(Operation *op) {
    Value result = op->getResult(0);
    RankedTensorType type = typeOf(result);
    if (!startsWithOuter(type) || type.getRank() != typeOf(reshape.op.getResult()).getRank())
      return {};
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      if (Value inner = operandToInner(operand, type))
        operands.push_back(inner);
      else
        return {};
    return toOuter(cloned(op, operands, innerType(type))->getResult(0), result);
  }

  /// A sum over axes behind the leading ones, or over all of these too.
  Value sinkReduction(ReductionOpInterface reduction) {
    ArrayRef<int64_t> axes = reduction.reductionAxes();
    int64_t leading = llvm::count_if(axes, [&](int64_t axis) { return axis < reshape.outer; });
    bool isOverLeading = leading == reshape.outer; // or they have one element
    if (leading != 0 && !isOverLeading)
      return {};
    SmallVector<int64_t> innerAxes;
    if (isOverLeading)
      innerAxes = llvm::to_vector(llvm::seq<int64_t>(0, reshape.inner));
    for (int64_t axis : axes.drop_front(leading))
      innerAxes.push_back(axis + shift());
    Value result = reduction->getResult(0);
    RankedTensorType type = isOverLeading ? typeOf(result) : innerType(typeOf(result));
    Operation *clone = cloned(reduction, reshape.op.getInput(), type);
    clone->setAttr("axes", b.getDenseI64ArrayAttr(innerAxes));
    return isOverLeading ? clone->getResult(0) : toOuter(clone->getResult(0), result);
  }

  RowReshape reshape;
  RowNumbers &numbers;
  GenBuilder &b;
};

struct SinkReshapes : impl::SinkReshapesBase<SinkReshapes> {
  void runOnOperation() override {
    RowNumbers numbers;
    for (Operation &op : llvm::make_early_inc_range(getOperation().getFunctionBody().front()))
      sink(&op, numbers);
    for (Operation &op :
         llvm::make_early_inc_range(llvm::reverse(getOperation().getFunctionBody().front())))
      if (isOpTriviallyDead(&op))
        op.erase();
  }

  static void sink(Operation *op, RowNumbers &numbers) {
    if (op->getNumResults() != 1 || !isa<PointwiseOpInterface, ReductionOpInterface>(op))
      return;
    for (Value operand : op->getOperands()) {
      std::optional<RowReshape> reshape = rowReshapeOf(operand, numbers);
      if (!reshape)
        continue;
      GenBuilder b(op->getLoc(), op);
      if (Value replacement = Sinker(*reshape, numbers, b).sink(op)) {
        op->replaceAllUsesWith(ValueRange(replacement));
        op->erase();
        return;
      }
    }
  }
};

} // namespace
} // namespace mlir::gen
