//===- PlanMemory.cpp - a place for every value ---------------------------===//
//
// In:   %h = gen.launch @relu(%x)    %w1 = gen.launch @adam(%w, %g)    gen.assign @w, %w1    return
// %loss Out:  the same launches with `places`: [#gen.arena<4096>], [#gen.in_variable<@w>],
// [#gen.in_result<0>]
//
// A value that a variable is assigned is written in place where the old value is not needed any
// more; an entry's result is written where the caller wants it. The rest share one arena: largest
// first, each at the lowest offset that is free while it lives. With dynamic dimensions offsets
// become slots, shared by values that are not alive together and laid out when called.
//
//===----------------------------------------------------------------------===//

#include "passes/FusionGroups.h"
#include "passes/Passes.h"

#include "llvm/Support/MathExtras.h"

namespace mlir::gen {
#define GEN_PASS_DEF_PLANMEMORY
#include "passes/Passes.h.inc"

namespace {

constexpr int64_t kAlignment = 64;

/// A value that needs arena, from the launch that makes it to the last that reads it.
struct Interval {
  OpResult value;
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

/// True if the kernel reads argument `number` only at the index that it writes: in place is safe
/// then.
bool readsInPlace(KernelOp kernel, unsigned number) {
  Value argument = kernel.getBody().getArgument(number);
  // Kernels of rows keep intermediate values where a result is stored later.
  for (auto reduction : kernel.getBody().getOps<ReductionOpInterface>())
    if (cast<RankedTensorType>(reduction->getOperand(0).getType()).getRank() ==
        cast<RankedTensorType>(argument.getType()).getRank())
      return false;
  SmallVector<Value> work{argument};
  llvm::SmallDenseSet<Value> seen;
  while (!work.empty())
    for (Operation *user : work.pop_back_val().getUsers()) {
      if (isa<YieldOp>(user))
        continue;
      auto pointwise = dyn_cast<PointwiseOpInterface>(user);
      if (!pointwise || !pointwise.isElementwise() ||
          cast<ShapedType>(user->getResult(0).getType()).getShape() !=
              cast<ShapedType>(argument.getType()).getShape())
        return false;
      if (seen.insert(user->getResult(0)).second)
        work.push_back(user->getResult(0));
    }
  return true;
}

class Planner {
public:
  explicit Planner(func::FuncOp function) : function(function), block(function.getBody().front()) {
    for (auto [i, launch] : llvm::enumerate(block.getOps<LaunchOp>()))
      time[launch] = i;
  }

  void run() {
    Builder b(function.getContext());
    for (auto launch : block.getOps<LaunchOp>())
      for (OpResult result : launch->getResults())
        if (Attribute place = outside(result))
          places[result] = place;
        else
          intervals.push_back({result, time[launch], lastUse(result),
                               bytesOf(cast<RankedTensorType>(result.getType()))});
    bool isStatic = llvm::all_of(intervals, [](const Interval &i) {
      return cast<RankedTensorType>(i.value.getType()).hasStaticShape();
    });
    if (isStatic)
      placeInArena(b);
    else
      placeInSlots(b);
    for (auto launch : block.getOps<LaunchOp>()) {
      SmallVector<Attribute> own;
      for (OpResult result : launch->getResults())
        own.push_back(places[result]);
      launch->setAttr(kPlacesAttr, b.getArrayAttr(own));
    }
  }

private:
  /// The variable or result that can hold `value` directly, or null.
  Attribute outside(OpResult value) {
    for (OpOperand &use : value.getUses())
      if (auto assign = dyn_cast<AssignOp>(use.getOwner()))
        if (canUpdateInPlace(assign, value))
          return InVariableAttr::get(value.getContext(), assign.getVariableAttr());
    for (OpOperand &use : value.getUses())
      if (isa<func::ReturnOp>(use.getOwner()))
        return InResultAttr::get(value.getContext(), use.getOperandNumber());
    return {};
  }

  bool canUpdateInPlace(AssignOp assign, OpResult value) {
    auto writer = cast<LaunchOp>(value.getOwner());
    auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(writer, writer.getKernelAttr());
    for (auto read : block.getOps<ReadOp>()) {
      if (read.getVariable() != assign.getVariable())
        continue;
      for (OpOperand &use : read->getUses()) {
        auto reader = dyn_cast<LaunchOp>(use.getOwner());
        if (!reader || time[reader] > time[writer])
          return false;
        if (reader == writer && !readsInPlace(kernel, use.getOperandNumber()))
          return false;
      }
    }
    // The variable takes one value only, and no other variable takes this one in place.
    for (Operation *user : value.getUsers())
      if (auto other = dyn_cast<AssignOp>(user))
        return other == assign;
    return true;
  }

  int64_t lastUse(OpResult value) {
    int64_t last = time[value.getOwner()];
    for (Operation *user : value.getUsers())
      last = std::max(last, isa<LaunchOp>(user) ? time[user] : static_cast<int64_t>(time.size()));
    return last;
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
      places[interval->value] = ArenaAttr::get(b.getContext(), offset);
    }
    function->setAttr(kArenaBytesAttr, b.getI64IntegerAttr(total));
    function->setAttr(kArenaLowerBoundAttr, b.getI64IntegerAttr(lowerBound()));
  }

  /// The most that is alive at once.
  int64_t lowerBound() {
    int64_t bound = 0;
    for (int64_t t = 0; t <= static_cast<int64_t>(time.size()); ++t) {
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
      int64_t bytes = nominalBytes(cast<RankedTensorType>(interval.value.getType()));
      Slot *slot = bestSlot(slots, interval.first, bytes);
      if (!slot)
        slot = &slots.emplace_back(Slot{0, -1});
      slot->bytes = std::max(slot->bytes, bytes);
      slot->busyUntil = interval.last;
      places[interval.value] = SlotAttr::get(b.getContext(), slot - slots.begin());
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
  Block &block;
  llvm::DenseMap<Operation *, int64_t> time;
  std::vector<Interval> intervals;
  llvm::DenseMap<OpResult, Attribute> places;
};

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    if (!getOperation().isExternal())
      Planner(getOperation()).run();
  }
};

} // namespace
} // namespace mlir::gen
