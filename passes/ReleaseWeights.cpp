//===- ReleaseWeights.cpp - weights that are kept packed only -------------===//
//
// In:   func.func private @w.pack() attributes {gen.packs = @w}        w.packed =
// transpose(reshape(w)) Out:  func.func private @w.unpack() attributes {gen.unpacks = @w.pack}  w =
// reshape(transpose(w.packed))
//
// If @w.pack is the only reader of @w. Weights are most of the memory of a model that only computes
// results; with their packed copies they would be all of it twice.
//
//===----------------------------------------------------------------------===//

#include "dialect/Builder.h"
#include "dialect/Gen.h"
#include "passes/PackedWeights.h"
#include "passes/Passes.h"

namespace mlir::gen {
#define GEN_PASS_DEF_RELEASEWEIGHTS
#include "passes/Passes.h.inc"

namespace {

/// Less is not worth the code that brings it back.
constexpr int64_t kLeastBytes = int64_t(1) << 18;

int64_t bytesOf(VariableOp variable) {
  auto type = cast<RankedTensorType>(variable.getType());
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

/// The ops from what is read to what is assigned, if each only moves elements and loses none.
std::optional<SmallVector<Operation *>> movementsOf(AssignOp assign) {
  SmallVector<Operation *> movements;
  Operation *op = assign.getValue().getDefiningOp();
  for (; isa_and_nonnull<PadOp, ReshapeOp, TransposeOp>(op); op = op->getOperand(0).getDefiningOp())
    movements.push_back(op);
  if (!isa_and_nonnull<ReadOp>(op))
    return std::nullopt;
  return movements;
}

class Releaser {
public:
  explicit Releaser(ModuleOp module) : module(module), symbols(module) {}

  void run() {
    llvm::StringMap<int64_t> readers;
    llvm::DenseSet<Attribute> unpacked;
    module.walk([&](ReadOp read) { ++readers[read.getVariable()]; });
    for (auto function : module.getOps<func::FuncOp>())
      if (Attribute packer = function->getAttr(kUnpacksAttr))
        unpacked.insert(packer);
    for (auto function : llvm::to_vector(module.getOps<func::FuncOp>())) {
      auto source = function->getAttrOfType<FlatSymbolRefAttr>(kPacksAttr);
      if (source && readers.lookup(source.getValue()) == 1 && reads(function, source) &&
          !unpacked.contains(FlatSymbolRefAttr::get(function)))
        makeUnpacker(function, symbols.lookup<VariableOp>(source.getValue()));
    }
  }

private:
  /// A copy may be made of another copy.
  static bool reads(func::FuncOp function, FlatSymbolRefAttr variable) {
    return llvm::any_of(function.getOps<ReadOp>(),
                        [&](ReadOp read) { return read.getVariableAttr() == variable; });
  }

  void makeUnpacker(func::FuncOp packer, VariableOp variable) {
    AssignOp assign = *packer.getOps<AssignOp>().begin();
    auto movements = movementsOf(assign);
    if (bytesOf(variable) < kLeastBytes || !movements)
      return;
    GenBuilder b(packer.getLoc(), packer);
    b.setInsertionPointAfter(packer);
    auto function = func::FuncOp::create(b, (variable.getSymName() + ".unpack").str(),
                                         b.getFunctionType({}, {}));
    function.setPrivate();
    function->setAttr(kUnpacksAttr, FlatSymbolRefAttr::get(packer));
    symbols.insert(function);
    b.setInsertionPointToStart(function.addEntryBlock());
    Value value = ReadOp::create(b, assign.getValue().getType(), assign.getVariable());
    for (Operation *op : *movements)
      value = undoMovement(b, op, value);
    AssignOp::create(b, variable.getSymName(), value);
    func::ReturnOp::create(b);
  }

  ModuleOp module;
  SymbolTable symbols;
};

struct ReleaseWeights : impl::ReleaseWeightsBase<ReleaseWeights> {
  void runOnOperation() override { Releaser(getOperation()).run(); }
};

} // namespace
} // namespace mlir::gen
