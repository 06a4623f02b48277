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

/// An axis of the loop nest: steps in both tensors. The first one's extent may be dynamic.
struct Axis {
  int64_t extent, from, to;

  bool isDynamic() const { return ShapedType::isDynamic(extent); }
};

/// The elements of a side of squares, contiguous in one tensor: an axis, or a few short ones.
struct Side {
  int64_t extent = 0;
  SmallVector<int64_t> steps; ///< Of the first elements, up to `kLanes`, in the other tensor.
  int64_t blockStep = 0;      ///< From `kLanes` elements to the next ones there.
};

/// What a kernel moves.
struct Movement {
  BlockArgument source;
  Value result;
  SmallVector<Axis> outer; ///< All other axes.
  Side read, written;      ///< `read`: contiguous in the argument; `written`: in the result.

  int64_t readBlocks() const { return llvm::divideCeil(read.extent, kLanes); }
  /// Strips of `kLanes` written elements, over all that is read.
  Int strips(KernelFunction &function) const {
    Int count(function.b, llvm::divideCeil(written.extent, kLanes));
    for (const Axis &axis : outer)
      count = count * (axis.isDynamic() ? Int(function.b, function.size(result, 0))
                                        : Int(function.b, axis.extent));
    return count;
  }
};

SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

} // namespace

/// Takes the axis that is contiguous by `near`, and further ones for as long as `kLanes` hold them.
static Side takeSide(SmallVector<Axis> &axes, int64_t Axis::*near, int64_t Axis::*far) {
  Side side;
  for (int64_t next = 1;;) {
    auto *axis = llvm::find_if(axes, [&](const Axis &axis) { return axis.*near == next; });
    bool isFirst = next == 1;
    if (axis == axes.end() || axis->isDynamic() ||
        (!isFirst && (next * axis->extent > kLanes || axis->*far == 1)))
      return side;
    SmallVector<int64_t> steps;
    for (int64_t i = 0; i < std::min(axis->extent, kLanes); ++i)
      for (int64_t step : isFirst ? SmallVector<int64_t>{0} : side.steps)
        steps.push_back(i * axis->*far + step);
    side = {next * axis->extent, steps, kLanes * axis->*far};
    next *= axis->extent;
    axes.erase(axis);
  }
}

/// True if all sizes are known, but perhaps that of the first axis, which stays the first.
static bool hasKnownStrides(TransposeOp op) {
  return op.getType().hasStaticShape() ||
         (op.getPermutation()[0] == 0 &&
          !ShapedType::isDynamicShape(op.getType().getShape().drop_front()));
}

/// The movement, if that is all, steps are known, and squares are filled well enough.
static std::optional<Movement> movementOf(KernelOp kernel) {
  auto yield = cast<YieldOp>(kernel.getBody().front().getTerminator());
  if (yield.getValues().size() != 1)
    return std::nullopt;
  auto transpose = yield.getValues()[0].getDefiningOp<TransposeOp>();
  if (!transpose || !hasKnownStrides(transpose) || transpose.getType().getElementTypeBitWidth() < 8)
    return std::nullopt;
  Value source = transpose.getInput();
  while (auto reshape = source.getDefiningOp<ReshapeOp>())
    source = reshape.getInput();
  Movement movement{dyn_cast<BlockArgument>(source), transpose, {}, {}, {}};
  if (!movement.source)
    return std::nullopt;
  SmallVector<int64_t> from = rowMajorStrides(transpose.getInput().getType().getShape()),
                       to = rowMajorStrides(transpose.getType().getShape());
  SmallVector<Axis> axes;
  for (auto [i, axis] : llvm::enumerate(transpose.getPermutation())) {
    Axis next{transpose.getType().getDimSize(i), from[axis], to[i]};
    if (next.extent == 1)
      continue;
    // Neighbours in both are one axis.
    if (!axes.empty() && !axes.back().isDynamic() && axes.back().from == next.extent * next.from &&
        axes.back().to == next.extent * next.to)
      axes.back() = {axes.back().extent * next.extent, next.from, next.to};
    else
      axes.push_back(next);
  }
  constexpr int64_t kLeast = 4, kLeastElements = 64;
  movement.written = takeSide(axes, &Axis::to, &Axis::from);
  movement.read = takeSide(axes, &Axis::from, &Axis::to);
  movement.outer = axes;
  bool isWorth = movement.read.extent >= kLeast && movement.written.extent >= kLeast &&
                 movement.read.extent * movement.written.extent >= kLeastElements;
  return isWorth ? std::optional(movement) : std::nullopt;
}

bool mlir::gen::kernels::isTransposition(KernelOp kernel) { return movementOf(kernel).has_value(); }

static int64_t stripsOfTask(KernelFunction &function, const Movement &movement) {
  constexpr int64_t kTask = 16384;
  return std::max<int64_t>(
      scheduled(function.kernel, "task", kTask) / (kLanes * movement.read.extent), 1);
}

Value mlir::gen::kernels::emitTranspositionTaskCount(KernelFunction &function) {
  Movement movement = *movementOf(function.kernel);
  return roundedUpQuotient(movement.strips(function), stripsOfTask(function, movement));
}

/// Where row `row` begins, in the other tensor. One that is not known is of a long axis.
static Int stepOf(ImplicitLocOpBuilder &b, const Side &side, Int row) {
  if (std::optional<int64_t> number = row.constant())
    return Int(b, side.steps[*number]);
  return row * (side.steps[1] - side.steps[0]);
}

/// Turns `rows` (or fewer, if masked) x `columns` elements, `columns` at most `kLanes`.
static void emitSquare(ImplicitLocOpBuilder &b, VectorType type, Value from, Value to,
                       const Movement &movement, Int rows, int64_t columns) {
  Type element = type.getElementType();
  unsigned alignment = element.getIntOrFloatBitWidth() / 8;
  Value readMask = columns < kLanes ? laneMask(b, Int(b, columns), kLanes) : Value();
  Value writtenMask = rows.is(kLanes) ? Value() : laneMask(b, rows, kLanes);
  SmallVector<Value> square;
  for (int64_t i = 0; i < kLanes; ++i) {
    Int row = writtenMask ? min(Int(b, i), rows - 1) : Int(b, i);
    Value pointer = elementPointer(b, element, from, stepOf(b, movement.written, row));
    square.push_back(loadVector(b, type, pointer, alignment, readMask));
  }
  transposeSquare(b, square);
  for (int64_t i = 0; i < columns; ++i) {
    Value pointer = elementPointer(b, element, to, Int(b, movement.read.steps[i]));
    if (writtenMask)
      LLVM::MaskedStoreOp::create(b, square[i], pointer, writtenMask,
                                  b.getI32IntegerAttr(alignment));
    else
      storeVector(b, square[i], pointer, alignment);
  }
}

void mlir::gen::kernels::emitTranspositionTask(KernelFunction &function, Value index) {
  ImplicitLocOpBuilder &b = function.b;
  Movement movement = *movementOf(function.kernel);
  Type element = cast<RankedTensorType>(movement.source.getType()).getElementType();
  auto type = VectorType::get(kLanes, element);
  Value source = function.pointer(movement.source), result = function.resultPointer(0);
  int64_t each = stripsOfTask(function, movement),
          across = llvm::divideCeil(movement.written.extent, kLanes),
          whole = movement.read.extent / kLanes, rest = movement.read.extent % kLanes;
  Int first = Int(b, index) * each;
  emitLoop(b, first, min(first + each, movement.strips(function)), 1, [&](Int strip) {
    Int start = strip % across * kLanes, number = strip / across;
    Int from = strip % across * movement.written.blockStep, to = start;
    for (const Axis &axis : llvm::reverse(movement.outer)) {
      Int at = axis.isDynamic() ? number : number % axis.extent;
      if (!axis.isDynamic())
        number = number / axis.extent;
      from = from + at * axis.from;
      to = to + at * axis.to;
    }
    bool isEven = movement.written.extent % kLanes == 0;
    Int rows = isEven        ? Int(b, kLanes)
               : across == 1 ? Int(b, movement.written.extent)
                             : min(Int(b, movement.written.extent) - start, Int(b, kLanes));
    Value sourceStrip = elementPointer(b, element, source, from),
          resultStrip = elementPointer(b, element, result, to);
    emitLoop(b, Int(b, 0), Int(b, whole), 1, [&](Int block) {
      emitSquare(b, type, elementPointer(b, element, sourceStrip, block * kLanes),
                 elementPointer(b, element, resultStrip, block * movement.read.blockStep), movement,
                 rows, kLanes);
    });
    if (rest != 0)
      emitSquare(b, type, elementPointer(b, element, sourceStrip, Int(b, whole * kLanes)),
                 elementPointer(b, element, resultStrip, Int(b, whole * movement.read.blockStep)),
                 movement, rows, rest);
  });
}
