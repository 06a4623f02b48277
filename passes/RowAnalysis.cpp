//===- RowAnalysis.cpp - which element of which value a row needs ---------===//

#include "passes/RowAnalysis.h"

using namespace mlir;
using namespace mlir::gen;

//===----------------------------------------------------------------------===//
// RowSpace
//===----------------------------------------------------------------------===//

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

RowSpace::RowSpace(ReductionOpInterface reduction) : domain(reduction->getOperand(0)) {
  llvm::append_range(reduced, reduction.reductionAxes());
  for (int64_t axis = 0; axis < typeOf(domain).getRank(); ++axis)
    if (!llvm::is_contained(reduced, axis))
      kept.push_back(axis);
}

bool RowSpace::isOf(ReductionOpInterface reduction, Sizes &sizes) const {
  return reduction.reductionAxes() == ArrayRef<int64_t>(reduced) &&
         sizes.sameShape(reduction->getOperand(0), domain);
}

bool RowSpace::isLastReduced() const {
  return !reduced.empty() && reduced.back() == typeOf(domain).getRank() - 1;
}

bool RowSpace::staysInCache() const {
  // Elements of a row, and rows of a block of 64 columns: at most 256 KB. A row that is alone is
  // work for one thread.
  constexpr int64_t mostElements = 65536, mostAlone = 16384, mostRows = 1024;
  int64_t elements = 1;
  for (int64_t axis : reduced) {
    if (typeOf(domain).isDynamicDim(axis)) {
      if (!isLastReduced())
        return false;
      continue;
    }
    elements *= typeOf(domain).getDimSize(axis);
  }
  if (!isLastReduced())
    return elements <= mostRows;
  auto isMany = [&](int64_t axis) { return typeOf(domain).getDimSize(axis) != 1; };
  return elements <= (llvm::any_of(kept, isMany) ? mostElements : mostAlone);
}

//===----------------------------------------------------------------------===//
// RowAnalysis
//===----------------------------------------------------------------------===//

static constexpr int64_t kFirst = -1; // index 0 of an axis of size 1

RowAnalysis::RowAnalysis(const RowSpace &space, ArrayRef<Operation *> members, Sizes &sizes,
                         llvm::function_ref<bool(Operation *)> isResult)
    : space(space), sizes(sizes) {
  inside.insert(members.begin(), members.end());
  for (Operation *op : members) {
    auto reduction = dyn_cast<ReductionOpInterface>(op);
    legal &= reduction ? space.isOf(reduction, sizes) : isa<PointwiseOpInterface>(op);
    auto isFolded = [&](Value operand) {
      SmallVector<Value> work{operand};
      while (!work.empty()) {
        Operation *producer = work.pop_back_val().getDefiningOp();
        if (!producer)
          continue;
        if (inside.contains(producer)) {
          if (folded.contains(producer))
            return true;
        } else if (auto free = dyn_cast<PointwiseOpInterface>(producer);
                   free && free.elementCost() == 0) {
          llvm::append_range(work, producer->getOperands());
        }
      }
      return false;
    };
    bool dependsOnFold = llvm::any_of(op->getOperands(), isFolded);
    again |= reduction && dependsOnFold;
    if (reduction || dependsOnFold)
      folded.insert(op);
  }
  if (!legal)
    return;
  for (Operation *op : llvm::reverse(members))
    visit(op, isResult(op));
}

SmallVector<int64_t> RowAnalysis::allAxes() const {
  return llvm::to_vector(llvm::seq<int64_t>(0, typeOf(space.domain).getRank()));
}

/// Settles the kind of `op`, all of whose readers have been visited, and visits its operands.
void RowAnalysis::visit(Operation *op, bool isResult) {
  Value result = op->getResult(0);
  if (isResult) {
    bool isRow = typeOf(result).getRank() == static_cast<int64_t>(space.kept.size());
    read(result, isRow ? space.kept : allAxes());
  }
  Kind kind = kinds.lookup(op);
  bool isReduction = isa<ReductionOpInterface>(op);
  // A value that is read in two ways is computed anew for each; what depends on a fold cannot be.
  if ((kind == Foreign && (folded.contains(op) || isResult)) ||
      (isReduction && kind != Row && kind != Unread))
    legal = false;
  again |= kind == Full && folded.contains(op);
  if (kind == Unread && !isReduction)
    return;
  for (Value operand : op->getOperands()) {
    if (!isa<RankedTensorType>(operand.getType()))
      continue;
    Reading at;
    if (isReduction)
      at = allAxes();
    else if (kind == Full)
      at = operandReading(op, operand, allAxes());
    else if (kind == Row)
      at = operandReading(op, operand, space.kept);
    read(operand, at);
  }
}

/// Notes that `value` is read, by an op of a row.
void RowAnalysis::read(Value value, const Reading &at) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return;
  if (inside.contains(op)) {
    Kind seen = isReading(at, value, allAxes())    ? Full
                : isReading(at, value, space.kept) ? Row
                                                   : Foreign;
    Kind &kind = kinds[op];
    kind = kind == Unread || kind == seen ? seen : Foreign;
    return;
  }
  auto free = dyn_cast<PointwiseOpInterface>(op);
  if (!free || free.elementCost() != 0)
    return;
  for (Value operand : op->getOperands())
    if (isa<RankedTensorType>(operand.getType()))
      read(operand, operandReading(op, operand, at));
}

bool RowAnalysis::isReading(const Reading &at, Value value, ArrayRef<int64_t> axes) {
  if (!at || at->size() != axes.size() ||
      typeOf(value).getRank() != static_cast<int64_t>(axes.size()))
    return false;
  for (auto [axis, read, wanted] : llvm::enumerate(*at, axes))
    if (read != wanted && (read != kFirst || typeOf(value).getDimSize(axis) != 1))
      return false;
  // Of the same extent: a row of another tensor is another row.
  for (auto [axis, wanted] : llvm::enumerate(axes)) {
    OpFoldResult size = sizes.get(value, axis), domain = sizes.get(space.domain, wanted);
    if (!size || !domain || !Sizes::equal(size, domain))
      return false;
  }
  return true;
}

/// Where `op` reads `operand` for the element of its result at `at`.
RowAnalysis::Reading RowAnalysis::operandReading(Operation *op, Value operand, const Reading &at) {
  if (!at)
    return std::nullopt;
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return throughReshape(reshape, at);
  auto pointwise = dyn_cast<PointwiseOpInterface>(op);
  if (!pointwise || !pointwise.isElementwise())
    return std::nullopt;
  ArrayRef<int64_t> shape = typeOf(operand).getShape();
  auto broadcast = dyn_cast<BroadcastOp>(op);
  size_t missing = broadcast ? 0 : at->size() - shape.size();
  SmallVector<int64_t> result;
  for (auto [axis, size] : llvm::enumerate(shape))
    result.push_back(size == 1   ? kFirst
                     : broadcast ? (*at)[broadcast.getAxes()[axis]]
                                 : (*at)[missing + axis]);
  return result;
}

/// A reshape that only adds and removes axes of size 1.
RowAnalysis::Reading RowAnalysis::throughReshape(ReshapeOp op, const Reading &at) {
  SmallVector<int64_t> from, to;
  for (auto [axis, size] : llvm::enumerate(op.getInput().getType().getShape()))
    if (size != 1)
      from.push_back(axis);
  for (auto [axis, size] : llvm::enumerate(op.getType().getShape()))
    if (size != 1)
      to.push_back(axis);
  if (from.size() != to.size())
    return std::nullopt;
  SmallVector<int64_t> result(op.getInput().getType().getRank(), kFirst);
  for (auto [source, target] : llvm::zip(from, to)) {
    OpFoldResult lhs = sizes.get(op.getInput(), source), rhs = sizes.get(op.getResult(), target);
    if (!lhs || !rhs || !Sizes::equal(lhs, rhs))
      return std::nullopt;
    result[source] = (*at)[target];
  }
  return result;
}
