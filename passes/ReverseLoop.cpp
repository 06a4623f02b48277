//===- ReverseLoop.cpp - gradients through the steps of a loop ------------===//
//
// In:   %h = scf.for %i = 0 to %n iter_args(%s = %s0) { ... }            with the gradient of %h
// Out:  %h, %kept = scf.for %i = 0 to %n { ...; values that derivatives use are kept, by step }
//       %ds0, ... = scf.for %j = 0 to %n iter_args(%ds = %dh) { step n - 1 - %j backwards }
//
// What a step adds to the gradient of a value from outside is summed over the steps, but for two
// frequent kinds. A slice of a sequence that no other step reads (a step's input) is the slice of
// the gradient. A product of two values of the step, summed over rows (the gradient of a weight),
// is left until after the loop: with the factors of all steps kept, it is one product over all rows
// of all steps.
//
// Griewank and Walther: Evaluating Derivatives, 2nd ed., chapter 4 (store-all reversal).
//
//===----------------------------------------------------------------------===//

#include "passes/Loops.h"
#include "passes/ReverseMode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::gen;

namespace {

/// Values of each step, kept in sequences [steps, ...] that a loop carries beside its own.
using Kept = llvm::SetVector<Value>;

class LoopReversal {
public:
  LoopReversal(ReverseMode &reverse, scf::ForOp loop)
      : reverse(reverse), b(reverse.b), loop(loop) {}

  LogicalResult run() {
    findCarried();
    countSteps();
    // What is kept of all steps needs memory whose size is known before the call.
    if (!isBranch(loop) && isComputed(steps))
      return loop.emitOpError("expected a number of steps that is known before the call, where a "
                              "gradient goes through the loop, got one that is computed");
    if (!isBranch(loop) && !isInvariant(steps))
      return loop.emitOpError("expected a number of steps that is the same in every step of the "
                              "loop around, where a gradient goes through both");
    if (failed(sweep()))
      return failure();
    sumOutside();
    addGradientsOfInputs();
    keepInside();
    for (auto &action : afterwards)
      action();
    return success();
  }

private:
  void findCarried();
  bool isCollected(BlockArgument argument);
  void countSteps();
  LogicalResult sweep();
  void sumOutside();
  bool keepProduct(Value value, Value contribution);
  bool keepSlice(Value value, Value contribution);
  bool coversAxis(DynamicUpdateSliceOp slice, Value whole);
  void addGradientsOfInputs();
  void keepInside();
  void resolveSizes();
  void findKept(Value value);
  SmallVector<OpOperand *> usesOfInside();
  Value inside(Value value, IRMapping &known);
  Value forwardIndex();

  bool isInside(Value value) { return loop.getRegion().isAncestor(value.getParentRegion()); }
  bool isOneStep() {
    return getConstantIntValue(loop.getLowerBound()) == 0 &&
           getConstantIntValue(loop.getStep()) == 1;
  }
  Sizes sizes() { return entrySizes(loop->getParentOfType<func::FuncOp>()); }
  Value hoisted(Value index, scf::ForOp out);
  Value emptySequence(Value value, scf::ForOp out);
  scf::ForOp carryMore(scf::ForOp op, const Kept &kept, Value number, ArrayRef<Value> inits,
                       ArrayRef<Value> nexts);
  /// A sequence that the backward or the forward loop keeps.
  struct Sequence {
    bool isForward;
    size_t number;
  };
  Sequence keep(Value value);
  Value resultOf(Sequence sequence) {
    return sequence.isForward ? loop.getResult(ownForward + sequence.number)
                              : backward.getResult(carried.size() + sequence.number);
  }

  ReverseMode &reverse;
  GenBuilder &b;
  scf::ForOp loop, backward;
  SmallVector<BlockArgument> carried; ///< those with a gradient
  llvm::DenseMap<Operation *, Value> collected;
  Value steps, length;   ///< their number; how many a sequence has room for
  Value zero, one, step; ///< the last: the number of the forward step in a backward one
  Kept factors, kept;    ///< of the backward loop; of the forward one
  size_t ownForward = 0; ///< results of the forward loop that are its own
  llvm::DenseMap<Value, Value> sequences; ///< of the forward values kept
  /// Values from outside, stand-ins for what the loop carries to sum their gradients, and the sums.
  SmallVector<Value> summed, standIns, nexts;
  SmallVector<std::function<void()>> afterwards;
};

} // namespace

//===----------------------------------------------------------------------===//
// The backward loop
//===----------------------------------------------------------------------===//

/// True if steps do nothing with a carried sequence but write it, each its own slice.
bool LoopReversal::isCollected(BlockArgument argument) {
  auto update = argument.hasOneUse() ? dyn_cast<DynamicUpdateSliceOp>(*argument.getUsers().begin())
                                     : DynamicUpdateSliceOp();
  return update && update.getInput() == argument && update->hasOneUse() &&
         loop.getTiedLoopYieldedValue(argument)->get() == update.getResult() &&
         coversAxis(update, argument);
}

bool LoopReversal::coversAxis(DynamicUpdateSliceOp slice, Value whole) {
  Sizes known = sizes();
  return coversAxisOnce(loop, slice.getIndex(), whole, slice.getAxis(), slice.getLength(), known);
}

void LoopReversal::findCarried() {
  for (BlockArgument argument : loop.getRegionIterArgs()) {
    if (!reverse.isActive(argument))
      continue;
    if (!isCollected(argument))
      carried.push_back(argument);
    else if (Value whole = reverse.gradients.lookup(loop.getTiedLoopResult(argument)))
      collected[*argument.getUsers().begin()] = whole;
  }
}

/// steps = max(0, ceil((upper - lower) / step))
void LoopReversal::countSteps() {
  ImplicitLocOpBuilder before(loop.getLoc(), loop);
  zero = arith::ConstantIndexOp::create(before, 0);
  one = arith::ConstantIndexOp::create(before, 1);
  if (isBranch(loop)) {
    steps = loop.getUpperBound();
    length = one;
    return;
  }
  Value distance = before.createOrFold<arith::SubIOp>(loop.getUpperBound(), loop.getLowerBound());
  steps = getConstantIntValue(loop.getLowerBound()) == 0 ? loop.getUpperBound() : distance;
  if (getConstantIntValue(loop.getStep()) != 1)
    steps = before.createOrFold<arith::CeilDivSIOp>(steps, loop.getStep());
  if (!steps.getDefiningOp<tensor::DimOp>())
    steps = before.createOrFold<arith::MaxSIOp>(steps, zero);
  length = steps;
}

LogicalResult LoopReversal::sweep() {
  b.setLoc(loop.getLoc());
  SmallVector<Value> inits;
  for (BlockArgument argument : carried) {
    Value result = loop.getTiedLoopResult(argument);
    Value gradient = reverse.gradients.lookup(result);
    inits.push_back(gradient ? gradient : b.fullLike(0.0, result));
  }
  Value last = b.createOrFold<arith::SubIOp>(length, one);
  auto emptyBody = [](OpBuilder &, Location, Value, ValueRange) {};
  backward = scf::ForOp::create(b, zero, steps, one, inits, emptyBody);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(backward.getBody());
  step = arith::SubIOp::create(b, last, backward.getInductionVar());
  reverse.steps.push_back({loop, {}, collected});
  for (auto [argument, gradient] : llvm::zip(carried, backward.getRegionIterArgs())) {
    Value next = loop.getTiedLoopYieldedValue(argument)->get();
    if (reverse.isActive(next))
      reverse.accumulate(next, gradient);
  }
  SmallVector<Operation *> ops;
  for (Operation &op : loop.getBody()->without_terminator())
    ops.push_back(&op);
  for (Operation *op : llvm::reverse(ops))
    if (reverse.isActive(op) && failed(reverse.propagate(op)))
      return failure();
  b.setLoc(loop.getLoc());
  SmallVector<Value> yielded;
  for (auto [argument, gradient] : llvm::zip(carried, backward.getRegionIterArgs())) {
    Value value = reverse.gradients.lookup(argument);
    yielded.push_back(value ? value : b.fullLike(0.0, gradient));
  }
  scf::YieldOp::create(b, yielded);
  return success();
}

//===----------------------------------------------------------------------===//
// Gradients of values from outside
//===----------------------------------------------------------------------===//

void LoopReversal::sumOutside() {
  auto outside = std::move(reverse.steps.back().outside);
  reverse.steps.pop_back();
  OpBuilder::InsertionGuard guard(b);
  for (auto &[value, contributions] : outside) {
    Value sum;
    for (Value contribution : contributions) {
      if (keepProduct(value, contribution) ||
          (contributions.size() == 1 && keepSlice(value, contribution)))
        continue;
      if (!sum) {
        b.setInsertionPoint(backward);
        Value zeros = b.fullLike(0.0, value);
        sum = UnrealizedConversionCastOp::create(b, zeros.getType(), zeros).getResult(0);
        summed.push_back(value);
        standIns.push_back(sum);
      }
      b.setInsertionPoint(backward.getBody()->getTerminator());
      auto slice = contribution.getDefiningOp<DynamicUpdateSliceOp>();
      bool isOwn = contributions.size() == 1 && slice && isZeros(slice.getInput()) &&
                   coversAxis(slice, value);
      sum = isOwn ? b.make<DynamicUpdateSliceOp>(sum, slice.getUpdate(), slice.getIndex(),
                                                 slice.getAxis())
                  : addGradients(b, sum, contribution);
    }
    if (sum)
      nexts.push_back(sum);
  }
}

LoopReversal::Sequence LoopReversal::keep(Value value) {
  Kept &values = isInside(value) ? kept : factors;
  values.insert(value);
  return {isInside(value), static_cast<size_t>(llvm::find(values, value) - values.begin())};
}

/// sum over steps of lhs^T rhs = (all lhs)^T (all rhs), row under row.
bool LoopReversal::keepProduct(Value value, Value contribution) {
  auto product = contribution.getDefiningOp<MatmulOp>();
  auto comesFromStep = [&](Value factor) {
    return isInside(factor) || backward.getRegion().isAncestor(factor.getParentRegion());
  };
  if (!product || !product->use_empty() || product.getType().getRank() != 2 ||
      !product.getTransposeLhs() || product.getTransposeRhs() || !comesFromStep(product.getLhs()) ||
      !comesFromStep(product.getRhs()))
    return false;
  Sequence lhs = keep(product.getLhs()), rhs = keep(product.getRhs());
  product.erase();
  afterwards.push_back([this, value, lhs, rhs] {
    auto rows = [&](Value sequence) {
      auto type = cast<RankedTensorType>(sequence.getType());
      SmallVector<int64_t> shape{ShapedType::kDynamic, type.getDimSize(2)};
      if (!type.isDynamicDim(0) && !type.isDynamicDim(1))
        shape[0] = type.getDimSize(0) * type.getDimSize(1);
      SmallVector<Value> dynamic;
      auto size = [&](int64_t axis) { return b.createOrFold<tensor::DimOp>(sequence, axis); };
      if (ShapedType::isDynamic(shape[0]))
        dynamic.push_back(b.createOrFold<arith::MulIOp>(size(0), size(1)));
      if (ShapedType::isDynamic(shape[1]))
        dynamic.push_back(size(2));
      return b.make<ReshapeOp>(type.clone(shape), sequence, dynamic);
    };
    reverse.accumulate(value, b.matmul(rows(resultOf(lhs)), rows(resultOf(rhs)), true, false));
  });
  return true;
}

/// The gradient of a sequence of which each step reads its own element is the sequence of what the
/// steps give.
bool LoopReversal::keepSlice(Value value, Value contribution) {
  auto slice = contribution.getDefiningOp<DynamicUpdateSliceOp>();
  if (!slice || !isZeros(slice.getInput()) || slice.getAxis() != 0 || slice.getLength() != 1 ||
      slice.getIndex() != loop.getInductionVar() || !isOneStep() || !coversAxis(slice, value))
    return false;
  auto reshape = slice.getUpdate().getDefiningOp<ReshapeOp>();
  auto wholeType = cast<RankedTensorType>(value.getType());
  auto elementType =
      RankedTensorType::get(wholeType.getShape().drop_front(), wholeType.getElementType());
  if (!reshape || reshape.getInput().getType() != elementType || isInside(reshape.getInput()))
    return false;
  Value element = reshape.getInput();
  if (!backward.getRegion().isAncestor(element.getParentRegion()))
    return false;
  Sequence number = keep(element);
  if (slice->use_empty())
    slice->erase();
  afterwards.push_back([this, value, number] {
    Value sequence = resultOf(number);
    if (sequence.getType() != value.getType())
      sequence = b.reshapeLike(sequence, value);
    reverse.accumulate(value, sequence);
  });
  return true;
}

/// The backward loop's results are the gradients of what the loop started with, and of what its
/// body uses from outside.
void LoopReversal::addGradientsOfInputs() {
  backward = carryMore(backward, factors, step, standIns, nexts);
  for (Value standIn : standIns) {
    auto cast = standIn.getDefiningOp<UnrealizedConversionCastOp>();
    standIn.replaceAllUsesWith(cast.getOperand(0));
    cast.erase();
  }
  for (auto [number, argument] : llvm::enumerate(carried)) {
    Value init = loop.getTiedLoopInit(argument)->get();
    if (reverse.isActive(init))
      reverse.accumulate(init, backward.getResult(number));
  }
  for (auto [number, value] : llvm::enumerate(summed))
    reverse.accumulate(value, backward.getResult(carried.size() + factors.size() + number));
}

//===----------------------------------------------------------------------===//
// Values of the forward steps
//===----------------------------------------------------------------------===//

/// Ops that are cheaper to repeat than to keep.
static bool recomputes(Operation *op) {
  if (isa<tensor::DimOp, tensor::ExtractOp>(op) || isa<arith::ArithDialect>(op->getDialect()))
    return true;
  auto pointwise = dyn_cast<PointwiseOpInterface>(op);
  return pointwise && pointwise.elementCost() == 0;
}

SmallVector<OpOperand *> LoopReversal::usesOfInside() {
  SmallVector<OpOperand *> uses;
  backward.walk([&](Operation *op) {
    for (OpOperand &operand : op->getOpOperands())
      if (isInside(operand.get()))
        uses.push_back(&operand);
  });
  return uses;
}

/// Sizes of values of the loop's body are those of values outside.
void LoopReversal::resolveSizes() {
  SmallVector<tensor::DimOp> dims;
  backward.walk([&](tensor::DimOp dim) {
    if (isInside(dim.getSource()) && dim.getConstantIndex())
      dims.push_back(dim);
  });
  for (tensor::DimOp dim : dims) {
    OpFoldResult size = sizes().get(dim.getSource(), *dim.getConstantIndex());
    if (!size)
      continue;
    OpBuilder before(loop);
    Value value = getValueOrCreateConstantIndexOp(before, dim.getLoc(), size);
    dim.replaceAllUsesWith(hoisted(value, loop));
    dim.erase();
  }
}

void LoopReversal::findKept(Value value) {
  if (!isInside(value) || value == loop.getInductionVar() || kept.contains(value))
    return;
  Operation *op = value.getDefiningOp();
  if (!op || !recomputes(op)) {
    kept.insert(value);
    return;
  }
  for (Value operand : op->getOperands())
    findKept(operand);
}

/// Keeps what the backward loop uses of the forward steps, and gives it from there.
void LoopReversal::keepInside() {
  resolveSizes();
  for (OpOperand *use : usesOfInside())
    findKept(use->get());
  Value number = loop.getInductionVar();
  if (!isOneStep()) {
    ImplicitLocOpBuilder in = ImplicitLocOpBuilder::atBlockBegin(loop.getLoc(), loop.getBody());
    number = in.createOrFold<arith::SubIOp>(number, loop.getLowerBound());
    number = in.createOrFold<arith::DivSIOp>(number, loop.getStep());
  }
  ownForward = loop.getNumResults();
  SmallVector<int64_t> arguments; // by number, since a loop that carries more has new ones
  for (Value value : kept) {
    auto argument = dyn_cast<BlockArgument>(value);
    bool isCarried = argument && argument.getOwner() == loop.getBody();
    arguments.push_back(isCarried ? static_cast<int64_t>(argument.getArgNumber()) : -1);
  }
  SmallVector<Value> values(kept.begin(), kept.end());
  loop = carryMore(loop, kept, number, {}, {});
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    Value value = argument < 0 ? values[i] : loop.getBody()->getArgument(argument);
    sequences[value] = loop.getResult(ownForward + i);
  }
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(step);
  b.setLoc(loop.getLoc());
  IRMapping known;
  known.map(loop.getInductionVar(), forwardIndex());
  for (OpOperand *use : usesOfInside())
    use->set(inside(use->get(), known));
}

/// lower + number * step.
Value LoopReversal::forwardIndex() {
  if (isOneStep())
    return step;
  return b.createOrFold<arith::AddIOp>(loop.getLowerBound(),
                                       b.createOrFold<arith::MulIOp>(step, loop.getStep()));
}

/// A value of the forward step in the backward one.
Value LoopReversal::inside(Value value, IRMapping &known) {
  if (!isInside(value))
    return value;
  if (Value there = known.lookupOrNull(value))
    return there;
  if (Value sequence = sequences.lookup(value)) {
    Value element = b.make<DynamicSliceOp>(sequence, step, 0, 1);
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<Value> dynamic;
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      if (type.isDynamicDim(axis))
        dynamic.push_back(b.createOrFold<tensor::DimOp>(sequence, axis + 1));
    element = b.make<ReshapeOp>(type, element, dynamic);
    known.map(value, element);
    return element;
  }
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    known.map(operand, inside(operand, known));
  return b.clone(*op, known)->getResult(cast<OpResult>(value).getResultNumber());
}

//===----------------------------------------------------------------------===//
// Keeping
//===----------------------------------------------------------------------===//

/// An index that is computed in the body of `out`, computed before it.
Value LoopReversal::hoisted(Value index, scf::ForOp out) {
  Operation *op = index.getDefiningOp();
  if (!out.getRegion().isAncestor(index.getParentRegion()) || !op)
    return index;
  OpBuilder before(out);
  if (auto dim = dyn_cast<tensor::DimOp>(op); dim && dim.getConstantIndex()) {
    OpFoldResult size = sizes().get(dim.getSource(), *dim.getConstantIndex());
    if (size && size != OpFoldResult(index))
      return hoisted(getValueOrCreateConstantIndexOp(before, dim.getLoc(), size), out);
  }
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, hoisted(operand, out));
  return before.clone(*op, mapping)->getResult(0);
}

/// Zeros of [length, shape of `value` ...] before the loop `out` that makes it.
Value LoopReversal::emptySequence(Value value, scf::ForOp out) {
  auto type = cast<RankedTensorType>(value.getType());
  std::optional<int64_t> known = getConstantIntValue(length);
  SmallVector<int64_t> shape{known ? *known : ShapedType::kDynamic};
  SmallVector<Value> dynamic;
  if (!known)
    dynamic.push_back(length);
  Sizes traced = sizes();
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    shape.push_back(type.getDimSize(axis));
    if (type.isDynamicDim(axis))
      dynamic.push_back(hoisted(cast<Value>(traced.get(value, axis)), out));
  }
  GenBuilder before(out.getLoc(), out);
  auto sequenceType = RankedTensorType::get(shape, type.getElementType());
  if (sequenceType.hasStaticShape())
    return ConstantOp::create(before, cast<ElementsAttr>(before.getZeroAttr(sequenceType)));
  auto scalar = RankedTensorType::get({}, type.getElementType());
  Value zeros = ConstantOp::create(before, cast<ElementsAttr>(before.getZeroAttr(scalar)));
  return BroadcastOp::create(before, sequenceType, zeros, dynamic, ArrayRef<int64_t>());
}

/// A loop that also keeps `keeping`, at `number` in each step, and carries from `inits` to `nexts`.
/// An init that is used in the body stands for what is carried.
scf::ForOp LoopReversal::carryMore(scf::ForOp op, const Kept &keeping, Value number,
                                   ArrayRef<Value> inits, ArrayRef<Value> nexts) {
  if (keeping.empty() && inits.empty())
    return op;
  SmallVector<Value> all;
  for (Value value : keeping)
    all.push_back(emptySequence(value, op));
  llvm::append_range(all, inits);
  auto yieldMore = [&](OpBuilder &builder, Location location, ArrayRef<BlockArgument> arguments) {
    SmallVector<Value> yielded;
    GenBuilder in(location, builder.getContext());
    in.restoreInsertionPoint(builder.saveInsertionPoint());
    for (auto [value, sequence] : llvm::zip(keeping, arguments)) {
      auto type = cast<RankedTensorType>(value.getType());
      SmallVector<int64_t> shape{1};
      llvm::append_range(shape, type.getShape());
      Value element = in.make<ReshapeOp>(type.clone(shape), value, in.dynamicSizes(value));
      yielded.push_back(
          DynamicUpdateSliceOp::create(in, sequence.getType(), sequence, element, number, 0));
    }
    llvm::append_range(yielded, nexts);
    return yielded;
  };
  SmallVector<Value> oldResults(op.getResults());
  SmallVector<Value> oldArguments(op.getRegionIterArgs().begin(), op.getRegionIterArgs().end());
  oldArguments.push_back(op.getInductionVar());
  size_t before = oldResults.size();
  IRRewriter rewriter(op);
  auto carrying = cast<scf::ForOp>(*op.replaceWithAdditionalYields(
      rewriter, all, /*replaceInitOperandUsesInLoop=*/true, yieldMore));
  for (auto [old, now] : llvm::zip(oldResults, carrying.getResults().take_front(before)))
    reverse.rename(old, now);
  for (Value argument : oldArguments)
    reverse.rename(argument, Value());
  return carrying;
}

LogicalResult mlir::gen::reverseLoop(ReverseMode &reverse, scf::ForOp loop) {
  bool hasGradient = llvm::any_of(
      loop.getResults(), [&](Value result) { return bool(reverse.gradients.lookup(result)); });
  return hasGradient ? LoopReversal(reverse, loop).run() : success();
}
