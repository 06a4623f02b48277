//===- ForwardVariables.cpp - state as values -----------------------------===//
//
// In:   gen.assign @w, %a    %w = gen.read @w    use(%w)    gen.assign @w, %b    return
// Out:  use(%a)    gen.assign @w, %b    return
//
// Within an entry a read after an assignment is the assigned value, and only the last assignment
// counts. After this pass reads stand first and give the values before the call; assignments stand
// last.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gen.h"
#include "passes/Passes.h"

#include "llvm/ADT/MapVector.h"

namespace mlir::gen {
#define GEN_PASS_DEF_FORWARDVARIABLES
#include "passes/Passes.h.inc"

namespace {

struct ForwardVariables : impl::ForwardVariablesBase<ForwardVariables> {
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    Block &block = getOperation().getBody().front();
    llvm::MapVector<StringAttr, AssignOp> assignments;
    llvm::DenseMap<StringAttr, Value> current;
    Operation *firstOther = &block.front();
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (auto read = dyn_cast<ReadOp>(op)) {
        Value &value = current[read.getVariableAttr().getAttr()];
        if (!value) {
          value = read;
          if (firstOther != &op)
            read->moveBefore(firstOther);
          else
            firstOther = op.getNextNode();
        } else {
          read.replaceAllUsesWith(value);
          if (firstOther == &op)
            firstOther = op.getNextNode();
          read.erase();
        }
      } else if (auto assign = dyn_cast<AssignOp>(op)) {
        current[assign.getVariableAttr().getAttr()] = assign.getValue();
        AssignOp &last = assignments[assign.getVariableAttr().getAttr()];
        if (last) {
          if (firstOther == last)
            firstOther = last->getNextNode();
          last.erase();
        }
        last = assign;
      }
    }
    for (auto &[name, assign] : assignments)
      assign->moveBefore(block.getTerminator());
  }
};

} // namespace
} // namespace mlir::gen
