//===- PackWeights.cpp - weights in the order products read them ----------===//
//
// In:   %w = gen.read @w : tensor<400x784xf32>
//       %h = gen.matmul %x, %w transposed
// Out:  func.call @w.pack()
//       %p = gen.read @w.packed : tensor<25x784x16xf32>
//       %h = gen.matmul %x, %unpacked transposed       (%unpacked: transpose, reshape, slice of %p)
//
// In entries that do not assign the weight. A training step would pack it anew in every call, which
// its kernels do on the way.
//
//===----------------------------------------------------------------------===//

#include "passes/PackedWeights.h"
#include "passes/Passes.h"
#include "passes/kernels/KernelEmitter.h"

#include "llvm/ADT/StringSet.h"

namespace mlir::gen {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "passes/Passes.h.inc"

//===----------------------------------------------------------------------===//
// The layout
//===----------------------------------------------------------------------===//

static constexpr int64_t kLanes = kernels::kLanes;

RankedTensorType packedType(RankedTensorType weight) {
  return RankedTensorType::get(
      {(weight.getDimSize(0) + kLanes - 1) / kLanes, weight.getDimSize(1), kLanes},
      weight.getElementType());
}

Value packWeight(GenBuilder &b, Value weight) {
  auto type = cast<RankedTensorType>(weight.getType());
  RankedTensorType packed = packedType(type);
  int64_t rows = packed.getDimSize(0) * kLanes, missing = rows - type.getDimSize(0);
  Type element = type.getElementType();
  if (missing)
    weight = PadOp::create(b, RankedTensorType::get({rows, type.getDimSize(1)}, element), weight,
                           cast<TypedAttr>(b.getZeroAttr(element)), ArrayRef<int64_t>{0, 0},
                           ArrayRef<int64_t>{missing, 0}, ArrayRef<int64_t>{0, 0});
  auto split = RankedTensorType::get({packed.getDimSize(0), kLanes, packed.getDimSize(1)}, element);
  Value vectors = ReshapeOp::create(b, split, weight, ValueRange());
  return TransposeOp::create(b, packed, vectors, ArrayRef<int64_t>{0, 2, 1});
}

Value unpackWeight(GenBuilder &b, Value packed, int64_t n) {
  auto type = cast<RankedTensorType>(packed.getType());
  int64_t vectors = type.getDimSize(0), k = type.getDimSize(1);
  Type element = type.getElementType();
  Value rows = TransposeOp::create(b, RankedTensorType::get({vectors, kLanes, k}, element), packed,
                                   ArrayRef<int64_t>{0, 2, 1});
  Value weight = ReshapeOp::create(b, RankedTensorType::get({vectors * kLanes, k}, element), rows,
                                   ValueRange());
  if (n == vectors * kLanes)
    return weight;
  return SliceOp::create(b, RankedTensorType::get({n, k}, element), weight, ArrayRef<int64_t>{0, 0},
                         ArrayRef<int64_t>{n, k}, ArrayRef<int64_t>{1, 1});
}

Value packedRhs(ContractionOpInterface contraction) {
  Value weight = contraction->getOperand(1);
  if (!contraction.isRhsTransposed() || cast<RankedTensorType>(weight.getType()).getRank() != 2)
    return {};
  if (auto slice = weight.getDefiningOp<SliceOp>())
    weight = slice.getInput();
  auto reshape = weight.getDefiningOp<ReshapeOp>();
  auto transpose = reshape ? reshape.getInput().getDefiningOp<TransposeOp>() : TransposeOp();
  if (!transpose || transpose.getPermutation() != ArrayRef<int64_t>{0, 2, 1})
    return {};
  Value packed = transpose.getInput();
  auto type = cast<RankedTensorType>(contraction->getOperand(1).getType());
  bool fits = type.hasStaticShape() && packed.getType() == packedType(type);
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
    llvm::StringMap<Value> reads; // of packed weights in this entry
    for (auto contraction : llvm::to_vector(entry.getOps<ContractionOpInterface>())) {
      auto read = contraction->getOperand(1).getDefiningOp<ReadOp>();
      if (!read || assigned.contains(read.getVariable()) ||
          !kernels::isPackedByItsKernel(contraction))
        continue;
      Value &packed = reads[read.getVariable()];
      if (!packed)
        packed = readPacked(entry, read);
      GenBuilder b(contraction.getLoc(), contraction);
      auto type = cast<RankedTensorType>(read.getType());
      contraction->setOperand(1, unpackWeight(b, packed, type.getDimSize(0)));
    }
  }

private:
  Value readPacked(func::FuncOp entry, ReadOp read) {
    func::FuncOp pack = packFunction(read);
    ImplicitLocOpBuilder b(read.getLoc(), &entry.getBody().front(),
                           entry.getBody().front().begin());
    func::CallOp::create(b, pack, ValueRange());
    return ReadOp::create(b, packedType(cast<RankedTensorType>(read.getType())),
                          (read.getVariable() + ".packed").str());
  }

  /// func.func private @w.pack(): @w.packed = pack(@w).
  func::FuncOp packFunction(ReadOp read) {
    std::string name = (read.getVariable() + ".pack").str(),
                packedName = (read.getVariable() + ".packed").str();
    if (auto made = symbols.lookup<func::FuncOp>(name))
      return made;
    GenBuilder b(read.getLoc(), module.getContext());
    b.setInsertionPointToEnd(module.getBody());
    auto type = cast<RankedTensorType>(read.getType());
    VariableOp::create(b, packedName, packedType(type), ElementsAttr());
    auto function = func::FuncOp::create(b, name, b.getFunctionType({}, {}));
    function.setPrivate();
    function->setAttr(kPacksAttr, read.getVariableAttr());
    symbols.insert(function);
    b.setInsertionPointToStart(function.addEntryBlock());
    Value packed = packWeight(b, ReadOp::create(b, type, read.getVariable()));
    AssignOp::create(b, packedName, packed);
    func::ReturnOp::create(b);
    return function;
  }

  ModuleOp module;
  SymbolTable symbols;
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
