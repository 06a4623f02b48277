//===- ScheduleKernels.cpp - tiles and task sizes -------------------------===//
//
// Gives each kernel the attribute `schedule`, by the rule of its family (passes/kernels/). A kernel
// that has one keeps it, so a schedule can be written by hand. Kernels of a GPU, whose emitters
// have rules of their own, have one only if the file of schedules knows them; what libraries need
// beside them is added.
//
//===----------------------------------------------------------------------===//

#include "passes/DeviceCode.h"
#include "passes/LibraryKernels.h"
#include "passes/Passes.h"
#include "passes/ScheduleTable.h"
#include "passes/kernels/KernelEmitter.h"

namespace mlir::gen {
#define GEN_PASS_DEF_SCHEDULEKERNELS
#include "passes/Passes.h.inc"

namespace {

struct ScheduleKernels : impl::ScheduleKernelsBase<ScheduleKernels> {
  using ScheduleKernelsBase::ScheduleKernelsBase;

  void runOnOperation() override {
    ScheduleTable table;
    if (!schedules.empty()) {
      llvm::Expected<ScheduleTable> read = ScheduleTable::read(schedules);
      if (!read) {
        emitError(UnknownLoc::get(&getContext())) << llvm::toString(read.takeError());
        return signalPassFailure();
      }
      table = std::move(*read);
    }
    bool onDevice = isForDevice(getOperation());
    for (auto kernel : getOperation().getOps<KernelOp>())
      if (!kernel.getScheduleAttr())
        kernel.setScheduleAttr(
            table.apply(kernel, onDevice ? DictionaryAttr() : kernels::chooseSchedule(kernel)));
    if (onDevice)
      addWeightTransposes(getOperation());
  }
};

} // namespace
} // namespace mlir::gen
