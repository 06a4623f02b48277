//===- Winograd.h - convolutions with fewer products ------------*- C++ -*-===//

#ifndef GEN_DIALECT_OPS_WINOGRAD_H
#define GEN_DIALECT_OPS_WINOGRAD_H

#include "dialect/Gen.h"

#define GET_OP_CLASSES
#include "dialect/ops/Winograd.h.inc"

#endif // GEN_DIALECT_OPS_WINOGRAD_H
