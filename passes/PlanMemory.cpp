//===- PlanMemory.cpp - a place for every value ---------------------------===//
//
// In:   %h = gen.launch @relu(%x)
//       %w1 = gen.launch @adam(%w, %g)
//       gen.assign @w, %w1
//       return %loss
// Out:  the same launches with `places`: [#gen.arena<4096>], [#gen.in_variable<@w>],
//       [#gen.in_result<0>]
//
// MemoryUse says which values share memory and when. What ends in a variable is written there where
// the old value is not needed any more; an entry's result is written where the caller wants it. The
// rest share one arena: largest first, each at the lowest offset that is free while it lives. With
// dynamic dimensions offsets become slots, shared by values that are not alive together and laid
// out when called.
//
//===----------------------------------------------------------------------===//

#include "passes/MemoryUse.h"
#include "passes/Passes.h"

#include "llvm/Support/MathExtras.h"

namespace mlir::gen {
#define GEN_PASS_DEF_PLANMEMORY
#include "passes/Passes.h.inc"

namespace {

constexpr int64_t kAlignment = 64;

/// Memory that needs arena.
struct Interval {
  Memory *memory;
  int64_t first, last, bytes;
  int64_t offset = -1;
  bool overlaps(const Interval &other) const { return first <= other.last && other.first <= last; }
};

int64_t bytesOf(RankedTensorType type) {
  int64_t width = std::max(1u, type.getElementTypeBitWidth() / 8);
  return type.hasStaticShape() ? llvm::alignTo(type.getNumElements() * width, kAlignment) : 0;
}

/// Bytes where each dynamic size is that of a usual batch.
int64_t nominalBytes(RankedTensorType type) {
  constexpr int64_t kBatch = 128;
  int64_t bytes = std::max(1u, type.getElementTypeBitWidth() / 8);
  for (int64_t size : type.getShape())
    bytes *= ShapedType::isDynamic(size) ? kBatch : size;
  return llvm::alignTo(bytes, kAlignment);
}

class Planner {
public:
  explicit Planner(func::FuncOp function) : function(function), use(function) {}

  void run() {
    Builder b(function.getContext());
    for (Memory *memory : use.memories())
      if (Attribute place = outside(*memory))
        places[memory] = place;
      else
        intervals.push_back({memory, memory->first, memory->last,
                             bytesOf(cast<RankedTensorType>(memory->model.getType()))});
    bool isStatic = llvm::all_of(intervals, [](const Interval &i) {
      return cast<RankedTensorType>(i.memory->model.getType()).hasStaticShape();
    });
    if (isStatic)
      placeInArena(b);
    else
      placeInSlots(b);
    function.walk([&](Operation *op) { annotate(op, b); });
  }

private:
  /// The variable or result that can hold all that lies in `memory`, or null.
  Attribute outside(Memory &memory) {
    if (memory.takesTurns)
      return {};
    for (Value value : memory.values)
      for (OpOperand &operand : value.getUses())
        if (auto assign = dyn_cast<AssignOp>(operand.getOwner()))
          if (!use.isPart(value) && canUpdateInPlace(assign, memory))
            return InVariableAttr::get(value.getContext(), assign.getVariableAttr());
    for (Value value : memory.values)
      for (OpOperand &operand : value.getUses())
        if (isa<func::ReturnOp>(operand.getOwner()) && !use.isPart(value))
          return InResultAttr::get(value.getContext(), operand.getOperandNumber());
    return {};
  }

  bool canUpdateInPlace(AssignOp assign, Memory &memory) {
    for (auto read : function.getOps<ReadOp>())
      if (read.getVariable() == assign.getVariable() && !isReadBefore(read, memory))
        return false;
    // The variable takes one value only, and no other variable takes this one in place.
    for (Operation *user : assign.getValue().getUsers())
      if (auto other = dyn_cast<AssignOp>(user))
        return other == assign;
    return true;
  }

  /// True if `value`, which lies in a variable, is read before `memory` is written, or by what
  /// writes it at the same index.
  bool isReadBefore(Value value, Memory &memory) {
    for (OpOperand &operand : value.getUses()) {
      Operation *reader = operand.getOwner();
      int64_t time = use.readTime(value, operand);
      auto loop = dyn_cast<scf::ForOp>(reader);
      if (loop && startsAs(loop, operand, memory))
        continue;
      if (time > memory.first)
        return false;
      if (time == memory.first) {
        auto launch = dyn_cast<LaunchOp>(reader);
        if (!launch || !MemoryUse::readsInPlace(launch, operand.getOperandNumber()))
          return false;
      }
      bool isView = reader->getNumResults() == 1 && !isa<LaunchOp, scf::ForOp>(reader) &&
                    isa<RankedTensorType>(reader->getResult(0).getType());
      if (isView && !use.memoryOf(reader->getResult(0)) &&
          !isReadBefore(reader->getResult(0), memory))
        return false;
    }
    return true;
  }

  /// True if the loop carries this operand in `memory`: if both are the variable, nothing moves.
  bool startsAs(scf::ForOp loop, OpOperand &operand, Memory &memory) {
    return memory.loop == loop && use.memoryOf(loop.getTiedLoopRegionIterArg(&operand)) == &memory;
  }

  void annotate(Operation *op, Builder &b) {
    auto placeOf = [&](Memory *memory) { return places[memory]; };
    if (auto launch = dyn_cast<LaunchOp>(op)) {
      SmallVector<Attribute> own;
      for (OpResult result : launch->getResults())
        own.push_back(use.placeElsewhere(result) ? use.placeElsewhere(result)
                                                 : placeOf(use.memoryOf(result)));
      launch->setAttr(kPlacesAttr, b.getArrayAttr(own));
    } else if (auto update = dyn_cast<DynamicUpdateSliceOp>(op)) {
      if (!use.isInPlace(update))
        update->setAttr(kPlacesAttr, b.getArrayAttr(placeOf(use.memoryOf(update.getResult()))));
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      annotateLoop(loop, b);
    }
  }

  void annotateLoop(scf::ForOp loop, Builder &b) {
    SmallVector<Attribute> own;
    SmallVector<bool> first, next;
    for (auto [argument, init] : llvm::zip(loop.getRegionIterArgs(), loop.getInits())) {
      Memory *memory = use.memoryOf(argument);
      SmallVector<Attribute> both;
      if (memory)
        both.push_back(places[memory]);
      if (Memory *spare = memory ? use.spareOf(memory) : nullptr)
        both.push_back(places[spare]);
      own.push_back(b.getArrayAttr(both));
      auto in = memory ? dyn_cast<InVariableAttr>(places[memory]) : InVariableAttr();
      auto read = init.getDefiningOp<ReadOp>();
      bool isThere = in && read && read.getVariableAttr() == in.getVariable();
      first.push_back(use.copiesFirst(argument) && !isThere);
      next.push_back(use.copiesNext(argument));
    }
    loop->setAttr(kPlacesAttr, b.getArrayAttr(own));
    loop->setAttr(kCopyFirstAttr, b.getDenseBoolArrayAttr(first));
    loop->setAttr(kCopyNextAttr, b.getDenseBoolArrayAttr(next));
  }

  /// Greedy by size; prints what is needed and what cannot be undercut as attributes of the entry.
  void placeInArena(Builder &b) {
    SmallVector<Interval *> order;
    for (Interval &interval : intervals)
      order.push_back(&interval);
    llvm::sort(order, [](Interval *x, Interval *y) {
      return std::pair(-x->bytes, x->first) < std::pair(-y->bytes, y->first);
    });
    int64_t total = 0;
    SmallVector<Interval *> placed;
    for (Interval *interval : order) {
      SmallVector<Interval *> conflicts;
      for (Interval *other : placed)
        if (interval->overlaps(*other))
          conflicts.push_back(other);
      llvm::sort(conflicts, [](Interval *x, Interval *y) { return x->offset < y->offset; });
      int64_t offset = 0;
      for (Interval *other : conflicts) {
        if (offset + interval->bytes <= other->offset)
          break;
        offset = std::max(offset, other->offset + other->bytes);
      }
      interval->offset = offset;
      total = std::max(total, offset + interval->bytes);
      placed.push_back(interval);
      places[interval->memory] = ArenaAttr::get(b.getContext(), offset);
    }
    function->setAttr(kArenaBytesAttr, b.getI64IntegerAttr(total));
    function->setAttr(kArenaLowerBoundAttr, b.getI64IntegerAttr(lowerBound()));
  }

  /// The most that is alive at once.
  int64_t lowerBound() {
    int64_t bound = 0;
    for (int64_t t = 0; t <= use.end(); ++t) {
      int64_t alive = 0;
      for (const Interval &interval : intervals)
        alive += interval.first <= t && t <= interval.last ? interval.bytes : 0;
      bound = std::max(bound, alive);
    }
    return bound;
  }

  struct Slot {
    int64_t bytes, busyUntil;
  };

  /// A slot is as large as the largest value that it ever holds. The free slot that fits best at
  /// nominal sizes is taken.
  void placeInSlots(Builder &b) {
    SmallVector<Slot> slots;
    for (Interval &interval : intervals) {
      int64_t bytes = nominalBytes(cast<RankedTensorType>(interval.memory->model.getType()));
      Slot *slot = bestSlot(slots, interval.first, bytes);
      if (!slot)
        slot = &slots.emplace_back(Slot{0, -1});
      slot->bytes = std::max(slot->bytes, bytes);
      slot->busyUntil = interval.last;
      places[interval.memory] = SlotAttr::get(b.getContext(), slot - slots.begin());
    }
  }

  /// The smallest free slot that is large enough, else the largest free one, which grows; null if
  /// none is free.
  static Slot *bestSlot(MutableArrayRef<Slot> slots, int64_t time, int64_t bytes) {
    Slot *best = nullptr;
    for (Slot &slot : slots) {
      if (slot.busyUntil >= time)
        continue;
      bool fits = slot.bytes >= bytes;
      if (!best ||
          (best->bytes >= bytes ? fits && slot.bytes < best->bytes : slot.bytes > best->bytes))
        best = &slot;
    }
    return best;
  }

  func::FuncOp function;
  MemoryUse use;
  std::vector<Interval> intervals;
  llvm::DenseMap<Memory *, Attribute> places;
};

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    if (!getOperation().isExternal())
      Planner(getOperation()).run();
  }
};

} // namespace
} // namespace mlir::gen
