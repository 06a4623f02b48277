//===- FusionGroups.cpp - which ops become one kernel ---------------------===//

#include "passes/FusionGroups.h"

#include "dialect/Permutation.h"
#include "dialect/StridedView.h"
#include "dialect/ops/Winograd.h"
#include "passes/PackedWeights.h"
#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/BitVector.h"
#include <set>

using namespace mlir;
using namespace mlir::gen;

//===----------------------------------------------------------------------===//
// What kind of op
//===----------------------------------------------------------------------===//

/// Ops whose repetition is cheaper than a trip through memory.
static constexpr int64_t kCheap = 4;

/// Elements of a constant that kernels choose by comparing indices; more are read from memory.
static constexpr int64_t kFewElements = 16;

/// True if products alone read what `op` converts, and convert it themselves.
static bool widensForProducts(Operation *op) {
  return isa<CastOp>(op) && !op->use_empty() && llvm::all_of(op->getUses(), isReadAsStored);
}

bool FusionGroups::isFree(Operation *op) {
  auto pointwise = dyn_cast<PointwiseOpInterface>(op);
  return pointwise && !isStored(op) && !isView(op) &&
         (pointwise.elementCost() == 0 || widensForProducts(op));
}

bool FusionGroups::isFixed(Operation *op) {
  return isa<scf::ForOp, tensor::ExtractOp>(op) || isView(op);
}

bool FusionGroups::isView(Operation *op) {
  if (isa<KernelOp>(op->getParentOp()))
    return false;
  if (auto slice = dyn_cast<DynamicSliceOp>(op))
    return slice.isContiguous();
  if (auto update = dyn_cast<DynamicUpdateSliceOp>(op))
    return update.isContiguous();
  if (!isa<ReshapeOp>(op))
    return false;
  Operation *input = op->getOperand(0).getDefiningOp();
  return isMaterialized(op) || (input && isFixed(input));
}

bool FusionGroups::isStored(Operation *op) {
  auto constant = dyn_cast<ConstantOp>(op);
  auto elements = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
  return elements && !elements.isSplat() && elements.getNumElements() > kFewElements;
}

/// True if `user` is the first of the ops that unpack `value` for a contraction that reads it as it
/// is.
static bool unpacks(Operation *user, Value value) {
  while (isa<PointwiseOpInterface>(user) && user->hasOneUse())
    user = *user->user_begin();
  auto contraction = dyn_cast<ContractionOpInterface>(user);
  return contraction && packedRhs(contraction) == value;
}

/// What an op does to put one element together of others; 0 if it is elementwise or no such op.
static int64_t costOfGathering(Operation *op) {
  auto pointwise = dyn_cast<PointwiseOpInterface>(op);
  return pointwise && !pointwise.isElementwise() ? pointwise.elementCost() : 0;
}

/// True if an op puts one element together of many: no work for the end of a product's tile, whose
/// runs of elements are short.
static bool gathersElements(Operation *op) { return costOfGathering(op) > kCheap; }

/// The same, or of a few: pooling.
static bool combinesElements(Operation *op) { return costOfGathering(op) >= kCheap; }

/// True if `op` brings a convolution's weight gradient, or what is put together of many elements,
/// into another order. That is a fast kernel of its own, and what follows, an optimizer's update,
/// another.
static bool bringsIntoOrder(Operation *op) {
  auto transpose = dyn_cast<TransposeOp>(op);
  if (!transpose)
    return false;
  Value source = transpose.getInput();
  while (auto reshape = source.getDefiningOp<ReshapeOp>())
    source = reshape.getInput();
  auto convolution = source.getDefiningOp<ConvolutionOpInterface>();
  return (convolution && convolution.getWeight() == source) ||
         (source.getDefiningOp() && combinesElements(source.getDefiningOp()));
}

/// True if `op` makes another axis the contiguous one before zeros are put around: element by
/// element that is slower than both, a fast kernel each.
static bool isTurnedBeforePad(Operation *op) {
  auto transpose = dyn_cast<TransposeOp>(op);
  return transpose && transpose.getPermutation().back() + 1 != transpose.getType().getRank() &&
         llvm::any_of(op->getUsers(), [](Operation *user) { return isa<PadOp>(user); });
}

/// True if `user` is such an op, or a reshape for one.
static bool isOrdered(Operation *user) {
  while (isa<ReshapeOp>(user) && user->hasOneUse())
    user = *user->user_begin();
  return bringsIntoOrder(user);
}

static bool isNeededInMemory(Operation *reshape) {
  return !isa<KernelOp>(reshape->getParentOp()) && FusionGroups::isMaterialized(reshape);
}

/// True if an op reads each element of its operand many times, and there is room for that in
/// memory: a packed copy is made by one kernel.
static bool readsOften(Operation *user) {
  auto function = dyn_cast<func::FuncOp>(user->getParentOp());
  return isa<WinogradSplitOp>(user) && function && !function->hasAttr(kPacksAttr);
}

/// True if a contraction reads an operand, the result of `op`, converted or not, in memory.
static bool readsMemory(OpOperand &use, Operation *op) {
  bool isPackedWeight =
      use.getOperandNumber() == 1 && packedRhs(cast<ContractionOpInterface>(use.getOwner()));
  bool isView = !isa<ConvolutionOpInterface>(use.getOwner()) && isa<PointwiseOpInterface>(op) &&
                !reshapedMemory(op->getResult(0)) && isStridedView(op->getResult(0));
  return !isPackedWeight && !isView;
}

bool FusionGroups::isMaterialized(Operation *op) {
  if (bringsIntoOrder(op) || isTurnedBeforePad(op))
    return !op->use_empty();
  return llvm::any_of(op->getUses(), [op](OpOperand &use) {
    Operation *user = use.getOwner();
    // A reshape alone asks for memory only on behalf of those that read it.
    if (isa<ReshapeOp>(user) ? isNeededInMemory(user) : isFixed(user))
      return true;
    if (combinesElements(op) && isOrdered(user))
      return true;
    if (auto anchor = dyn_cast<AnchorOpInterface>(user))
      return !anchor.readsThroughIndices(use.getOperandNumber());
    if (isa<ContractionOpInterface>(user))
      return !isReadAsStored(use) && readsMemory(use, op);
    if (widensForProducts(user))
      return llvm::any_of(user->getUses(), [op](OpOperand &read) { return readsMemory(read, op); });
    return readsOften(user) ||
           !isa<PointwiseOpInterface, ReductionOpInterface, tensor::DimOp>(user) ||
           unpacks(user, op->getResult(0));
  });
}

bool FusionGroups::joinsParts(Operation *op) {
  auto concat = dyn_cast<ConcatOp>(op);
  return concat && kernels::hasEqualParts(concat) && isMaterialized(op) &&
         llvm::none_of(op->getUsers(), [](Operation *user) {
           return isa<PointwiseOpInterface>(user) && !isFixed(user);
         });
}

Value FusionGroups::shapeOf(Operation *op) {
  return joinsParts(op) ? op->getOperand(0) : op->getResult(0);
}

bool FusionGroups::isElementwise(Operation *op) {
  auto pointwise = dyn_cast<PointwiseOpInterface>(op);
  return pointwise && pointwise.isElementwise();
}

FusionGroups::FusionGroups(Block &block, Sizes &sizes) : block(block), sizes(sizes) {
  for (Operation &op : block)
    if (isFixed(&op) ||
        (isa<PointwiseOpInterface, ReductionOpInterface, ContractionOpInterface, AnchorOpInterface>(
             op) &&
         !isStored(&op) && (!isFree(&op) || isMaterialized(&op))))
      addGroup(&op);
}

void FusionGroups::addGroup(Operation *op) {
  FusionGroup group;
  group.ops.insert(op);
  if (isFixed(op)) {
    group.family = FusionGroup::Fixed;
    number[op] = groups.size();
    groups.push_back(std::move(group));
    return;
  }
  group.shape = shapeOf(op);
  if (isa<ContractionOpInterface>(op))
    group.family = FusionGroup::Contraction;
  else if (isa<ReductionOpInterface>(op))
    group.family = FusionGroup::Reduction;
  else if (isa<AnchorOpInterface>(op))
    group.family = FusionGroup::Anchored;
  group.anchor = group.family == FusionGroup::Pointwise ? nullptr : op;
  number[op] = groups.size();
  groups.push_back(std::move(group));
}

//===----------------------------------------------------------------------===//
// The graph of groups
//===----------------------------------------------------------------------===//

void FusionGroups::merge(Number from, Number into) {
  FusionGroup &source = groups[from], &target = groups[into];
  if (source.family > target.family) {
    target.family = source.family;
    target.anchor = source.anchor;
    target.shape = source.shape;
  }
  for (Operation *op : source.ops) {
    target.ops.insert(op);
    number[op] = into;
  }
  source = FusionGroup();
  auto ordered = target.ops.takeVector();
  llvm::sort(ordered, [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); });
  target.ops.insert(ordered.begin(), ordered.end());
}

void FusionGroups::forEachUse(Operation *op,
                              llvm::function_ref<void(Operation *, bool)> visit) const {
  SmallVector<std::pair<Operation *, bool>> work;
  for (Operation *user : op->getUsers())
    work.push_back({user, false});
  while (!work.empty()) {
    auto [inner, through] = work.pop_back_val();
    Operation *user = block.findAncestorOpInBlock(*inner);
    if (number.contains(user))
      visit(user, through);
    else if (isFree(user))
      for (Operation *next : user->getUsers())
        work.push_back({next, true});
  }
}

/// The operands of an op, and what its regions use from outside.
static SmallVector<Value> inputsOf(Operation *op) {
  SmallVector<Value> inputs(op->getOperands());
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  llvm::append_range(inputs, captured);
  return inputs;
}

ArrayRef<Operation *> FusionGroups::producersOf(Operation *op) const {
  auto [known, isNew] = producers.try_emplace(op);
  if (!isNew)
    return known->second;
  SmallVector<Operation *, 4> result;
  SmallVector<Operation *> work{op};
  while (!work.empty())
    for (Value operand : inputsOf(work.pop_back_val())) {
      Operation *producer = operand.getDefiningOp();
      if (producer && number.contains(producer))
        result.push_back(producer);
      else if (producer && (isFree(producer) || isa<arith::ArithDialect>(producer->getDialect())))
        work.push_back(producer);
    }
  return producers[op] = std::move(result);
}

llvm::SmallDenseSet<FusionGroups::Number> FusionGroups::predecessors(Number n) const {
  llvm::SmallDenseSet<Number> result;
  for (Operation *op : groups[n].ops)
    for (Operation *producer : producersOf(op))
      if (Number p = groupOf(producer); p != n)
        result.insert(p);
  return result;
}

bool FusionGroups::dependsThroughOthers(Number from, Number to) {
  llvm::BitVector seen(groups.size());
  SmallVector<Number> work;
  auto visit = [&](Number n) {
    for (Operation *op : groups[n].ops)
      for (Operation *producer : producersOf(op))
        if (Number p = groupOf(producer); !seen.test(p)) {
          seen.set(p);
          work.push_back(p);
        }
  };
  seen.set(to);
  seen.set(from);
  visit(to);
  seen.reset(from);
  while (!work.empty() && !seen.test(from))
    visit(work.pop_back_val());
  return seen.test(from);
}

int64_t FusionGroups::cost(Number n) const {
  int64_t sum = 0;
  for (Operation *op : groups[n].ops)
    if (auto pointwise = dyn_cast<PointwiseOpInterface>(op))
      sum += pointwise.elementCost();
  return sum;
}

bool FusionGroups::usesSameIndex(Number from, Number to) {
  bool same = true;
  for (Operation *op : groups[from].ops)
    forEachUse(op, [&](Operation *user, bool through) {
      if (groupOf(user) == to)
        same &= !through && (isElementwise(user) || joinsParts(user)) &&
                sizes.sameShape(op->getResult(0), shapeOf(user));
    });
  return same;
}

//===----------------------------------------------------------------------===//
// Merges
//===----------------------------------------------------------------------===//

/// True if `from` has fewer elements than `to`, and a reshape between them splits or joins axes. To
/// compute them anew for each of the many takes divisions and gathers; in memory they are vectors.
static bool isSpreadOverAxes(Operation *from, Operation *to) {
  auto type = cast<RankedTensorType>(from->getResult(0).getType());
  auto target = cast<RankedTensorType>(to->getResult(0).getType());
  if (!type.hasStaticShape() || !target.hasStaticShape() ||
      type.getNumElements() >= target.getNumElements())
    return false;
  auto isMany = [](ArrayRef<int64_t> sizes) {
    return llvm::count_if(sizes, [](int64_t size) { return size != 1; }) > 1;
  };
  return llvm::any_of(from->getUsers(), [&](Operation *user) {
    auto reshape = dyn_cast<ReshapeOp>(user);
    if (!reshape)
      return false;
    ArrayRef<int64_t> input = type.getShape(), result = reshape.getType().getShape();
    return llvm::any_of(reshapeGroups(input, result), [&](const ReshapeAxes &axes) {
      return isMany(input.slice(axes.inputFirst, axes.inputLast - axes.inputFirst)) ||
             isMany(result.slice(axes.resultFirst, axes.resultLast - axes.resultFirst));
    });
  });
}

/// An op may move into its only user's group if that does not compute it more often than once an
/// element, or if it is cheap.
bool FusionGroups::tryFuseProducer(Operation *op, bool repeat) {
  Number from = groupOf(op);
  if (groups[from].family != FusionGroup::Pointwise || isMaterialized(op))
    return false;
  llvm::SmallDenseSet<Number> users;
  bool repeated = false, ok = true;
  forEachUse(op, [&](Operation *user, bool through) {
    users.insert(groupOf(user));
    Value input = op->getResult(0);
    // A reduction, or padding, reads its operand once an element; a pointwise op may broadcast it.
    repeated |= through || (isa<PointwiseOpInterface>(user) && !isa<PadOp>(user) &&
                            !sizes.sameShape(input, shapeOf(user)));
    ok &= !isa<ContractionOpInterface>(user) && (!through || !isSpreadOverAxes(op, user));
    if (auto anchor = dyn_cast<AnchorOpInterface>(user))
      for (OpOperand &operand : user->getOpOperands())
        ok &= !through && (operand.get() != input || anchor.readsOnce(operand.getOperandNumber()));
  });
  if (!ok || users.size() != 1 || *users.begin() == from)
    return false;
  Number into = *users.begin();
  if (groups[into].family == FusionGroup::Reduction) {
    // A row is computed once, whatever the shapes of the ops.
    if (!runInRows(into, from))
      return false;
  } else if (repeated && (!repeat || cost(from) > kCheap)) {
    return false;
  }
  if (groups[into].family == FusionGroup::Contraction &&
      (gathersElements(op) || !sizes.sameShape(op->getResult(0), groups[into].shape)))
    return false;
  if (dependsThroughOthers(from, into))
    return false;
  merge(from, into);
  return true;
}

void FusionGroups::fuseProducers(bool repeat) {
  for (Operation &op : llvm::reverse(block))
    if (number.contains(&op))
      tryFuseProducer(&op, repeat);
}

/// A pointwise group joins the contraction or reduction (`least`: the lowest family) whose result
/// it reads at the same index.
bool FusionGroups::tryFuseEpilogue(Number n, FusionGroup::Family least) {
  if (groups[n].ops.empty() || groups[n].family != FusionGroup::Pointwise)
    return false;
  bool isScattered = llvm::any_of(groups[n].ops, gathersElements);
  bool joins = llvm::any_of(groups[n].ops, joinsParts);
  // The latest candidate first: its other operands are there by then.
  SmallVector<Number> candidates;
  for (Number p : predecessors(n))
    if (groups[p].family >= least && groups[p].family != FusionGroup::Fixed)
      candidates.push_back(p);
  llvm::sort(candidates, [&](Number a, Number b) {
    return groups[b].anchor->isBeforeInBlock(groups[a].anchor);
  });
  for (Number p : candidates) {
    auto anchor = dyn_cast<AnchorOpInterface>(groups[p].anchor);
    if ((joins && groups[p].family != FusionGroup::Contraction) ||
        (isScattered && groups[p].family == FusionGroup::Contraction) ||
        (anchor && anchor.storesThroughIndices()) ||
        !sizes.sameShape(groups[n].shape, groups[p].anchor->getResult(0)) || !usesSameIndex(p, n) ||
        dependsThroughOthers(p, n))
      continue;
    merge(n, p);
    return true;
  }
  return false;
}

/// The op that makes `value`, or what reshapes that join axes make it from, in a kernel that stores
/// it there; or null.
static Operation *storingAnchor(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>()) {
    if (!joinsAxes(reshape))
      return nullptr;
    value = reshape.getInput();
  }
  auto anchor = dyn_cast_or_null<AnchorOpInterface>(value.getDefiningOp());
  return anchor && anchor.storesThroughIndices() ? anchor.getOperation() : nullptr;
}

void FusionGroups::fusePartialSums() {
  for (auto sums : block.getOps<PartialSumsOp>()) {
    Operation *product = sums.getInput().getDefiningOp();
    if (isa_and_nonnull<ContractionOpInterface>(product) && product->hasOneUse() &&
        number.contains(product))
      merge(groupOf(sums), groupOf(product));
  }
}

void FusionGroups::fuseConcats() {
  for (auto concat : block.getOps<ConcatOp>()) {
    Operation *anchor = storingAnchor(concat.getInputs().front());
    if (!anchor || !number.contains(concat) || !number.contains(anchor))
      continue;
    Number from = groupOf(concat), into = groupOf(anchor);
    if (groups[from].ops.size() == 1 && !dependsThroughOthers(into, from) &&
        llvm::all_of(concat.getInputs(),
                     [&](Value input) { return storingAnchor(input) == anchor; }))
      merge(from, into);
  }
}

void FusionGroups::fuseContractionEpilogues() {
  auto isOnlyUser = [&](Operation *producer) {
    auto found = producer ? number.find(producer) : number.end();
    return found != number.end() && groups[found->second].family == FusionGroup::Contraction &&
           producer->hasOneUse();
  };
  for (Operation &op : block)
    if (number.contains(&op) && llvm::any_of(op.getOperands(), [&](Value operand) {
          return isOnlyUser(operand.getDefiningOp());
        }))
      tryFuseEpilogue(groupOf(&op), FusionGroup::Contraction);
}

void FusionGroups::fuseEpilogues() {
  for (bool changed = true; changed;) {
    changed = false;
    for (Number n = 0; n < groups.size(); ++n)
      changed |= tryFuseEpilogue(n);
  }
}

void FusionGroups::fuseFrames() {
  for (auto pad : block.getOps<PadOp>()) {
    Operation *producer = pad.getInput().getDefiningOp();
    if (!producer || !number.contains(producer) || !number.contains(pad) || !kernels::isFrame(pad))
      continue;
    Number from = groupOf(pad), into = groupOf(producer);
    if (groups[from].ops.size() == 1 && groups[into].family == FusionGroup::Contraction &&
        sizes.sameShape(pad.getInput(), groups[into].anchor->getResult(0)) &&
        !dependsThroughOthers(into, from))
      merge(from, into);
  }
}

bool FusionGroups::trySharedResult(Number n) {
  if (groups[n].ops.empty() || groups[n].family != FusionGroup::Pointwise)
    return false;
  for (Number p : predecessors(n)) {
    if (groups[p].family != FusionGroup::Pointwise || bringsIntoOrder(groups[p].ops.back()) ||
        !sizes.sameShape(groups[n].shape, groups[p].shape) || !usesSameIndex(p, n) ||
        dependsThroughOthers(p, n))
      continue;
    merge(p, n);
    return true;
  }
  return false;
}

void FusionGroups::fuseSharedResults() {
  for (bool changed = true; changed;) {
    changed = false;
    for (Number n = 0; n < groups.size(); ++n)
      changed |= trySharedResult(n);
  }
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

SmallVector<const FusionGroup *> FusionGroups::inExecutionOrder() {
  std::vector<llvm::SmallDenseSet<Number>> before(groups.size());
  for (Number n = 0; n < groups.size(); ++n)
    if (!groups[n].ops.empty())
      before[n] = predecessors(n);

  // Readers of a variable's old value go before the group that makes the new one, unless they need
  // that group.
  auto reaches = [&](Number from, Number to) {
    llvm::SmallDenseSet<Number> seen{to};
    SmallVector<Number> work{to};
    while (!work.empty())
      for (Number next : before[work.pop_back_val()])
        if (seen.insert(next).second)
          work.push_back(next);
    return seen.contains(from);
  };
  llvm::DenseMap<Attribute, SmallVector<ReadOp>> reads;
  for (auto read : block.getOps<ReadOp>())
    reads[read.getVariableAttr()].push_back(read);
  for (auto assign : block.getOps<AssignOp>()) {
    auto writer = number.find(assign.getValue().getDefiningOp());
    if (!assign.getValue().getDefiningOp() || writer == number.end())
      continue;
    for (ReadOp read : reads.lookup(assign.getVariableAttr()))
      forEachUse(read, [&](Operation *user, bool) {
        Number reader = groupOf(user);
        if (reader != writer->second && !reaches(writer->second, reader))
          before[writer->second].insert(reader);
      });
  }

  // Program order of the last op, as far as dependencies allow.
  SmallVector<Number> program;
  for (Number n = 0; n < groups.size(); ++n)
    if (!groups[n].ops.empty())
      program.push_back(n);
  llvm::sort(program, [&](Number a, Number b) {
    return groups[a].ops.back()->isBeforeInBlock(groups[b].ops.back());
  });
  std::vector<size_t> rank(groups.size()), waitsFor(groups.size());
  std::vector<SmallVector<Number>> after(groups.size());
  std::set<size_t> ready; // ranks
  for (auto [i, n] : llvm::enumerate(program)) {
    rank[n] = i;
    waitsFor[n] = before[n].size();
    for (Number p : before[n])
      after[p].push_back(n);
    if (before[n].empty())
      ready.insert(i);
  }
  SmallVector<const FusionGroup *> order;
  while (!ready.empty()) {
    Number n = program[*ready.begin()];
    ready.erase(ready.begin());
    order.push_back(&groups[n]);
    for (Number next : after[n])
      if (--waitsFor[next] == 0)
        ready.insert(rank[next]);
  }
  assert(order.size() == program.size() && "merges keep the graph acyclic");
  return order;
}
