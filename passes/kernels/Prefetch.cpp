//===- Prefetch.cpp - Asking memory for what is touched later -----------------===//

#include "passes/kernels/Prefetch.h"
#include "passes/kernels/ContractionTile.h"

using namespace mlir;
using namespace mlir::gen::kernels;

void mlir::gen::kernels::emitPrefetch(ImplicitLocOpBuilder &b, Type element, Value base,
                                      Int position, CacheLevel level) {
  constexpr int kRead = 0, kAllLevels = 3, kSecondLevel = 2, kData = 1;
  LLVM::Prefetch::create(b, elementPointer(b, element, base, position), kRead,
                         level == CacheLevel::First ? kAllLevels : kSecondLevel, kData);
}

void mlir::gen::kernels::forEachLine(ImplicitLocOpBuilder &b, const Lines &lines, Int part,
                                     Int parts, llvm::function_ref<void(Int)> ask) {
  Int count = lines.outer * lines.inner;
  emitLoop(b, part * count / parts, (part + 1) * count / parts, 1, [&](Int line) {
    ask(lines.first + line / lines.inner * lines.outerStride +
        line % lines.inner * lines.innerStride);
  });
}
