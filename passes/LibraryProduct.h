//===- LibraryProduct.h - products that a library could compute -*- C++ -*-===//
//
// On a GPU a kernel that is a plain product may be computed by cuBLASLt instead of its own code,
// where its schedule says so (`library`, by gencc --tune) and the library is there.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_LIBRARYPRODUCT_H
#define GEN_PASSES_LIBRARYPRODUCT_H

#include "dialect/Gen.h"

#include <array>

namespace mlir::gen {

/// The field of a schedule.
inline constexpr StringLiteral kLibrary = "library";

/// result[b, m, n] is the sum over k of lhs[b, m, k] * rhs[b, k, n] (gen_device_product).
struct LibraryProduct {
  MatmulOp op;
  std::array<BlockArgument, 2> operands; ///< In memory: f32, bf16 or f16.
  Type resultType;                       ///< Of an element in memory.
  int64_t count = 1, rows = 0, columns = 0, depth = 0;
  bool isTf32 = false; ///< f32 may be rounded.
};

/// What `kernel` computes, if that is a product of static sizes and nothing else: its operands may
/// be converted from 16 bits, and its result to them.
std::optional<LibraryProduct> libraryProductOf(KernelOp kernel);

} // namespace mlir::gen

#endif // GEN_PASSES_LIBRARYPRODUCT_H
