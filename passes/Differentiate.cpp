//===- Differentiate.cpp - gradients by reverse mode ----------------------===//
//
// In:  %dw = gen.gradient %loss wrt %w         Out:  the ops that compute it.
//
// The ops between the inputs and the output are walked backwards, from the output; each one's
// derivative (an interface) turns the gradients of its results into those of its operands, and
// gradients that meet are added. As derivatives are ops of the dialect, a gradient of a gradient
// needs nothing more: gradients are expanded in program order, so that an outer one finds the inner
// one expanded. An op that stops gradients (gen.stop_gradient, a comparison) is not passed. The
// gradient of an input that the output does not depend on is zero.
//
// Griewank and Walther: Evaluating Derivatives, 2nd ed., chapter 3.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gen.h"
#include "passes/Passes.h"

#include "mlir/Interfaces/CallInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::gen {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "passes/Passes.h.inc"
} // namespace mlir::gen

using namespace mlir;
using namespace mlir::gen;

namespace {

/// Expands one gen.gradient.
class Expansion {
public:
  explicit Expansion(GradientOp gradient)
      : gradient(gradient), b(gradient.getLoc(), gradient.getOperation()) {}

  LogicalResult run();

private:
  void collectProducers();
  LogicalResult collectPath();
  void propagate(Operation *op);
  void accumulate(Value value, Value contribution);

  GradientOp gradient;
  GenBuilder b;
  /// The ops that the output is computed from, operands first.
  llvm::SetVector<Operation *> producers;
  /// Those of them through which it depends on an input.
  SmallVector<Operation *> path;
  /// Values that depend on an input, as far as derivatives see.
  llvm::DenseSet<Value> active;
  llvm::DenseMap<Value, Value> gradients;
};

} // namespace

/// Depth first, with a stack of its own: a chain of ops may be long.
void Expansion::collectProducers() {
  SmallVector<std::pair<Operation *, unsigned>> stack;
  llvm::DenseSet<Operation *> seen;
  auto enter = [&](Value value) {
    Operation *op = value.getDefiningOp();
    if (op && seen.insert(op).second)
      stack.push_back({op, 0});
  };
  enter(gradient.getOutput());
  while (!stack.empty()) {
    auto &[op, next] = stack.back();
    if (next < op->getNumOperands()) {
      enter(op->getOperand(next++));
      continue;
    }
    producers.insert(op);
    stack.pop_back();
  }
}

static bool carriesGradient(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && isa<FloatType>(type.getElementType());
}

LogicalResult Expansion::collectPath() {
  active.insert(gradient.getInputs().begin(), gradient.getInputs().end());
  auto isActive = [&](Value value) { return active.contains(value); };
  for (Operation *op : producers) {
    bool captures = false;
    op->walk([&](Operation *inner) {
      captures |= inner != op && llvm::any_of(inner->getOperands(), isActive);
    });
    if (!captures && llvm::none_of(op->getOperands(), isActive))
      continue;
    if (isa<NotDifferentiableOpInterface>(op) || llvm::none_of(op->getResults(), carriesGradient))
      continue;
    if (!isa<DifferentiableOpInterface>(op)) {
      InFlightDiagnostic error = op->emitOpError("expected an op with a derivative between the "
                                                 "inputs and the output of a gen.gradient");
      if (isa<CallOpInterface>(op))
        error.attachNote(op->getLoc()) << "hint: inline the function first (--inline)";
      error.attachNote(gradient.getLoc()) << "the gradient is taken here";
      return error;
    }
    path.push_back(op);
    for (Value result : llvm::make_filter_range(op->getResults(), carriesGradient))
      active.insert(result);
  }
  return success();
}

void Expansion::accumulate(Value value, Value contribution) {
  Value &sum = gradients[value];
  sum = sum ? b.add(sum, contribution) : contribution;
}

void Expansion::propagate(Operation *op) {
  SmallVector<Value> ofResults;
  for (Value result : op->getResults())
    ofResults.push_back(gradients.lookup(result));
  if (llvm::none_of(ofResults, [](Value value) { return bool(value); }))
    return;
  b.setLoc(op->getLoc());
  SmallVector<Value> ofOperands = cast<DifferentiableOpInterface>(op).derivative(b, ofResults);
  for (auto [operand, contribution] : llvm::zip_equal(op->getOperands(), ofOperands))
    if (contribution && active.contains(operand))
      accumulate(operand, contribution);
}

LogicalResult Expansion::run() {
  collectProducers();
  if (failed(collectPath()))
    return failure();
  if (active.contains(gradient.getOutput()))
    gradients[gradient.getOutput()] = b.fullLike(1.0, gradient.getOutput());
  for (Operation *op : llvm::reverse(path))
    propagate(op);
  b.setLoc(gradient.getLoc());
  for (auto [result, input] : llvm::zip_equal(gradient.getGradients(), gradient.getInputs())) {
    Value value = gradients.lookup(input);
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
      if (failed(Expansion(op).run()))
        return signalPassFailure();
  }
};
} // namespace
