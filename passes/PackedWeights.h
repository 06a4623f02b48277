//===- PackedWeights.h - the layout of packed weights -----------*- C++ -*-===//
//
// A weight [n, k] (one row an output, as Linear stores it) is packed as [ceil(n / lanes), k,
// lanes]: vectors of lanes consecutive outputs, one after another along k, zeros beyond n. A
// product reads it front to back. The layout is written as gen ops, so the interpreter and every
// pass understand it; the contraction emitter recognizes it and reads the packed weight directly.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_PACKEDWEIGHTS_H
#define GEN_PASSES_PACKEDWEIGHTS_H

#include "dialect/Builder.h"
#include "dialect/Gen.h"

namespace mlir::gen {

/// On a private function that packs a variable: the variable, a symbol. Entries call the function
/// before they read the packed copy; the runtime leaves the call out while the copy is up to date.
inline constexpr StringLiteral kPacksAttr = "gen.packs";

/// The type of a packed weight of type [n, k].
RankedTensorType packedType(RankedTensorType weight);

/// pad, reshape and transpose a weight [n, k] into the packed layout.
Value packWeight(GenBuilder &b, Value weight);

/// The weight [n, k] as transpose, reshape and slice of a packed one.
Value unpackWeight(GenBuilder &b, Value packed, int64_t n);

/// The packed weight that a contraction's right-hand side unpacks; null if it is no such thing.
Value packedRhs(ContractionOpInterface contraction);

} // namespace mlir::gen

#endif // GEN_PASSES_PACKEDWEIGHTS_H
