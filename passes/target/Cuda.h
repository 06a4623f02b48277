//===- Cuda.h - code for NVIDIA GPUs ----------------------------*- C++ -*-===//

#ifndef GEN_PASSES_TARGET_CUDA_H
#define GEN_PASSES_TARGET_CUDA_H

#include "passes/DeviceCode.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

namespace mlir::gen {

/// Runs the mid-end on a module of kernels, for the oldest GPU that the code is for.
llvm::Error prepareForCuda(llvm::Module &module, Capability capability, int optimization);

/// PTX of a prepared module: the driver compiles it for the GPU at hand.
llvm::Expected<llvm::SmallString<0>> emitPtx(llvm::Module &module, Capability capability,
                                             int optimization);

} // namespace mlir::gen

#endif // GEN_PASSES_TARGET_CUDA_H
