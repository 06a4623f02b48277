//===- FusionRows.cpp - kernels that go over a row several times ----------===//
//
// In:   %m = gen.reduce_max %x    %e = gen.exp (%x - %m)    %s = gen.reduce_sum %e    %y = %e / %s
// Out:  all of it in one group: a row is read once and stays in the cache from loop to loop.
//
// A group around a reduction takes in what reads its result in the same row, and reductions of the
// same rows. Reductions of one input that do not depend on each other go side by side.
//
//===----------------------------------------------------------------------===//

#include "passes/FusionGroups.h"
#include "passes/RowAnalysis.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::gen;

/// Additions that are no dearer than a trip through memory.
static constexpr int64_t kCheap = 4;

static int64_t rankOf(Operation *op) {
  return cast<RankedTensorType>(op->getResult(0).getType()).getRank();
}

static RowSpace spaceOf(const FusionGroup &group) {
  return RowSpace(cast<ReductionOpInterface>(group.anchor));
}

bool FusionGroups::isReadOutside(Operation *op,
                                 llvm::function_ref<bool(Operation *)> isInside) const {
  SmallVector<Operation *> work(op->getUsers());
  while (!work.empty()) {
    Operation *user = work.pop_back_val();
    if (isInside(user) || isa<tensor::DimOp>(user))
      continue;
    if (number.contains(user) || !isFree(user))
      return true;
    llvm::append_range(work, user->getUsers());
  }
  return false;
}

/// True if group `n` and `with` can be one kernel that runs row by row.
bool FusionGroups::runInRows(Number n, Number with) {
  if (llvm::any_of(groups[with].ops, joinsParts))
    return false;
  SmallVector<Operation *> members(groups[n].ops.begin(), groups[n].ops.end());
  llvm::append_range(members, groups[with].ops);
  llvm::sort(members, [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); });
  RowSpace space = spaceOf(groups[n]);
  RowAnalysis analysis(space, members, sizes, [&](Operation *op) {
    return isReadOutside(op, [&](Operation *user) {
      auto found = number.find(user);
      return found != number.end() && (found->second == n || found->second == with);
    });
  });
  if (!analysis.isLegal() || (analysis.goesOverRowsAgain() && !space.staysInCache()))
    return false;
  int64_t repeated = 0;
  for (Operation *op : groups[with].ops)
    if (auto pointwise = dyn_cast<PointwiseOpInterface>(op);
        pointwise && analysis.kind(op) == RowAnalysis::Foreign)
      repeated += pointwise.elementCost();
  return repeated <= kCheap;
}

/// True if `reader` has one element a row, and needs what group `n` does not: it is the epilogue of
/// the last of the groups that it reads.
bool FusionGroups::waitsForOthers(Number n, Number reader) {
  int64_t rank = cast<RankedTensorType>(groups[n].anchor->getResult(0).getType()).getRank();
  if (groups[reader].family != FusionGroup::Pointwise ||
      llvm::any_of(groups[reader].ops, [&](Operation *op) { return rankOf(op) != rank; }))
    return false;
  llvm::SmallDenseSet<Number> known = predecessors(n);
  return llvm::any_of(predecessors(reader),
                      [&](Number other) { return other != n && !known.contains(other); });
}

bool FusionGroups::tryGrowRows(Number n) {
  if (groups[n].ops.empty() || groups[n].family != FusionGroup::Reduction)
    return false;
  llvm::SmallSetVector<Number, 8> readers;
  for (Operation *op : groups[n].ops)
    forEachUse(op, [&](Operation *user, bool) {
      Number reader = groupOf(user);
      if (reader != n && (groups[reader].family == FusionGroup::Pointwise ||
                          groups[reader].family == FusionGroup::Reduction))
        readers.insert(reader);
    });
  for (Number reader : readers)
    if (!waitsForOthers(n, reader) && runInRows(n, reader) && !dependsThroughOthers(n, reader)) {
      merge(reader, n);
      return true;
    }
  return false;
}

void FusionGroups::fuseRows() {
  for (bool changed = true; changed;) {
    changed = false;
    for (Number n = 0; n < groups.size(); ++n)
      while (tryGrowRows(n))
        changed = true;
  }
}

/// What a group reads of the entry and of others, of the rank of what its reductions fold. For all
/// results of a group stands one of them.
llvm::SmallDenseSet<Value> FusionGroups::fullOperands(Number n) const {
  llvm::SmallDenseSet<Value> values;
  int64_t rank = cast<RankedTensorType>(spaceOf(groups[n]).domain.getType()).getRank();
  SmallVector<Operation *> work(groups[n].ops.begin(), groups[n].ops.end());
  while (!work.empty())
    for (Value operand : work.pop_back_val()->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      auto type = dyn_cast<RankedTensorType>(operand.getType());
      if (!type || (producer && groups[n].ops.contains(producer)))
        continue;
      if (producer && !number.contains(producer) && isFree(producer))
        work.push_back(producer);
      else if (type.getRank() == rank)
        values.insert(producer && number.contains(producer)
                          ? groups[number.lookup(producer)].ops.front()->getResult(0)
                          : operand);
    }
  return values;
}

bool FusionGroups::trySideBySide(Number n, Number other) {
  if (!spaceOf(groups[n]).isOf(cast<ReductionOpInterface>(groups[other].anchor), sizes))
    return false;
  llvm::SmallDenseSet<Value> read = fullOperands(n);
  if (llvm::none_of(fullOperands(other), [&](Value value) { return read.contains(value); }) ||
      !runInRows(n, other) || dependsThroughOthers(n, other) || dependsThroughOthers(other, n))
    return false;
  merge(other, n);
  return true;
}

void FusionGroups::fuseSideBySide() {
  auto isReduction = [&](Number n) {
    return !groups[n].ops.empty() && groups[n].family == FusionGroup::Reduction;
  };
  for (Number n = 0; n < groups.size(); ++n)
    for (Number other = n + 1; other < groups.size(); ++other)
      if (isReduction(n) && isReduction(other))
        trySideBySide(n, other);
}

//===----------------------------------------------------------------------===//
// What is computed twice
//===----------------------------------------------------------------------===//

/// The members of group `n` that have one element a row: cheap to store.
llvm::SmallDenseSet<Operation *> FusionGroups::rowMembers(Number n) {
  llvm::SmallDenseSet<Operation *> rows;
  if (groups[n].family != FusionGroup::Reduction)
    return rows;
  RowSpace space = spaceOf(groups[n]);
  ArrayRef<Operation *> members = groups[n].ops.getArrayRef();
  RowAnalysis analysis(space, members, sizes, [&](Operation *op) {
    return isReadOutside(op, [&](Operation *user) { return groups[n].ops.contains(user); });
  });
  for (Operation *op : members)
    if (analysis.kind(op) == RowAnalysis::Row)
      rows.insert(op);
  return rows;
}

/// The ops that make `op` from what is in memory anyway, one value of its rank and smaller ones,
/// and from rows. Empty if there is no such cheap chain.
SmallVector<Operation *> FusionGroups::cheapChain(Operation *op) {
  Number own = groupOf(op);
  llvm::SmallDenseSet<Operation *> rows = rowMembers(own);
  llvm::SmallSetVector<Operation *, 4> chain;
  llvm::SmallDenseSet<Value> large;
  chain.insert(op);
  int64_t cost = 0;
  auto isOwn = [&](Operation *user) {
    auto found = number.find(user);
    return found != number.end() && found->second == own;
  };
  for (size_t i = 0; i < chain.size(); ++i) {
    auto pointwise = dyn_cast<PointwiseOpInterface>(chain[i]);
    if (!pointwise || !isElementwise(chain[i]))
      return {};
    cost += pointwise.elementCost();
    SmallVector<std::pair<Value, bool>> work;
    for (Value operand : chain[i]->getOperands())
      work.push_back({operand, false});
    while (!work.empty()) {
      auto [value, through] = work.pop_back_val();
      auto type = dyn_cast<RankedTensorType>(value.getType());
      Operation *producer = value.getDefiningOp();
      if (!type)
        continue;
      bool isMember = producer && number.contains(producer) && groupOf(producer) == own;
      if (producer && !number.contains(producer) && isFree(producer)) {
        for (Value operand : producer->getOperands())
          work.push_back({operand, true});
      } else if (isMember && !rows.contains(producer) && !isReadOutside(producer, isOwn)) {
        if (through)
          return {};
        chain.insert(producer);
      } else if (type.getRank() >= rankOf(op)) {
        if (isa_and_nonnull<ReadOp>(producer)) // its variable may be about to change
          return {};
        large.insert(value);
      }
    }
  }
  if (cost > kCheap || large.size() > 1)
    return {};
  SmallVector<Operation *> ordered(chain.begin(), chain.end());
  llvm::sort(ordered, [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); });
  return ordered;
}

void FusionGroups::insertInto(Number n, Operation *op) {
  producers.clear();
  number[op] = n;
  groups[n].ops.insert(op);
  auto ordered = groups[n].ops.takeVector();
  llvm::sort(ordered, [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); });
  groups[n].ops.insert(ordered.begin(), ordered.end());
}

void FusionGroups::removeUnused(Operation *op) {
  producers.clear();
  FusionGroup &group = groups[groupOf(op)];
  group.ops.remove(op);
  if (!group.ops.empty() && group.shape == op->getResult(0))
    group.shape = shapeOf(group.ops.back());
  number.erase(op);
  op->dropAllReferences(); // sizes are known by value: it is erased with the outlined ones
}

/// Gives each other group that reads the result of `op` its own copy of what makes it.
void FusionGroups::tryRecompute(Operation *op) {
  Number own = groupOf(op);
  llvm::SmallSetVector<Number, 4> readers;
  bool direct = !isMaterialized(op) && groups[own].anchor != op;
  forEachUse(op, [&](Operation *user, bool through) {
    if (groupOf(user) == own)
      return;
    readers.insert(groupOf(user));
    direct &= !through && !isa<AnchorOpInterface>(user); // that one reads memory
  });
  if (readers.empty() || !direct || rowMembers(own).contains(op)) // rows are cheap to store
    return;
  SmallVector<Operation *> chain = cheapChain(op);
  if (chain.empty())
    return;
  OpBuilder b(op->getContext());
  for (Number reader : readers) {
    b.setInsertionPointAfter(op);
    IRMapping mapping;
    for (Operation *link : chain)
      insertInto(reader, b.clone(*link, mapping));
    op->getResult(0).replaceUsesWithIf(mapping.lookup(op->getResult(0)), [&](OpOperand &use) {
      auto found = number.find(use.getOwner());
      return found != number.end() && found->second == reader;
    });
  }
}

void FusionGroups::recomputeCheapResults() {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (!number.contains(&op))
      continue;
    tryRecompute(&op);
    if (op.use_empty() && groups[groupOf(&op)].anchor != &op)
      removeUnused(&op);
  }
}
