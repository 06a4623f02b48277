//===- DType.h - element types of the artefact ------------------*- C++ -*-===//
//
// Element types in IR, and as the numbers of gen/artefact.h that the runtime knows them by.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_DTYPE_H
#define GEN_PASSES_DTYPE_H

#include "gen/artefact.h"
#include "mlir/IR/Builders.h"

namespace mlir::gen {

/// The number of an element type that models may have.
inline uint32_t dtypeOf(Type elementType) {
  if (elementType.isF32())
    return GEN_F32;
  if (elementType.isF64())
    return GEN_F64;
  if (elementType.isF16())
    return GEN_F16;
  if (elementType.isBF16())
    return GEN_BF16;
  switch (elementType.getIntOrFloatBitWidth()) {
  case 1:
    return GEN_I1;
  case 8:
    return GEN_I8;
  case 32:
    return GEN_I32;
  default:
    return GEN_I64;
  }
}

/// The element type of a number.
inline Type elementTypeOf(uint32_t dtype, MLIRContext *context) {
  Builder b(context);
  switch (dtype) {
  case GEN_F32:
    return b.getF32Type();
  case GEN_F64:
    return b.getF64Type();
  case GEN_I1:
    return b.getI1Type();
  case GEN_I8:
    return b.getI8Type();
  case GEN_I32:
    return b.getI32Type();
  case GEN_F16:
    return b.getF16Type();
  case GEN_BF16:
    return b.getBF16Type();
  default:
    return b.getI64Type();
  }
}

} // namespace mlir::gen

#endif // GEN_PASSES_DTYPE_H
