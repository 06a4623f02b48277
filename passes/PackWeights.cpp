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
// the packed order instead, and what a loop multiplies with in every step is packed before it.
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

ReadOp weightOf(Value value, llvm::SetVector<Operation *> *path) {
  ReadOp read;
  llvm::SetVector<Operation *> ops;
  if (!visitSlice(value, read, ops))
    return {};
  if (path)
    *path = std::move(ops);
  return read;
}

/// The i8 numbers that a weight is converted from; else the weight.
static Value storedNumbers(Value weight) {
  auto widened = weight.getDefiningOp<CastOp>();
  return widened && getElementTypeOrSelf(widened.getInput()).isInteger(8) ? widened.getInput()
                                                                          : weight;
}

std::optional<int64_t> packedAxis(ContractionOpInterface contraction) {
  int64_t rank = cast<RankedTensorType>(contraction->getOperand(1).getType()).getRank();
  if (auto convolution = dyn_cast<ConvolutionOpInterface>(contraction.getOperation())) {
    if (convolution->getResult(0) == convolution.getWeight() || convolution.getGroups() != 1 ||
        !convolution.getChannelsLast())
      return std::nullopt;
    return convolution->getResult(0) == convolution.getInput() ? rank - 2 : rank - 1;
  }
  return contraction.isRhsTransposed() && rank == 2 ? std::optional<int64_t>(0) : std::nullopt;
}

/// The shape with the columns split in vectors and lanes.
static SmallVector<int64_t> splitShape(RankedTensorType weight, int64_t columns) {
  SmallVector<int64_t> shape(weight.getShape());
  shape[columns] = llvm::divideCeil(shape[columns], kLanes);
  shape.insert(shape.begin() + columns + 1, kLanes);
  return shape;
}

/// Brings the vectors to the front and the lanes to the end.
static SmallVector<int64_t> packedPermutation(int64_t rank, int64_t columns) {
  SmallVector<int64_t> permutation{columns};
  for (int64_t axis = 0; axis <= rank; ++axis)
    if (axis != columns && axis != columns + 1)
      permutation.push_back(axis);
  permutation.push_back(columns + 1);
  return permutation;
}

static RankedTensorType permuted(RankedTensorType type, ArrayRef<int64_t> permutation) {
  return type.clone(llvm::map_to_vector(
      permutation, [&](int64_t axis) -> int64_t { return type.getDimSize(axis); }));
}

RankedTensorType packedType(RankedTensorType weight, int64_t columns) {
  return permuted(weight.clone(splitShape(weight, columns)),
                  packedPermutation(weight.getRank(), columns));
}

/// A transposed weight is packed as it was before: one movement of its elements.
Value packWeight(GenBuilder &b, Value weight, int64_t columns) {
  auto type = cast<RankedTensorType>(weight.getType());
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  RankedTensorType packed = packedType(type, columns);
  SmallVector<int64_t> permutation = packedPermutation(type.getRank(), columns);
  if (auto transpose = weight.getDefiningOp<TransposeOp>()) {
    llvm::copy(transpose.getPermutation(), order.begin());
    weight = transpose.getInput();
    type = transpose.getInput().getType();
  }
  int64_t axis = order[columns];
  SmallVector<int64_t> split = splitShape(type, axis), padded(type.getShape()),
                       none(type.getRank(), 0), high(none);
  padded[axis] = split[axis] * kLanes;
  high[axis] = padded[axis] - type.getDimSize(axis);
  if (high[axis] != 0)
    weight = PadOp::create(b, type.clone(padded), weight,
                           cast<TypedAttr>(b.getZeroAttr(type.getElementType())), none, high, none);
  Value vectors = ReshapeOp::create(b, type.clone(split), weight, ValueRange());
  for (int64_t &number : permutation) {
    bool isLanes = number == columns + 1;
    int64_t before = order[number > columns ? number - 1 : number];
    number = before > axis || isLanes ? before + 1 : before;
  }
  return TransposeOp::create(b, packed, vectors, permutation);
}

Value unpackWeight(GenBuilder &b, Value packed, RankedTensorType type, int64_t columns) {
  SmallVector<int64_t> split = splitShape(type, columns), padded(type.getShape());
  padded[columns] = split[columns] * kLanes;
  SmallVector<int64_t> back = invertPermutationVector(packedPermutation(type.getRank(), columns));
  Value vectors = TransposeOp::create(b, type.clone(split), packed, back);
  Value weight = ReshapeOp::create(b, type.clone(padded), vectors, ValueRange());
  if (type.getShape() == ArrayRef(padded))
    return weight;
  SmallVector<int64_t> starts(type.getRank(), 0), steps(type.getRank(), 1);
  return SliceOp::create(b, type, weight, starts, type.getShape(), steps);
}

Value packedRhs(ContractionOpInterface contraction) {
  std::optional<int64_t> columns = packedAxis(contraction);
  if (!columns)
    return {};
  Value weight = storedNumbers(contraction->getOperand(1));
  auto type = cast<RankedTensorType>(weight.getType());
  if (auto slice = weight.getDefiningOp<SliceOp>())
    weight = slice.getInput();
  auto reshape = weight.getDefiningOp<ReshapeOp>();
  auto transpose = reshape ? reshape.getInput().getDefiningOp<TransposeOp>() : TransposeOp();
  if (!transpose || transpose.getPermutation() != ArrayRef(invertPermutationVector(
                                                      packedPermutation(type.getRank(), *columns))))
    return {};
  Value packed = transpose.getInput();
  bool fits = type.hasStaticShape() && packed.getType() == packedType(type, *columns);
  return fits ? packed : Value();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

class Packer {
public:
  explicit Packer(ModuleOp module) : module(module), symbols(module) {}

  void run(func::FuncOp entry) {
    llvm::StringSet<> assigned;
    for (auto assign : entry.getOps<AssignOp>())
      assigned.insert(assign.getVariable());
    packs.clear();
    moved.clear();
    keepTransformed(entry, assigned);
    SmallVector<ContractionOpInterface> contractions;
    entry.walk([&](ContractionOpInterface op) { contractions.push_back(op); });
    for (ContractionOpInterface contraction : contractions)
      pack(entry, contraction, assigned);
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
    std::optional<int64_t> columns = packedAxis(contraction);
    if (!columns || !kernels::gainsByPackedRhs(contraction)) {
      if (isTurned)
        readAsStored(contraction);
      return;
    }
    Value whole = contraction->getOperand(1), weight = storedNumbers(whole), packed;
    ReadOp read = weightOf(weight);
    if (read && !assigned.contains(read.getVariable()))
      packed = keptOnce(entry, read, weight, columns);
    else if (loop || weight.getDefiningOp<TransposeOp>())
      packed = packedInCall(loop ? loop.getOperation() : contraction, weight, *columns);
    else
      return;
    GenBuilder b(contraction.getLoc(), contraction);
    Value unpacked = unpackWeight(b, packed, cast<RankedTensorType>(weight.getType()), *columns);
    contraction->setOperand(1, b.cast(unpacked, getElementTypeOrSelf(whole)));
  }

  /// Keeps what the entry computes from a weight alone, if it reduces it and others read it.
  void keepReductions(func::FuncOp entry, const llvm::StringSet<> &assigned) {
    Block &block = entry.getBody().front();
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase(); // of weights that are packed now
    llvm::MapVector<Value, ReadOp> found;
    for (Operation &op : block) {
      llvm::SetVector<Operation *> path;
      ReadOp read = op.getNumResults() == 1 ? weightOf(op.getResult(0), &path) : ReadOp();
      bool isKept = read && !assigned.contains(read.getVariable()) &&
                    llvm::any_of(path, llvm::IsaPred<ReductionOpInterface>) &&
                    llvm::any_of(op.getUsers(), [](Operation *user) {
                      return user->getNumResults() != 1 || !weightOf(user->getResult(0));
                    });
      Value value = isKept ? op.getResult(0) : Value();
      while (value && value.getDefiningOp<BroadcastOp>())
        value = value.getDefiningOp()->getOperand(0);
      if (value)
        found.insert({value, read});
    }
    for (auto [value, read] : llvm::reverse(found)) // before the ones that they are made of
      value.replaceAllUsesWith(keptOnce(entry, read, value, std::nullopt));
  }

  Value keptOnce(func::FuncOp entry, ReadOp read, Value weight, std::optional<int64_t> columns) {
    func::FuncOp keep = keepFunction(read, weight, columns);
    Value &kept = packs[keep.getSymName()];
    if (!kept)
      kept = readPacked(entry, keep);
    return kept;
  }

  /// What has to be moved anyway, or is read in every step, is moved to where it is read best.
  Value packedInCall(Operation *before, Value weight, int64_t columns) {
    Value &packed = moved[{weight, columns}];
    if (!packed) {
      GenBuilder b(before->getLoc(), before);
      packed = packWeight(b, weight, columns);
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
        storedNumbers(product.getRhs()) != product.getRhs())
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

  static Value readPacked(func::FuncOp entry, func::FuncOp pack) {
    AssignOp assign = *pack.getOps<AssignOp>().begin();
    ImplicitLocOpBuilder b(pack.getLoc(), &entry.getBody().front(),
                           entry.getBody().front().begin());
    func::CallOp::create(b, pack, ValueRange());
    return ReadOp::create(b, assign.getValue().getType(), assign.getVariable());
  }

  /// func.func private @w.pack(): @w.packed = pack(@w), or @w.reduced without columns. One for each
  /// way in which a model reads a weight: as it is, computed by the ops of a path, by columns.
  func::FuncOp keepFunction(ReadOp read, Value weight, std::optional<int64_t> columns) {
    llvm::SetVector<Operation *> path;
    weightOf(weight, &path);
    func::FuncOp &function =
        packers[{Attribute(read.getVariableAttr()), wayOf(path, Builder(read), columns)}];
    if (function)
      return function;
    GenBuilder b(read.getLoc(), module.getContext());
    b.setInsertionPointToEnd(module.getBody());
    auto type = cast<RankedTensorType>(weight.getType());
    StringRef name = read.getVariable();
    auto kept = VariableOp::create(b, (name + (columns ? ".packed" : ".reduced")).str(),
                                   columns ? packedType(type, *columns) : type, ElementsAttr());
    function = func::FuncOp::create(b, (name + (columns ? ".pack" : ".reduce")).str(),
                                    b.getFunctionType({}, {}));
    function.setPrivate();
    function->setAttr(kPacksAttr, read.getVariableAttr());
    symbols.insert(kept); // these rename what is not the first of its name
    symbols.insert(function);
    b.setInsertionPointToStart(function.addEntryBlock());
    IRMapping mapping;
    b.clone(*read, mapping);
    for (Operation *op : path)
      b.clone(*op, mapping);
    Value value = mapping.lookup(weight);
    AssignOp::create(b, kept.getSymName(), columns ? packWeight(b, value, *columns) : value);
    func::ReturnOp::create(b);
    return function;
  }

  /// The columns, and what each op of the path does with which operands.
  static Attribute wayOf(const llvm::SetVector<Operation *> &path, Builder b,
                         std::optional<int64_t> columns) {
    SmallVector<Attribute> way{b.getI64IntegerAttr(columns.value_or(-1))};
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
  /// every call, by weight and columns.
  llvm::StringMap<Value> packs;
  llvm::DenseMap<std::pair<Value, int64_t>, Value> moved;
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
