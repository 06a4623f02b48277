//===- Cubin.h - machine code of NVIDIA GPUs --------------------*- C++ -*-===//

#ifndef GEN_PASSES_TARGET_CUBIN_H
#define GEN_PASSES_TARGET_CUBIN_H

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"

namespace mlir::gen {

/// PTX as machine code for `architecture` ("sm_80"), by the ptxas of the CUDA toolkit.
llvm::Expected<llvm::SmallString<0>> assemblePtx(llvm::StringRef ptx, llvm::StringRef architecture);

} // namespace mlir::gen

#endif // GEN_PASSES_TARGET_CUBIN_H
