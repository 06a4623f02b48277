//===- PackedWeights.h - the layout of packed weights -----------*- C++ -*-===//
//
// A weight whose axis `columns` becomes the columns of a product is packed as [ceil(columns /
// lanes), other axes..., lanes]: vectors of lanes consecutive columns, one after another along the
// sums, zeros beyond. For a linear layer's [n, k] that is [ceil(n / lanes), k, lanes]. A product
// reads it front to back. The layout is written as gen ops, so the interpreter and every pass
// understand it; the contraction emitter recognizes it and reads the packed weight directly. The
// packed numbers may be i8, converted when read.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_PACKEDWEIGHTS_H
#define GEN_PASSES_PACKEDWEIGHTS_H

#include "dialect/Builder.h"
#include "dialect/Gen.h"

#include "llvm/ADT/SetVector.h"

namespace mlir::gen {

/// On a private function that packs a variable: the variable, a symbol. Entries call the function
/// before they read the packed copy; the runtime leaves the call out while the copy is up to date.
inline constexpr StringLiteral kPacksAttr = "gen.packs";

/// On a private function that makes a variable from its packed copy again: the function that packs.
/// The memory of such a variable is free while the copy is up to date.
inline constexpr StringLiteral kUnpacksAttr = "gen.unpacks";

/// The variable from which alone a value is computed, in the entry's block, by `path` (in order);
/// null if there is none.
ReadOp weightOf(Value value, llvm::SetVector<Operation *> *path = nullptr);

/// The axis of a contraction's right-hand side that becomes columns of its product, if a packed
/// right-hand side is read.
std::optional<int64_t> packedAxis(ContractionOpInterface contraction);

/// The type of a packed weight.
RankedTensorType packedType(RankedTensorType weight, int64_t columns);

/// pad, reshape and transpose a weight into the packed layout.
Value packWeight(GenBuilder &b, Value weight, int64_t columns);

/// The weight of `type` as transpose, reshape and slice of a packed one.
Value unpackWeight(GenBuilder &b, Value packed, RankedTensorType type, int64_t columns);

/// The packed weight that a contraction's right-hand side unpacks; null if it is no such thing.
Value packedRhs(ContractionOpInterface contraction);

} // namespace mlir::gen

#endif // GEN_PASSES_PACKEDWEIGHTS_H
