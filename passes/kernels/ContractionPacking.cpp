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

void forEachPiece(ImplicitLocOpBuilder &b, Int count, llvm::function_ref<void(Int, int64_t)> body) {
  constexpr int64_t kWidth = 16;
  Int at = count / kWidth * kWidth;
  emitLoop(b, Int(b, 0), at, kWidth, [&](Int i) { body(i, kWidth); });
  if (!count.constant())
    return emitLoop(b, at, count, 1, [&](Int i) { body(i, 1); });
  for (int64_t width = kWidth / 2; width > 0; width /= 2)
    if (*count.constant() & width) {
      body(at, width);
      at = at + width;
    }
}

void packPanel(ImplicitLocOpBuilder &b, ArrayRef<Value> source, ArrayRef<DepthStep> depth,
               Int columns, VectorType type, Value panel, Type stored) {
  Type element = type.getElementType();
  stored = stored ? stored : element;
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
        Value loaded = loadConverted(b, type, stored, elementPointer(b, stored, source[v], row),
                                     bytesOf(stored), v + 1 == vectors ? mask : Value());
        storeVector(b, loaded, elementPointer(b, element, to, Int(b, v * lanes)),
                    bytesOf(element) * lanes);
      }
    });
  });
}

/// One run of k of a vector of columns, contiguous along k, to rows `rowSize` apart.
static void packTransposedRun(ImplicitLocOpBuilder &b, ArrayRef<Value> columns, Int steps,
                              Type stored, VectorType type, Value to, Int rowSize) {
  Type element = type.getElementType();
  int64_t lanes = type.getNumElements();
  bool hasRest = !steps.constant() || *steps.constant() % lanes != 0;
  emitLoop(b, Int(b, 0), steps, lanes, [&](Int k) {
    Value mask = hasRest ? laneMask(b, steps - k, lanes) : Value();
    SmallVector<Value> rows;
    for (Value pointer : columns)
      rows.push_back(loadConverted(b, type, stored, elementPointer(b, stored, pointer, k),
                                   bytesOf(stored), mask));
    transposeSquare(b, rows);
    Value target = elementPointer(b, element, to, k * rowSize);
    for (int64_t i = 0; i < lanes; ++i)
      storeVector(b, rows[i], elementPointer(b, element, target, rowSize * i),
                  bytesOf(element) * lanes);
  });
}

/// The same, element by element.
static void packGatheredRun(ImplicitLocOpBuilder &b, ArrayRef<Value> columns, const DepthStep &run,
                            Type stored, VectorType type, Value to, Int rowSize) {
  Type element = type.getElementType();
  emitLoop(b, Int(b, 0), run.extent, 1, [&](Int k) {
    Value row = arith::ConstantOp::create(b, b.getZeroAttr(type.clone(stored)));
    for (auto [lane, pointer] : llvm::enumerate(columns)) {
      Value from = elementPointer(b, stored, pointer, k * run.rhsStride);
      row = vector::InsertOp::create(b, LLVM::LoadOp::create(b, stored, from), row, lane);
    }
    storeVector(b, converted(b, type, row), elementPointer(b, element, to, k * rowSize),
                bytesOf(element) * type.getNumElements());
  });
}

void packTransposedPanel(ImplicitLocOpBuilder &b, Value source, const Walk &walk, Int first,
                         ArrayRef<DepthStep> depth, Int columns, Int vectors, VectorType type,
                         Value panel, Type stored) {
  Type element = type.getElementType();
  stored = stored ? stored : element;
  int64_t lanes = type.getNumElements();
  std::optional<Int> limit;
  bool isRagged = !columns.constant() || *columns.constant() % lanes != 0;
  Int rowSize = vectors * lanes;
  emitLoop(b, Int(b, 0), vectors, 1, [&](Int v) {
    if (isRagged)
      limit = columns - v * lanes;
    SmallVector<Value> pointers =
        walkPointers(b, stored, source, walk, first + v * lanes, lanes, isEven(walk, lanes), limit);
    Value to = elementPointer(b, element, panel, v * lanes);
    forEachRun(b, depth, [&](Int position, Int, Int offset) {
      SmallVector<Value> run;
      for (Value pointer : pointers)
        run.push_back(elementPointer(b, stored, pointer, offset));
      Value target = elementPointer(b, element, to, position * rowSize);
      if (depth.back().rhsStride.is(1))
        packTransposedRun(b, run, depth.back().extent, stored, type, target, rowSize);
      else
        packGatheredRun(b, run, depth.back(), stored, type, target, rowSize);
    });
  });
}

void packBlock(ImplicitLocOpBuilder &b, Value source, const Walk &walk, Int first,
               ArrayRef<DepthStep> depth, Int rows, int64_t tileRows, Type element, Value block,
               Type stored) {
  stored = stored ? stored : element;
  auto type = VectorType::get(tileRows, element);
  Int whole = rows / tileRows, steps = extentOf(b, depth);
  auto packTile = [&](Int tile, Value mask) {
    Value from = elementPointer(b, stored, source, offsetOf(walk, first + tile * tileRows));
    Value to = elementPointer(b, element, block, tile * tileRows * steps);
    forEachRun(b, depth, [&](Int position, Int offset, Int) {
      Value start = elementPointer(b, element, to, position * tileRows);
      emitLoop(b, Int(b, 0), depth.back().extent, 1, [&](Int k) {
        Value pointer = elementPointer(b, stored, from, offset + k * depth.back().lhsStride);
        storeVector(b, loadConverted(b, type, stored, pointer, bytesOf(stored), mask),
                    elementPointer(b, element, start, k * tileRows), bytesOf(element));
      });
    });
  };
  emitLoop(b, Int(b, 0), whole, 1, [&](Int tile) { packTile(tile, nullptr); });
  Int rest = rows - whole * tileRows;
  if (!rest.is(0))
    emitIf(b, Int(b, 0) < rest, [&] { packTile(whole, laneMask(b, rest, tileRows)); }, [] {});
}

void convertRows(ImplicitLocOpBuilder &b, Value source, const Walk &walk, Int first, Int rows,
                 ArrayRef<DepthStep> depth, Type stored, Type element, Value tile,
                 int64_t rowSize) {
  const DepthStep &run = depth.back();
  emitLoop(b, Int(b, 0), rows, 1, [&](Int r) {
    Value from = elementPointer(b, stored, source, offsetOf(walk, first + r));
    Value to = elementPointer(b, element, tile, r * rowSize);
    forEachRun(b, depth, [&](Int position, Int offset, Int) {
      Value start = elementPointer(b, stored, from, offset);
      auto convert = [&](Int at, int64_t width) {
        Value pointer = elementPointer(b, stored, start, at * run.lhsStride);
        auto type = VectorType::get(width, element);
        storeVector(b, loadConverted(b, type, stored, pointer, bytesOf(stored)),
                    elementPointer(b, element, to, position + at), bytesOf(element));
      };
      if (run.lhsStride.is(1))
        forEachPiece(b, run.extent, convert);
      else
        emitLoop(b, Int(b, 0), run.extent, 1, [&](Int at) { convert(at, 1); });
    });
  });
}

} // namespace mlir::gen::kernels
