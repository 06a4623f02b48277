//===- DeviceImage.h - code of a GPU in an artefact -------------*- C++ -*-===//

#ifndef GEN_PASSES_TARGET_DEVICEIMAGE_H
#define GEN_PASSES_TARGET_DEVICEIMAGE_H

#include "passes/DeviceCode.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace mlir::gen {

/// Code for GPUs of compute capabilities `first` to `last`: ten times the major number, and the
/// minor one.
struct DeviceBinary {
  uint32_t first, last;
  llvm::SmallString<0> code;
};

/// PTX for kernels, and before it the machine code that ptxas makes of it: for the GPUs of the
/// capability that PTX is for, and for compute capability 9.0. PTX is for all others, newer ones.
llvm::Expected<std::vector<DeviceBinary>> assembleForDevices(llvm::StringRef ptx,
                                                             Capability capability);

/// Code for all GPUs that have a capability.
std::vector<DeviceBinary> codeForAll(Capability capability, llvm::SmallString<0> code);

/// The bytes of a gen_device_image (runtime/gen/artefact.h).
std::string packDeviceImage(llvm::ArrayRef<DeviceBinary> binaries);

} // namespace mlir::gen

#endif // GEN_PASSES_TARGET_DEVICEIMAGE_H
