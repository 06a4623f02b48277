//===- MemoryPlan.cpp - which memory lies where ---------------------------===//

#include "passes/MemoryPlan.h"

#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace mlir::gen;

static constexpr int64_t kAlignment = 64;

static RankedTensorType typeOf(const ArenaInterval &interval) {
  return cast<RankedTensorType>(interval.memory->model.getType());
}

static int64_t bytesOf(RankedTensorType type) {
  int64_t width = std::max(1u, type.getElementTypeBitWidth() / 8);
  return type.hasStaticShape() ? llvm::alignTo(type.getNumElements() * width, kAlignment) : 0;
}

/// Bytes where each dynamic size is that of a usual batch.
static int64_t nominalBytes(RankedTensorType type) {
  constexpr int64_t kBatch = 128;
  int64_t bytes = std::max(1u, type.getElementTypeBitWidth() / 8);
  for (int64_t size : type.getShape())
    bytes *= ShapedType::isDynamic(size) ? kBatch : size;
  return llvm::alignTo(bytes, kAlignment);
}

MemoryPlan::MemoryPlan(func::FuncOp function) : function(function), use(function) {
  for (Memory *memory : use.memories())
    if (Attribute place = outside(*memory))
      places[memory] = place;
    else
      intervals.push_back({memory, memory->first, memory->last,
                           bytesOf(cast<RankedTensorType>(memory->model.getType()))});
}

bool MemoryPlan::isStatic() const {
  return llvm::all_of(intervals, [](const auto &i) { return typeOf(i).hasStaticShape(); });
}

SmallVector<int64_t> MemoryPlan::aliveBytes() const {
  SmallVector<int64_t> alive(use.end() + 2, 0); // changes first
  for (const ArenaInterval &interval : intervals) {
    alive[interval.first] += interval.bytes;
    alive[interval.last + 1] -= interval.bytes;
  }
  std::partial_sum(alive.begin(), alive.end(), alive.begin());
  return alive;
}

//===----------------------------------------------------------------------===//
// Outside of the arena
//===----------------------------------------------------------------------===//

/// The variable or result that can hold all that lies in `memory`, or null.
Attribute MemoryPlan::outside(Memory &memory) {
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

bool MemoryPlan::canUpdateInPlace(AssignOp assign, Memory &memory) {
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
bool MemoryPlan::isReadBefore(Value value, Memory &memory) {
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
bool MemoryPlan::startsAs(scf::ForOp loop, OpOperand &operand, Memory &memory) {
  return memory.loop == loop && use.memoryOf(loop.getTiedLoopRegionIterArg(&operand)) == &memory;
}

//===----------------------------------------------------------------------===//
// The arena
//===----------------------------------------------------------------------===//

/// Puts the intervals, in this order, each at the lowest offset that is free while it lives.
/// Returns the bytes of all.
static int64_t layOut(ArrayRef<ArenaInterval *> order) {
  int64_t total = 0;
  SmallVector<ArenaInterval *> placed; // by offset
  for (ArenaInterval *interval : order) {
    int64_t offset = 0;
    for (ArenaInterval *other : placed) {
      if (offset + interval->bytes <= other->offset)
        break;
      if (interval->overlaps(*other))
        offset = std::max(offset, other->offset + other->bytes);
    }
    interval->offset = offset;
    total = std::max(total, offset + interval->bytes);
    auto above = llvm::upper_bound(placed, offset, [](int64_t offset, ArenaInterval *other) {
      return offset < other->offset;
    });
    placed.insert(above, interval);
  }
  return total;
}

int64_t MemoryPlan::place() {
  constexpr int kTries = 32;
  SmallVector<ArenaInterval *> order;
  for (ArenaInterval &interval : intervals)
    order.push_back(&interval);
  llvm::sort(order, [](ArenaInterval *x, ArenaInterval *y) {
    return std::pair(-x->bytes, x->first) < std::pair(-y->bytes, y->first);
  });
  SmallVector<int64_t> alive = aliveBytes();
  int64_t bound = *llvm::max_element(alive), least = layOut(order);
  SmallVector<ArenaInterval *> best = order;
  // What ended up on top goes first the next time.
  for (int i = 0; i < kTries && least > bound; ++i) {
    auto top = llvm::max_element(order, [](ArenaInterval *x, ArenaInterval *y) {
      return x->offset + x->bytes < y->offset + y->bytes;
    });
    std::rotate(order.begin(), top, top + 1);
    int64_t total = layOut(order);
    if (total < least) {
      least = total;
      best = order;
    }
  }
  least = layOut(best);
  for (ArenaInterval *interval : best)
    places[interval->memory] = ArenaAttr::get(function.getContext(), interval->offset);
  return least;
}

namespace {
struct Slot {
  int64_t bytes, busyUntil;
};
} // namespace

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

void MemoryPlan::placeInSlots() {
  SmallVector<Slot> slots;
  for (ArenaInterval &interval : intervals) {
    int64_t bytes = nominalBytes(typeOf(interval));
    Slot *slot = bestSlot(slots, interval.first, bytes);
    if (!slot)
      slot = &slots.emplace_back(Slot{0, -1});
    slot->bytes = std::max(slot->bytes, bytes);
    slot->busyUntil = interval.last;
    places[interval.memory] = SlotAttr::get(function.getContext(), slot - slots.begin());
  }
}
