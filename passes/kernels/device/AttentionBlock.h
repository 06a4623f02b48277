//===- AttentionBlock.h - what kernels of attention share -------*- C++ -*-===//
//
// Inside of Attention.cpp and AttentionGradient.cpp: sizes, the tile of scores that a block of
// threads computes at a time, lines of operands in shared memory.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_ATTENTIONBLOCK_H
#define GEN_PASSES_KERNELS_DEVICE_ATTENTIONBLOCK_H

#include "passes/DeviceCode.h"
#include "passes/kernels/device/DeviceEmitter.h"
#include "passes/kernels/device/HeadRows.h"
#include "passes/kernels/device/ScoreTile.h"

namespace mlir::gen::kernels {

class AttentionBlock : public DeviceEmitter {
public:
  int64_t threads() const override { return tile->shape.threads(); }

protected:
  /// `op`: the kernel's gen.attention or gen.attention_gradient.
  template <typename Op>
  AttentionBlock(KernelFunction &function, Op op)
      : DeviceEmitter(function), queries(size(op.getQuery(), 1)), heads(size(op.getQuery(), 2)),
        keys(size(op.getKey(), 1)), depth(*size(op.getQuery(), 3).constant()),
        width(*size(op.getValue(), 3).constant()), mask(op.getMask()), causal(op.getCausal()),
        scale(op.getScale().convertToDouble()), multiplied(multipliedBy(op)) {}

  /// The tile of a block: of `most`, or of fewer rows, where fewer blocks than a GPU runs side by
  /// side, or no more than half of the rows, would have work. `rows`: of a head; `blocks`: how many
  /// there are of so many rows.
  void makeTile(ScoreShape most, Int rows, llvm::function_ref<Int(int64_t)> blocks);
  /// Lines are long: a thread has few of them at a time.
  bool hasLongLines() const { return std::max(depth, width) > 64; }

  Int size(Value x, int64_t axis) { return {b, function.size(x, axis)}; }
  /// Sets the thread, and of which head it is: of number `index` among those of the batch.
  void enter(Int thread, Int index);
  /// The last key that query `query` sees, and one more, if the attention is causal.
  Int keysSeenBy(Int query) { return query + 1 + keys - queries; }
  /// Lines of the head in shared memory, of `length` numbers and zeros.
  HeadRows linesOf(Value operand, int64_t length, int64_t stride);

  Value number(double value);
  Value splat(Value scalar, int64_t count);
  Value join(ValueRange scalars);
  SmallVector<Value> split(Value vector);
  Value sum(Value x, Value y) { return arith::AddFOp::create(b, x, y); }
  Value bytesBehind(Value memory, int64_t bytes);
  Value element(Value memory, Int at);
  Value load(Value memory, Int at);

  /// True if what is multiplied has 16 bits.
  bool isOfHalves() const { return multiplied && multiplied.getIntOrFloatBitWidth() == 16; }
  static Type multipliedBy(Operation *op) {
    auto type = op->getAttrOfType<TypeAttr>(kProductsAttr);
    return type ? type.getValue() : Type();
  }

  static constexpr int64_t kBytes = 4; ///< Of a number.

  Int queries, heads, keys;
  int64_t depth, width; ///< Of queries and keys; of values.
  Value mask;           ///< Or null.
  bool causal;
  double scale;
  Type multiplied; ///< By tensor cores; null: f32, by scalar arithmetic.
  std::unique_ptr<ScoreTile> tile;
  Int thread = Int(b, 0), head = Int(b, 0), batch = Int(b, 0);
};

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_ATTENTIONBLOCK_H
