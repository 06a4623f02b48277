//===- Tiles.cpp - kernels whose elements share work within a tile --------===//
//
// Winograd's transformations compute all elements of a tile from the same operands, a window's
// gradient goes to its maximum: a kernel of such ops, and of what is elementwise behind, runs over
// tiles, part by part, with lanes along the last axis. (Element by element, a tile of 6 x 6 would
// read 16 operands for each.)
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/Int.h"
#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

/// True if only ops that need the element at the same index, of values of the same shape, read
/// `value`.
static bool isReadInPlace(Value value) {
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    if (isa<YieldOp>(user))
      return true;
    if (auto pad = dyn_cast<PadOp>(user); pad && isFrame(pad)) // a result, stored with an offset
      return llvm::all_of(pad->getUsers(), llvm::IsaPred<YieldOp>);
    auto pointwise = dyn_cast<PointwiseOpInterface>(user);
    return pointwise && pointwise.isElementwise() &&
           shapeOf(user->getResult(0)) == shapeOf(value) && isReadInPlace(user->getResult(0));
  });
}

bool mlir::gen::kernels::isTiled(KernelOp kernel) {
  Block &body = kernel.getBody().front();
  auto ops = llvm::to_vector(body.getOps<TileOpInterface>());
  if (ops.empty() || kernel.getFamily() != "pointwise")
    return false;
  TileOpInterface first = ops.front();
  if (llvm::all_of(first.tileShape(), [](int64_t size) { return size == 1; }))
    return false;
  auto isAlike = [&](TileOpInterface op) {
    return op->getName() == first->getName() &&
           op->getAttrDictionary() == first->getAttrDictionary() &&
           op->getResultTypes() == first->getResultTypes() && isReadInPlace(op->getResult(0));
  };
  auto isStored = [&](Value value) {
    auto pad = value.getDefiningOp<PadOp>();
    return shapeOf(pad && isFrame(pad) ? pad.getInput() : value) == shapeOf(first->getResult(0));
  };
  return llvm::all_of(ops, isAlike) &&
         llvm::all_of(cast<YieldOp>(body.getTerminator()).getValues(), isStored);
}

namespace {

/// The iteration space: rows of tiles along the last axis.
struct TileSpace {
  SmallVector<TileOpInterface> ops;
  SmallVector<int64_t> shape; // of a tile
  SmallVector<Int> extents;   // tiles along all axes but the last
  Int rows, columns;
  int64_t rowsOfTask;

  explicit TileSpace(KernelFunction &function)
      : ops(llvm::to_vector(function.kernel.getBody().front().getOps<TileOpInterface>())),
        shape(ops.front().tileShape()), rows(function.b, 1), columns(function.b, 1) {
    Value result = ops.front()->getResult(0);
    auto last = static_cast<int64_t>(shape.size()) - 1;
    for (int64_t axis = 0; axis < last; ++axis) {
      extents.push_back(Int(function.b, function.size(result, axis)) / shape[axis]);
      rows = rows * extents.back();
    }
    columns = Int(function.b, function.size(result, last));
    rowsOfTask = rowsOfOneTask(function, shapeOf(result).back());
  }

  /// As many rows of tiles, `width` elements along the last axis, as a task of a usual size has.
  int64_t rowsOfOneTask(KernelFunction &function, int64_t width) const {
    constexpr int64_t kTask = 16384, kTypicalWidth = 64;
    if (ShapedType::isDynamic(width))
      width = kTypicalWidth;
    int64_t elements = width * llvm::product_of(ArrayRef(shape).drop_back());
    return std::max<int64_t>(scheduled(function.kernel, "task", kTask) / elements, 1);
  }

  Int tasks() const { return roundedUpQuotient(rows, rowsOfTask); }
};

} // namespace

Value mlir::gen::kernels::emitTileTaskCount(KernelFunction &function) {
  return withFrameTasks(function, TileSpace(function).tasks());
}

/// The elements of the kernel's results in a part of the tiles at `tile`.
static void emitTile(KernelFunction &function, const TileSpace &space, const Indices &tile,
                     int64_t part, Value mask) {
  KernelEmitter emitter(function, kLanes);
  emitter.setMask(mask);
  // The elements of all ops but the last; with those of the last, results can be stored.
  SmallVector<SmallVector<Value>> elements(space.ops.size());
  for (auto [op, values] : llvm::zip_equal(space.ops, elements)) {
    bool isLast = op == space.ops.back();
    TileOpInterface(op).emitTile(emitter, tile, part, [&](ArrayRef<int64_t> place, Value element) {
      values.push_back(element);
      if (!isLast)
        return;
      KernelEmitter storing(function, kLanes);
      storing.setMask(mask);
      for (auto [bound, ready] : llvm::zip_equal(space.ops, elements))
        storing.bind(TileOpInterface(bound)->getResult(0), ready[values.size() - 1]);
      Indices at;
      for (auto [index, size, offset] : llvm::zip_equal(tile, space.shape, place))
        at.push_back(size == 1 ? index
                               : storing.add(storing.multiply(index, storing.i64(size)),
                                             storing.i64(offset)));
      storing.storeResults(at);
    });
  }
}

static void emitTiles(KernelFunction &function, const TileSpace &space, Value task) {
  ImplicitLocOpBuilder &b = function.b;
  Int first = Int(b, task) * space.rowsOfTask;
  auto loop =
      scf::ForOp::create(b, first, min(first + space.rowsOfTask, space.rows), i64Constant(b, 1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Indices tile(space.shape.size());
  Int rest(b, loop.getInductionVar());
  for (size_t axis = space.extents.size(); axis-- > 0;) {
    tile[axis] = {axis == 0 ? rest : rest % space.extents[axis]};
    rest = rest / space.extents[axis];
  }
  std::optional<int64_t> columns = space.columns.constant();
  bool isOnce = !columns || *columns % kLanes != 0;
  for (int64_t part = 0; part < TileOpInterface(space.ops.front()).tileParts(); ++part)
    emitLaneLoop(b, i64Constant(b, 0), space.columns, kLanes, isOnce,
                 [&](Value column, Value mask) {
                   tile.back() = {column, Index::Consecutive};
                   emitTile(function, space, tile, part, mask);
                 });
}

void mlir::gen::kernels::emitTileTask(KernelFunction &function, Value index) {
  TileSpace space(function);
  emitWithFrames(
      function, index, [&] { return space.tasks(); }, [&] { emitTiles(function, space, index); });
}
