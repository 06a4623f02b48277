//===- AttentionTile.h - what kernels of attention share --------*- C++ -*-===//
//
// Inside of Attention.cpp and AttentionGradient.cpp: sizes, packed rows, scores.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_ATTENTIONTILE_H
#define GEN_PASSES_KERNELS_ATTENTIONTILE_H

#include "passes/kernels/ContractionTile.h"
#include "passes/kernels/KernelEmitter.h"
#include "passes/kernels/Lanes.h"
#include "passes/kernels/View.h"

namespace mlir::gen::kernels {

class AttentionTiles {
protected:
  static constexpr int64_t kVectors = 4;                 ///< Vectors of a row of a register tile.
  static constexpr int64_t kColumns = kVectors * kLanes; ///< Keys of a panel.
  static constexpr int64_t kTileRows = 6;                ///< Queries of a tile, at most.

  /// `op`: the kernel's gen.attention or gen.attention_gradient.
  template <typename Op>
  AttentionTiles(KernelFunction &function, Op op)
      : function(function), b(function.b), element(op.getQuery().getType().getElementType()),
        type(VectorType::get(kLanes, element)), bytes(element.getIntOrFloatBitWidth() / 8),
        queries(size(op.getQuery(), 1)), heads(size(op.getQuery(), 2)), keys(size(op.getKey(), 1)),
        depth(size(op.getQuery(), 3)), width(size(op.getValue(), 3)), mask(op.getMask()),
        causal(op.getCausal()), scale(op.getScale().convertToDouble()),
        tileRows(std::clamp<int64_t>(queries.constant().value_or(kTileRows), 1, kTileRows)) {}

  Int size(Value x, int64_t axis) { return {b, function.size(x, axis)}; }
  static Int panelsOf(Int count) { return roundedUpQuotient(count, kColumns); }
  static int64_t vectorsOf(Int count) { return llvm::divideCeil(*count.constant(), kLanes); }

  /// How many keys the query in front of `end` sees, and so none of those before it more.
  Int keysSeenBefore(Int end);
  /// The lanes, of keys from `key` on, that `query` sees; null: all.
  Value seenLanes(Int query, Int key);
  /// Scores of `query` with keys from `key` on: products, scaled and with the mask. `isSeen`: lanes
  /// that exist.
  Lanes scoresOf(Int query, Int key, Lanes product, Value isSeen);

  /// Elements of a packed vector of rows of `length` elements; up to kLanes - 1 more are written
  /// for each row.
  static int64_t groupSize(Int length) {
    return llvm::alignTo(*length.constant(), kLanes) * kLanes;
  }
  /// Packs vectors of 16 of the `count` rows of `view` from `first` on, transposed: [length, 16]
  /// each; `groups` of them.
  void pack(const View &view, Int first, Int count, Int length, Int groups, Value packed);
  /// Products of `tileRows` rows of `view` from `first` on (`rows` of them exist) with the rows
  /// that are packed in panel `panel` of `groups` vectors, stored at `products`, rows of `rowSize`
  /// apart.
  void emitProducts(const View &view, Int first, Int rows, Int length, Value packed, Int groups,
                    Int panel, Value products, int64_t rowSize);

  /// `count` elements of the task's own memory.
  Value allocate(int64_t count);
  Value at(Value array, Int index) { return elementPointer(b, element, array, index); }
  Lanes splat(Value scalar);
  Lanes constant(double number);
  Lanes loadLanes(Value pointer);
  /// One of all lanes.
  Value combineLanes(Lanes lanes, llvm::function_ref<Lanes(Lanes, Lanes)> combine);

  KernelFunction &function;
  ImplicitLocOpBuilder &b;
  Type element;
  VectorType type;
  unsigned bytes;
  Int queries, heads, keys, depth, width;
  Value mask;
  bool causal;
  double scale;
  int64_t tileRows;                        ///< Queries of a tile.
  Int batch = Int(b, 0), head = Int(b, 0); ///< The task's.
};

/// The kernel of gen.attention_gradient.
Value emitAttentionGradientTaskCount(KernelFunction &function, AttentionGradientOp op);
void emitAttentionGradientTask(KernelFunction &function, AttentionGradientOp op, Value index);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_ATTENTIONTILE_H
