//===- PackWeights.cpp - weights in the order products read them ----------===//
//
// In:   %w = gen.read @w : tensor<400x784xf32>
//       %h = gen.matmul %x, %w transposed
// Out:  func.call @w.pack()
//       %p = gen.read @w.packed : tensor<25x784x16xf32>
//       %h = gen.matmul %x, %unpacked transposed       (%unpacked: transpose, reshape, slice of %p)
//
// In entries that do not assign the weight. A training step would pack it anew in every call, which
// its kernels do on the way; but a weight that is transposed first, as for convolutions, is put in
// the packed order instead, as is one of a convolution that a cache does not hold, and what a loop
// multiplies with in every step is packed before it.
//
//===----------------------------------------------------------------------===//

#include "dialect/ops/Winograd.h"
#include "passes/PackedWeights.h"
#include "passes/Passes.h"
#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::gen {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "passes/Passes.h.inc"

//===----------------------------------------------------------------------===//
// The layout
//===----------------------------------------------------------------------===//

static constexpr int64_t kLanes = kernels::kLanes;

static bool visitSlice(Value value, ReadOp &read, llvm::SetVector<Operation *> &path) {
  Operation *op = value.getDefiningOp();
  if (!op || path.contains(op))
    return op;
  if (auto found = dyn_cast<ReadOp>(op)) {
    bool isOnly = !read || read == found;
    read = found;
    return isOnly;
  }
  bool isPure = isa<PointwiseOpInterface, ReductionOpInterface>(op) && op->getNumResults() == 1 &&
                isa<func::FuncOp>(op->getParentOp()) &&
                cast<ShapedType>(op->getResult(0).getType()).hasStaticShape();
  if (!isPure || !llvm::all_of(op->getOperands(),
                               [&](Value operand) { return visitSlice(operand, read, path); }))
    return false;
  return path.insert(op);
}

bool restoresVariable(func::CallOp call) {
  Operation *callee = SymbolTable::lookupNearestSymbolFrom(call, call.getCalleeAttr());
  return callee && callee->hasAttr(kUnpacksAttr);
}

Value undoMovement(GenBuilder &b, Operation *op, Value value) {
  auto moved = cast<RankedTensorType>(op->getOperand(0).getType());
  auto type = cast<RankedTensorType>(value.getType()).clone(moved.getShape());
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return b.transpose(value, invertPermutationVector(transpose.getPermutation()));
  if (isa<ReshapeOp>(op))
    return b.make<ReshapeOp>(type, value, ValueRange());
  auto pad = cast<PadOp>(op);
  SmallVector<int64_t> limits, steps;
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    steps.push_back(pad.getInterior()[axis] + 1);
    int64_t last = pad.getLow()[axis] + (type.getDimSize(axis) - 1) * steps.back();
    limits.push_back(last + 1);
  }
  return b.make<SliceOp>(type, value, pad.getLow(), limits, steps);
}

ReadOp weightOf(Value value, llvm::SetVector<Operation *> *path) {
  ReadOp read;
  llvm::SetVector<Operation *> ops;
  if (!visitSlice(value, read, ops))
    return {};
  if (path)
    *path = std::move(ops);
  return read;
}

Value storedOperand(Value operand) {
  auto widened = operand.getDefiningOp<CastOp>();
  if (!widened || !getElementTypeOrSelf(operand).isF32())
    return operand;
  Type stored = getElementTypeOrSelf(widened.getInput());
  return stored.isInteger(8) || stored.isBF16() || stored.isF16() ? widened.getInput() : operand;
}

bool isReadAsStored(OpOperand &use) {
  auto contraction = dyn_cast<ContractionOpInterface>(use.getOwner());
  Value stored = storedOperand(use.get());
  if (!contraction || use.getOperandNumber() > 1 || stored == use.get())
    return false;
  if (!getElementTypeOrSelf(stored).isInteger(8))
    return true;
  return packedRhs(contraction) &&
         (use.getOperandNumber() == 1 || packedLayout(contraction)->fours);
}

/// The axis of the right-hand side that becomes columns, and the last one of those that are summed.
static std::optional<std::pair<int64_t, int64_t>> axesOf(ContractionOpInterface contraction) {
  int64_t rank = cast<RankedTensorType>(contraction->getOperand(1).getType()).getRank();
  using Axes = std::pair<int64_t, int64_t>;
  if (auto convolution = dyn_cast<ConvolutionOpInterface>(contraction.getOperation())) {
    if (convolution->getResult(0) == convolution.getWeight() || convolution.getGroups() != 1 ||
        !convolution.getChannelsLast())
      return std::nullopt;
    return convolution->getResult(0) == convolution.getInput() ? Axes(rank - 2, rank - 1)
                                                               : Axes(rank - 1, rank - 2);
  }
  return contraction.isRhsTransposed() && rank == 2 ? std::optional(Axes(0, 1)) : std::nullopt;
}

std::optional<int64_t> foursOfBytes(ContractionOpInterface contraction) {
  constexpr int64_t kShort = 16, kLargestProduct = 127 * 127;
  auto axes = axesOf(contraction);
  auto weight = cast<RankedTensorType>(contraction->getOperand(1).getType());
  if (!axes || contraction.isLhsTransposed() || !weight.hasStaticShape() ||
      weight.getNumElements() == 0 || weight.getDimSize(axes->second) < kShort)
    return std::nullopt;
  int64_t depth = weight.getNumElements() / weight.getDimSize(axes->first);
  return depth <= std::numeric_limits<int32_t>::max() / kLargestProduct
             ? std::optional(axes->second)
             : std::nullopt;
}

std::optional<PackedLayout> packedLayout(ContractionOpInterface contraction) {
  auto axes = axesOf(contraction);
  if (!axes)
    return std::nullopt;
  auto isBytes = [&](unsigned number) {
    return getElementTypeOrSelf(storedOperand(contraction->getOperand(number))).isInteger(8);
  };
  PackedLayout layout{axes->first};
  if (isBytes(0) && isBytes(1))
    layout.fours = foursOfBytes(contraction);
  return layout;
}

namespace {
/// A shape with an axis more for each one that is split.
struct SplitShape {
  SplitShape(ArrayRef<int64_t> weight, PackedLayout layout) {
    for (auto [axis, size] : llvm::enumerate(weight)) {
      first.push_back(static_cast<int64_t>(shape.size()));
      int64_t part = static_cast<int64_t>(axis) == layout.columns ? kLanes
                     : layout.fours == static_cast<int64_t>(axis) ? 4
                                                                  : 1;
      shape.push_back(llvm::divideCeil(size, part));
      padded.push_back(shape.back() * part);
      if (part != 1)
        shape.push_back(part);
    }
  }

  SmallVector<int64_t> shape, padded;
  SmallVector<int64_t> first; ///< Of each axis, the number of its first part.
};
} // namespace

/// Brings the vectors to the front and the lanes, and fours, to the end. `order`: the axes of the
/// weight as axes of what is split.
static SmallVector<int64_t> packedPermutation(const SplitShape &split, PackedLayout layout,
                                              ArrayRef<int64_t> order) {
  auto first = [&](int64_t axis) { return split.first[order[axis]]; };
  SmallVector<int64_t> permutation{first(layout.columns)};
  for (int64_t axis = 0; axis < static_cast<int64_t>(order.size()); ++axis)
    if (axis != layout.columns)
      permutation.push_back(first(axis));
  permutation.push_back(first(layout.columns) + 1);
  if (layout.fours)
    permutation.push_back(first(*layout.fours) + 1);
  return permutation;
}

static SmallVector<int64_t> packedPermutation(ArrayRef<int64_t> weight, PackedLayout layout) {
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, weight.size()));
  return packedPermutation(SplitShape(weight, layout), layout, order);
}

RankedTensorType packedType(RankedTensorType weight, PackedLayout layout) {
  SplitShape split(weight.getShape(), layout);
  return weight.clone(
      llvm::map_to_vector(packedPermutation(weight.getShape(), layout),
                          [&](int64_t axis) -> int64_t { return split.shape[axis]; }));
}

/// A transposed weight is packed as it was before: one movement of its elements.
Value packWeight(GenBuilder &b, Value weight, PackedLayout layout) {
  auto type = cast<RankedTensorType>(weight.getType());
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  RankedTensorType packed = packedType(type, layout);
  if (auto transpose = weight.getDefiningOp<TransposeOp>()) {
    llvm::copy(transpose.getPermutation(), order.begin());
    weight = transpose.getInput();
    type = transpose.getInput().getType();
  }
  PackedLayout stored{order[layout.columns]};
  if (layout.fours)
    stored.fours = order[*layout.fours];
  SplitShape split(type.getShape(), stored);
  SmallVector<int64_t> none(type.getRank(), 0), high;
  for (auto [padded, size] : llvm::zip_equal(split.padded, type.getShape()))
    high.push_back(padded - size);
  if (high != none)
    weight = PadOp::create(b, type.clone(split.padded), weight,
                           cast<TypedAttr>(b.getZeroAttr(type.getElementType())), none, high, none);
  Value vectors = ReshapeOp::create(b, type.clone(split.shape), weight, ValueRange());
  return TransposeOp::create(b, packed, vectors, packedPermutation(split, layout, order));
}

Value unpackWeight(GenBuilder &b, Value packed, RankedTensorType type, PackedLayout layout) {
  SplitShape split(type.getShape(), layout);
  SmallVector<int64_t> back = invertPermutationVector(packedPermutation(type.getShape(), layout));
  Value vectors = TransposeOp::create(b, type.clone(split.shape), packed, back);
  Value weight = ReshapeOp::create(b, type.clone(split.padded), vectors, ValueRange());
  if (type.getShape() == ArrayRef(split.padded))
    return weight;
  SmallVector<int64_t> starts(type.getRank(), 0), steps(type.getRank(), 1);
  return SliceOp::create(b, type, weight, starts, type.getShape(), steps);
}

Value packedRhs(ContractionOpInterface contraction) {
  std::optional<PackedLayout> layout = packedLayout(contraction);
  if (!layout)
    return {};
  Value weight = storedOperand(contraction->getOperand(1));
  auto type = cast<RankedTensorType>(weight.getType());
  if (auto slice = weight.getDefiningOp<SliceOp>())
    weight = slice.getInput();
  auto reshape = weight.getDefiningOp<ReshapeOp>();
  auto transpose = reshape ? reshape.getInput().getDefiningOp<TransposeOp>() : TransposeOp();
  if (!transpose || !type.hasStaticShape() ||
      transpose.getPermutation() !=
          ArrayRef(invertPermutationVector(packedPermutation(type.getShape(), *layout))))
    return {};
  Value packed = transpose.getInput();
  return packed.getType() == packedType(type, *layout) ? packed : Value();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

class Packer {
public:
  explicit Packer(ModuleOp module) : module(module), symbols(module) {
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr(kPacksAttr))
        for (auto assign : function.getOps<AssignOp>())
          orderers[assign.getVariable()] = function;
  }

  void run(func::FuncOp entry) {
    llvm::StringSet<> assigned;
    for (auto assign : entry.getOps<AssignOp>())
      assigned.insert(assign.getVariable());
    packs.clear();
    moved.clear();
    taken.clear();
    keepTransformed(entry, assigned);
    SmallVector<ContractionOpInterface> contractions;
    entry.walk([&](ContractionOpInterface op) { contractions.push_back(op); });
    for (ContractionOpInterface contraction : contractions)
      pack(entry, contraction, assigned);
    for (auto &[read, kept] : taken)
      readElementsPacked(read, kept.first, kept.second);
    keepReductions(entry, assigned);
  }

private:
  /// Keeps the weights of transformed convolutions.
  void keepTransformed(func::FuncOp entry, const llvm::StringSet<> &assigned) {
    for (auto op : llvm::to_vector(entry.getOps<WinogradSplitOp>())) {
      ReadOp read = weightOf(op.getResult());
      if (read && !assigned.contains(read.getVariable()))
        op.getResult().replaceAllUsesWith(keptOnce(entry, read, op.getResult(), std::nullopt));
    }
  }

  void pack(func::FuncOp entry, ContractionOpInterface contraction,
            const llvm::StringSet<> &assigned) {
    scf::ForOp loop = loopBehind(contraction, contraction->getOperand(1));
    bool isTurned = loop && readTransposed(contraction, loop);
    std::optional<PackedLayout> layout = packedLayout(contraction);
    if (!layout || !kernels::gainsByPackedRhs(contraction)) {
      if (isTurned)
        readAsStored(contraction);
      return;
    }
    Value whole = contraction->getOperand(1), weight = storedOperand(whole), packed;
    ReadOp read = weightOf(weight);
    if (read && !assigned.contains(read.getVariable())) {
      packed = keptOnce(entry, read, weight, layout);
      if (read.getResult() == weight)
        taken.insert({read, {packed, *layout}});
    } else if (loop || weight.getDefiningOp<TransposeOp>() || isBeyondCache(contraction, weight)) {
      packed = packedInCall(loop ? loop.getOperation() : contraction, weight, *layout);
    } else {
      return;
    }
    GenBuilder b(contraction.getLoc(), contraction);
    Value unpacked = unpackWeight(b, packed, cast<RankedTensorType>(weight.getType()), *layout);
    contraction->setOperand(1, b.cast(unpacked, getElementTypeOrSelf(whole)));
  }

  /// Who reads but a few elements, rows of an embedding, finds them in the packed weight as well,
  /// and the weight itself need not be kept.
  static void readElementsPacked(ReadOp read, Value packed, PackedLayout layout) {
    auto type = cast<RankedTensorType>(read.getType());
    auto isFew = [&](OpOperand &use) {
      constexpr int64_t kFew = 4;
      auto op = dyn_cast<PointwiseOpInterface>(use.getOwner());
      auto result = op ? dyn_cast<ShapedType>(op->getResult(0).getType()) : ShapedType();
      return result && result.hasStaticShape() &&
             kFew * result.getNumElements() <= type.getNumElements();
    };
    if (read->use_empty() || !llvm::all_of(read->getUses(), isFew))
      return;
    GenBuilder b(read.getLoc(), read->getBlock()->getParentOp());
    b.setInsertionPointAfterValue(packed);
    read.getResult().replaceAllUsesWith(unpackWeight(b, packed, type, layout));
  }

  /// Keeps what the entry computes from a weight alone, if it reduces it and others read it.
  void keepReductions(func::FuncOp entry, const llvm::StringSet<> &assigned) {
    Block &block = entry.getBody().front();
    eraseUnused(block); // of weights that are packed now
    llvm::MapVector<Value, ReadOp> found;
    for (Operation &op : block) {
      llvm::SetVector<Operation *> path;
      ReadOp read = op.getNumResults() == 1 ? weightOf(op.getResult(0), &path) : ReadOp();
      bool isKept = read && !assigned.contains(read.getVariable()) &&
                    llvm::any_of(path, llvm::IsaPred<ReductionOpInterface>) &&
                    llvm::any_of(op.getUsers(), [](Operation *user) {
                      return user->getNumResults() != 1 || !weightOf(user->getResult(0));
                    });
      Value value = isKept ? storedOperand(op.getResult(0)) : Value();
      while (value && value.getDefiningOp<BroadcastOp>())
        value = value.getDefiningOp()->getOperand(0);
      if (value)
        found.insert({value, read});
    }
    SmallVector<std::pair<Value, ReadOp>> ordered = found.takeVector();
    llvm::sort(ordered, [](auto &x, auto &y) { // before the ones that they are made of
      return y.first.getDefiningOp()->isBeforeInBlock(x.first.getDefiningOp());
    });
    for (auto [value, read] : ordered)
      value.replaceAllUsesWith(keptOnce(entry, read, value, std::nullopt));
    eraseUnused(block);
  }

  static void eraseUnused(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase();
  }

  Value keptOnce(func::FuncOp entry, ReadOp read, Value weight,
                 std::optional<PackedLayout> layout) {
    func::FuncOp keep = keepFunction(read, weight, layout);
    Value &kept = packs[keep.getSymName()];
    if (!kept)
      kept = readPacked(entry, keep, orderers.lookup(read.getVariable()));
    return kept;
  }

  /// True of a convolution's weight that does not stay in a core's cache: its rows are read often.
  static bool isBeyondCache(Operation *contraction, Value weight) {
    constexpr int64_t kCacheBits = int64_t(8) << 20;
    auto type = cast<RankedTensorType>(weight.getType());
    return isa<ConvolutionOpInterface>(contraction) && type.hasStaticShape() &&
           type.getNumElements() * type.getElementTypeBitWidth() > kCacheBits;
  }

  /// What has to be moved anyway, or is read in every step, is moved to where it is read best.
  Value packedInCall(Operation *before, Value weight, PackedLayout layout) {
    Value &packed = moved[{weight, wayOf({}, Builder(before), layout)}];
    if (!packed) {
      GenBuilder b(before->getLoc(), before);
      packed = packWeight(b, weight, layout);
    }
    return packed;
  }

  /// The outermost loop around `op` that `value` does not come from; null if there is none.
  static scf::ForOp loopBehind(Operation *op, Value value) {
    scf::ForOp outermost;
    for (auto loop = op->getParentOfType<scf::ForOp>(); loop;
         loop = loop->getParentOfType<scf::ForOp>())
      if (!loop.getRegion().isAncestor(value.getParentRegion()))
        outermost = loop;
    return outermost;
  }

  /// Reads a weight that is stored as [k, n] as one stored as [n, k], transposed before the loop.
  static bool readTransposed(Operation *op, scf::ForOp loop) {
    auto product = dyn_cast<MatmulOp>(op);
    if (!product || product.getTransposeRhs() || product.getType().getRank() != 2 ||
        storedOperand(product.getRhs()) != product.getRhs())
      return false;
    auto type = cast<RankedTensorType>(product.getRhs().getType());
    OpBuilder b(loop);
    Value transposed = TransposeOp::create(b, product.getLoc(),
                                           type.clone({type.getDimSize(1), type.getDimSize(0)}),
                                           product.getRhs(), ArrayRef<int64_t>{1, 0});
    product.getRhsMutable().assign(transposed);
    product.setTransposeRhs(true);
    return true;
  }

  static void readAsStored(Operation *op) {
    auto product = cast<MatmulOp>(op);
    auto transpose = product.getRhs().getDefiningOp<TransposeOp>();
    product.getRhsMutable().assign(transpose.getInput());
    product.setTransposeRhs(false);
    transpose.erase();
  }

  /// `orderer`: makes what is packed; or null.
  static Value readPacked(func::FuncOp entry, func::FuncOp pack, func::FuncOp orderer) {
    AssignOp assign = *pack.getOps<AssignOp>().begin();
    Block &block = entry.getBody().front();
    ImplicitLocOpBuilder b(pack.getLoc(), &block, block.begin());
    for (auto call : block.getOps<func::CallOp>())
      if (orderer && call.getCallee() == orderer.getSymName())
        b.setInsertionPointAfter(call);
    func::CallOp::create(b, pack, ValueRange());
    return ReadOp::create(b, assign.getValue().getType(), assign.getVariable());
  }

  /// func.func private @w.pack(): @w.packed = pack(@w), or @w.reduced without columns. One for each
  /// way in which a model reads a weight: as it is, computed by the ops of a path, by columns.
  func::FuncOp keepFunction(ReadOp read, Value weight, std::optional<PackedLayout> layout) {
    llvm::SetVector<Operation *> path;
    weightOf(weight, &path);
    func::FuncOp &function =
        packers[{Attribute(read.getVariableAttr()), wayOf(path, Builder(read), layout)}];
    if (function)
      return function;
    GenBuilder b(read.getLoc(), module.getContext());
    b.setInsertionPointToEnd(module.getBody());
    auto type = cast<RankedTensorType>(weight.getType());
    StringRef name = read.getVariable();
    auto kept = VariableOp::create(b, (name + (layout ? ".packed" : ".reduced")).str(),
                                   layout ? packedType(type, *layout) : type, ElementsAttr());
    function = func::FuncOp::create(b, (name + (layout ? ".pack" : ".reduce")).str(),
                                    b.getFunctionType({}, {}));
    function.setPrivate();
    func::FuncOp orderer = orderers.lookup(name);
    function->setAttr(kPacksAttr, orderer ? orderer->getAttr(kPacksAttr) : read.getVariableAttr());
    symbols.insert(kept); // these rename what is not the first of its name
    symbols.insert(function);
    b.setInsertionPointToStart(function.addEntryBlock());
    IRMapping mapping;
    b.clone(*read, mapping);
    for (Operation *op : path)
      b.clone(*op, mapping);
    Value value = mapping.lookup(weight);
    AssignOp::create(b, kept.getSymName(), layout ? packWeight(b, value, *layout) : value);
    func::ReturnOp::create(b);
    return function;
  }

  /// The layout, and what each op of the path does with which operands.
  static Attribute wayOf(const llvm::SetVector<Operation *> &path, Builder b,
                         std::optional<PackedLayout> layout) {
    SmallVector<Attribute> way{b.getI64IntegerAttr(layout ? layout->columns : -1),
                               b.getI64IntegerAttr(layout ? layout->fours.value_or(-1) : -1)};
    for (Operation *op : path) {
      way.append({b.getStringAttr(op->getName().getStringRef()), op->getAttrDictionary(),
                  TypeAttr::get(op->getResult(0).getType())});
      for (Value operand : op->getOperands())
        way.push_back(
            b.getI64IntegerAttr(llvm::find(path, operand.getDefiningOp()) - path.begin()));
    }
    return b.getArrayAttr(way);
  }

  ModuleOp module;
  SymbolTable symbols;
  /// Of the entry at hand: what its calls of packers return, by their names, and what is packed in
  /// every call, by weight and way.
  llvm::StringMap<Value> packs;
  llvm::DenseMap<std::pair<Value, Attribute>, Value> moved;
  /// Of the same: weights that are packed as they are stored, with the copy and its layout.
  llvm::MapVector<ReadOp, std::pair<Value, PackedLayout>> taken;
  /// What makes the ordered copies that entries read in place of variables, by the copies' names.
  llvm::StringMap<func::FuncOp> orderers;
  /// By variable and way.
  llvm::DenseMap<std::pair<Attribute, Attribute>, func::FuncOp> packers;
};

struct PackWeights : impl::PackWeightsBase<PackWeights> {
  void runOnOperation() override {
    Packer packer(getOperation());
    for (auto entry : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (entry.isPublic() && !entry.isExternal())
        packer.run(entry);
  }
};

} // namespace
} // namespace mlir::gen
