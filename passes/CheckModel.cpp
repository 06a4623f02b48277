//===- CheckModel.cpp - refuse what cannot be compiled --------------------===//
//
// In: any module that MLIR has verified. Out: the same one, or an error at the line of the model
// that the passes behind this one could not take: ops of other dialects, types without code,
// recursion, tensors beyond any memory. The passes rely on it.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gen.h"
#include "passes/Passes.h"

#include "gen/runtime.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::gen {
#define GEN_PASS_DEF_CHECKMODEL
#include "passes/Passes.h.inc"

namespace {

/// Bytes of a tensor that no machine has, and of the data that one artefact can hold (its code and
/// data address each other with 32 bits).
constexpr int64_t kMostBytes = int64_t(1) << 48, kMostData = int64_t(1) << 30;

/// Bytes of the static sizes of a type; kMostBytes if more.
int64_t bytesOf(RankedTensorType type) {
  int64_t bytes = std::max(1u, type.getElementTypeBitWidth() / 8);
  bool empty = llvm::is_contained(type.getShape(), 0);
  for (int64_t size : type.getShape()) {
    if (ShapedType::isDynamic(size) || empty)
      continue;
    if (size > kMostBytes / bytes)
      return kMostBytes;
    bytes *= size;
  }
  return empty ? 0 : bytes;
}

bool hasCode(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.getRank() > GEN_MAX_RANK || tensor.getEncoding())
    return false;
  Type element = tensor.getElementType();
  return element.isF32() || element.isF64() || element.isSignlessInteger(1) ||
         element.isSignlessInteger(8) || element.isSignlessInteger(32) ||
         element.isSignlessInteger(64);
}

constexpr StringLiteral kExpectedType = "a tensor of f32, f64, i1, i8, i32 or i64 of known rank, "
                                        "at most 8";

/// Bounds of loops may be computed: a number or a condition in a tensor of rank 0, as an index.
bool isComputedBound(Operation *op) {
  if (auto extract = dyn_cast<tensor::ExtractOp>(op))
    return extract.getTensor().getType().getRank() == 0 &&
           llvm::all_of(op->getUsers(), isComputedBound);
  bool isNumber = isa<arith::IndexCastOp>(op) && op->getOperand(0).getType().isInteger(64);
  bool isCondition = isa<arith::IndexCastUIOp>(op) && op->getOperand(0).getType().isInteger(1);
  return (isNumber || isCondition) && op->getOperand(0).getDefiningOp<tensor::ExtractOp>();
}

bool isIndexArithmetic(Operation *op) {
  auto isIndex = [](Type type) { return type.isIndex(); };
  if (isa<tensor::DimOp>(op))
    return true;
  return isa<arith::ArithDialect>(op->getDialect()) && op->getNumRegions() == 0 &&
         llvm::all_of(op->getOperandTypes(), isIndex) &&
         llvm::all_of(op->getResultTypes(), isIndex);
}

class Checker {
public:
  explicit Checker(ModuleOp module) : module(module), symbols(module) {}

  LogicalResult check() {
    bool hasEntry = false;
    for (Operation &op : *module.getBody()) {
      auto function = dyn_cast<func::FuncOp>(op);
      hasEntry |= function && function.isPublic() && !function.isExternal();
      if (function ? failed(checkFunction(function)) : failed(checkTopLevel(&op)))
        return failure();
    }
    if (!hasEntry)
      return module.emitError("the model has no entries; hint: the public functions are its "
                              "entries, such as 'func.func @main'");
    return success();
  }

private:
  LogicalResult checkTopLevel(Operation *op) {
    if (auto variable = dyn_cast<VariableOp>(op))
      return checkVariable(variable);
    if (auto kernel = dyn_cast<KernelOp>(op))
      return checkOps(kernel.getBody());
    return op->emitOpError("has no place in a model; expected func.func or gen.variable");
  }

  LogicalResult checkVariable(VariableOp variable) {
    auto type = cast<RankedTensorType>(variable.getType());
    if (type.getRank() > GEN_MAX_RANK || bytesOf(type) >= kMostBytes)
      return variable.emitOpError("expected a variable of rank at most ")
             << GEN_MAX_RANK << " that fits in memory, got " << type;
    if (variable.getSymName() == "random.seed" &&
        (type.getRank() != 0 || !type.getElementType().isInteger(64)))
      return variable.emitOpError("expected 'random.seed' to be tensor<i64>, got ") << type;
    return variable.getValue() ? checkData(variable, *variable.getValue()) : success();
  }

  LogicalResult checkData(Operation *op, Attribute value) {
    auto dense = dyn_cast<DenseElementsAttr>(value);
    if (!dense)
      return op->emitOpError("expected a value of the form dense<...>");
    if (dense.isSplat() && isa<ConstantOp>(op))
      return success();
    dataBytes += std::min(bytesOf(cast<RankedTensorType>(dense.getType())), kMostBytes >> 1);
    if (dataBytes > kMostData)
      return op->emitOpError("expected at most ")
             << (kMostData >> 20) << " MiB of constants and initial values in a model; hint: "
             << "assign large values in the entry 'init', or load them as weights";
    return success();
  }

  LogicalResult checkFunction(func::FuncOp function) {
    if (function.isExternal())
      return function.emitOpError("expected a body: a model is compiled as a whole");
    llvm::StringSet<> names;
    for (BlockArgument argument : function.getArguments())
      if (failed(checkArgument(function, argument, names)))
        return failure();
    names.clear();
    for (auto [i, type] : llvm::enumerate(function.getResultTypes())) {
      if (!hasCode(type))
        return function.emitOpError("expected result ")
               << i << " to be " << kExpectedType << ", got " << type;
      if (failed(checkName(function, function.getResultAttr(i, kNameAttr), "result", i, names)))
        return failure();
    }
    if (!function.getBody().hasOneBlock())
      return function.emitOpError("expected a body without branches");
    return failed(checkOps(function.getBody())) ? failure() : checkRecursion(function);
  }

  LogicalResult checkArgument(func::FuncOp function, BlockArgument argument,
                              llvm::StringSet<> &names) {
    unsigned i = argument.getArgNumber();
    if (!hasCode(argument.getType()))
      return function.emitOpError("expected argument ")
             << i << " to be " << kExpectedType << ", got " << argument.getType();
    if (failed(checkName(function, function.getArgAttr(i, kNameAttr), "argument", i, names)))
      return failure();
    Attribute attribute = function.getArgAttr(i, kDimensionsAttr);
    if (!attribute)
      return success();
    auto dimensions = dyn_cast<ArrayAttr>(attribute);
    int64_t rank = cast<RankedTensorType>(argument.getType()).getRank();
    if (!dimensions || static_cast<int64_t>(dimensions.size()) != rank ||
        !llvm::all_of(dimensions, llvm::IsaPred<StringAttr>))
      return function.emitOpError("expected '")
             << kDimensionsAttr << "' of argument " << i << " to be " << rank
             << " strings (\"\" for no name), got " << attribute;
    return success();
  }

  LogicalResult checkName(func::FuncOp function, Attribute attribute, StringRef what, size_t number,
                          llvm::StringSet<> &names) {
    auto string = dyn_cast_if_present<StringAttr>(attribute);
    if (attribute && (!string || string.getValue().empty() || string.getValue().contains('\0')))
      return function.emitOpError("expected '")
             << kNameAttr << "' of " << what << " " << number << " to be a name, got " << attribute;
    std::string name = string ? string.str() : std::to_string(number);
    if (!names.insert(name).second)
      return function.emitOpError("has two ") << what << "s named '" << name << "'";
    return success();
  }

  LogicalResult checkOps(Region &region) {
    WalkResult walked = region.walk<WalkOrder::PreOrder>([&](Operation *op) {
      return failed(checkOp(op)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    return failure(walked.wasInterrupted());
  }

  LogicalResult checkOp(Operation *op) {
    if (!isa<GenDialect>(op->getDialect()) &&
        !isa<func::ReturnOp, func::CallOp, scf::ForOp, scf::YieldOp>(op) &&
        !isIndexArithmetic(op) && !isComputedBound(op))
      return op->emitOpError("cannot be compiled: an entry consists of gen ops, calls, scf.for, "
                             "tensor.dim, bounds of loops from tensors of rank 0 and arithmetic on "
                             "index values");
    if (auto loop = dyn_cast<scf::ForOp>(op); loop && failed(checkLoop(loop)))
      return failure();
    for (Type type : op->getResultTypes()) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (tensor && (!hasCode(tensor) || bytesOf(tensor) >= kMostBytes))
        return op->emitOpError("expected a result that fits in memory, ")
               << kExpectedType << ", got " << type;
    }
    if (auto constant = dyn_cast<ConstantOp>(op))
      return checkData(op, constant.getValue());
    return success();
  }

  LogicalResult checkLoop(scf::ForOp loop) {
    std::optional<int64_t> step = getConstantIntValue(loop.getStep());
    if (!loop.getInductionVar().getType().isIndex())
      return loop.emitOpError("expected bounds of type index, got ")
             << loop.getInductionVar().getType();
    if (!step || *step < 1)
      return loop.emitOpError("expected a step that is a constant of at least 1");
    for (auto [number, type] : llvm::enumerate(loop.getResultTypes()))
      if (!hasCode(type) && !type.isIndex())
        return loop.emitOpError("expected carried value ")
               << number << " to be an index or " << kExpectedType << ", got " << type;
    return success();
  }

  /// Calls are expanded where they stand, which never ends for a function that calls itself.
  LogicalResult checkRecursion(func::FuncOp root) {
    SmallVector<func::FuncOp> work{root};
    llvm::SmallPtrSet<Operation *, 8> seen;
    while (!work.empty()) {
      WalkResult walked = work.pop_back_val().walk([&](func::CallOp call) {
        auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
        if (callee == root) {
          call.emitOpError("calls '") << root.getSymName() << "' from within itself; expected "
                                      << "functions without recursion";
          return WalkResult::interrupt();
        }
        if (callee && seen.insert(callee).second)
          work.push_back(callee);
        return WalkResult::advance();
      });
      if (walked.wasInterrupted())
        return failure();
    }
    return success();
  }

  ModuleOp module;
  SymbolTable symbols;
  int64_t dataBytes = 0;
};

struct CheckModel : impl::CheckModelBase<CheckModel> {
  void runOnOperation() override {
    if (failed(Checker(getOperation()).check()))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::gen
