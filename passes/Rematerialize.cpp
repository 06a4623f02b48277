//===- Rematerialize.cpp - less memory for more work ----------------------===//
//
// In:   %h = gen.launch @relu(%x)          with a budget, and the most memory in use at @large
//       %y = gen.launch @large(%z)
//       %g = gen.launch @back(%y, %h)
// Out:  %y = gen.launch @large(%z)
//       %h = gen.launch @relu(%x)
//       %g = gen.launch @back(%y, %h)
//
// While more memory is in use at once than the budget allows, a value that waits through that time
// is computed again right before its next use: the one that frees most for the work it costs. A
// step has to lower the sum over time of what is above the budget, so the search ends.
//
// Chen et al.: Training Deep Nets with Sublinear Memory Cost, 2016; the greedy choice is that of
// XLA's rematerialization.
//
//===----------------------------------------------------------------------===//

#include "passes/FusionGroups.h"
#include "passes/LaunchWork.h"
#include "passes/MemoryPlan.h"
#include "passes/PackedWeights.h"
#include "passes/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::gen {
#define GEN_PASS_DEF_REMATERIALIZE
#include "passes/Passes.h.inc"

namespace {

/// Seconds that FLOPs and bytes take, roughly; only their order matters.
constexpr double kFlopTime = 1e-11, kByteTime = 1e-10;

/// A launch that can be repeated: its results wait from before the peak until after it.
struct Candidate {
  LaunchOp launch;
  SmallVector<OpOperand *> lateUses;
  Operation *before; ///< the first op that needs them late
  double worth;      ///< bytes freed, by the time of computing them again
};

class Rematerializer {
public:
  Rematerializer(func::FuncOp function, int64_t variables, int64_t budget)
      : function(function), variables(variables), budget(budget) {}

  LogicalResult run() {
    int64_t allowed = budget - variables;
    for (int64_t target = allowed;;) {
      MemoryPlan plan(function);
      if (!plan.isStatic())
        return function.emitError("expected static sizes with a memory budget, got an entry whose "
                                  "memory depends on the size of a call; hint: give the sizes");
      int64_t peak = *llvm::max_element(plan.aliveBytes());
      if (peak > target) {
        if (!improve(plan, target))
          return refuse(plan);
        continue;
      }
      int64_t bytes = plan.place();
      if (bytes <= allowed)
        return success();
      target -= bytes - allowed; // what no layout avoids
    }
  }

private:
  static int64_t excess(const MemoryPlan &plan, int64_t target) {
    int64_t sum = 0;
    for (int64_t bytes : plan.aliveBytes())
      sum += std::max<int64_t>(0, bytes - target);
    return sum;
  }

  /// Computes one value again; false if none helps.
  bool improve(MemoryPlan &plan, int64_t target) {
    int64_t before = excess(plan, target);
    for (const Candidate &candidate : findCandidates(plan)) {
      SmallVector<std::pair<OpOperand *, Value>> old;
      for (OpOperand *use : candidate.lateUses)
        old.emplace_back(use, use->get());
      SmallVector<Operation *> repeated = repeat(candidate);
      if (excess(MemoryPlan(function), target) < before) {
        eraseUnused(candidate.launch);
        return true;
      }
      for (auto [use, value] : old)
        use->set(value);
      for (Operation *op : llvm::reverse(repeated))
        op->erase();
    }
    return false;
  }

  SmallVector<Candidate> findCandidates(MemoryPlan &plan) {
    SmallVector<int64_t> alive = plan.aliveBytes();
    int64_t peak = llvm::max_element(alive) - alive.begin();
    llvm::StringMap<int64_t> none;
    EntryProgram program(function, none);
    llvm::DenseMap<Operation *, Candidate> candidates;
    for (const ArenaInterval &interval : plan.arena()) {
      auto launch = interval.memory->model.getDefiningOp<LaunchOp>();
      if (interval.first >= peak || interval.last <= peak || !launch || interval.memory->loop ||
          launch->getBlock() != &function.getBody().front())
        continue;
      Candidate candidate{launch, {}, nullptr, 0};
      if (!findLateUses(plan.getUse(), *interval.memory, peak, candidate))
        continue;
      auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(launch, launch.getKernelAttr());
      LaunchWork work(launch, kernel, program);
      double time = work.flops.at(1) * kFlopTime + work.bytes.at(1) * kByteTime;
      candidate.worth = static_cast<double>(interval.bytes) / std::max(time, 1e-12);
      Candidate &known =
          candidates.try_emplace(launch, Candidate{launch, {}, nullptr, 0}).first->second;
      known.worth += candidate.worth;
      llvm::append_range(known.lateUses, candidate.lateUses);
      if (!known.before || candidate.before->isBeforeInBlock(known.before))
        known.before = candidate.before;
    }
    SmallVector<Candidate> result;
    for (auto &[launch, candidate] : candidates)
      result.push_back(std::move(candidate));
    llvm::sort(result, [](const Candidate &x, const Candidate &y) {
      if (x.worth != y.worth)
        return x.worth > y.worth;
      return x.launch->isBeforeInBlock(y.launch);
    });
    return result;
  }

  /// False if the memory is used at the peak, or not by launches alone.
  static bool findLateUses(MemoryUse &use, Memory &memory, int64_t peak, Candidate &candidate) {
    Block *block = candidate.launch->getBlock();
    for (Value value : memory.values)
      for (OpOperand &operand : value.getUses()) {
        int64_t time = use.readTime(value, operand);
        if (time < peak)
          continue;
        Operation *user = operand.getOwner();
        if (FusionGroups::isView(user) && !isa<DynamicUpdateSliceOp>(user))
          continue; // its own uses count
        if (time == peak || !isa<LaunchOp>(user))
          return false;
        candidate.lateUses.push_back(&operand);
        Operation *here = block->findAncestorOpInBlock(*user);
        if (!candidate.before || here->isBeforeInBlock(candidate.before))
          candidate.before = here;
      }
    return candidate.before != nullptr;
  }

  /// Launches it again, with the views that its late uses read through.
  static SmallVector<Operation *> repeat(const Candidate &candidate) {
    OpBuilder b(candidate.before);
    IRMapping mapping;
    SmallVector<Operation *> made{b.clone(*candidate.launch, mapping)};
    auto again = [&](auto &&again, Value value) -> Value {
      if (Value known = mapping.lookupOrNull(value))
        return known;
      Operation *view = value.getDefiningOp();
      again(again, view->getOperand(0));
      made.push_back(b.clone(*view, mapping));
      return mapping.lookup(value);
    };
    for (OpOperand *use : candidate.lateUses)
      use->set(again(again, use->get()));
    return made;
  }

  static void eraseUnused(Operation *op) {
    for (Value result : op->getResults())
      for (Operation *user : llvm::make_early_inc_range(result.getUsers()))
        if (FusionGroups::isView(user))
          eraseUnused(user);
    if (op->use_empty())
      op->erase();
  }

  LogicalResult refuse(MemoryPlan &plan) {
    SmallVector<int64_t> alive = plan.aliveBytes();
    int64_t peak = llvm::max_element(alive) - alive.begin();
    InFlightDiagnostic error = function.emitError("expected an entry that runs in ")
                               << budget << " bytes, got one that needs " << variables
                               << " for variables and " << alive[peak]
                               << " for intermediate values, with all repeated that helps";
    SmallVector<const ArenaInterval *> there;
    for (const ArenaInterval &interval : plan.arena())
      if (interval.first <= peak && peak <= interval.last)
        there.push_back(&interval);
    llvm::sort(there, [](auto *x, auto *y) {
      return std::pair(-x->bytes, x->first) < std::pair(-y->bytes, y->first);
    });
    constexpr size_t kShown = 5;
    for (const ArenaInterval *interval : ArrayRef(there).take_front(kShown)) {
      Value value = interval->memory->model;
      Diagnostic &note = error.attachNote(value.getLoc())
                         << "at the peak: " << interval->bytes << " bytes, " << value.getType();
      if (auto launch = value.getDefiningOp<LaunchOp>())
        note << " of @" << launch.getKernel();
    }
    if (there.size() > kShown)
      error.attachNote() << "and " << there.size() - kShown << " smaller ones";
    return error;
  }

  func::FuncOp function;
  int64_t variables, budget;
};

/// Of all but those whose memory is free while an entry runs, as it reads their copies.
int64_t bytesOfVariables(ModuleOp module) {
  llvm::StringSet<> restored;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(kUnpacksAttr))
      for (auto assign : function.getOps<AssignOp>())
        restored.insert(assign.getVariable());
  int64_t bytes = 0;
  for (auto variable : module.getOps<VariableOp>()) {
    auto type = cast<RankedTensorType>(variable.getType());
    if (!restored.contains(variable.getSymName()))
      bytes += type.getNumElements() * std::max(1u, type.getElementTypeBitWidth() / 8);
  }
  return bytes;
}

struct Rematerialize : impl::RematerializeBase<Rematerialize> {
  using RematerializeBase::RematerializeBase;

  void runOnOperation() override {
    if (budget < 0)
      return;
    int64_t variables = bytesOfVariables(getOperation());
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && failed(Rematerializer(function, variables, budget).run()))
        return signalPassFailure();
  }
};

} // namespace
} // namespace mlir::gen
