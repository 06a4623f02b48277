//===- Schedule.cpp - schedules by rule -----------------------------------===//

#include "passes/kernels/KernelEmitter.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

/// Elements a task takes so that it lasts about ten microseconds: fewer where an element costs
/// more.
static int64_t elementsOfTask(KernelOp kernel) {
  constexpr int64_t budget = 131072, least = 1024, most = 32768;
  return std::clamp<int64_t>(llvm::PowerOf2Ceil(budget / (1 + bodyCost(kernel))), least, most);
}

DictionaryAttr mlir::gen::kernels::chooseSchedule(KernelOp kernel) {
  Builder b(kernel.getContext());
  if (kernel.getFamily() == "contraction")
    return chooseContractionSchedule(kernel);
  if (kernel.getFamily() == "scatter")
    return chooseScatterSchedule(kernel);
  return b.getDictionaryAttr(b.getNamedAttr("task", b.getI64IntegerAttr(elementsOfTask(kernel))));
}
