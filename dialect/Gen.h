//===- Gen.h - the gen dialect ----------------------------------*- C++ -*-===//
//
// The dialect, its interfaces and its ops. See Gen.td, Interfaces.td and ops/.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_DIALECT_GEN_H
#define GEN_DIALECT_GEN_H

#include "dialect/Array.h"
#include "dialect/Builder.h"
#include "dialect/ElementEmitter.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/GenDialect.h.inc"
#include "dialect/GenEnums.h.inc"
#include "dialect/GenInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/GenAttributes.h.inc"

#define GET_OP_CLASSES
#include "dialect/ops/Attention.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/Contraction.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/Convolution.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/Elementwise.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/Indexing.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/Kernel.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/Loss.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/Normalization.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/Pooling.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/Random.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/Reduction.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/Shape.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/Sequence.h.inc"
#define GET_OP_CLASSES
#include "dialect/ops/State.h.inc"

namespace mlir::gen {

/// Names of attributes on entries' arguments and results.
inline constexpr StringLiteral kNameAttr = "gen.name";
/// Array of strings, one an axis: the dimension symbol of a dynamic axis, "" for a static one.
inline constexpr StringLiteral kDimensionsAttr = "gen.dims";

/// On a launch: where each result is written (#gen.arena, #gen.slot, #gen.in_variable,
/// #gen.in_result, #gen.next, #gen.in_slice). On a loop, for each carried value: the place where it
/// is updated, or the two that it is written to in turn. On a gen.dynamic_update_slice: where its
/// result is written, if not over its input.
inline constexpr StringLiteral kPlacesAttr = "gen.places";
/// On a loop: for each carried value, whether its first value is copied to its place, and whether
/// that of the next step is.
inline constexpr StringLiteral kCopyFirstAttr = "gen.copy_first";
inline constexpr StringLiteral kCopyNextAttr = "gen.copy_next";
/// On an entry: the bytes of its arena, if no size is dynamic.
inline constexpr StringLiteral kArenaBytesAttr = "gen.arena_bytes";
/// On a planned entry: the bytes that are alive at once, which no plan can undercut.
inline constexpr StringLiteral kArenaLowerBoundAttr = "gen.arena_lower_bound";

} // namespace mlir::gen

#endif // GEN_DIALECT_GEN_H
