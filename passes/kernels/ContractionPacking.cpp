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

/// Turns rows into columns in log2(lanes) steps; step d swaps d x d blocks off the diagonal of 2d x
/// 2d blocks.
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

} // namespace

void packPanel(ImplicitLocOpBuilder &b, const Strided &source, Int depth, Int columns,
               int64_t vectors, VectorType type, Value panel) {
  Type element = type.getElementType();
  int64_t lanes = type.getNumElements();
  Value mask;
  if (!columns.is(vectors * lanes))
    mask = laneMask(b, columns - (vectors - 1) * lanes, lanes);
  emitLoop(b, Int(b, 0), depth, 1, [&](Int k) {
    Value from = elementPointer(b, element, source.base, k * source.rowStride);
    Value to = elementPointer(b, element, panel, k * (vectors * lanes));
    for (int64_t v = 0; v < vectors; ++v) {
      Value loaded = loadVector(b, type, elementPointer(b, element, from, Int(b, v * lanes)),
                                bytesOf(element), v + 1 == vectors ? mask : Value());
      storeVector(b, loaded, elementPointer(b, element, to, Int(b, v * lanes)),
                  bytesOf(element) * lanes);
    }
  });
}

void packTransposedPanel(ImplicitLocOpBuilder &b, const Strided &source, Int depth, Int columns,
                         Int vectors, VectorType type, Value panel) {
  Type element = type.getElementType();
  int64_t lanes = type.getNumElements();
  bool isRagged = !columns.constant() || *columns.constant() % lanes != 0;
  bool hasRest = !depth.constant() || *depth.constant() % lanes != 0;
  Int zero(b, 0), rowSize = vectors * lanes;
  emitLoop(b, zero, vectors, 1, [&](Int v) {
    SmallVector<Value> rowPointers;
    for (int64_t i = 0; i < lanes; ++i) {
      Int column = v * lanes + i;
      if (isRagged)
        column = min(column, columns - 1);
      rowPointers.push_back(elementPointer(b, element, source.base, column * source.columnStride));
    }
    Value to = elementPointer(b, element, panel, v * lanes);
    emitLoop(b, zero, depth, lanes, [&](Int k) {
      Value mask = hasRest ? laneMask(b, depth - k, lanes) : Value();
      SmallVector<Value> rows;
      for (Value pointer : rowPointers)
        rows.push_back(
            loadVector(b, type, elementPointer(b, element, pointer, k), bytesOf(element), mask));
      transposeSquare(b, rows);
      Value target = elementPointer(b, element, to, k * rowSize);
      for (int64_t i = 0; i < lanes; ++i)
        storeVector(b, rows[i], elementPointer(b, element, target, rowSize * i),
                    bytesOf(element) * lanes);
    });
  });
}

void packBlock(ImplicitLocOpBuilder &b, const Strided &source, Int depth, Int rows,
               int64_t tileRows, Type element, Value block) {
  auto type = VectorType::get(tileRows, element);
  Int whole = rows / tileRows;
  auto packTile = [&](Int tile, Value mask) {
    Value from = elementPointer(b, element, source.base, tile * tileRows);
    Value to = elementPointer(b, element, block, tile * tileRows * depth);
    emitLoop(b, Int(b, 0), depth, 1, [&](Int k) {
      Value pointer = elementPointer(b, element, from, k * source.columnStride);
      storeVector(b, loadVector(b, type, pointer, bytesOf(element), mask),
                  elementPointer(b, element, to, k * tileRows), bytesOf(element));
    });
  };
  emitLoop(b, Int(b, 0), whole, 1, [&](Int tile) { packTile(tile, nullptr); });
  Int rest = rows - whole * tileRows;
  if (!rest.is(0))
    emitIf(b, Int(b, 0) < rest, [&] { packTile(whole, laneMask(b, rest, tileRows)); }, [] {});
}

} // namespace mlir::gen::kernels
