//===- LibraryKernels.h - kernels that a library could compute --*- C++ -*-===//
//
// On a GPU a kernel that is a plain product may be computed by cuBLASLt instead of its own code,
// and a plain convolution by cuDNN, where its schedule says so (`library`, by gencc --tune) and the
// library is there.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_LIBRARYKERNELS_H
#define GEN_PASSES_LIBRARYKERNELS_H

#include "dialect/Gen.h"

#include <array>

namespace mlir::gen {

/// The field of a schedule.
inline constexpr StringLiteral kLibrary = "library";

/// On a kernel that a library computes, of a convolution: the kernel that transposes its weight.
inline constexpr StringLiteral kTransposeAttr = "gen.library_transpose";

/// What both descriptions say of a kernel.
struct LibraryKernel {
  std::array<BlockArgument, 2> operands; ///< In memory: f32, bf16 or f16.
  Type operandType, resultType;          ///< Of an element in memory.
  bool isTf32 = false;                   ///< f32 may be rounded.
};

/// result[b, m, n] is the sum over k of lhs[b, m, k] * rhs[b, k, n] (gen_device_product).
struct LibraryProduct : LibraryKernel {
  MatmulOp op;
  int64_t count = 1, rows = 0, columns = 0, depth = 0;
};

/// A convolution with channels last, or one of its gradients (gen_device_convolution).
struct LibraryConvolution : LibraryKernel {
  ConvolutionOpInterface op;
  std::array<unsigned, 3> words; ///< Of the frame: the addresses of input, weight, output.
  std::array<Type, 3> types;     ///< Of their elements in memory.
};

/// What `kernel` computes, if that is a product of static sizes and nothing else: its operands may
/// be converted from 16 bits, and its result to them.
std::optional<LibraryProduct> libraryProductOf(KernelOp kernel);

/// The same of a convolution.
std::optional<LibraryConvolution> libraryConvolutionOf(KernelOp kernel);

/// The op of a kernel that a library could compute, or null.
ContractionOpInterface libraryOpOf(KernelOp kernel);

/// True if the schedule leaves a kernel to a library.
bool isLeftToLibrary(KernelOp kernel);

/// cuDNN has the axes of a weight in another order: gives kernels of convolutions that are left to
/// it the kernel that transposes.
void addWeightTransposes(ModuleOp module);

} // namespace mlir::gen

#endif // GEN_PASSES_LIBRARYKERNELS_H
