//===- Interpreter.cpp - the reference interpreter ------------------------===//
//
// Ops of the dialect evaluate themselves (ReferenceOpInterface). Here is what runs them: calls,
// blocks, structured control flow, and arithmetic on sizes, which is left to the folders of its
// ops.
//
//===----------------------------------------------------------------------===//

#include "dialect/Interpreter.h"
#include "dialect/Gen.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace mlir::gen;

/// Calls nested deeper than this are taken for endless recursion.
static constexpr int kMaxCallDepth = 200;

//===----------------------------------------------------------------------===//
// State and entries
//===----------------------------------------------------------------------===//

Interpreter::Interpreter(ModuleOp module, int64_t seed) : module(module) {
  for (auto variable : module.getOps<VariableOp>()) {
    auto type = cast<RankedTensorType>(variable.getType());
    Array &array = variables[variable.getSymName().str()];
    array = Array(type.getElementType(), type.getShape());
    if (std::optional<ElementsAttr> value = variable.getValue())
      array = Array::fromAttribute(*value);
    if (variable.getSymName() == "random.seed" && type.getRank() == 0)
      array.setInteger(0, seed);
  }
}

Array *Interpreter::variable(StringRef name) {
  auto found = variables.find(name);
  return found == variables.end() ? nullptr : &found->second;
}

static std::string describe(const Array &array) {
  std::string text;
  llvm::raw_string_ostream(text) << "'" << array.type() << "'";
  return text;
}

/// True if an array is a value of `type`.
static bool isValueOf(const Array &array, Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return array.rank() == 0 && array.elementType == type;
  if (tensor.getElementType() != array.elementType || tensor.getRank() != array.rank())
    return false;
  return llvm::all_of(llvm::zip_equal(tensor.getShape(), array.shape), [](auto sizes) {
    auto [expected, size] = sizes;
    return ShapedType::isDynamic(expected) || expected == size;
  });
}

/// Checks that equal names of dimensions are equal sizes.
static LogicalResult checkDimensions(func::FuncOp entry, ArrayRef<Array> arguments) {
  std::map<std::string, int64_t> sizes;
  for (auto [number, argument] : llvm::enumerate(arguments)) {
    auto names = entry.getArgAttrOfType<ArrayAttr>(number, kDimensionsAttr);
    if (!names || static_cast<int64_t>(names.size()) != argument.rank())
      continue;
    for (auto [attribute, size] : llvm::zip_equal(names, argument.shape)) {
      auto name = dyn_cast<StringAttr>(attribute);
      if (!name || name.empty())
        continue;
      auto [known, isNew] = sizes.try_emplace(name.str(), size);
      if (known->second != size)
        return entry.emitError() << entry.getName() << ": argument " << number << ": expected "
                                 << name << " = " << known->second << ", got " << size;
    }
  }
  return success();
}

FailureOr<SmallVector<Array>> Interpreter::run(StringRef entry, ArrayRef<Array> arguments) {
  auto init = module.lookupSymbol<func::FuncOp>("init");
  bool needsInit = !isInitialized && init && init.getNumArguments() == 0;
  isInitialized = true;
  if (needsInit && failed(runEntry("init", {})))
    return failure();
  return runEntry(entry, arguments);
}

FailureOr<SmallVector<Array>> Interpreter::runEntry(StringRef name, ArrayRef<Array> arguments) {
  auto entry = module.lookupSymbol<func::FuncOp>(name);
  if (!entry || entry.isExternal()) {
    InFlightDiagnostic error = module.emitError()
                               << "expected the name of an entry, got '" << name << "'";
    for (auto function : module.getOps<func::FuncOp>())
      if (function.isPublic())
        error.attachNote(function.getLoc()) << "entry '" << function.getName() << "'";
    return error;
  }
  if (arguments.size() != entry.getNumArguments())
    return entry.emitError() << name << ": expected " << entry.getNumArguments()
                             << " arguments, got " << arguments.size();
  for (auto [number, argument] : llvm::enumerate(arguments))
    if (!isValueOf(argument, entry.getArgumentTypes()[number]))
      return entry.emitError() << name << ": argument " << number << ": expected "
                               << entry.getArgumentTypes()[number] << ", got "
                               << describe(argument);
  SmallVector<Array> results;
  if (failed(checkDimensions(entry, arguments)) || failed(call(entry, arguments, results)))
    return failure();
  return results;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

LogicalResult Interpreter::call(Operation *callee, ArrayRef<Array> operands,
                                SmallVectorImpl<Array> &results) {
  if (depth == kMaxCallDepth)
    return callee->emitError() << "calls are nested more than " << kMaxCallDepth << " deep";
  ++depth;
  llvm::scope_exit restore([&] { --depth; });
  Region &body = callee->getRegion(0);
  if (!body.hasOneBlock())
    return callee->emitError() << "expected a body of one block, got " << body.getBlocks().size();
  Values values;
  return runBlock(body.front(), operands, values, results);
}

static SmallVector<Array> take(ValueRange operands, const llvm::DenseMap<Value, Array> &values) {
  return llvm::map_to_vector(operands, [&](Value operand) { return values.at(operand); });
}

LogicalResult Interpreter::runBlock(Block &block, ArrayRef<Array> arguments, Values &values,
                                    SmallVectorImpl<Array> &results) {
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
    values[argument] = value;
  for (Operation &op : block) {
    SmallVector<Array> operands = take(op.getOperands(), values);
    if (op.hasTrait<OpTrait::IsTerminator>()) {
      results.append(operands.begin(), operands.end());
      return success();
    }
    SmallVector<Array> opResults;
    if (failed(runOp(&op, operands, values, opResults)))
      return failure();
    for (auto [result, value] : llvm::zip_equal(op.getResults(), opResults)) {
      if (!isValueOf(value, result.getType()))
        return op.emitOpError("expected a result of ")
               << result.getType() << ", got " << describe(value);
      values[result] = std::move(value);
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Ops of other dialects
//===----------------------------------------------------------------------===//

static Array fromScalar(Type type, Attribute attribute) {
  if (auto elements = dyn_cast<ElementsAttr>(attribute))
    return Array::fromAttribute(elements);
  Array array(type, {});
  if (auto number = dyn_cast<FloatAttr>(attribute))
    array.setNumber(0, number.getValueAsDouble());
  else
    array.setInteger(0, cast<IntegerAttr>(attribute).getValue().getSExtValue());
  return array;
}

static Attribute toScalar(const Array &array) {
  if (array.isFloat())
    return FloatAttr::get(array.elementType, array.floats[0]);
  return IntegerAttr::get(array.elementType, array.integers[0]);
}

static void copyElement(const Array &from, int64_t source, Array &to, int64_t target) {
  if (from.isFloat())
    to.floats[target] = from.floats[source];
  else
    to.integers[target] = from.integers[source];
}

static int64_t integerOf(const Array &scalar) { return scalar.integers[0]; }

/// Evaluates an op on numbers by its folder.
static LogicalResult foldScalars(Operation *op, ArrayRef<Array> operands,
                                 SmallVectorImpl<Array> &results) {
  auto isNumber = [](Type type) { return type.isIntOrIndexOrFloat(); };
  bool isConstant =
      op->hasTrait<OpTrait::ConstantLike>() && llvm::all_of(op->getResultTypes(), [&](Type type) {
        return isNumber(type) || isa<RankedTensorType>(type);
      });
  bool isArithmetic =
      llvm::all_of(op->getOperandTypes(), isNumber) && llvm::all_of(op->getResultTypes(), isNumber);
  if (op->getNumRegions() != 0 || (!isConstant && !isArithmetic))
    return failure();
  Operation *copy = op->clone(); // folders may change the op
  Block values;                  // and they are not to look at what makes its operands
  llvm::scope_exit destroy([&] { copy->destroy(); });
  for (Value operand : op->getOperands())
    values.addArgument(operand.getType(), op->getLoc());
  copy->setOperands(values.getArguments());
  SmallVector<OpFoldResult> folded;
  if (failed(copy->fold(llvm::map_to_vector(operands, toScalar), folded)) ||
      folded.size() != op->getNumResults())
    return failure();
  for (auto [result, value] : llvm::zip_equal(op->getResults(), folded)) {
    if (auto attribute = dyn_cast<Attribute>(value)) {
      results.push_back(fromScalar(result.getType(), attribute));
      continue;
    }
    auto operand = llvm::find(copy->getOperands(), cast<Value>(value));
    if (operand == copy->operand_end())
      return failure();
    results.push_back(operands[operand - copy->operand_begin()]);
  }
  return success();
}

static LogicalResult evaluate(tensor::DimOp op, ArrayRef<Array> operands,
                              SmallVectorImpl<Array> &results) {
  int64_t axis = integerOf(operands[1]);
  if (axis < 0 || axis >= operands[0].rank())
    return op.emitOpError("expected an axis of ") << describe(operands[0]) << ", got " << axis;
  results.push_back(Array::scalar(op.getType(), operands[0].shape[axis]));
  return success();
}

static LogicalResult evaluate(tensor::ExtractOp op, ArrayRef<Array> operands,
                              SmallVectorImpl<Array> &results) {
  const Array &tensor = operands[0];
  SmallVector<int64_t> index = llvm::map_to_vector(operands.drop_front(), integerOf);
  for (auto [at, size] : llvm::zip_equal(index, tensor.shape))
    if (at < 0 || at >= size)
      return op.emitOpError("expected an index into ") << describe(tensor) << ", got " << at;
  Array element(tensor.elementType, {});
  copyElement(tensor, linearize(index, tensor.shape), element, 0);
  results.push_back(std::move(element));
  return success();
}

static Array evaluate(tensor::FromElementsOp op, ArrayRef<Array> operands) {
  Array array(op.getType().getElementType(), op.getType().getShape());
  for (auto [position, element] : llvm::enumerate(operands))
    copyElement(element, 0, array, position);
  return array;
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

LogicalResult Interpreter::runIf(scf::IfOp op, bool condition, Values &values,
                                 SmallVectorImpl<Array> &results) {
  Block *block = condition ? op.thenBlock() : op.elseBlock();
  return block ? runBlock(*block, {}, values, results) : success();
}

LogicalResult Interpreter::runFor(scf::ForOp op, ArrayRef<Array> operands, Values &values,
                                  SmallVectorImpl<Array> &results) {
  int64_t first = integerOf(operands[0]), limit = integerOf(operands[1]),
          step = integerOf(operands[2]);
  if (step <= 0)
    return op.emitOpError("expected a positive step, got ") << step;
  results.assign(operands.begin() + 3, operands.end());
  for (int64_t i = first; i < limit; i += step) {
    SmallVector<Array> arguments = {Array::scalar(op.getInductionVar().getType(), i)};
    llvm::append_range(arguments, results);
    results.clear();
    if (failed(runBlock(*op.getBody(), arguments, values, results)))
      return failure();
  }
  return success();
}

LogicalResult Interpreter::runWhile(scf::WhileOp op, ArrayRef<Array> operands, Values &values,
                                    SmallVectorImpl<Array> &results) {
  SmallVector<Array> carried(operands);
  while (true) {
    SmallVector<Array> condition;
    if (failed(runBlock(*op.getBeforeBody(), carried, values, condition)))
      return failure();
    results.assign(condition.begin() + 1, condition.end());
    if (integerOf(condition.front()) == 0)
      return success();
    carried.clear();
    if (failed(runBlock(*op.getAfterBody(), results, values, carried)))
      return failure();
  }
}

LogicalResult Interpreter::runCall(func::CallOp op, ArrayRef<Array> operands,
                                   SmallVectorImpl<Array> &results) {
  auto callee = module.lookupSymbol<func::FuncOp>(op.getCallee());
  if (!callee || callee.isExternal())
    return op.emitOpError("expected a function with a body, got ") << op.getCalleeAttr();
  return call(callee, operands, results);
}

LogicalResult Interpreter::runOp(Operation *op, ArrayRef<Array> operands, Values &values,
                                 SmallVectorImpl<Array> &results) {
  if (auto reference = dyn_cast<ReferenceOpInterface>(op))
    return reference.evaluate(*this, operands, results);
  if (isa<GradientOp>(op))
    return op->emitOpError("has no reference semantics; expand it first (--gen-differentiate)");
  if (auto callOp = dyn_cast<func::CallOp>(op))
    return runCall(callOp, operands, results);
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return evaluate(dim, operands, results);
  if (auto extract = dyn_cast<tensor::ExtractOp>(op))
    return evaluate(extract, operands, results);
  if (auto fromElements = dyn_cast<tensor::FromElementsOp>(op)) {
    results.push_back(evaluate(fromElements, operands));
    return success();
  }
  if (auto empty = dyn_cast<tensor::EmptyOp>(op)) { // any contents will do
    SmallVector<int64_t> sizes = llvm::map_to_vector(operands, integerOf);
    results.push_back(Array(empty.getType().getElementType(),
                            EvaluationContext::resolveShape(empty.getType(), sizes)));
    return success();
  }
  if (isa<tensor::CastOp>(op)) {
    results.push_back(operands[0]);
    return success();
  }
  if (auto ifOp = dyn_cast<scf::IfOp>(op))
    return runIf(ifOp, integerOf(operands[0]) != 0, values, results);
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return runFor(loop, operands, values, results);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return runWhile(loop, operands, values, results);
  if (succeeded(foldScalars(op, operands, results)))
    return success();
  return op->emitOpError("has no reference semantics for its operands");
}
