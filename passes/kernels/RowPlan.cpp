//===- RowPlan.cpp - the passes over a row --------------------------------===//

#include "passes/kernels/RowPlan.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

/// Additions that are no dearer than to load what was kept.
static constexpr int64_t kCheap = 4;

namespace {

class Planner {
public:
  Planner(KernelOp kernel, int64_t scratch, RowPlan &plan)
      : plan(plan), scratch(scratch),
        yield(cast<YieldOp>(kernel.getBody().front().getTerminator())), sizes(kernelSizes(kernel)) {
    for (Operation &op : kernel.getBody().front())
      if (isMember(&op))
        members.push_back(&op);
    auto first = llvm::find_if(members, llvm::IsaPred<ReductionOpInterface>);
    plan.space = RowSpace(cast<ReductionOpInterface>(*first));
  }

  void run() {
    RowAnalysis analysis(plan.space, members, sizes, [&](Operation *op) { return isYielded(op); });
    for (Operation *op : members)
      kinds[op] = analysis.kind(op);
    findLevels();
    placeOps();
    countElements();
    for (size_t number = 0; number < plan.loops.size(); ++number)
      walkLoop(number);
  }

private:
  bool isYielded(Operation *op) { return llvm::is_contained(op->getUsers(), yield.getOperation()); }
  bool isMember(Operation *op) {
    auto pointwise = dyn_cast<PointwiseOpInterface>(op);
    return isa<ReductionOpInterface>(op) ||
           (pointwise && (pointwise.elementCost() > 0 || isYielded(op)));
  }

  /// The level of a value is the number of loops before it can be computed.
  void findLevels() {
    for (Operation &op : *yield->getBlock()) {
      size_t level = 0;
      for (Value operand : op.getOperands())
        level = std::max(level, levels.lookup(operand));
      if (isa<ReductionOpInterface>(op))
        ++level;
      for (Value result : op.getResults())
        levels[result] = level;
    }
  }

  bool isFull(Value value) {
    return cast<RankedTensorType>(value.getType()).getRank() ==
           cast<RankedTensorType>(plan.space.domain.getType()).getRank();
  }

  void placeOps() {
    size_t count = 0;
    for (Operation *op : members)
      if (isa<ReductionOpInterface>(op))
        count = std::max(count, levels[op->getResult(0)]);
    plan.loops.resize(count);
    plan.rowOps.resize(count + 1);
    for (Operation *op : members) {
      size_t level = levels[op->getResult(0)];
      if (auto reduction = dyn_cast<ReductionOpInterface>(op))
        plan.loops[level - 1].reductions.push_back(reduction);
      else if (kinds[op] == RowAnalysis::Row)
        plan.rowOps[level].push_back(op);
    }
    for (auto [number, value] : llvm::enumerate(yield.getValues())) {
      if (!isFull(value)) {
        plan.rowResults.push_back(number);
        continue;
      }
      size_t level = levels[value];
      if (level == plan.loops.size()) {
        plan.loops.emplace_back();
        plan.rowOps.emplace_back();
      }
      plan.loops[level].results.push_back(number);
    }
  }

  void countElements() {
    auto type = cast<RankedTensorType>(plan.space.domain.getType());
    int64_t elements = 1;
    for (int64_t axis : plan.space.reduced) {
      if (type.isDynamicDim(axis))
        return;
      elements *= type.getDimSize(axis);
    }
    plan.elements = elements;
  }

  /// What loop `number` computes; what it has of earlier loops.
  void walkLoop(size_t number) {
    RowLoop &loop = plan.loops[number];
    llvm::SmallDenseSet<Value> visited;
    for (ReductionOpInterface reduction : loop.reductions)
      visit(reduction->getOperand(0), number, visited);
    for (unsigned result : loop.results)
      visit(yield.getValues()[result], number, visited);
  }

  void visit(Value value, size_t number, llvm::SmallDenseSet<Value> &visited) {
    Operation *op = value.getDefiningOp();
    if (!op || !visited.insert(value).second || isa<ReductionOpInterface>(op) ||
        kinds.lookup(op) == RowAnalysis::Row)
      return;
    if (kinds.lookup(op) == RowAnalysis::Full && isKept(value, number))
      return;
    firstLoop.try_emplace(value, number);
    for (Value operand : op->getOperands())
      if (isa<RankedTensorType>(operand.getType()))
        visit(operand, number, visited);
  }

  /// True if loop `number` reads what an earlier loop has stored.
  bool isKept(Value value, size_t number) {
    for (KeptValue &known : kept)
      if (known.value == value) {
        plan.loops[number].loads.push_back(known);
        return true;
      }
    auto first = firstLoop.find(value);
    if (first == firstLoop.end() || first->second == number)
      return false;
    std::optional<KeptValue> place = stored(value, first->second);
    if (!place && cost(value) > kCheap)
      place = placeFor(value, first->second);
    if (!place)
      return false;
    kept.push_back(*place);
    plan.loops[number].loads.push_back(*place);
    return true;
  }

  /// The value as a result that loop `loop` stores.
  std::optional<KeptValue> stored(Value value, size_t loop) {
    for (unsigned number : plan.loops[loop].results)
      if (yield.getValues()[number] == value)
        return KeptValue{value, number};
    return std::nullopt;
  }

  /// Additions to compute the value from arguments and rows.
  int64_t cost(Value value) {
    llvm::SmallDenseSet<Value> seen;
    SmallVector<Value> work{value};
    int64_t sum = 0;
    while (!work.empty()) {
      Value next = work.pop_back_val();
      auto op = dyn_cast_or_null<PointwiseOpInterface>(next.getDefiningOp());
      if (!op || !seen.insert(next).second || kinds.lookup(op) == RowAnalysis::Row)
        continue;
      sum += op.elementCost();
      for (Value operand : op->getOperands())
        work.push_back(operand);
    }
    return sum;
  }

  /// A result that the last loop stores, of the same type, not yet taken; or scratch.
  std::optional<KeptValue> placeFor(Value value, size_t loop) {
    Type elementType = getElementTypeOrSelf(value);
    if (elementType.isInteger(1))
      return std::nullopt;
    KeptValue place{value};
    RowLoop &last = plan.loops.back();
    for (unsigned number : last.results)
      if (loop + 1 < plan.loops.size() && !taken.contains(number) &&
          getElementTypeOrSelf(yield.getValues()[number]) == elementType) {
        place.result = number;
        break;
      }
    if (place.result < 0 && (!plan.elements || *plan.elements > mostScratch()))
      return std::nullopt;
    if (place.result >= 0)
      taken.insert(place.result);
    plan.loops[loop].keeps.push_back(place);
    return place;
  }

  int64_t mostScratch() const {
    constexpr int64_t columns = 64;
    return plan.space.isLastReduced() ? scratch : scratch / columns;
  }

  RowPlan &plan;
  int64_t scratch;
  YieldOp yield;
  Sizes sizes;
  SmallVector<Operation *> members;
  llvm::DenseMap<Operation *, RowAnalysis::Kind> kinds;
  llvm::DenseMap<Value, size_t> levels;
  llvm::DenseMap<Value, size_t> firstLoop; ///< the loop that computes a value first
  SmallVector<KeptValue> kept;
  llvm::SmallDenseSet<int64_t> taken; ///< results whose memory is in use before they are stored
};

} // namespace

RowPlan::RowPlan(KernelOp kernel, int64_t mostScratch) {
  Planner(kernel, mostScratch, *this).run();
}
