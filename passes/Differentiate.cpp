//===- Differentiate.cpp - gradients by reverse mode ----------------------===//
//
// In:  %dw = gen.gradient %loss wrt %w         Out:  the ops that compute it.
//
// The ops between the inputs and the output are walked backwards, from the output; each one's
// derivative (an interface) turns the gradients of its results into those of its operands, and
// gradients that meet are added. As derivatives are ops of the dialect, a gradient of a gradient
// needs nothing more: gradients are expanded in program order, so that an outer one finds the inner
// one expanded. An op that is composed of others and has no derivative of its own is opened first.
// An op that stops gradients (gen.stop_gradient, a comparison) is not passed. The gradient of an
// input that the output does not depend on is zero.
//
// Griewank and Walther: Evaluating Derivatives, 2nd ed., chapter 3.
//
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"
#include "passes/ReverseMode.h"

#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::gen {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "passes/Passes.h.inc"
} // namespace mlir::gen

using namespace mlir;
using namespace mlir::gen;

//===----------------------------------------------------------------------===//
// ReverseMode
//===----------------------------------------------------------------------===//

bool ReverseMode::carriesGradient(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && isa<FloatType>(type.getElementType());
}

LogicalResult ReverseMode::activate(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return activateLoop(loop);
  bool captures = false;
  op->walk([&](Operation *inner) {
    captures |= inner != op &&
                llvm::any_of(inner->getOperands(), [&](Value value) { return isActive(value); });
  });
  if (!captures && llvm::none_of(op->getOperands(), [&](Value value) { return isActive(value); }))
    return success();
  if (isa<NotDifferentiableOpInterface>(op) || llvm::none_of(op->getResults(), carriesGradient))
    return success();
  if (!isa<DifferentiableOpInterface>(op)) {
    InFlightDiagnostic error = op->emitOpError("expected an op with a derivative between the "
                                               "inputs and the output of a gen.gradient");
    if (isa<CallOpInterface>(op))
      error.attachNote(op->getLoc()) << "hint: inline the function first (--inline)";
    error.attachNote(taken) << "the gradient is taken here";
    return error;
  }
  for (Value result : llvm::make_filter_range(op->getResults(), carriesGradient))
    active.insert(result);
  return success();
}

/// What a loop carries may become active in a later step, so steps are gone through until nothing
/// is added.
LogicalResult ReverseMode::activateLoop(scf::ForOp loop) {
  auto carried = [&] {
    return llvm::zip(loop.getInits(), loop.getRegionIterArgs(), loop.getYieldedValues(),
                     loop.getResults());
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (auto [init, argument, next, result] : carried())
      if (carriesGradient(argument) && (isActive(init) || isActive(next)) &&
          active.insert(argument).second) {
        active.insert(result);
        changed = true;
      }
    for (Operation &op : loop.getBody()->without_terminator())
      if (failed(activate(&op)))
        return failure();
    for (auto [init, argument, next, result] : carried())
      changed |= carriesGradient(argument) && isActive(next) && !isActive(argument);
  }
  for (auto [number, type] : llvm::enumerate(loop.getResultTypes()))
    if (isActive(loop.getOperation()) && !isa<RankedTensorType>(type)) {
      InFlightDiagnostic error = loop.emitOpError("expected a loop that carries tensors only, got ")
                                 << type << " at " << number;
      error.attachNote(taken) << "the gradient is taken here";
      return error;
    }
  return success();
}

/// A gradient that is a slice among zeros, at an index that a run tells.
static DynamicUpdateSliceOp asSlice(Value contribution) {
  auto update = contribution.getDefiningOp<DynamicUpdateSliceOp>();
  return update && isZeros(update.getInput()) ? update : DynamicUpdateSliceOp();
}

void ReverseMode::accumulate(Value value, Value contribution) {
  if (!steps.empty() && !steps.back().forward.getRegion().isAncestor(value.getParentRegion())) {
    steps.back().outside[value].push_back(contribution);
    return;
  }
  Value &sum = gradients[value];
  sum = sum ? addGradients(b, sum, contribution) : contribution;
}

Value mlir::gen::addGradients(GenBuilder &b, Value sum, Value contribution) {
  DynamicUpdateSliceOp slice = asSlice(contribution);
  if (!slice)
    return b.add(sum, contribution);
  Value before = b.make<DynamicSliceOp>(sum, slice.getIndex(), slice.getAxis(), slice.getLength());
  return b.make<DynamicUpdateSliceOp>(sum, b.add(before, slice.getUpdate()), slice.getIndex(),
                                      slice.getAxis());
}

bool mlir::gen::isZeros(Value value) {
  if (auto broadcast = value.getDefiningOp<BroadcastOp>())
    value = broadcast.getInput();
  return matchPattern(value, m_AnyZeroFloat()) || matchPattern(value, m_Zero());
}

LogicalResult ReverseMode::propagate(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return reverseLoop(*this, loop);
  if (!steps.empty())
    if (Value whole = steps.back().collected.lookup(op)) {
      auto update = cast<DynamicUpdateSliceOp>(op);
      if (isActive(update.getUpdate()))
        accumulate(
            update.getUpdate(),
            b.make<DynamicSliceOp>(whole, update.getIndex(), update.getAxis(), update.getLength()));
      return success();
    }
  // The sweep ends at the inputs.
  auto differentiable = dyn_cast<DifferentiableOpInterface>(op);
  if (!differentiable ||
      llvm::none_of(op->getOperands(), [&](Value operand) { return isActive(operand); }))
    return success();
  SmallVector<Value> ofResults;
  for (Value result : op->getResults())
    ofResults.push_back(gradients.lookup(result));
  if (llvm::none_of(ofResults, [](Value value) { return bool(value); }))
    return success();
  b.setLoc(op->getLoc());
  SmallVector<Value> ofOperands = differentiable.derivative(b, ofResults);
  for (auto [operand, contribution] : llvm::zip_equal(op->getOperands(), ofOperands))
    if (contribution && isActive(operand))
      accumulate(operand, contribution);
  return success();
}

void ReverseMode::rename(Value old, Value now) {
  Value gradient = gradients.lookup(old);
  bool wasActive = active.erase(old);
  gradients.erase(old);
  if (now && wasActive)
    active.insert(now);
  if (now && gradient)
    gradients[now] = gradient;
}

//===----------------------------------------------------------------------===//
// One gradient
//===----------------------------------------------------------------------===//

/// The ops that `output` is computed from, operands first. Depth first, with a stack of its own: a
/// chain of ops may be long.
static llvm::SetVector<Operation *> producersOf(Value output) {
  llvm::SetVector<Operation *> producers;
  struct Visit {
    Operation *op;
    SmallVector<Value> inputs;
    size_t next = 0;
  };
  std::vector<Visit> stack;
  llvm::DenseSet<Operation *> seen;
  auto enter = [&](Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || !seen.insert(op).second)
      return;
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    SmallVector<Value> inputs(op->getOperands());
    llvm::append_range(inputs, captured);
    stack.push_back({op, std::move(inputs)});
  };
  enter(output);
  while (!stack.empty()) {
    Visit &top = stack.back();
    if (top.next < top.inputs.size()) {
      enter(top.inputs[top.next++]);
      continue;
    }
    producers.insert(top.op);
    stack.pop_back();
  }
  return producers;
}

/// Opens the compositions that `output` is computed from and that have the derivative of their
/// parts. True if there was one.
static bool openCompositions(const llvm::SetVector<Operation *> &producers) {
  SmallVector<DecomposableOpInterface> composed;
  for (Operation *producer : producers)
    producer->walk([&](DecomposableOpInterface op) {
      if (!isa<DifferentiableOpInterface, NotDifferentiableOpInterface>(op.getOperation()))
        composed.push_back(op);
    });
  for (DecomposableOpInterface op : composed) {
    GenBuilder b(op.getLoc(), op.getOperation());
    op->replaceAllUsesWith(op.decompose(b));
    op->erase();
  }
  return !composed.empty();
}

static LogicalResult expand(GradientOp gradient) {
  ReverseMode reverse(gradient.getLoc(), gradient);
  GenBuilder &b = reverse.b;
  llvm::SetVector<Operation *> producers = producersOf(gradient.getOutput());
  while (openCompositions(producers))
    producers = producersOf(gradient.getOutput());
  reverse.active.insert(gradient.getInputs().begin(), gradient.getInputs().end());
  for (Operation *op : producers)
    if (failed(reverse.activate(op)))
      return failure();
  if (reverse.isActive(gradient.getOutput()))
    reverse.gradients[gradient.getOutput()] = b.fullLike(1.0, gradient.getOutput());
  // A loop is replaced when it is reversed, so the ops behind it are found first.
  for (Operation *op : llvm::reverse(producers))
    if (reverse.isActive(op) && failed(reverse.propagate(op)))
      return failure();
  b.setLoc(gradient.getLoc());
  for (auto [result, input] : llvm::zip_equal(gradient.getGradients(), gradient.getInputs())) {
    Value value = reverse.gradients.lookup(input);
    result.replaceAllUsesWith(value ? value : b.fullLike(0.0, input));
  }
  gradient.erase();
  return success();
}

namespace {
struct DifferentiatePass : gen::impl::DifferentiateBase<DifferentiatePass> {
  void runOnOperation() override {
    SmallVector<GradientOp> inProgramOrder;
    getOperation().walk([&](GradientOp op) { inProgramOrder.push_back(op); });
    for (GradientOp op : inProgramOrder)
      if (failed(expand(op)))
        return signalPassFailure();
  }
};
} // namespace
