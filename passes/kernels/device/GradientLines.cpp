//===- GradientLines.cpp - what attention's gradient is made of -----------===//

#include "passes/kernels/device/GradientLines.h"
#include "passes/kernels/device/TensorCore.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

void GradientLines::allocate() {
  auto [rows, columns] = tile->shape;
  int64_t deep = tile->stride(depth), wide = tile->stride(width);
  int64_t stored = tile->storedType.getIntOrFloatBitWidth() / 8;
  int64_t numbers = std::max(rows, columns) * kBytes;
  const std::pair<Value *, int64_t> places[] = {
      {&rowsOfDepth, rows * deep * stored},
      {&rowsOfWidth, rows * wide * stored},
      {&columnsOfDepth, columns * deep * stored},
      {&columnsOfWidth, columns * wide * stored},
      {&logsumexps, numbers},
      {&means, numbers},
      {&scoreMemory, tile->storesWeights() || mask ? tile->bytesOfScores() : 0}};
  int64_t all = 0, before = 0;
  for (auto [place, bytes] : places)
    all += bytes;
  Value memory = sharedMemory(std::max(all, rows * (deep + wide) * kBytes));
  for (auto [place, bytes] : places) {
    *place = bytesBehind(memory, before);
    before += bytes;
  }
  deepSumMemory = memory;
  wideSumMemory = bytesBehind(memory, rows * deep * kBytes);
}

GradientLines::Lines GradientLines::linesOf(Rows of) {
  auto lines = [&](Value operand, int64_t length) {
    return AttentionBlock::linesOf(operand, tile->filled(length), tile->stride(length));
  };
  return of == Rows::Keys
             ? Lines{of, lines(op.getKey(), depth), lines(op.getValue(), width)}
             : Lines{of, lines(op.getQuery(), depth), lines(op.getOutputGradient(), width)};
}

void GradientLines::copyRows(Lines &lines, Int first, bool forSlopes) {
  lines.deep.copy(thread, threads(), first, tile->shape.rows, rowsOfDepth);
  if (forSlopes)
    lines.wide.copy(thread, threads(), first, tile->shape.rows, rowsOfWidth);
  if (lines.of == Rows::Queries)
    copyNumbers(first, tile->shape.rows, forSlopes);
}

void GradientLines::copyColumns(Lines &lines, Int first, bool forSlopes) {
  lines.deep.copy(thread, threads(), first, tile->shape.columns, columnsOfDepth);
  lines.wide.copy(thread, threads(), first, tile->shape.columns, columnsOfWidth);
  if (lines.of == Rows::Queries)
    copyNumbers(first, tile->shape.columns, forSlopes);
}

/// Logsumexp and mean slope of `count` queries.
void GradientLines::copyNumbers(Int first, int64_t count, bool forSlopes) {
  emitLoop(thread / kShare, Int(b, count), threads() / kShare, {}, [&](Int place, auto) {
    Int query = min(first + place, queries - 1);
    Value logsumexp = KernelEmitter(function, /*lanes=*/1)
                          .elementAt(op.getLogsumexp(), {{batch}, {head}, {query}});
    LLVM::StoreOp::create(b, logsumexp, element(logsumexps, place));
    if (forSlopes)
      LLVM::StoreOp::create(b, meanSlope(query), element(means, place));
  });
}

/// The sum over the output's columns of gradient * output.
Value GradientLines::meanSlope(Int query) {
  Value part = emitLoop(thread % kShare, Int(b, width), kShare, number(0),
                        [&](Int column, MutableArrayRef<Value> running) {
                          running[0] = sum(running[0], productAt(query, column));
                        })[0];
  return foldNeighbours(b, part, kShare, [&](Value x, Value y) { return sum(x, y); });
}

/// What is subtracted from products of rounded numbers is made of them, too, so that a query's
/// slopes sum up to zero.
Value GradientLines::productAt(Int query, Int column) {
  Indices at = {{batch}, {query}, {head}, {column}};
  KernelEmitter emitter(function, /*lanes=*/1);
  Value output = emitter.elementAt(op.getOutput(), at),
        gradient = emitter.elementAt(op.getOutputGradient(), at);
  if (multiplied)
    gradient = roundedTo(b, multiplied, gradient);
  return arith::MulFOp::create(b, output, gradient);
}
