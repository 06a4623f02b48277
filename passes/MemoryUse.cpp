//===- MemoryUse.cpp - which values share memory, and when ----------------===//

#include "passes/MemoryUse.h"
#include "passes/FusionGroups.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::gen;

MemoryUse::MemoryUse(func::FuncOp function) {
  countTime(function.getBody().front());
  do {
    forget();
    visit(function.getBody().front());
  } while (separateLoops());
  measure();
}

/// Loops that hand a value on, one to the next or an outer one to an inner, keep it in one place
/// only if none of them has two that take turns: nobody knows in which of them the value is handed
/// on. True if some have to be gone through again, apart from each other.
bool MemoryUse::separateLoops() {
  bool changed = false;
  for (BlockArgument argument : shared)
    changed |= memoryOf(argument)->takesTurns && separate.insert(argument).second;
  return changed;
}

void MemoryUse::forget() {
  all.clear();
  numbers.clear();
  elsewhere.clear();
  parts.clear();
  copiedFirst.clear();
  copiedNext.clear();
  inPlace.clear();
  shared.clear();
}

//===----------------------------------------------------------------------===//
// Time
//===----------------------------------------------------------------------===//

void MemoryUse::countTime(Block &block) {
  for (Operation &op : block)
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      times[loop] = now++;
      countTime(*loop.getBody());
      ends[loop] = now++;
    } else if (isa<LaunchOp, tensor::ExtractOp>(op) || FusionGroups::isView(&op)) {
      times[&op] = now++;
    }
}

int64_t MemoryUse::readTime(Value value, OpOperand &use) const {
  Operation *user = use.getOwner();
  if (isa<tensor::DimOp>(user))
    return -1;
  Operation *here = value.getParentBlock()->findAncestorOpInBlock(*user);
  if (here != user)
    return ends.lookup(here);
  if (isa<scf::YieldOp>(user))
    return ends.lookup(user->getParentOp());
  return isa<func::ReturnOp, AssignOp>(user) ? now : times.lookup(user);
}

//===----------------------------------------------------------------------===//
// Memories
//===----------------------------------------------------------------------===//

int MemoryUse::make(Value model, int64_t first, Block *home) {
  Memory &memory = all.emplace_back();
  memory.model = model;
  memory.first = memory.last = first;
  memory.home = home;
  return static_cast<int>(all.size()) - 1;
}

int MemoryUse::numberOf(Value value) const {
  auto found = numbers.find(value);
  return found == numbers.end() ? -1 : found->second;
}

Memory *MemoryUse::memoryOf(Value value) {
  int number = numberOf(value);
  return number < 0 ? nullptr : &all[number];
}

void MemoryUse::add(int memory, Value value) {
  if (memory < 0)
    return;
  numbers[value] = memory;
  all[memory].values.push_back(value);
  // Where a value takes turns, nobody knows in which of them it ends.
  if (all[memory].spare >= 0)
    all[all[memory].spare].values.push_back(value);
}

void MemoryUse::merge(int from, int to) {
  all[from].isElsewhere = true;
  for (Value value : all[from].values)
    add(to, value);
}

SmallVector<Memory *> MemoryUse::memories() {
  SmallVector<Memory *> result;
  for (Memory &memory : all)
    if (!memory.isElsewhere)
      result.push_back(&memory);
  // Those of one time in the order in which they were found, which is that of their addresses.
  llvm::sort(result,
             [](Memory *x, Memory *y) { return std::pair(x->first, x) < std::pair(y->first, y); });
  return result;
}

bool MemoryUse::isFreeAfter(int memory, int64_t time, ArrayRef<Operation *> but) const {
  for (Value value : all[memory].values)
    for (OpOperand &use : value.getUses())
      if (readTime(value, use) > time && !llvm::is_contained(but, use.getOwner()))
        return false;
  return true;
}

OpResult MemoryUse::ownResult(Value value) const {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getInput();
  int number = numberOf(value);
  auto launch = value.getDefiningOp<LaunchOp>();
  if (!launch || number < 0 || all[number].isElsewhere || all[number].loop ||
      all[number].home != launch->getBlock() || all[number].values.front() != value)
    return {};
  return cast<OpResult>(value);
}

void MemoryUse::measure() {
  for (Memory &memory : all) {
    for (Value value : memory.values)
      for (OpOperand &use : value.getUses())
        memory.last = std::max(memory.last, readTime(value, use));
    if (memory.loop) {
      memory.first = std::min(memory.first, times.lookup(memory.loop));
      memory.last = std::max(memory.last, ends.lookup(memory.loop));
    }
  }
}

//===----------------------------------------------------------------------===//
// Launches and views
//===----------------------------------------------------------------------===//

void MemoryUse::visit(Block &block) {
  for (Operation &op : block) {
    if (auto launch = dyn_cast<LaunchOp>(op)) {
      for (Value result : launch.getResults())
        add(make(result, times[&op], &block), result);
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      visitLoop(loop);
    } else if (auto update = dyn_cast<DynamicUpdateSliceOp>(op)) {
      visitUpdate(update);
    } else if (FusionGroups::isView(&op)) {
      add(numberOf(op.getOperand(0)), op.getResult(0));
      if (isa<DynamicSliceOp>(op) || parts.contains(op.getOperand(0)))
        parts.insert(op.getResult(0));
    }
  }
}

/// A version of a sequence takes the place of the one before if nobody reads that any more.
void MemoryUse::visitUpdate(DynamicUpdateSliceOp update) {
  Value input = update.getInput();
  int memory = numberOf(input);
  bool canWrite = memory >= 0 && all[memory].home == update->getBlock() && !isPart(input) &&
                  !all[memory].isElsewhere && numberOf(update.getUpdate()) != memory &&
                  isFreeAfter(memory, times[update], update.getOperation());
  if (!canWrite)
    return add(make(update, times[update], update->getBlock()), update.getResult());
  inPlace.insert(update);
  writeToSlice(update);
  add(memory, update.getResult());
}

/// What is made to be put into a slice is made there.
void MemoryUse::writeToSlice(DynamicUpdateSliceOp update) {
  OpResult result = ownResult(update.getUpdate());
  if (!result || result.getOwner()->getBlock() != update->getBlock())
    return;
  auto launch = cast<LaunchOp>(result.getOwner());
  int own = numberOf(result), memory = numberOf(update.getInput());
  // Kernels may read it there, too, but not after this step.
  for (Value value : all[own].values)
    for (Operation *user : value.getUsers())
      if (user != update && !isa<tensor::DimOp, LaunchOp>(user) &&
          !(isa<ReshapeOp>(user) && user->getBlock() == launch->getBlock()))
        return;
  Operation *before = update.getInput().getDefiningOp();
  if (before && before->getBlock() == launch->getBlock() && !before->isBeforeInBlock(launch))
    return;
  if (!isFreeAfter(memory, times[launch], {update.getOperation(), launch.getOperation()}))
    return;
  for (OpOperand &operand : launch->getOpOperands()) {
    if (numberOf(operand.get()) != memory)
      continue;
    auto slice = operand.get().getDefiningOp<DynamicSliceOp>();
    if (!slice || slice.getInput() != update.getInput() || slice.getIndex() != update.getIndex() ||
        slice.getAxis() != update.getAxis() ||
        static_cast<int64_t>(slice.getLength()) != update.getLength() ||
        !readsInPlace(launch, operand.getOperandNumber()))
      return;
  }
  elsewhere[result] = InSliceAttr::get(update.getContext());
  parts.insert(all[own].values.begin(), all[own].values.end());
  merge(own, memory);
}

bool MemoryUse::readsInPlace(LaunchOp launch, unsigned number) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(launch, launch.getKernelAttr());
  Value argument = kernel.getBody().getArgument(number);
  if (kernel.getFamily() == "group") // what only one of them reads, only that one overwrites
    return argument.hasOneUse() && readsInPlace(cast<LaunchOp>(*argument.user_begin()),
                                                argument.use_begin()->getOperandNumber());
  // Kernels of rows keep intermediate values where a result is stored later.
  for (auto reduction : kernel.getBody().getOps<ReductionOpInterface>())
    if (auto type = dyn_cast<RankedTensorType>(argument.getType());
        type &&
        cast<RankedTensorType>(reduction->getOperand(0).getType()).getRank() == type.getRank())
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

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void MemoryUse::visitLoop(scf::ForOp loop) {
  auto isTensor = [](Value value) { return isa<RankedTensorType>(value.getType()); };
  llvm::DenseSet<int> taken;
  for (BlockArgument argument : llvm::make_filter_range(loop.getRegionIterArgs(), isTensor))
    carryFirst(loop, argument, taken);
  visit(*loop.getBody());
  for (BlockArgument argument : llvm::make_filter_range(loop.getRegionIterArgs(), isTensor))
    carryNext(loop, argument);
  for (BlockArgument argument : llvm::make_filter_range(loop.getRegionIterArgs(), isTensor)) {
    Memory &memory = all[numberOf(argument)];
    memory.home = memory.spare < 0 ? loop->getBlock() : nullptr;
    memory.loop = loop; // loops inside may have carried it too
    add(numberOf(argument), loop.getTiedLoopResult(argument));
  }
}

/// The first value is made where the loop will keep it, if nothing else reads it later.
void MemoryUse::carryFirst(scf::ForOp loop, BlockArgument argument, llvm::DenseSet<int> &taken) {
  Value init = loop.getTiedLoopInit(argument)->get();
  int memory = numberOf(init);
  bool canTake = memory >= 0 && all[memory].home == loop->getBlock() && !all[memory].isElsewhere &&
                 !isPart(init) && !separate.contains(argument) && taken.insert(memory).second &&
                 isFreeAfter(memory, times[loop], {});
  if (canTake && all[memory].loop)
    shared.push_back(argument);
  if (!canTake) {
    memory = make(argument, times[loop], nullptr);
    if (!init.getDefiningOp<tensor::EmptyOp>())
      copiedFirst.insert(argument);
  }
  all[memory].home = loop.getBody();
  all[memory].loop = loop;
  add(memory, argument);
}

void MemoryUse::carryNext(scf::ForOp loop, BlockArgument argument) {
  Value next = loop.getTiedLoopYieldedValue(argument)->get();
  int memory = numberOf(argument), number = static_cast<int>(argument.getArgNumber()) - 1;
  if (next == argument || (numberOf(next) == memory && !isPart(next)))
    return;
  OpResult result = ownResult(next);
  if (!result || result.getOwner()->getBlock() != loop.getBody()) {
    copiedNext.insert(argument);
    return takeTurns(loop, memory, make(argument, times[loop], nullptr));
  }
  auto launch = cast<LaunchOp>(result.getOwner());
  bool overwrites = isFreeAfter(memory, times[launch], launch.getOperation());
  for (OpOperand &operand : launch->getOpOperands())
    if (numberOf(operand.get()) == memory)
      overwrites &= !isPart(operand.get()) && operand.get().getType() == result.getType() &&
                    readsInPlace(launch, operand.getOperandNumber());
  elsewhere[result] = NextAttr::get(loop.getContext(), number);
  if (overwrites)
    return merge(numberOf(result), memory);
  takeTurns(loop, memory, numberOf(result));
}

void MemoryUse::takeTurns(scf::ForOp loop, int memory, int spare) {
  all[spare].loop = loop;
  all[memory].spare = spare;
  all[memory].takesTurns = all[spare].takesTurns = true;
}
