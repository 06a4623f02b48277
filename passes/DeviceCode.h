//===- DeviceCode.h - code of a device inside of a module -------*- C++ -*-===//
//
// What the passes say to each other about the functions of a GPU.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_DEVICECODE_H
#define GEN_PASSES_DEVICECODE_H

#include "dialect/Gen.h"

#include "llvm/ADT/StringExtras.h"

namespace mlir::gen {

/// Which GPUs code is for.
enum class Capability {
  Ampere, ///< 8.0 and later
  Hopper  ///< 9.0
};

/// What the passes call by whom a kernel's code is for.
struct DeviceNames {
  Capability capability;
  /// The module, inside of the model's, that has a function for each kernel with such code.
  StringLiteral module;
  /// The symbol of the code that this module becomes (gen_device_image).
  StringLiteral image;
  /// On a kernel: the threads of a block, and the bytes of shared memory that its launch asks for.
  StringLiteral threads, shared;
  /// Behind a kernel's name: a function of the CPU that says how many blocks there are.
  StringLiteral blocks;
  /// The same: one that describes the tensors of which its blocks copy boxes.
  StringLiteral tensors;
};
inline constexpr DeviceNames kAmpere = {Capability::Ampere, "gen.device", "gen.image",
                                        "gen.threads",      "gen.shared", ".tasks",
                                        ".tensors"};
inline constexpr DeviceNames kHopper = {
    Capability::Hopper,  "gen.device.hopper", "gen.image.hopper", "gen.threads.hopper",
    "gen.shared.hopper", ".blocks.hopper",    ".tensors.hopper"};

/// Behind a kernel's name: a function of the CPU that says how much memory its launch touches.
inline constexpr StringLiteral kBytes = ".bytes";

/// On an op of products that rounds its operands itself (--precision): the type that they are
/// rounded to, bf16, f16 or tf32. Kernels of CPUs leave them as they are.
inline constexpr StringLiteral kProductsAttr = "gen.products";

/// The name of a kernel's function: letters, digits and underscores, and no keyword of PTX.
inline std::string deviceFunctionName(KernelOp kernel) {
  std::string name = "gen_" + kernel.getSymName().str();
  for (char &c : name)
    if (!llvm::isAlnum(c))
      c = '_';
  return name;
}

/// True for the modules that have functions of a GPU.
inline bool isDeviceModule(ModuleOp module) {
  StringRef name = module.getSymName().value_or("");
  return name == kAmpere.module || name == kHopper.module;
}

/// True if the kernels of a model are to be a GPU's.
bool isForDevice(ModuleOp module);

/// Gives a symbol its contents, the bytes of an image.
void setDeviceImage(ModuleOp module, StringRef symbol, StringRef bytes);

} // namespace mlir::gen

#endif // GEN_PASSES_DEVICECODE_H
