//===- DeviceCode.h - code of a device inside of a module -------*- C++ -*-===//
//
// What the passes say to each other about the functions of a GPU.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_DEVICECODE_H
#define GEN_PASSES_DEVICECODE_H

#include "dialect/Gen.h"

namespace mlir::gen {

/// The module, inside of the model's, that has a function for each kernel.
inline constexpr StringLiteral kDeviceModule = "gen.device";
/// The symbol of the code that this module becomes (gen_device_image).
inline constexpr StringLiteral kDeviceImage = "gen.image";
/// On a kernel: the threads of a block, and the bytes of shared memory that its launch asks for.
inline constexpr StringLiteral kDeviceThreadsAttr = "gen.threads";
inline constexpr StringLiteral kDeviceSharedAttr = "gen.shared";

/// On an op of products that rounds its operands itself (--precision): the type that they are
/// rounded to. Kernels of CPUs leave them as they are.
inline constexpr StringLiteral kProductsAttr = "gen.products";

/// The name of a kernel's function: letters, digits and underscores, and no keyword of PTX.
inline std::string deviceFunctionName(KernelOp kernel) {
  std::string name = "gen_" + kernel.getSymName().str();
  for (char &c : name)
    if (!llvm::isAlnum(c))
      c = '_';
  return name;
}

/// True if the kernels of a model are to be a GPU's.
bool isForDevice(ModuleOp module);

/// Gives the symbol kDeviceImage its contents.
void setDeviceImage(ModuleOp module, StringRef code);

} // namespace mlir::gen

#endif // GEN_PASSES_DEVICECODE_H
