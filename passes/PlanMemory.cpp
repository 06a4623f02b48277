//===- PlanMemory.cpp - a place for every value ---------------------------===//
//
// In:   %h = gen.launch @relu(%x)
//       %w1 = gen.launch @adam(%w, %g)
//       gen.assign @w, %w1
//       return %loss
// Out:  the same launches with `places`: [#gen.arena<4096>], [#gen.in_variable<@w>],
//       [#gen.in_result<0>]
//
// MemoryUse says which values share memory and when, MemoryPlan where it lies.
//
//===----------------------------------------------------------------------===//

#include "passes/MemoryPlan.h"
#include "passes/Passes.h"

namespace mlir::gen {
#define GEN_PASS_DEF_PLANMEMORY
#include "passes/Passes.h.inc"

namespace {

class Planner {
public:
  explicit Planner(func::FuncOp function)
      : function(function), plan(function), use(plan.getUse()) {}

  void run() {
    Builder b(function.getContext());
    if (plan.isStatic()) {
      SmallVector<int64_t> alive = plan.aliveBytes();
      function->setAttr(kArenaBytesAttr, b.getI64IntegerAttr(plan.place()));
      function->setAttr(kArenaLowerBoundAttr, b.getI64IntegerAttr(*llvm::max_element(alive)));
    } else {
      plan.placeInSlots();
    }
    function.walk([&](Operation *op) { annotate(op, b); });
  }

private:
  void annotate(Operation *op, Builder &b) {
    if (auto launch = dyn_cast<LaunchOp>(op)) {
      SmallVector<Attribute> own;
      for (OpResult result : launch->getResults())
        own.push_back(use.placeElsewhere(result) ? use.placeElsewhere(result)
                                                 : plan.placeOf(use.memoryOf(result)));
      launch->setAttr(kPlacesAttr, b.getArrayAttr(own));
    } else if (auto update = dyn_cast<DynamicUpdateSliceOp>(op)) {
      if (!use.isInPlace(update))
        update->setAttr(kPlacesAttr,
                        b.getArrayAttr(plan.placeOf(use.memoryOf(update.getResult()))));
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      annotateLoop(loop, b);
    }
  }

  void annotateLoop(scf::ForOp loop, Builder &b) {
    SmallVector<Attribute> own;
    SmallVector<bool> first, next;
    for (auto [argument, init] : llvm::zip(loop.getRegionIterArgs(), loop.getInits())) {
      Memory *memory = use.memoryOf(argument);
      SmallVector<Attribute> both;
      if (memory)
        both.push_back(plan.placeOf(memory));
      if (Memory *spare = memory ? use.spareOf(memory) : nullptr)
        both.push_back(plan.placeOf(spare));
      own.push_back(b.getArrayAttr(both));
      auto in = memory ? dyn_cast<InVariableAttr>(plan.placeOf(memory)) : InVariableAttr();
      auto read = init.getDefiningOp<ReadOp>();
      bool isThere = in && read && read.getVariableAttr() == in.getVariable();
      first.push_back(use.copiesFirst(argument) && !isThere);
      next.push_back(use.copiesNext(argument));
    }
    loop->setAttr(kPlacesAttr, b.getArrayAttr(own));
    loop->setAttr(kCopyFirstAttr, b.getDenseBoolArrayAttr(first));
    loop->setAttr(kCopyNextAttr, b.getDenseBoolArrayAttr(next));
  }

  func::FuncOp function;
  MemoryPlan plan;
  MemoryUse &use;
};

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    if (!getOperation().isExternal())
      Planner(getOperation()).run();
  }
};

} // namespace
} // namespace mlir::gen
