//===- ForwardVariables.cpp - state as values -----------------------------===//
//
// In:   gen.assign @w, %a    %w = gen.read @w    use(%w)    gen.assign @w, %b    return
// Out:  use(%a)    gen.assign @w, %b    return
//
// Within an entry a read after an assignment is the assigned value, and only the last assignment
// counts. After this pass reads stand first and give the values before the call; assignments stand
// last. A loop carries the values of the variables that it assigns.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gen.h"
#include "passes/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::gen {
#define GEN_PASS_DEF_FORWARDVARIABLES
#include "passes/Passes.h.inc"

namespace {

/// Assigned values by variable, in the order of the first assignments.
using Assignments = llvm::MapVector<StringAttr, AssignOp>;

/// Forwards within a block: reads become the value that the block knows, and the last assignments
/// of each variable are kept.
Assignments forward(Block &block, llvm::DenseMap<StringAttr, Value> current) {
  Assignments assignments;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (auto read = dyn_cast<ReadOp>(op)) {
      Value &value = current[read.getVariableAttr().getAttr()];
      if (!value) {
        value = read;
        continue;
      }
      read.replaceAllUsesWith(value);
      read.erase();
    } else if (auto assign = dyn_cast<AssignOp>(op)) {
      StringAttr variable = assign.getVariableAttr().getAttr();
      current[variable] = assign.getValue();
      AssignOp &last = assignments[variable];
      if (last)
        last.erase();
      last = assign;
    }
  }
  return assignments;
}

/// A loop that assigns variables carries their values: it reads them before its first step, and
/// assigns them after its last. What it only reads is read before it.
void carryVariables(scf::ForOp loop, IRRewriter &rewriter) {
  llvm::SmallSetVector<StringAttr, 4> assigned;
  for (auto assign : loop.getBody()->getOps<AssignOp>())
    assigned.insert(assign.getVariableAttr().getAttr());
  rewriter.setInsertionPoint(loop);
  for (auto read : llvm::make_early_inc_range(loop.getBody()->getOps<ReadOp>()))
    if (!assigned.contains(read.getVariableAttr().getAttr()))
      rewriter.moveOpBefore(read, loop);
  if (assigned.empty())
    return;
  SmallVector<Value> inits;
  SmallVector<AssignOp> models; // for type and location
  for (StringAttr variable : assigned) {
    auto assigns = loop.getBody()->getOps<AssignOp>();
    models.push_back(*llvm::find_if(
        assigns, [&](AssignOp assign) { return assign.getVariableAttr().getAttr() == variable; }));
    inits.push_back(ReadOp::create(rewriter, models.back().getLoc(),
                                   models.back().getValue().getType(), variable.getValue()));
  }
  size_t before = loop.getNumResults();
  auto yieldLater = [](OpBuilder &, Location, ArrayRef<BlockArgument> arguments) {
    return SmallVector<Value>(arguments.begin(), arguments.end());
  };
  auto carrying = cast<scf::ForOp>(*loop.replaceWithAdditionalYields(
      rewriter, inits, /*replaceInitOperandUsesInLoop=*/false, yieldLater));
  llvm::DenseMap<StringAttr, Value> current;
  for (auto [number, variable] : llvm::enumerate(assigned))
    current[variable] = carrying.getRegionIterArgs()[before + number];
  Assignments last = forward(*carrying.getBody(), current);
  auto yield = cast<scf::YieldOp>(carrying.getBody()->getTerminator());
  rewriter.setInsertionPointAfter(carrying);
  for (auto [number, variable] : llvm::enumerate(assigned)) {
    AssignOp assign = last.find(variable)->second;
    yield->setOperand(before + number, assign.getValue());
    AssignOp::create(rewriter, assign.getLoc(), variable.getValue(),
                     carrying.getResult(before + number));
    assign.erase();
  }
}

struct ForwardVariables : impl::ForwardVariablesBase<ForwardVariables> {
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    IRRewriter rewriter(&getContext());
    SmallVector<scf::ForOp> innerFirst;
    getOperation().walk([&](scf::ForOp loop) { innerFirst.push_back(loop); });
    for (scf::ForOp loop : innerFirst)
      carryVariables(loop, rewriter);
    Block &block = getOperation().getBody().front();
    Assignments assignments = forward(block, llvm::DenseMap<StringAttr, Value>());
    Operation *firstOther = nullptr;
    for (Operation &op : llvm::make_early_inc_range(block))
      if (!isa<ReadOp>(op))
        firstOther = firstOther ? firstOther : &op;
      else if (firstOther)
        op.moveBefore(firstOther);
    for (auto &[name, assign] : assignments)
      assign->moveBefore(block.getTerminator());
  }
};

} // namespace
} // namespace mlir::gen
