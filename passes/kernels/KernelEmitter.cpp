//===- KernelEmitter.cpp - from a kernel's body to code -------------------===//

#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

//===----------------------------------------------------------------------===//
// KernelFunction
//===----------------------------------------------------------------------===//

KernelFunction::KernelFunction(KernelOp kernel, LLVM::LLVMFuncOp function, ImplicitLocOpBuilder &b,
                               Words words)
    : kernel(kernel), yield(cast<YieldOp>(kernel.getBody().front().getTerminator())),
      function(function), b(b), wordsAre(words), sizes(kernelSizes(kernel)) {
  b.setInsertionPointToStart(function.addEntryBlock(b));
}

KernelFunction::KernelFunction(KernelOp kernel, KernelFunction &group, ArrayRef<Value> words)
    : kernel(kernel), yield(cast<YieldOp>(kernel.getBody().front().getTerminator())),
      function(group.function), b(group.b), wordsAre(group.wordsAre), ownWords(words),
      sizes(kernelSizes(kernel)) {}

SmallVector<Value> KernelFunction::wordsOf(LaunchOp part) {
  SmallVector<Value> words;
  for (Value argument : part.getArguments())
    words.push_back(argument.getType().isIndex() ? toI64(argument)
                                                 : pointer(cast<BlockArgument>(argument)));
  for (Value result : part.getResults()) {
    auto yielded = llvm::find(yield.getValues(), result);
    words.push_back(resultPointer(yielded - yield.getValues().begin()));
  }
  return words;
}

Value KernelFunction::word(int64_t number, Type type) {
  if (!ownWords.empty())
    return ownWords[number];
  if (wordsAre == Words::AsArguments)
    return function.getArgument(number);
  Value &value = words[number];
  if (!value) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function.getBody().front());
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    Value slot = LLVM::GEPOp::create(b, pointer, b.getI64Type(), function.getArgument(0),
                                     ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(number)});
    value = LLVM::LoadOp::create(b, type, slot, /*alignment=*/8, /*isVolatile=*/false,
                                 /*isNonTemporal=*/false,
                                 /*isInvariant=*/true);
  }
  return value;
}

Value KernelFunction::pointer(BlockArgument argument) {
  return word(argument.getArgNumber(), LLVM::LLVMPointerType::get(b.getContext()));
}

Value KernelFunction::resultPointer(unsigned number) {
  return word(kernel.getBody().front().getNumArguments() + number,
              LLVM::LLVMPointerType::get(b.getContext()));
}

Value KernelFunction::anyPointer() {
  return wordsAre == Words::InFrame ? function.getArgument(0) : resultPointer(0);
}

/// Index arithmetic of the kernel's body is repeated at the top of the function.
Value KernelFunction::toI64(Value indexValue) {
  if (std::optional<int64_t> number = getConstantIntValue(indexValue))
    return i64Constant(b, *number);
  Value &value = indices[indexValue];
  if (value)
    return value;
  if (auto argument = dyn_cast<BlockArgument>(indexValue))
    return value = word(argument.getArgNumber(), b.getI64Type());
  Operation *op = indexValue.getDefiningOp();
  IRMapping mapping;
  OpBuilder::InsertionGuard guard(b); // before the operands: constants are made at the top, too
  Block &entry = function.getBody().front();
  b.setInsertionPointToStart(&entry);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(toI64(operand));
  b.setInsertionPointToStart(&entry);
  for (Value operand : operands)
    if (Operation *last = operand.getDefiningOp(); last && last->getBlock() == &entry &&
                                                   b.getInsertionPoint() != entry.end() &&
                                                   !last->isBeforeInBlock(&*b.getInsertionPoint()))
      b.setInsertionPointAfter(last);
  for (auto [operand, known] : llvm::zip(op->getOperands(), operands))
    mapping.map(operand, arith::IndexCastOp::create(b, b.getIndexType(), known).getResult());
  Value result = b.clone(*op, mapping)->getResult(0);
  return indices[indexValue] = arith::IndexCastOp::create(b, b.getI64Type(), result);
}

Value KernelFunction::size(Value tensor, int64_t axis) {
  OpFoldResult size = sizes.get(tensor, axis);
  if (std::optional<int64_t> number = getConstantIntValue(size))
    return i64Constant(b, *number);
  return toI64(cast<Value>(size));
}

Value KernelFunction::product(Value tensor, ArrayRef<int64_t> axes) {
  Value result = i64Constant(b, 1);
  for (int64_t axis : axes)
    result = b.createOrFold<arith::MulIOp>(result, size(tensor, axis));
  return result;
}

Value KernelFunction::scalar(BlockArgument argument) {
  Value &value = scalars[argument];
  if (!value) {
    Value from = pointer(argument);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfterValue(from);
    Type type = cast<RankedTensorType>(argument.getType()).getElementType();
    bool boolean = type.isInteger(1);
    value = LLVM::LoadOp::create(b, boolean ? b.getI8Type() : type, from);
    if (boolean)
      value = arith::TruncIOp::create(b, type, value);
  }
  return value;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

static bool sameIndex(const Index &lhs, const Index &rhs) {
  std::optional<int64_t> number = getConstantIntValue(lhs.value);
  return lhs.kind == rhs.kind &&
         (lhs.value == rhs.value || (number && number == getConstantIntValue(rhs.value)));
}

static bool sameIndices(const Indices &lhs, const Indices &rhs) {
  return lhs.size() == rhs.size() && llvm::all_of(llvm::zip(lhs, rhs), [](auto pair) {
           return sameIndex(std::get<0>(pair), std::get<1>(pair));
         });
}

Value KernelEmitter::elementAt(Value tensor, const Indices &at) {
  if (Value element = bound.lookup(tensor))
    return isa<VectorType>(element.getType()) ? element : splat(element);
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    if (isOneElement(cast<RankedTensorType>(argument.getType())))
      return splat(function.scalar(argument));
    return load(argument, position(tensor, at));
  }
  for (const Computed &known : computed)
    if (known.tensor == tensor && known.mask == laneMask && sameIndices(known.at, at))
      return known.element;
  Value mask = laneMask;
  Value element = cast<PointwiseOpInterface>(tensor.getDefiningOp()).emitAt(*this, at);
  computed.push_back({tensor, mask, element, at});
  return element;
}

Value KernelEmitter::elementAtPosition(Value tensor, Index position) {
  auto argument = dyn_cast<BlockArgument>(tensor);
  if (argument && !isOneElement(cast<RankedTensorType>(argument.getType())))
    return load(argument, position);
  if (isFlat())
    return elementAt(tensor, {position});
  Indices at(cast<RankedTensorType>(tensor.getType()).getRank());
  for (int64_t axis = static_cast<int64_t>(at.size()) - 1; axis >= 0; --axis) {
    if (axis == 0) {
      at[axis] = position;
      break;
    }
    Value extent = size(tensor, axis);
    at[axis] = remainder(position, extent);
    position = divide(position, extent);
  }
  return elementAt(tensor, at);
}

Value KernelEmitter::masked(Value mask, llvm::function_ref<Value()> emit) {
  Value outer = laneMask, outerCondition = condition;
  condition = condition ? arith::AndIOp::create(b, condition, mask).getResult() : mask;
  laneMask = outer ? arith::AndIOp::create(b, outer, mask).getResult() : mask;
  Value element = emit();
  laneMask = outer;
  condition = outerCondition;
  return element;
}

/// One element is loaded for all lanes: where no lane may touch memory, from some that is always
/// there.
Value KernelEmitter::guarded(Value address) {
  if (!condition)
    return address;
  Value any = condition;
  if (lanes() > 1)
    any = vector::ReductionOp::create(b, vector::CombiningKind::OR, condition);
  return arith::SelectOp::create(b, any, address, function.anyPointer());
}

void KernelEmitter::storeResults(const Indices &at) {
  unsigned count = function.yield.getValues().size();
  storeResults(llvm::to_vector(llvm::seq<unsigned>(0, count)), at);
}

void KernelEmitter::storeResults(ArrayRef<unsigned> numbers, const Indices &at) {
  // All elements before the first store: a result may lie where an argument is still to be read.
  SmallVector<Stored> elements;
  for (unsigned number : numbers)
    addElements(number, at, elements);
  for (const Stored &stored : elements) {
    Value value = function.yield.getValues()[stored.result];
    store(function.resultPointer(stored.result), getElementTypeOrSelf(value), stored.element,
          position(value, stored.at));
  }
}

void KernelEmitter::addElements(unsigned number, const Indices &at,
                                SmallVectorImpl<Stored> &elements) {
  Value value = function.yield.getValues()[number];
  Indices place = at;
  if (ConcatOp concat = concatOf(function.kernel, value)) {
    for (Value part : concat.getInputs()) {
      elements.push_back({number, elementAt(part, at), place});
      Index &index = place[concat.getAxis()];
      index = add(index, size(part, concat.getAxis()));
    }
    return;
  }
  PadOp frame = function.isOnDevice() ? PadOp() : frameOf(function.kernel, value);
  if (frame)
    for (auto [index, low] : llvm::zip_equal(place, frame.getLow()))
      index = add(index, i64(low));
  elements.push_back({number, elementAt(frame ? frame.getInput() : value, at), place});
}

Value KernelEmitter::address(Value pointer, Type elementType, Value position) {
  Type result = pointer.getType();
  if (auto vector = dyn_cast<VectorType>(position.getType()))
    result = VectorType::get(vector.getShape(), result);
  return LLVM::GEPOp::create(b, result, elementType, pointer, ArrayRef<LLVM::GEPArg>{position});
}

Value KernelEmitter::load(BlockArgument argument, Index position) {
  return load(function.pointer(argument), getElementTypeOrSelf(argument), position);
}

Value KernelEmitter::load(Value pointer, Type elementType, Index position) {
  bool boolean = elementType.isInteger(1);
  Type memoryType = boolean ? b.getI8Type() : elementType;
  unsigned alignment = std::max(1u, memoryType.getIntOrFloatBitWidth() / 8);
  Value from = address(pointer, memoryType, position.value), element;
  if (lanes() == 1) {
    element = LLVM::LoadOp::create(b, memoryType, guarded(from), alignment);
  } else if (position.kind == Index::Uniform) {
    element = splat(LLVM::LoadOp::create(b, memoryType, guarded(from), alignment));
  } else {
    auto type = VectorType::get(lanes(), memoryType);
    Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(type));
    if (position.kind == Index::PerLane) {
      Value mask =
          laneMask ? laneMask
                   : arith::ConstantOp::create(
                         b, DenseElementsAttr::get(VectorType::get(lanes(), b.getI1Type()), true))
                         .getResult();
      element =
          LLVM::masked_gather::create(b, type, from, mask, zeros, b.getI32IntegerAttr(alignment));
    } else if (laneMask) {
      element = LLVM::MaskedLoadOp::create(b, type, from, laneMask, zeros,
                                           b.getI32IntegerAttr(alignment));
    } else {
      element = LLVM::LoadOp::create(b, type, from, alignmentAt(position, alignment));
    }
  }
  return boolean ? arith::TruncIOp::create(b, laneType(elementType), element).getResult() : element;
}

void KernelEmitter::store(Value pointer, Type elementType, Value element, Index position) {
  if (elementType.isInteger(1)) {
    elementType = b.getI8Type();
    element = arith::ExtUIOp::create(b, laneType(elementType), element);
  }
  unsigned alignment = std::max(1u, elementType.getIntOrFloatBitWidth() / 8);
  Value to = address(pointer, elementType, position.value);
  if (lanes() > 1 && laneMask)
    LLVM::MaskedStoreOp::create(b, element, to, laneMask, b.getI32IntegerAttr(alignment));
  else
    LLVM::StoreOp::create(b, element, to, alignmentAt(position, alignment));
}

/// How often an index can be halved, whatever it is when it runs.
static unsigned knownHalvings(Value value, unsigned mostOps = 16) {
  constexpr unsigned kBits = 64;
  if (std::optional<int64_t> number = getConstantIntValue(value))
    return static_cast<unsigned>(llvm::countr_zero(static_cast<uint64_t>(*number)));
  if (mostOps == 0)
    return 0;
  auto ofAll = [&](ValueRange values) {
    unsigned least = kBits;
    for (Value other : values)
      least = std::min(least, knownHalvings(other, mostOps - 1));
    return least;
  };
  Operation *op = value.getDefiningOp();
  if (!op) {
    auto loop = dyn_cast<scf::ForOp>(value.getParentBlock()->getParentOp());
    return loop && loop.getInductionVar() == value ? ofAll({loop.getLowerBound(), loop.getStep()})
                                                   : 0;
  }
  if (isa<arith::MulIOp>(op))
    return std::min(kBits, knownHalvings(op->getOperand(0), mostOps - 1) +
                               knownHalvings(op->getOperand(1), mostOps - 1));
  if (isa<arith::AddIOp, arith::SubIOp, arith::RemUIOp, arith::MinSIOp, arith::MaxSIOp>(op))
    return ofAll(op->getOperands());
  if (isa<arith::SelectOp>(op))
    return ofAll(op->getOperands().drop_front());
  return 0;
}

/// Of what the lanes have side by side.
unsigned KernelEmitter::alignmentAt(Index position, unsigned bytesOfElement) const {
  int64_t bytes = std::min(lanes() * bytesOfElement, alignmentOfMemory);
  if (bytes <= bytesOfElement || position.kind != Index::Consecutive)
    return bytesOfElement;
  return static_cast<unsigned>(
      std::min(bytes, int64_t(bytesOfElement) << std::min(knownHalvings(position.value), 8u)));
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

bool mlir::gen::kernels::isOneElement(RankedTensorType type) {
  return type.hasStaticShape() && type.getNumElements() == 1;
}

bool mlir::gen::kernels::hasEqualParts(ConcatOp concat) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(concat.getInputs().front().getType()).getShape();
  return llvm::all_equal(concat.getInputs().getTypes()) &&
         llvm::any_of(shape.drop_front(concat.getAxis()), [](int64_t size) { return size != 1; });
}

/// The type of the parts of a concatenation that nobody else in a kernel reads, if it is of parts
/// of one type; null if it is not.
static RankedTensorType typeOfParts(Value result) {
  auto concat = result.getDefiningOp<ConcatOp>();
  return concat && concat->hasOneUse() && hasEqualParts(concat)
             ? cast<RankedTensorType>(concat.getInputs().front().getType())
             : RankedTensorType();
}

ConcatOp mlir::gen::kernels::concatOf(KernelOp kernel, Value result) {
  RankedTensorType part = typeOfParts(result);
  if (!part || (kernel.getFamily() != "pointwise" && kernel.getFamily() != "contraction"))
    return {};
  auto yield = cast<YieldOp>(kernel.getBody().front().getTerminator());
  bool isOfParts = llvm::all_of(yield.getValues(), [&](Value other) {
    PadOp frame = frameOf(kernel, other);
    RankedTensorType type = frame ? frame.getInput().getType() : typeOfParts(other);
    if (!type)
      type = cast<RankedTensorType>(other.getType());
    return type.getShape() == part.getShape();
  });
  return isOfParts ? result.getDefiningOp<ConcatOp>() : ConcatOp();
}

bool mlir::gen::kernels::isFlat(KernelOp kernel) {
  auto yield = cast<YieldOp>(kernel.getBody().front().getTerminator());
  if (yield.getValues().empty())
    return false;
  Sizes sizes = kernelSizes(kernel);
  Value shape = yield.getValues().front();
  auto fits = [&](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return !type || isOneElement(type) || sizes.sameShape(value, shape);
  };
  auto isReshapedMemory = [&](Operation &op) {
    auto reshape = dyn_cast<ReshapeOp>(op);
    return reshape && isa<BlockArgument>(reshape.getInput()) &&
           reshape.getType().hasStaticShape() && fits(reshape.getResult());
  };
  return llvm::all_of(kernel.getBody().front(), [&](Operation &op) {
    if (isReshapedMemory(op))
      return true;
    auto pointwise = dyn_cast<PointwiseOpInterface>(op);
    bool positional = pointwise && (pointwise.isElementwise() || pointwise.isPositional());
    return (positional || isa<YieldOp>(op) ||
            !isa<PointwiseOpInterface, ReductionOpInterface, ContractionOpInterface,
                 AnchorOpInterface>(op)) &&
           llvm::all_of(op.getOperands(), fits) && llvm::all_of(op.getResults(), fits);
  });
}

SmallVector<Value> mlir::gen::kernels::delinearize(KernelFunction &function, Value tensor,
                                                   ArrayRef<int64_t> axes, Value position) {
  ImplicitLocOpBuilder &b = function.b;
  SmallVector<Value> indices(axes.size());
  for (size_t i = axes.size(); i-- > 0;) {
    if (i == 0) {
      indices[0] = position;
      break;
    }
    Value extent = function.size(tensor, axes[i]);
    indices[i] = b.createOrFold<arith::RemUIOp>(position, extent);
    position = b.createOrFold<arith::DivUIOp>(position, extent);
  }
  return indices;
}

Value mlir::gen::kernels::lanesBelow(ImplicitLocOpBuilder &b, Value count, int64_t lanes) {
  auto numbers = llvm::to_vector(llvm::seq<int32_t>(0, static_cast<int32_t>(lanes)));
  Value steps = arith::ConstantOp::create(b, b.getI32VectorAttr(numbers));
  Value narrow = arith::TruncIOp::create(b, b.getI32Type(), count);
  Value limit = vector::BroadcastOp::create(b, steps.getType(), narrow);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, steps, limit);
}

void mlir::gen::kernels::emitLaneLoop(ImplicitLocOpBuilder &b, Value from, Value to, int64_t lanes,
                                      bool once, llvm::function_ref<void(Value, Value)> body) {
  Value step = i64Constant(b, lanes), end = to, left;
  if (!once) {
    left = b.createOrFold<arith::RemUIOp>(arith::SubIOp::create(b, to, from).getResult(), step);
    end = arith::SubIOp::create(b, to, left);
  }
  auto loop = scf::ForOp::create(b, from, end, step);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value i = loop.getInductionVar(), mask;
  if (once && lanes > 1) {
    Value rest = arith::SubIOp::create(b, to, i);
    mask = lanesBelow(b, arith::MinUIOp::create(b, rest, step), lanes);
  }
  body(i, mask);
  b.setInsertionPointAfter(loop);
  if (once || lanes == 1)
    return;
  Value some = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, left, i64Constant(b, 0));
  auto branch = scf::IfOp::create(b, some, /*withElseRegion=*/false);
  b.setInsertionPointToStart(branch.thenBlock());
  body(end, lanesBelow(b, left, lanes));
}

int64_t mlir::gen::kernels::bodyCost(KernelOp kernel) {
  int64_t cost = 0;
  for (Operation &op : kernel.getBody().front())
    if (auto pointwise = dyn_cast<PointwiseOpInterface>(op))
      cost += pointwise.elementCost();
  return cost;
}

bool mlir::gen::kernels::isEmittedOnce(KernelOp kernel) {
  constexpr int64_t kLong = 50;
  return bodyCost(kernel) > kLong;
}

Value mlir::gen::kernels::i64Constant(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantOp::create(b, b.getI64IntegerAttr(value));
}

Value mlir::gen::kernels::ceilDivide(ImplicitLocOpBuilder &b, Value value, Value divisor) {
  Value more = b.createOrFold<arith::SubIOp>(divisor, i64Constant(b, 1));
  return b.createOrFold<arith::DivUIOp>(b.createOrFold<arith::AddIOp>(value, more), divisor);
}

int64_t mlir::gen::kernels::scheduled(KernelOp kernel, StringRef key, int64_t otherwise) {
  DictionaryAttr schedule = kernel.getScheduleAttr();
  auto number = schedule ? schedule.getAs<IntegerAttr>(key) : IntegerAttr();
  return number ? number.getInt() : otherwise;
}
