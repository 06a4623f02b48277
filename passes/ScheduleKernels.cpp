//===- ScheduleKernels.cpp - tiles and task sizes -------------------------===//
//
// Gives each kernel the attribute `schedule`, by the rule of its family (passes/kernels/). A kernel
// that has one keeps it, so a schedule can be written by hand.
//
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"
#include "passes/kernels/KernelEmitter.h"

namespace mlir::gen {
#define GEN_PASS_DEF_SCHEDULEKERNELS
#include "passes/Passes.h.inc"

namespace {

struct ScheduleKernels : impl::ScheduleKernelsBase<ScheduleKernels> {
  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<KernelOp>())
      if (!kernel.getScheduleAttr())
        kernel.setScheduleAttr(kernels::chooseSchedule(kernel));
  }
};

} // namespace
} // namespace mlir::gen
