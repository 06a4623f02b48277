//===- Bounds.h - lanes whose index is in range -----------------*- C++ -*-===//
//
// Ops that read beyond the ends of their operands (padding, windows, joined tensors) emit their
// reads for the lanes that are inside only.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_DIALECT_BOUNDS_H
#define GEN_DIALECT_BOUNDS_H

#include "dialect/ElementEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace mlir::gen {

/// The lanes at which indices are within bounds, as i1 or a vector of i1.
class Bounds {
public:
  explicit Bounds(ElementEmitter &emitter) : emitter(emitter), b(emitter.b) {}

  /// Requires first <= index < limit, both uniform i64; a null bound is none.
  void require(Index index, Value first, Value limit) {
    if (first)
      require(arith::CmpIPredicate::sge, index, first);
    if (limit)
      require(arith::CmpIPredicate::slt, index, limit);
  }
  void require(arith::CmpIPredicate predicate, Index index, Value bound) {
    Value lanes = index.kind == Index::Uniform ? index.value : emitter.laneValues(index);
    if (lanes.getType() != bound.getType())
      bound = emitter.splat(bound);
    Value holds = arith::CmpIOp::create(b, predicate, lanes, bound);
    if (index.kind == Index::Uniform)
      holds = emitter.splat(holds);
    mask = mask ? Value(arith::AndIOp::create(b, mask, holds)) : holds;
  }
  /// An index that is 0 out of bounds. One that lanes share, or count up from, has to stay as it
  /// is: the mask alone keeps its lanes from memory.
  Index clamped(Index index) {
    if (!mask || (emitter.lanes() > 1 && index.kind != Index::PerLane))
      return index;
    Value zero = emitter.constant(b.getI64IntegerAttr(0));
    return {arith::SelectOp::create(b, mask, index.value, zero), index.kind};
  }
  /// What `emit` returns at `at` where it is in bounds, `otherwise` elsewhere.
  Value guarded(const Indices &at, Value otherwise,
                llvm::function_ref<Value(const Indices &)> emit) {
    if (!mask)
      return emit(at);
    Value element = emitter.masked(mask, [&] {
      Indices inside;
      for (Index index : at)
        inside.push_back(clamped(index));
      return emit(inside);
    });
    return arith::SelectOp::create(b, mask, element, otherwise);
  }

  /// Null where nothing was required.
  Value mask;

private:
  ElementEmitter &emitter;
  ImplicitLocOpBuilder &b;
};

} // namespace mlir::gen

#endif // GEN_DIALECT_BOUNDS_H
