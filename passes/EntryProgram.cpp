//===- EntryProgram.cpp - the code of one entry ---------------------------===//

#include "passes/EntryProgram.h"

#include "passes/DeviceCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::gen;

EntryProgram::EntryProgram(func::FuncOp function, const llvm::StringMap<int64_t> &variables)
    : function(function), variables(variables), sizes(entrySizes(function)),
      b(function.getLoc(), function.getContext()),
      onDevice(isForDevice(function->getParentOfType<ModuleOp>())) {
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
  current.setOptimizeNone(true); // a third of a large model's code, and none of its time
  current.setNoInline(true);
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
  } else if (auto extract =
                 value.getDefiningOp()->getOperand(0).getDefiningOp<tensor::ExtractOp>()) {
    return indexValue(extract);
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
  auto add = [&](Value value, Attribute place) {
    auto slot = dyn_cast<SlotAttr>(place);
    if (!slot)
      return;
    if (slot.getNumber() >= static_cast<int64_t>(bytes.size()))
      bytes.resize(slot.getNumber() + 1);
    Value own = bytesOf(value);
    Value &most = bytes[slot.getNumber()];
    most = most ? arith::MaxUIOp::create(b, most, own).getResult() : own;
  };
  function.walk([&](Operation *op) {
    auto places = op->getAttrOfType<ArrayAttr>(kPlacesAttr);
    if (!places)
      return;
    for (auto [result, place] : llvm::zip(op->getResults(), places))
      if (auto both = dyn_cast<ArrayAttr>(place))
        for (Attribute each : both)
          add(result, each);
      else
        add(result, place);
  });
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

/// gen_services in words of 8 bytes: two 32-bit fields, the context, then functions.
enum { ServiceContext = 1, ServiceLaunch, ServiceCopy, ServiceExchange, ServiceConstant };
} // namespace

/// In parts if there are many launches, since compilers take their time for long functions. What a
/// loop carries is known to one function only.
SmallVector<ArrayRef<Operation *>> EntryProgram::partsOf(ArrayRef<Operation *> ops) {
  constexpr size_t kPart = 64;
  bool isOne = ops.size() < 2 * kPart || llvm::any_of(ops, llvm::IsaPred<scf::ForOp>) ||
               !function->hasAttr(kArenaBytesAttr);
  SmallVector<ArrayRef<Operation *>> parts;
  for (; !isOne && ops.size() > kPart; ops = ops.drop_front(kPart))
    parts.push_back(ops.take_front(kPart));
  parts.push_back(ops);
  return parts;
}

void EntryProgram::startRun(const std::string &symbol) {
  start(symbol, LLVM::LLVMVoidType::get(b.getContext()), RunArgumentCount);
  dimensionValues = current.getArgument(Dimensions);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  int64_t words = 1;
  function.walk([&](LaunchOp launch) {
    words = std::max<int64_t>(words, launch->getNumOperands() + launch->getNumResults());
  });
  frame = LLVM::AllocaOp::create(b, pointer, b.getI64Type(), constant(words), /*alignment=*/64);
  work = LLVM::AllocaOp::create(b, pointer, b.getI64Type(), constant(2), /*alignment=*/16);
  slots = slotOffsets();
}

void EntryProgram::emitRun() {
  SmallVector<Operation *> ops;
  for (Operation &op : function.getBody().front())
    if (isa<LaunchOp, scf::ForOp, DynamicUpdateSliceOp, tensor::ExtractOp>(op))
      ops.push_back(&op);
  SmallVector<ArrayRef<Operation *>> parts = partsOf(ops);
  SmallVector<LLVM::LLVMFuncOp> functions;
  for (ArrayRef<Operation *> part : ArrayRef(parts).drop_back()) {
    startRun(runSymbol() + "." + std::to_string(functions.size()));
    emitOps(part);
    LLVM::ReturnOp::create(b, ValueRange());
    functions.push_back(current);
  }
  startRun(runSymbol());
  for (LLVM::LLVMFuncOp part : functions)
    LLVM::CallOp::create(b, part, current.getArguments());
  emitOps(parts.back());
  finish();
  LLVM::ReturnOp::create(b, ValueRange());
}

/// Where a value lies. Addresses that the caller gives are read where they are used: there may be
/// thousands, and registers are few.
Value EntryProgram::pointerTo(Value value) {
  if (Value known = pointers.lookup(value))
    return known;
  if (auto argument = dyn_cast<BlockArgument>(value))
    return pointerAt(current.getArgument(Arguments), argument.getArgNumber());
  if (auto read = value.getDefiningOp<ReadOp>())
    return variablePointer(read.getVariable());
  if (auto reshape = value.getDefiningOp<ReshapeOp>())
    return pointerTo(reshape.getInput());
  if (auto slice = value.getDefiningOp<DynamicSliceOp>())
    return sliceAt(pointerTo(slice.getInput()), slice.getInput(), slice.getIndex(), slice.getAxis(),
                   slice.getLength());
  if (auto update = value.getDefiningOp<DynamicUpdateSliceOp>()) {
    auto places = update->getAttrOfType<ArrayAttr>(kPlacesAttr);
    return places ? pointerOf(places[0]) : pointerTo(update.getInput());
  }
  if (auto constant = value.getDefiningOp<ConstantOp>()) {
    auto data = constant->getAttrOfType<FlatSymbolRefAttr>(kDataAttr);
    Type pointer = LLVM::LLVMPointerType::get(b.getContext());
    Value address = LLVM::AddressOfOp::create(b, pointer, data.getValue());
    if (!onDevice)
      return address;
    return callService(ServiceConstant, pointer, {address, bytesOf(constant)}).getResult();
  }
  return locate(cast<OpResult>(value)); // of a launch in another part
}

void EntryProgram::emitOps(ArrayRef<Operation *> ops) {
  for (Operation *op : ops) {
    b.setLoc(op->getLoc());
    if (auto launched = dyn_cast<LaunchOp>(op))
      launch(launched);
    else if (auto repeated = dyn_cast<scf::ForOp>(op))
      loop(repeated);
    else if (auto updated = dyn_cast<DynamicUpdateSliceOp>(op))
      update(updated);
    else if (auto extracted = dyn_cast<tensor::ExtractOp>(op))
      extract(extracted);
  }
}

/// Reads a number, or 0 or 1 for a condition, of which a loop's bound is made.
void EntryProgram::extract(tensor::ExtractOp op) {
  Value from = pointerTo(op.getTensor());
  if (op.getType().isInteger(64)) {
    indices[op] = LLVM::LoadOp::create(b, b.getI64Type(), from);
    return;
  }
  Value byte = LLVM::LoadOp::create(b, b.getI8Type(), from);
  Value none = arith::ConstantOp::create(b, b.getI8IntegerAttr(0));
  Value holds = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, byte, none);
  indices[op] = arith::ExtUIOp::create(b, b.getI64Type(), holds);
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

/// The one op that puts a launch's result into a slice.
static DynamicUpdateSliceOp updateWith(Value value) {
  for (Operation *user : value.getUsers()) {
    if (auto update = dyn_cast<DynamicUpdateSliceOp>(user))
      return update;
    if (auto reshape = dyn_cast<ReshapeOp>(user))
      if (auto update = updateWith(reshape))
        return update;
  }
  return {};
}

/// Where a launch writes its result, or null.
static Attribute placeOfLaunched(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getInput();
  auto launch = value.getDefiningOp<LaunchOp>();
  return launch ? launch->getAttrOfType<ArrayAttr>(
                      kPlacesAttr)[cast<OpResult>(value).getResultNumber()]
                : Attribute();
}

Value EntryProgram::locate(OpResult result) {
  Attribute place = placeOfLaunched(result);
  if (auto in = dyn_cast<NextAttr>(place))
    return next[in.getNumber()];
  if (!isa<InSliceAttr>(place))
    return pointerOf(place);
  DynamicUpdateSliceOp update = updateWith(result);
  return sliceAt(pointerTo(update.getInput()), update.getInput(), update.getIndex(),
                 update.getAxis(), update.getLength());
}

Value EntryProgram::pointerOf(Attribute place) {
  if (auto in = dyn_cast<InVariableAttr>(place))
    return variablePointer(in.getVariable().getValue());
  if (auto in = dyn_cast<InResultAttr>(place))
    return pointerAt(current.getArgument(Results), in.getNumber());
  auto slot = dyn_cast<SlotAttr>(place);
  Value offset = slot ? slots[slot.getNumber()] : constant(cast<ArenaAttr>(place).getOffset());
  return LLVM::GEPOp::create(b, current.getArgument(Arena).getType(), b.getI8Type(),
                             current.getArgument(Arena), ArrayRef<LLVM::GEPArg>{offset});
}

Value EntryProgram::sliceAt(Value base, Value whole, Value index, int64_t axis, int64_t length) {
  Value last = arith::SubIOp::create(b, sizeOf(whole, axis), constant(length));
  Value start = arith::MinSIOp::create(b, indexValue(index), last);
  start = arith::MaxSIOp::create(b, start, constant(0));
  auto type = cast<RankedTensorType>(whole.getType());
  Value stride = constant(std::max(1u, type.getElementTypeBitWidth() / 8));
  for (int64_t inner = axis + 1; inner < type.getRank(); ++inner)
    stride = arith::MulIOp::create(b, stride, sizeOf(whole, inner));
  Value offset = arith::MulIOp::create(b, start, stride);
  return LLVM::GEPOp::create(b, base.getType(), b.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{offset});
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

void EntryProgram::update(DynamicUpdateSliceOp op) {
  Value to = pointerTo(op.getInput());
  if (auto places = op->getAttrOfType<ArrayAttr>(kPlacesAttr)) {
    Value whole = to;
    to = pointerOf(places[0]);
    copy(to, whole, op.getResult());
  }
  pointers[op] = to;
  if (isa_and_nonnull<InSliceAttr>(placeOfLaunched(op.getUpdate())))
    return;
  Value slice = sliceAt(to, op.getInput(), op.getIndex(), op.getAxis(), op.getLength());
  copy(slice, pointerTo(op.getUpdate()), op.getUpdate());
}

/// A loop around launches. What has two places goes through the loop as two pointers, which change
/// places in each step.
void EntryProgram::loop(scf::ForOp op) {
  auto places = op->getAttrOfType<ArrayAttr>(kPlacesAttr);
  auto copiesFirst = op->getAttrOfType<DenseBoolArrayAttr>(kCopyFirstAttr).asArrayRef();
  auto copiesNext = op->getAttrOfType<DenseBoolArrayAttr>(kCopyNextAttr).asArrayRef();
  SmallVector<Value> carried; // for each value: an index, a pointer, or two
  SmallVector<unsigned> positions;
  for (auto [number, init] : llvm::enumerate(op.getInits())) {
    positions.push_back(carried.size());
    if (init.getType().isIndex())
      carried.push_back(indexValue(init));
    for (Attribute place : cast<ArrayAttr>(places[number]))
      carried.push_back(pointerOf(place));
    if (copiesFirst[number])
      copy(carried[positions.back()], pointerTo(init), init);
  }
  auto takesTurns = [&](size_t number) { return cast<ArrayAttr>(places[number]).size() == 2; };
  Value lower = indexValue(op.getLowerBound()), upper = indexValue(op.getUpperBound()),
        step = indexValue(op.getStep());
  auto emitted = scf::ForOp::create(b, lower, upper, step, carried);
  auto outerIndices = indices;
  auto outerNext = next;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(emitted.getBody());
    indices[op.getInductionVar()] = emitted.getInductionVar();
    ValueRange inside = emitted.getRegionIterArgs();
    next.assign(op.getNumRegionIterArgs(), Value());
    for (auto [number, argument] : llvm::enumerate(op.getRegionIterArgs())) {
      Value now = inside[positions[number]];
      (argument.getType().isIndex() ? indices : pointers)[argument] = now;
      next[number] = takesTurns(number) ? inside[positions[number] + 1] : now;
    }
    SmallVector<Operation *> ops;
    for (Operation &inner : *op.getBody())
      ops.push_back(&inner);
    emitOps(ops);
    SmallVector<Value> yielded(inside);
    for (auto [number, value] : llvm::enumerate(op.getYieldedValues())) {
      if (copiesNext[number])
        copy(next[number], pointerTo(value), value);
      if (value.getType().isIndex())
        yielded[positions[number]] = indexValue(value);
      if (takesTurns(number))
        std::swap(yielded[positions[number]], yielded[positions[number] + 1]);
    }
    scf::YieldOp::create(b, yielded);
  }
  indices = std::move(outerIndices);
  next = std::move(outerNext);
  for (auto [number, result] : llvm::enumerate(op.getResults()))
    (result.getType().isIndex() ? indices : pointers)[result] =
        emitted.getResult(positions[number]);
}

void EntryProgram::launch(LaunchOp op) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  SmallVector<Value> words;
  for (Value argument : op.getArguments())
    words.push_back(argument.getType().isIndex() ? indexValue(argument) : pointerTo(argument));
  for (OpResult result : op->getResults())
    words.push_back(pointers[result] = locate(result));
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
  Value info = LLVM::AddressOfOp::create(b, pointer, name + ".info");
  callService(ServiceLaunch, LLVM::LLVMVoidType::get(b.getContext()),
              {info, count, frame, flops, bytes});
}

LLVM::CallOp EntryProgram::callService(int64_t number, Type result, ArrayRef<Value> arguments) {
  SmallVector<Value> operands{pointerAt(current.getArgument(Services), ServiceContext),
                              pointerAt(current.getArgument(Services), number)};
  SmallVector<Type> types{operands.front().getType()};
  std::swap(operands[0], operands[1]); // the callee comes first
  for (Value argument : arguments)
    types.push_back(argument.getType());
  llvm::append_range(operands, arguments);
  return LLVM::CallOp::create(b, LLVM::LLVMFunctionType::get(result, types), operands);
}

void EntryProgram::copy(Value to, Value from, Value tensor) {
  Value bytes = bytesOf(tensor);
  if (onDevice)
    callService(ServiceCopy, LLVM::LLVMVoidType::get(b.getContext()), {to, from, bytes});
  else
    LLVM::MemcpyOp::create(b, to, from, bytes, /*isVolatile=*/false);
}

void EntryProgram::exchange(Value one, Value other, Value tensor) {
  callService(ServiceExchange, LLVM::LLVMVoidType::get(b.getContext()),
              {one, other, bytesOf(tensor)});
}

/// Where a value of an entry lies as a whole, and for good; null if not at a fixed place.
static Attribute placeOf(Value value) {
  if (auto reshape = value.getDefiningOp<ReshapeOp>())
    return placeOf(reshape.getInput());
  if (auto update = value.getDefiningOp<DynamicUpdateSliceOp>()) {
    auto places = update->getAttrOfType<ArrayAttr>(kPlacesAttr);
    return places ? places[0] : placeOf(update.getInput());
  }
  if (auto loop = value.getDefiningOp<scf::ForOp>()) {
    auto places = cast<ArrayAttr>(
        loop->getAttrOfType<ArrayAttr>(kPlacesAttr)[cast<OpResult>(value).getResultNumber()]);
    return places.size() == 1 ? places[0] : Attribute();
  }
  return placeOfLaunched(value);
}

/// Copies what could not be computed in its place: results first, since they may be old values of
/// variables.
void EntryProgram::finish() {
  for (auto [number, value] :
       llvm::enumerate(function.getBody().front().getTerminator()->getOperands())) {
    auto in = dyn_cast_if_present<InResultAttr>(placeOf(value));
    if (!in || in.getNumber() != static_cast<int64_t>(number))
      copy(pointerAt(current.getArgument(Results), number), pointerTo(value), value);
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
  if (variable == argument || variable == result)
    return pointerAt(current.getArgument(variable == argument ? Arguments : Results), 0);
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
      copy(variablePointer(assign.getVariable()), pointerTo(assign.getValue()), assign.getValue());
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
  if (onDevice) { // the first one's value moves on until it is where it belongs
    for (size_t i = 0; i + 1 < memory.size(); ++i)
      exchange(memory[i], memory[i + 1], first.getValue());
    return;
  }
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
