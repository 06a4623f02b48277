//===- PackedWeights.h - the layout of packed weights -----------*- C++ -*-===//
//
// A weight whose axis `columns` becomes the columns of a product is packed as [ceil(columns /
// lanes), other axes..., lanes]: vectors of lanes consecutive columns, one after another along the
// sums, zeros beyond. For a linear layer's [n, k] that is [ceil(n / lanes), k, lanes]. A product
// reads it front to back. Where both operands are i8, four steps of the sums lie side by side:
// [ceil(n / lanes), ceil(k / 4), lanes, 4]. The layout is written as gen ops, so the interpreter
// and every pass understand it; the contraction emitter recognizes it and reads the packed weight
// directly.
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
/// The memory of such a variable is free while the copy is up to date. An entry may assign the
/// copy; it calls the function then, and the runtime leaves that call out, too, until the variable
/// is looked at.
inline constexpr StringLiteral kUnpacksAttr = "gen.unpacks";

/// True if `call` calls such a function: an entry that assigns the copy does so at its end.
bool restoresVariable(func::CallOp call);

/// `value`, which is ordered as the result of `op`, in the order of its operand. The op only moves
/// elements, and loses none: gen.pad, gen.reshape, gen.transpose.
Value undoMovement(GenBuilder &b, Operation *op, Value value);

/// The variable from which alone a value is computed, in the entry's block, by `path` (in order);
/// null if there is none.
ReadOp weightOf(Value value, llvm::SetVector<Operation *> *path = nullptr);

/// What an operand of a contraction is converted from, if products may read it as it is stored: i8,
/// bf16 or f16. Else the operand.
Value storedOperand(Value operand);

/// True if the contraction `use` belongs to reads the operand as it is stored, and converts it.
bool isReadAsStored(OpOperand &use);

/// Which axes of a weight are split.
struct PackedLayout {
  int64_t columns;                   ///< In vectors and lanes.
  std::optional<int64_t> fours = {}; ///< Of the sums, in fours.
  bool operator==(const PackedLayout &) const = default;
};

/// How a contraction's right-hand side may be packed, if at all.
std::optional<PackedLayout> packedLayout(ContractionOpInterface contraction);

/// The axis of a right-hand side to be split in fours if both operands are i8; nothing if a product
/// of bytes does not pay, or its sums may not fit i32.
std::optional<int64_t> foursOfBytes(ContractionOpInterface contraction);

/// The type of a packed weight.
RankedTensorType packedType(RankedTensorType weight, PackedLayout layout);

/// pad, reshape and transpose a weight into the packed layout.
Value packWeight(GenBuilder &b, Value weight, PackedLayout layout);

/// The weight of `type` as transpose, reshape and slice of a packed one.
Value unpackWeight(GenBuilder &b, Value packed, RankedTensorType type, PackedLayout layout);

/// The packed weight that a contraction's right-hand side unpacks; null if it is no such thing.
Value packedRhs(ContractionOpInterface contraction);

} // namespace mlir::gen

#endif // GEN_PASSES_PACKEDWEIGHTS_H
