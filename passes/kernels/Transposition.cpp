//===- Transposition.cpp - kernels that only transpose --------------------===//
//
// A kernel whose one result is its argument, reshaped and transposed, so that another axis is the
// contiguous one: vectors are read along the argument's, turned square by square in registers, and
// written along the result's. (Element by element, each would be a gather.)
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/ContractionTile.h"
#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

/// A distance in elements: a number, or that many times the one size that is not known.
struct Stride {
  int64_t factor = 1;
  bool ofUnknown = false;

  bool operator==(const Stride &) const = default;
  Stride operator*(int64_t steps) const { return {factor * steps, ofUnknown}; }
  Int times(Int count, Int unknown) const {
    return ofUnknown ? count * factor * unknown : count * factor;
  }
};

/// An axis of the loop nest: steps in both tensors. The extent of one may be dynamic.
struct Axis {
  int64_t extent;
  Stride from, to;

  bool isDynamic() const { return ShapedType::isDynamic(extent); }
};

/// The elements of a side of squares, contiguous in one tensor: an axis, or a few short ones.
struct Side {
  int64_t extent = 0;
  SmallVector<Stride> steps; ///< Of the first elements, up to `kLanes`, in the other tensor.
  Stride blockStep;          ///< From `kLanes` elements to the next ones there.
};

/// What a kernel moves.
struct Movement {
  BlockArgument source;
  Value result;
  SmallVector<Axis> outer; ///< All other axes.
  Side read, written;      ///< `read`: contiguous in the argument; `written`: in the result.

  /// The size that is not known; 1 if there is none.
  Int unknown(KernelFunction &function) const {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(result.getType()).getShape();
    const auto *dynamic = llvm::find_if(shape, ShapedType::isDynamic);
    return dynamic == shape.end() ? Int(function.b, 1)
                                  : Int(function.b, function.size(result, dynamic - shape.begin()));
  }
  static Int extentOf(int64_t extent, Int unknown) {
    return ShapedType::isDynamic(extent) ? unknown : Int(*unknown.b, extent);
  }
  /// Strips of `kLanes` written elements, over all that is read.
  Int strips(Int unknown) const {
    Int count = roundedUpQuotient(extentOf(written.extent, unknown), kLanes);
    for (const Axis &axis : outer)
      count = count * extentOf(axis.extent, unknown);
    return count;
  }
};

SmallVector<Stride> rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<Stride> strides(shape.size());
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] =
        ShapedType::isDynamic(shape[i]) ? Stride{strides[i].factor, true} : strides[i] * shape[i];
  return strides;
}

} // namespace

/// Takes the axis that is contiguous by `near`, and further ones for as long as `kLanes` hold them.
static Side takeSide(SmallVector<Axis> &axes, Stride Axis::*near, Stride Axis::*far) {
  Side side;
  for (Stride next;;) {
    auto *axis = llvm::find_if(axes, [&](const Axis &axis) { return axis.*near == next; });
    bool isFirst = next == Stride{};
    if (axis == axes.end() ||
        (!isFirst &&
         (axis->isDynamic() || next.factor * axis->extent > kLanes || axis->*far == Stride{} ||
          (axis->*far).ofUnknown != side.blockStep.ofUnknown)))
      return side;
    SmallVector<Stride> steps;
    for (int64_t i = 0; i < (axis->isDynamic() ? kLanes : std::min(axis->extent, kLanes)); ++i)
      for (Stride step : isFirst ? SmallVector<Stride>{{0, (axis->*far).ofUnknown}} : side.steps)
        steps.push_back({i * (axis->*far).factor + step.factor, step.ofUnknown});
    side = {isFirst ? axis->extent : next.factor * axis->extent, steps, axis->*far * kLanes};
    if (axis->isDynamic()) {
      axes.erase(axis);
      return side;
    }
    next = next * axis->extent;
    axes.erase(axis);
  }
}

/// The movement, if that is all, steps are known but for one size, and squares are filled well
/// enough.
static std::optional<Movement> movementOf(KernelOp kernel) {
  auto yield = cast<YieldOp>(kernel.getBody().front().getTerminator());
  if (yield.getValues().size() != 1)
    return std::nullopt;
  auto transpose = yield.getValues()[0].getDefiningOp<TransposeOp>();
  if (!transpose || transpose.getType().getNumDynamicDims() > 1 ||
      transpose.getType().getElementTypeBitWidth() < 8)
    return std::nullopt;
  Value source = transpose.getInput();
  while (auto reshape = source.getDefiningOp<ReshapeOp>())
    source = reshape.getInput();
  Movement movement{dyn_cast<BlockArgument>(source), transpose, {}, {}, {}};
  if (!movement.source)
    return std::nullopt;
  SmallVector<Stride> from = rowMajorStrides(transpose.getInput().getType().getShape()),
                      to = rowMajorStrides(transpose.getType().getShape());
  SmallVector<Axis> axes;
  for (auto [i, axis] : llvm::enumerate(transpose.getPermutation())) {
    Axis next{transpose.getType().getDimSize(i), from[axis], to[i]};
    if (next.extent == 1)
      continue;
    // Neighbours in both are one axis.
    if (!axes.empty() && !axes.back().isDynamic() && !next.isDynamic() &&
        axes.back().from == next.from * next.extent && axes.back().to == next.to * next.extent)
      axes.back() = {axes.back().extent * next.extent, next.from, next.to};
    else
      axes.push_back(next);
  }
  constexpr int64_t kLeast = 4, kLeastElements = 64;
  movement.written = takeSide(axes, &Axis::to, &Axis::from);
  movement.read = takeSide(axes, &Axis::from, &Axis::to);
  movement.outer = axes;
  auto atLeast = [](int64_t extent) { return ShapedType::isDynamic(extent) ? kLanes : extent; };
  int64_t read = atLeast(movement.read.extent), written = atLeast(movement.written.extent);
  bool isWorth = read >= kLeast && written >= kLeast && read * written >= kLeastElements;
  return isWorth ? std::optional(movement) : std::nullopt;
}

bool mlir::gen::kernels::isTransposition(KernelOp kernel) { return movementOf(kernel).has_value(); }

static int64_t stripsOfTask(KernelFunction &function, const Movement &movement) {
  constexpr int64_t kTask = 16384, kTypical = 128;
  int64_t read = ShapedType::isDynamic(movement.read.extent) ? kTypical : movement.read.extent;
  return std::max<int64_t>(scheduled(function.kernel, "task", kTask) / (kLanes * read), 1);
}

Value mlir::gen::kernels::emitTranspositionTaskCount(KernelFunction &function) {
  Movement movement = *movementOf(function.kernel);
  return roundedUpQuotient(movement.strips(movement.unknown(function)),
                           stripsOfTask(function, movement));
}

namespace {

/// The code of one task.
class SquareEmitter {
public:
  SquareEmitter(KernelFunction &function)
      : b(function.b), movement(*movementOf(function.kernel)), unknown(movement.unknown(function)),
        element(cast<RankedTensorType>(movement.source.getType()).getElementType()),
        type(VectorType::get(kLanes, element)), alignment(element.getIntOrFloatBitWidth() / 8) {}

  /// Strip `strip`: `kLanes` written elements of each that is read.
  void emitStrip(Value source, Value result, Int strip) {
    Int written = Movement::extentOf(movement.written.extent, unknown),
        read = Movement::extentOf(movement.read.extent, unknown);
    Int across = roundedUpQuotient(written, kLanes), block = strip % across, start = block * kLanes,
        number = strip / across;
    Int from = movement.written.blockStep.times(block, unknown), to = start;
    for (const Axis &axis : llvm::reverse(movement.outer)) {
      bool isFirst = &axis == movement.outer.begin();
      Int extent = Movement::extentOf(axis.extent, unknown),
          at = isFirst ? number : number % extent;
      number = number / extent;
      from = from + axis.from.times(at, unknown);
      to = to + axis.to.times(at, unknown);
    }
    Int rows = (written % kLanes).is(0) ? Int(b, kLanes)
               : across.is(1)           ? written
                                        : min(written - start, Int(b, kLanes));
    source = elementPointer(b, element, source, from);
    result = elementPointer(b, element, result, to);
    auto square = [&](Int number, Int columns) {
      emitSquare(elementPointer(b, element, source, number * kLanes),
                 elementPointer(b, element, result, movement.read.blockStep.times(number, unknown)),
                 rows, columns);
    };
    Int whole = read / kLanes, rest = read % kLanes;
    emitLoop(b, Int(b, 0), whole, 1, [&](Int number) { square(number, Int(b, kLanes)); });
    if (rest.constant() && !rest.is(0))
      square(whole, rest);
    else if (!rest.constant())
      emitIf(b, Int(b, 0) < rest, [&] { square(whole, rest); }, [] {});
  }

private:
  /// Where row `row` begins, in the other tensor. One that is not known is of a long axis.
  Int stepOf(const Side &side, Int row) {
    if (std::optional<int64_t> number = row.constant())
      return side.steps[*number].times(Int(b, 1), unknown);
    return side.steps[1].times(row, unknown);
  }

  /// Turns `rows` x `columns` elements, or fewer than `kLanes` of either, masked.
  void emitSquare(Value from, Value to, Int rows, Int columns) {
    Value readMask = columns.is(kLanes) ? Value() : laneMask(b, columns, kLanes);
    Value writtenMask = rows.is(kLanes) ? Value() : laneMask(b, rows, kLanes);
    SmallVector<Value> square;
    for (int64_t i = 0; i < kLanes; ++i) {
      Int row = writtenMask ? min(Int(b, i), rows - 1) : Int(b, i);
      Value pointer = elementPointer(b, element, from, stepOf(movement.written, row));
      square.push_back(loadVector(b, type, pointer, alignment, readMask));
    }
    transposeSquare(b, square);
    for (int64_t i = 0; i < columns.constant().value_or(kLanes); ++i) {
      auto store = [&] { storeColumn(square[i], to, i, writtenMask); };
      if (columns.constant())
        store();
      else
        emitIf(b, Int(b, i) < columns, store, [] {});
    }
  }

  void storeColumn(Value column, Value to, int64_t number, Value mask) {
    Value pointer = elementPointer(b, element, to, stepOf(movement.read, Int(b, number)));
    if (mask)
      LLVM::MaskedStoreOp::create(b, column, pointer, mask, b.getI32IntegerAttr(alignment));
    else
      storeVector(b, column, pointer, alignment);
  }

  ImplicitLocOpBuilder &b;
  Movement movement;
  Int unknown;
  Type element;
  VectorType type;
  unsigned alignment;
};

} // namespace

void mlir::gen::kernels::emitTranspositionTask(KernelFunction &function, Value index) {
  ImplicitLocOpBuilder &b = function.b;
  Movement movement = *movementOf(function.kernel);
  int64_t each = stripsOfTask(function, movement);
  Value source = function.pointer(movement.source), result = function.resultPointer(0);
  Int first = Int(b, index) * each, strips = movement.strips(movement.unknown(function));
  SquareEmitter emitter(function);
  emitLoop(b, first, min(first + each, strips), 1,
           [&](Int strip) { emitter.emitStrip(source, result, strip); });
}
