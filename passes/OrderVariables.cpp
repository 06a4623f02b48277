//===- OrderVariables.cpp - state in the order of its gradient ------------===//
//
// In:   %w = gen.read @w : tensor<64x32x3x3xf32>
//       %y = gen.convolution %x, (gen.transpose %w permutation [2, 3, 1, 0]) ... channels_last
//       %g = gen.transpose (gen.convolution_weight_gradient ...) permutation [3, 2, 0, 1]
//       gen.assign @w, (gen.sub %w, %g)
// Out:  func.call @w.order()
//       %w = gen.read @w.ordered : tensor<3x3x32x64xf32>
//       %y = gen.convolution %x, %w ... channels_last
//       %g = gen.convolution_weight_gradient ...
//       gen.assign @w.ordered, (gen.sub %w, %g)
//       func.call @w.restore()
//
// A model's weights have the output's channels first; a convolution wants them last, and so comes
// its gradient. Where a variable becomes something elementwise of a product that is transposed (a
// weight, its moments), it is kept in the product's order from call to call: the update is computed
// at the end of the product's tiles, and the gradient is never stored. The runtime leaves both
// calls out; it restores the variable when someone looks at it, and orders it again when someone
// has changed it. (Gradients by Winograd's algorithm are stored.)
//
//===----------------------------------------------------------------------===//

#include "dialect/Builder.h"
#include "passes/PackedWeights.h"
#include "passes/Passes.h"

#include "llvm/ADT/MapVector.h"

namespace mlir::gen {
#define GEN_PASS_DEF_ORDERVARIABLES
#include "passes/Passes.h.inc"

namespace {

ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

/// Transposes and reshapes from a gradient to the shape of a variable, the last one first.
struct Movement {
  SmallVector<Operation *> ops;

  /// Those that make `value`.
  static Movement of(Value value) {
    Movement movement;
    for (Operation *op = value.getDefiningOp(); isa_and_nonnull<TransposeOp, ReshapeOp>(op);
         op = op->getOperand(0).getDefiningOp())
      movement.ops.push_back(op);
    return movement;
  }

  RankedTensorType source() const {
    return cast<RankedTensorType>(ops.back()->getOperand(0).getType());
  }

  /// From a variable to its copy.
  Value undo(GenBuilder &b, Value value) const {
    for (Operation *op : ops)
      value = undoMovement(b, op, value);
    return value;
  }

  /// From the copy to the variable; of any element type, as what is compared with it.
  Value redo(GenBuilder &b, Value value) const {
    for (Operation *op : llvm::reverse(ops)) {
      auto type = cast<RankedTensorType>(value.getType()).clone(shapeOf(op->getResult(0)));
      if (auto transpose = dyn_cast<TransposeOp>(op))
        value = b.transpose(value, transpose.getPermutation());
      else
        value = b.make<ReshapeOp>(type, value, ValueRange());
    }
    return value;
  }
};

/// True if each element of the result is computed of the same element of operands, or of scalars.
bool isElementwise(Operation *op) {
  auto pointwise = dyn_cast_or_null<PointwiseOpInterface>(op);
  return pointwise && pointwise.isElementwise() && op->getNumResults() == 1 &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           if (!isa<RankedTensorType>(operand.getType()))
             return false;
           return shapeOf(operand).empty() || shapeOf(operand) == shapeOf(op->getResult(0));
         });
}

/// How the product that `value` is elementwise computed of is transposed, if it is. A small one
/// stays in a cache from kernel to kernel, and is not worth the code that moves it.
std::optional<Movement> movementOf(Value value) {
  constexpr int64_t kLeastBits = int64_t(1) << 21;
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.hasStaticShape() || type.getNumElements() * type.getElementTypeBitWidth() < kLeastBits)
    return std::nullopt;
  SmallVector<Value> work{value};
  llvm::DenseSet<Value> seen;
  while (!work.empty()) {
    Value next = work.pop_back_val();
    if (shapeOf(next) != shapeOf(value) || !seen.insert(next).second)
      continue;
    Movement movement = Movement::of(next);
    if (llvm::any_of(movement.ops, llvm::IsaPred<TransposeOp>) &&
        isa_and_nonnull<ContractionOpInterface>(movement.ops.back()->getOperand(0).getDefiningOp()))
      return movement;
    if (isElementwise(next.getDefiningOp()))
      llvm::append_range(work, next.getDefiningOp()->getOperands());
  }
  return std::nullopt;
}

/// A variable's ordered copy, and the functions that make one from the other.
struct OrderedVariable {
  Movement movement;
  VariableOp copy;
  func::FuncOp toCopy, fromCopy;
};

class Orderer {
public:
  explicit Orderer(ModuleOp module) : module(module), symbols(module) {}

  void run() {
    auto functions = llvm::to_vector(module.getOps<func::FuncOp>());
    for (func::FuncOp entry : functions)
      for (auto assign : entry.getOps<AssignOp>())
        if (std::optional<Movement> movement = movementOf(assign.getValue()))
          makeCopy(assign.getVariableAttr().getAttr(), *movement);
    for (func::FuncOp entry : functions)
      if (entry.isPublic() && !entry.isExternal())
        useCopies(entry);
  }

private:
  void makeCopy(StringAttr name, const Movement &movement) {
    if (variables.contains(name))
      return;
    auto variable = symbols.lookup<VariableOp>(name);
    auto type = cast<RankedTensorType>(variable.getType());
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    auto copy = VariableOp::create(b, variable.getLoc(), (name.getValue() + ".ordered").str(),
                                   type.clone(movement.source().getShape()), ElementsAttr());
    symbols.insert(copy); // renames what is not the first of its name
    func::FuncOp to =
        makeFunction((name.getValue() + ".order").str(), variable, copy,
                     [&](GenBuilder &inner, Value value) { return movement.undo(inner, value); });
    to->setAttr(kPacksAttr, FlatSymbolRefAttr::get(variable));
    func::FuncOp from =
        makeFunction((name.getValue() + ".restore").str(), copy, variable,
                     [&](GenBuilder &inner, Value value) { return movement.redo(inner, value); });
    from->setAttr(kUnpacksAttr, FlatSymbolRefAttr::get(to));
    variables.insert({name, {movement, copy, to, from}});
  }

  func::FuncOp makeFunction(const std::string &name, VariableOp from, VariableOp to,
                            llvm::function_ref<Value(GenBuilder &, Value)> move) {
    GenBuilder b(from.getLoc(), module.getContext());
    b.setInsertionPointToEnd(module.getBody());
    auto function = func::FuncOp::create(b, name, b.getFunctionType({}, {}));
    function.setPrivate();
    symbols.insert(function);
    b.setInsertionPointToStart(function.addEntryBlock());
    Value value = ReadOp::create(b, from.getType(), from.getSymName());
    AssignOp::create(b, to.getSymName(), move(b, value));
    func::ReturnOp::create(b);
    return function;
  }

  /// An entry that only gives a variable another value does so; all others use the copy.
  void useCopies(func::FuncOp entry) {
    llvm::SetVector<StringAttr> used;
    for (auto read : entry.getOps<ReadOp>())
      used.insert(read.getVariableAttr().getAttr());
    for (auto assign : entry.getOps<AssignOp>())
      if (movementOf(assign.getValue()))
        used.insert(assign.getVariableAttr().getAttr());
    SmallVector<ReadOp> reads(entry.getOps<ReadOp>());
    SmallVector<AssignOp> assigns(entry.getOps<AssignOp>());
    auto b = ImplicitLocOpBuilder::atBlockBegin(entry.getLoc(), &entry.getBody().front());
    for (StringAttr name : used)
      if (auto found = variables.find(name); found != variables.end())
        func::CallOp::create(b, found->second.toCopy, ValueRange());
    for (ReadOp read : reads)
      if (auto found = variables.find(read.getVariableAttr().getAttr()); found != variables.end())
        readCopy(read, found->second);
    for (AssignOp assign : assigns) {
      StringAttr name = assign.getVariableAttr().getAttr();
      if (auto found = variables.find(name); found != variables.end() && used.contains(name))
        assignCopy(assign, found->second);
    }
  }

  static void readCopy(ReadOp read, OrderedVariable &variable) {
    GenBuilder b(read.getLoc(), read);
    Value value = ReadOp::create(b, variable.copy.getType(), variable.copy.getSymName());
    read.getResult().replaceAllUsesWith(variable.movement.redo(b, value));
    read.erase();
  }

  static void assignCopy(AssignOp assign, OrderedVariable &variable) {
    GenBuilder b(assign.getLoc(), assign);
    Value value = inOrder(assign.getValue(), variable.movement);
    AssignOp::create(b, variable.copy.getSymName(), value);
    b.setInsertionPoint(assign->getBlock()->getTerminator());
    func::CallOp::create(b, variable.fromCopy, ValueRange());
    assign.erase();
  }

  /// `value` in the order of a copy: what it is elementwise computed of comes in that order, too.
  /// Who else reads it reads that, moved.
  static Value inOrder(Value value, const Movement &movement) {
    GenBuilder b(value.getLoc(), value.getContext());
    b.setInsertionPointAfterValue(value);
    Operation *op = value.getDefiningOp();
    if (!isElementwise(op))
      return movement.undo(b, value);
    SmallVector<Value> operands;
    for (unsigned number = 0; number < op->getNumOperands(); ++number) {
      Value operand = op->getOperand(number); // may have been moved with the one before
      operands.push_back(shapeOf(operand).empty() ? operand : inOrder(operand, movement));
    }
    Operation *made = b.clone(*op);
    made->setOperands(operands);
    auto type = cast<RankedTensorType>(value.getType());
    made->getResult(0).setType(type.clone(movement.source().getShape()));
    value.replaceAllUsesWith(movement.redo(b, made->getResult(0)));
    return made->getResult(0);
  }

  ModuleOp module;
  SymbolTable symbols;
  llvm::MapVector<StringAttr, OrderedVariable> variables;
};

struct OrderVariables : impl::OrderVariablesBase<OrderVariables> {
  void runOnOperation() override { Orderer(getOperation()).run(); }
};

} // namespace
} // namespace mlir::gen
