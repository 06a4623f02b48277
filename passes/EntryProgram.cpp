//===- EntryProgram.cpp - the code of one entry ---------------------------===//

#include "passes/EntryProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::gen;

EntryProgram::EntryProgram(func::FuncOp function, const llvm::StringMap<int64_t> &variables)
    : function(function), variables(variables), sizes(entrySizes(function)),
      b(function.getLoc(), function.getContext()) {
  collectDimensions();
}

void EntryProgram::collectDimensions() {
  for (BlockArgument argument : function.getArguments()) {
    auto type = cast<RankedTensorType>(argument.getType());
    auto names = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), kDimensionsAttr);
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      if (!type.isDynamicDim(axis))
        continue;
      std::string name = names ? cast<StringAttr>(names[axis]).getValue().str() : "";
      if (name.empty())
        name = "d" + std::to_string(argument.getArgNumber()) + "_" + std::to_string(axis);
      auto found = llvm::find(dimensions, name);
      symbolOf[{argument, axis}] = found - dimensions.begin();
      if (found == dimensions.end())
        dimensions.push_back(name);
    }
  }
}

SmallVector<int64_t> EntryProgram::argumentShape(BlockArgument argument) const {
  SmallVector<int64_t> shape(cast<RankedTensorType>(argument.getType()).getShape());
  for (auto [axis, size] : llvm::enumerate(shape))
    if (ShapedType::isDynamic(size))
      size = -1 - symbolOf.lookup({argument, axis});
  return shape;
}

SmallVector<int64_t> EntryProgram::resultShape(unsigned number) const {
  Value value = func::FuncOp(function).getBody().front().getTerminator()->getOperand(number);
  SmallVector<int64_t> shape(cast<RankedTensorType>(value.getType()).getShape());
  for (auto [axis, size] : llvm::enumerate(shape)) {
    if (!ShapedType::isDynamic(size))
      continue;
    auto traced = dyn_cast_if_present<Value>(sizes.get(value, axis));
    auto dim = traced ? traced.getDefiningOp<tensor::DimOp>() : tensor::DimOp();
    size = dim ? -1 - symbolOf.lookup({dim.getSource(), *dim.getConstantIndex()}) : INT64_MIN;
  }
  return shape;
}

//===----------------------------------------------------------------------===//
// Pieces of both functions
//===----------------------------------------------------------------------===//

LLVM::LLVMFuncOp EntryProgram::start(StringRef symbol, Type result, unsigned count) {
  b.setInsertionPoint(function);
  SmallVector<Type> arguments(count, LLVM::LLVMPointerType::get(b.getContext()));
  current = LLVM::LLVMFuncOp::create(b, symbol, LLVM::LLVMFunctionType::get(result, arguments),
                                     LLVM::Linkage::Internal);
  b.setInsertionPointToStart(current.addEntryBlock(b));
  pointers.clear();
  indices.clear();
  return current;
}

Value EntryProgram::constant(int64_t number) {
  return arith::ConstantOp::create(b, b.getI64IntegerAttr(number));
}

Value EntryProgram::pointerAt(Value array, int64_t number) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value slot = LLVM::GEPOp::create(b, pointer, pointer, array,
                                   ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(number)});
  return LLVM::LoadOp::create(b, pointer, slot);
}

/// Repeats index arithmetic of the entry in the emitted function, as i64.
Value EntryProgram::indexValue(Value value) {
  if (std::optional<int64_t> number = getConstantIntValue(value))
    return constant(*number);
  if (Value known = indices.lookup(value))
    return known;
  Value result;
  if (auto dim = value.getDefiningOp<tensor::DimOp>()) {
    int64_t symbol = symbolOf.lookup({dim.getSource(), *dim.getConstantIndex()});
    Value slot = LLVM::GEPOp::create(b, dimensionValues.getType(), b.getI64Type(), dimensionValues,
                                     ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(symbol)});
    result = LLVM::LoadOp::create(b, b.getI64Type(), slot);
  } else {
    IRMapping mapping;
    Operation *op = value.getDefiningOp();
    for (Value operand : op->getOperands())
      mapping.map(operand,
                  arith::IndexCastOp::create(b, b.getIndexType(), indexValue(operand)).getResult());
    result = arith::IndexCastOp::create(b, b.getI64Type(), b.clone(*op, mapping)->getResult(0));
  }
  return indices[value] = result;
}

Value EntryProgram::sizeOf(Value tensor, int64_t axis) {
  OpFoldResult size = sizes.get(tensor, axis);
  if (std::optional<int64_t> number = getConstantIntValue(size))
    return constant(*number);
  return indexValue(cast<Value>(size));
}

/// Sizes stop growing here: a sum of two does not overflow, and no memory has so many bytes.
static constexpr int64_t kTooManyBytes = int64_t(1) << 62;

Value EntryProgram::bytesOf(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  int64_t known = std::max(1u, type.getElementTypeBitWidth() / 8);
  for (int64_t size : type.getShape())
    known *= ShapedType::isDynamic(size) ? 1 : size;
  Value bytes = constant(known), most = constant(kTooManyBytes), none = constant(0);
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    if (!type.isDynamicDim(axis))
      continue;
    auto product = arith::MulUIExtendedOp::create(b, bytes, sizeOf(tensor, axis));
    Value overflows = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, product.getHigh(), none);
    Value low = arith::MinUIOp::create(b, product.getLow(), most);
    bytes = arith::SelectOp::create(b, overflows, most, low);
  }
  return bytes;
}

SmallVector<Value> EntryProgram::slotOffsets() {
  SmallVector<Value> bytes;
  for (auto launch : function.getOps<LaunchOp>())
    for (auto [result, place] :
         llvm::zip(launch.getResults(), launch->getAttrOfType<ArrayAttr>(kPlacesAttr)))
      if (auto slot = dyn_cast<SlotAttr>(place)) {
        if (slot.getNumber() >= static_cast<int64_t>(bytes.size()))
          bytes.resize(slot.getNumber() + 1);
        Value own = bytesOf(result);
        Value &most = bytes[slot.getNumber()];
        most = most ? arith::MaxUIOp::create(b, most, own).getResult() : own;
      }
  SmallVector<Value> offsets{constant(0)};
  for (Value size : bytes) {
    Value rounded = arith::AndIOp::create(b, arith::AddIOp::create(b, size, constant(63)),
                                          constant(~int64_t(63)));
    Value sum = arith::AddIOp::create(b, offsets.back(), rounded);
    offsets.push_back(arith::MinUIOp::create(b, sum, constant(kTooManyBytes)));
  }
  return offsets;
}

//===----------------------------------------------------------------------===//
// plan
//===----------------------------------------------------------------------===//

void EntryProgram::emitPlan() {
  start(planSymbol(), b.getI64Type(), 2);
  dimensionValues = current.getArgument(0);
  int32_t position = 0;
  for (Value value : function.getBody().front().getTerminator()->getOperands())
    for (int64_t axis = 0; axis < cast<RankedTensorType>(value.getType()).getRank(); ++axis) {
      Value slot = LLVM::GEPOp::create(b, current.getArgument(1).getType(), b.getI64Type(),
                                       current.getArgument(1), ArrayRef<LLVM::GEPArg>{position++});
      LLVM::StoreOp::create(b, sizeOf(value, axis), slot);
    }
  auto fixed = function->getAttrOfType<IntegerAttr>(kArenaBytesAttr);
  if (fixed) {
    LLVM::ReturnOp::create(b, constant(fixed.getInt()));
    return;
  }
  Value bytes = slotOffsets().back();
  Value fits = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, bytes, constant(kTooManyBytes));
  LLVM::ReturnOp::create(b, arith::SelectOp::create(b, fits, bytes, constant(-1)).getResult());
}

//===----------------------------------------------------------------------===//
// run
//===----------------------------------------------------------------------===//

namespace {
/// Arguments of `run`.
enum { Services, Arena, Variables, Arguments, Results, Dimensions, RunArgumentCount };
} // namespace

void EntryProgram::emitRun() {
  start(runSymbol(), LLVM::LLVMVoidType::get(b.getContext()), RunArgumentCount);
  dimensionValues = current.getArgument(Dimensions);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  int64_t words = 1;
  for (auto launch : function.getOps<LaunchOp>())
    words = std::max<int64_t>(words, launch->getNumOperands() + launch->getNumResults());
  frame = LLVM::AllocaOp::create(b, pointer, b.getI64Type(), constant(words), /*alignment=*/64);
  work = LLVM::AllocaOp::create(b, pointer, b.getI64Type(), constant(2), /*alignment=*/16);
  for (BlockArgument argument : function.getArguments())
    pointers[argument] = pointerAt(current.getArgument(Arguments), argument.getArgNumber());
  for (auto read : function.getOps<ReadOp>())
    pointers[read] = variablePointer(read.getVariable());
  for (auto constant : function.getOps<ConstantOp>())
    if (auto data = constant->getAttrOfType<FlatSymbolRefAttr>(kDataAttr))
      pointers[constant] = LLVM::AddressOfOp::create(b, pointer, data.getValue());
  SmallVector<Value> slots = slotOffsets();
  for (auto op : function.getOps<LaunchOp>())
    launch(op, slots);
  finish();
  LLVM::ReturnOp::create(b, ValueRange());
}

Value EntryProgram::locate(OpResult result, unsigned number, ArrayRef<Value> slots) {
  Attribute place =
      cast<LaunchOp>(result.getOwner())->getAttrOfType<ArrayAttr>(kPlacesAttr)[number];
  if (auto in = dyn_cast<InVariableAttr>(place))
    return variablePointer(in.getVariable().getValue());
  if (auto in = dyn_cast<InResultAttr>(place))
    return pointerAt(current.getArgument(Results), in.getNumber());
  auto slot = dyn_cast<SlotAttr>(place);
  Value offset = slot ? slots[slot.getNumber()] : constant(cast<ArenaAttr>(place).getOffset());
  return LLVM::GEPOp::create(b, current.getArgument(Arena).getType(), b.getI8Type(),
                             current.getArgument(Arena), ArrayRef<LLVM::GEPArg>{offset});
}

void EntryProgram::launch(LaunchOp op, ArrayRef<Value> slots) {
  b.setLoc(op.getLoc());
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  SmallVector<Value> words;
  for (Value argument : op.getArguments())
    words.push_back(argument.getType().isIndex() ? indexValue(argument)
                                                 : pointers.lookup(argument));
  for (OpResult result : op->getResults())
    words.push_back(pointers[result] = locate(result, result.getResultNumber(), slots));
  for (auto [number, word] : llvm::enumerate(words)) {
    Value slot = LLVM::GEPOp::create(b, pointer, b.getI64Type(), frame,
                                     ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(number)});
    LLVM::StoreOp::create(b, word, slot);
  }
  std::string name = op.getKernel().str();
  auto counter =
      SymbolTable::lookupNearestSymbolFrom<LLVM::LLVMFuncOp>(op, b.getStringAttr(name + ".tasks"));
  Value count = LLVM::CallOp::create(b, counter, ValueRange{frame, work}).getResult();
  Value second = LLVM::GEPOp::create(b, pointer, b.getI64Type(), work, ArrayRef<LLVM::GEPArg>{1});
  Value flops = LLVM::LoadOp::create(b, b.getI64Type(), work),
        bytes = LLVM::LoadOp::create(b, b.getI64Type(), second);
  // gen_services: two 32-bit fields, then `context` and `launch`.
  Value context = pointerAt(current.getArgument(Services), 1),
        callee = pointerAt(current.getArgument(Services), 2);
  Value info = LLVM::AddressOfOp::create(b, pointer, name + ".info");
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()),
      {pointer, pointer, b.getI64Type(), pointer, b.getI64Type(), b.getI64Type()});
  LLVM::CallOp::create(b, type, ValueRange{callee, context, info, count, frame, flops, bytes});
}

void EntryProgram::copy(Value to, Value from, Value tensor) {
  LLVM::MemcpyOp::create(b, to, from, bytesOf(tensor), /*isVolatile=*/false);
}

/// Copies what could not be computed in its place: results first, since they may be old values of
/// variables.
void EntryProgram::finish() {
  auto placeOf = [](Value value) -> Attribute {
    auto launch = value.getDefiningOp<LaunchOp>();
    return launch ? launch->getAttrOfType<ArrayAttr>(
                        kPlacesAttr)[cast<OpResult>(value).getResultNumber()]
                  : Attribute();
  };
  for (auto [number, value] :
       llvm::enumerate(function.getBody().front().getTerminator()->getOperands())) {
    auto in = dyn_cast_if_present<InResultAttr>(placeOf(value));
    if (!in || in.getNumber() != static_cast<int64_t>(number))
      copy(pointerAt(current.getArgument(Results), number), pointers.lookup(value), value);
  }
  SmallVector<AssignOp> pending;
  for (auto assign : function.getOps<AssignOp>()) {
    auto in = dyn_cast_if_present<InVariableAttr>(placeOf(assign.getValue()));
    auto read = assign.getValue().getDefiningOp<ReadOp>();
    if ((!in || in.getVariable() != assign.getVariableAttr()) &&
        (!read || read.getVariable() != assign.getVariable()))
      pending.push_back(assign);
  }
  assignAtOnce(pending);
}

Value EntryProgram::variablePointer(StringRef variable) {
  return pointerAt(current.getArgument(Variables), variables.lookup(variable));
}

/// Assignments read the values before the call: a variable is written after those that take its old
/// value, and where each waits for another (%a <- old @b, %b <- old @a) all rotate together.
void EntryProgram::assignAtOnce(SmallVector<AssignOp> pending) {
  auto source = [](AssignOp assign) {
    auto read = assign.getValue().getDefiningOp<ReadOp>();
    return read ? read.getVariable() : StringRef();
  };
  while (!pending.empty()) {
    auto *free = llvm::find_if(pending, [&](AssignOp assign) {
      return llvm::none_of(pending,
                           [&](AssignOp other) { return source(other) == assign.getVariable(); });
    });
    if (free != pending.end()) {
      AssignOp assign = *free;
      pending.erase(free);
      copy(variablePointer(assign.getVariable()), pointers.lookup(assign.getValue()),
           assign.getValue());
      continue;
    }
    SmallVector<AssignOp> cycle{pending.front()};
    while (source(cycle.back()) != cycle.front().getVariable())
      cycle.push_back(*llvm::find_if(
          pending, [&](AssignOp assign) { return assign.getVariable() == source(cycle.back()); }));
    rotate(cycle);
    llvm::erase_if(pending, [&](AssignOp assign) { return llvm::is_contained(cycle, assign); });
  }
}

/// Each variable of the cycle takes the value of the next, the last one that of the first.
void EntryProgram::rotate(ArrayRef<AssignOp> cycle) {
  AssignOp first = cycle.front();
  auto type = cast<RankedTensorType>(first.getValue().getType());
  Type elementType = type.getElementType();
  if (elementType.isInteger(1))
    elementType = b.getI8Type();
  SmallVector<Value> memory;
  for (AssignOp assign : cycle)
    memory.push_back(variablePointer(assign.getVariable()));
  auto loop = scf::ForOp::create(b, constant(0), constant(type.getNumElements()), constant(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> elements, addresses;
  for (Value pointer : memory) {
    addresses.push_back(LLVM::GEPOp::create(b, pointer.getType(), elementType, pointer,
                                            ArrayRef<LLVM::GEPArg>{loop.getInductionVar()}));
    elements.push_back(LLVM::LoadOp::create(b, elementType, addresses.back()));
  }
  for (size_t i = 0; i < memory.size(); ++i)
    LLVM::StoreOp::create(b, elements[(i + 1) % elements.size()], addresses[i]);
}
