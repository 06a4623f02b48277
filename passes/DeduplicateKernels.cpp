//===- DeduplicateKernels.cpp - equal kernels are one ---------------------===//
//
// Kernels whose bodies read the same but for their names (two Adam updates of one shape, the layers
// of a Transformer) become one; launches are redirected. The text of a body without locations is
// its key.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gen.h"
#include "passes/Passes.h"

#include "llvm/ADT/StringMap.h"

namespace mlir::gen {
#define GEN_PASS_DEF_DEDUPLICATEKERNELS
#include "passes/Passes.h.inc"

namespace {

/// The kernel's text under a fixed name.
std::string textOf(KernelOp kernel) {
  StringAttr name = kernel.getSymNameAttr();
  kernel.setSymName("kernel");
  std::string text;
  llvm::raw_string_ostream stream(text);
  kernel->print(stream, OpPrintingFlags().useLocalScope());
  kernel.setSymNameAttr(name);
  return text;
}

struct DeduplicateKernels : impl::DeduplicateKernelsBase<DeduplicateKernels> {
  void runOnOperation() override {
    llvm::StringMap<FlatSymbolRefAttr> firsts;
    llvm::DenseMap<StringAttr, FlatSymbolRefAttr> replacements;
    for (auto kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>())) {
      auto [found, isNew] =
          firsts.try_emplace(textOf(kernel), FlatSymbolRefAttr::get(kernel.getSymNameAttr()));
      if (isNew)
        continue;
      replacements[kernel.getSymNameAttr()] = found->second;
      kernel.erase();
    }
    getOperation().walk([&](LaunchOp launch) {
      if (FlatSymbolRefAttr kernel = replacements.lookup(launch.getKernelAttr().getAttr()))
        launch.setKernelAttr(kernel);
    });
  }
};

} // namespace
} // namespace mlir::gen
