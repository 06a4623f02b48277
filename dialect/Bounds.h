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
    if (index.kind == Index::Uniform) {
      ofAllLanes = both(ofAllLanes, holds);
      holds = emitter.splat(holds);
    }
    mask = both(mask, holds);
  }
  /// An index that is 0 out of bounds. One that lanes share, or count up from, is so where all
  /// lanes are out of them, which spares processors a read that is masked and far away (they are
  /// slow to find that no lane needs it); else the mask alone keeps its lanes from memory.
  Index clamped(Index index) {
    bool isOfLane = emitter.lanes() == 1 || index.kind == Index::PerLane;
    Value inside = isOfLane ? mask : ofAllLanes;
    if (!inside)
      return index;
    Value zero = isOfLane ? emitter.constant(b.getI64IntegerAttr(0)) : emitter.i64(0);
    return {arith::SelectOp::create(b, inside, index.value, zero), index.kind};
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
  Value both(Value holds, Value other) {
    return holds ? Value(arith::AndIOp::create(b, holds, other)) : other;
  }

  Value ofAllLanes; ///< An i1: what the mask is in every lane, as far as lanes share it.
  ElementEmitter &emitter;
  ImplicitLocOpBuilder &b;
};

} // namespace mlir::gen

#endif // GEN_DIALECT_BOUNDS_H
