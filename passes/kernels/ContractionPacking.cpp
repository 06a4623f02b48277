//===- ContractionPacking.cpp - Copies of operands for the register tile --===//
//
// A packed panel is read by the register tile front to back. Transposed panels are turned square by
// square in registers.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/kernels/ContractionTile.h"

namespace mlir::gen::kernels {
namespace {

/// The bytes of an element, hence the alignment of anything in the caller's tensors.
unsigned bytesOf(Type element) { return element.getIntOrFloatBitWidth() / 8; }

/// Lane l of the result is a[index(l)], or b[index(l) - lanes] from there on.
Value shuffle(ImplicitLocOpBuilder &b, Value x, Value y,
              llvm::function_ref<int64_t(int64_t)> index) {
  int64_t lanes = cast<VectorType>(x.getType()).getNumElements();
  SmallVector<int64_t> indices = llvm::map_to_vector(llvm::seq<int64_t>(0, lanes), index);
  return vector::ShuffleOp::create(b, x, y, indices);
}

} // namespace

// In log2(lanes) steps; step d swaps d x d blocks off the diagonal of 2d x
// 2d blocks.
void transposeSquare(ImplicitLocOpBuilder &b, SmallVectorImpl<Value> &rows) {
  int64_t lanes = rows.size();
  for (int64_t d = 1; d < lanes; d *= 2)
    for (int64_t i = 0; i < lanes; ++i) {
      if (i & d)
        continue;
      Value x = rows[i], y = rows[i + d];
      rows[i] = shuffle(b, x, y, [&](int64_t l) { return l & d ? lanes + l - d : l; });
      rows[i + d] = shuffle(b, x, y, [&](int64_t l) { return l & d ? lanes + l : l + d; });
    }
}

void forEachRun(ImplicitLocOpBuilder &b, ArrayRef<DepthStep> depth,
                llvm::function_ref<void(Int, Int, Int)> body) {
  if (depth.size() == 1)
    return body(Int(b, 0), Int(b, 0), Int(b, 0));
  const DepthStep &outer = depth.front();
  Int steps = extentOf(b, depth.drop_front());
  emitLoop(b, Int(b, 0), outer.extent, 1, [&](Int i) {
    forEachRun(b, depth.drop_front(), [&](Int position, Int lhsOffset, Int rhsOffset) {
      body(i * steps + position, i * outer.lhsStride + lhsOffset, i * outer.rhsStride + rhsOffset);
    });
  });
}

void packPanel(ImplicitLocOpBuilder &b, ArrayRef<Value> source, ArrayRef<DepthStep> depth,
               Int columns, VectorType type, Value panel) {
  Type element = type.getElementType();
  int64_t lanes = type.getNumElements(), vectors = source.size();
  Value mask;
  if (!columns.is(vectors * lanes))
    mask = laneMask(b, columns - (vectors - 1) * lanes, lanes);
  forEachRun(b, depth, [&](Int position, Int, Int offset) {
    Value start = elementPointer(b, element, panel, position * (vectors * lanes));
    emitLoop(b, Int(b, 0), depth.back().extent, 1, [&](Int k) {
      Int row = offset + k * depth.back().rhsStride;
      Value to = elementPointer(b, element, start, k * (vectors * lanes));
      for (int64_t v = 0; v < vectors; ++v) {
        Value loaded = loadVector(b, type, elementPointer(b, element, source[v], row),
                                  bytesOf(element), v + 1 == vectors ? mask : Value());
        storeVector(b, loaded, elementPointer(b, element, to, Int(b, v * lanes)),
                    bytesOf(element) * lanes);
      }
    });
  });
}

/// One run of k of a vector of columns, contiguous along k, to rows `rowSize` apart.
static void packTransposedRun(ImplicitLocOpBuilder &b, ArrayRef<Value> columns, Int steps,
                              VectorType type, Value to, Int rowSize) {
  Type element = type.getElementType();
  int64_t lanes = type.getNumElements();
  bool hasRest = !steps.constant() || *steps.constant() % lanes != 0;
  emitLoop(b, Int(b, 0), steps, lanes, [&](Int k) {
    Value mask = hasRest ? laneMask(b, steps - k, lanes) : Value();
    SmallVector<Value> rows;
    for (Value pointer : columns)
      rows.push_back(
          loadVector(b, type, elementPointer(b, element, pointer, k), bytesOf(element), mask));
    transposeSquare(b, rows);
    Value target = elementPointer(b, element, to, k * rowSize);
    for (int64_t i = 0; i < lanes; ++i)
      storeVector(b, rows[i], elementPointer(b, element, target, rowSize * i),
                  bytesOf(element) * lanes);
  });
}

/// The same, element by element.
static void packGatheredRun(ImplicitLocOpBuilder &b, ArrayRef<Value> columns, const DepthStep &run,
                            VectorType type, Value to, Int rowSize) {
  Type element = type.getElementType();
  emitLoop(b, Int(b, 0), run.extent, 1, [&](Int k) {
    Value row = arith::ConstantOp::create(b, b.getZeroAttr(type));
    for (auto [lane, pointer] : llvm::enumerate(columns)) {
      Value from = elementPointer(b, element, pointer, k * run.rhsStride);
      row = vector::InsertOp::create(b, LLVM::LoadOp::create(b, element, from), row, lane);
    }
    storeVector(b, row, elementPointer(b, element, to, k * rowSize),
                bytesOf(element) * type.getNumElements());
  });
}

void packTransposedPanel(ImplicitLocOpBuilder &b, Value source, const Walk &walk, Int first,
                         ArrayRef<DepthStep> depth, Int columns, Int vectors, VectorType type,
                         Value panel) {
  Type element = type.getElementType();
  int64_t lanes = type.getNumElements();
  std::optional<Int> limit;
  bool isRagged = !columns.constant() || *columns.constant() % lanes != 0;
  Int rowSize = vectors * lanes;
  emitLoop(b, Int(b, 0), vectors, 1, [&](Int v) {
    if (isRagged)
      limit = columns - v * lanes;
    SmallVector<Value> pointers = walkPointers(b, element, source, walk, first + v * lanes, lanes,
                                               isEven(walk, lanes), limit);
    Value to = elementPointer(b, element, panel, v * lanes);
    forEachRun(b, depth, [&](Int position, Int, Int offset) {
      SmallVector<Value> run;
      for (Value pointer : pointers)
        run.push_back(elementPointer(b, element, pointer, offset));
      Value target = elementPointer(b, element, to, position * rowSize);
      if (depth.back().rhsStride.is(1))
        packTransposedRun(b, run, depth.back().extent, type, target, rowSize);
      else
        packGatheredRun(b, run, depth.back(), type, target, rowSize);
    });
  });
}

void packBlock(ImplicitLocOpBuilder &b, Value source, const Walk &walk, Int first,
               ArrayRef<DepthStep> depth, Int rows, int64_t tileRows, Type element, Value block) {
  auto type = VectorType::get(tileRows, element);
  Int whole = rows / tileRows, steps = extentOf(b, depth);
  auto packTile = [&](Int tile, Value mask) {
    Value from = elementPointer(b, element, source, offsetOf(walk, first + tile * tileRows));
    Value to = elementPointer(b, element, block, tile * tileRows * steps);
    forEachRun(b, depth, [&](Int position, Int offset, Int) {
      Value start = elementPointer(b, element, to, position * tileRows);
      emitLoop(b, Int(b, 0), depth.back().extent, 1, [&](Int k) {
        Value pointer = elementPointer(b, element, from, offset + k * depth.back().lhsStride);
        storeVector(b, loadVector(b, type, pointer, bytesOf(element), mask),
                    elementPointer(b, element, start, k * tileRows), bytesOf(element));
      });
    });
  };
  emitLoop(b, Int(b, 0), whole, 1, [&](Int tile) { packTile(tile, nullptr); });
  Int rest = rows - whole * tileRows;
  if (!rest.is(0))
    emitIf(b, Int(b, 0) < rest, [&] { packTile(whole, laneMask(b, rest, tileRows)); }, [] {});
}

} // namespace mlir::gen::kernels
