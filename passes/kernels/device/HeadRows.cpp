//===- HeadRows.cpp - queries, keys or values in shared memory ------------===//

#include "passes/kernels/device/HeadRows.h"
#include "dialect/StridedView.h"
#include "passes/kernels/device/DeviceEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

HeadRows::HeadRows(KernelFunction &function, Value tensor, Int batch, Int head, int64_t length,
                   int64_t stride, Type stored)
    : function(function), b(function.b), tensor(tensor), batch(batch), head(head),
      rows(b, function.size(tensor, 1)),
      size(cast<RankedTensorType>(tensor.getType()).getDimSize(3)), length(length), stride(stride),
      element(getElementTypeOrSelf(tensor)), stored(stored),
      width(kBytesAtOnce / bytesOf(element)) {
  if (size != length || size % width != 0 || !isStridedView(tensor))
    return;
  view = viewOf(function, tensor);
  Value first = addressOf(function, *view, {batch, Int(b, 0), head, Int(b, 0)});
  Int bytes = view->strides[1] * bytesOf(element); // from one to the next
  Value next = LLVM::IntToPtrOp::create(b, first.getType(), bytes.value);
  isAligned = areAligned(b, {first, next});
}

Value HeadRows::toStored(Value elements) {
  if (stored == element)
    return elements;
  Type type = stored;
  if (auto vector = dyn_cast<VectorType>(elements.getType()))
    type = vector.clone(stored);
  return arith::TruncFOp::create(b, type, elements);
}

Int HeadRows::row(Int first, Int number) { return min(first + number, rows - 1); }

void HeadRows::copy(Int thread, int64_t threads, Int first, int64_t count, Value memory) {
  if (!isAligned)
    return copyElements(thread, threads, first, count, memory);
  auto branch = scf::IfOp::create(b, isAligned, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  copyLines(thread, threads, first, count, memory);
  b.setInsertionPointToStart(branch.elseBlock());
  copyElements(thread, threads, first, count, memory);
}

/// All are read before the first one is stored. If threads are left, they copy what others do, too.
void HeadRows::copyLines(Int thread, int64_t threads, Int first, int64_t count, Value memory) {
  int64_t lines = length / width, all = count * lines;
  bool staysInLine = threads % lines == 0 && all % threads == 0; // of a row
  auto type = VectorType::get(width, element);
  SmallVector<std::pair<Value, Value>> copies;
  for (int64_t before = 0; before < all; before += threads) {
    Int number = thread + before;
    if (before + threads > all)
      number = min(number, Int(b, all - 1));
    Int place = staysInLine ? thread / lines + before / lines : number / lines;
    Int column = (staysInLine ? thread : number) % lines * width;
    Value from = addressOf(function, *view, {batch, row(first, place), head, column});
    Value to = LLVM::GEPOp::create(b, memory.getType(), stored, memory,
                                   ValueRange{place * stride + column});
    copies.push_back({LLVM::LoadOp::create(b, type, from, kBytesAtOnce), to});
  }
  for (auto [line, to] : copies)
    LLVM::StoreOp::create(b, toStored(line), to, static_cast<unsigned>(width * bytesOf(stored)));
}

void HeadRows::copyElements(Int thread, int64_t threads, Int first, int64_t count, Value memory) {
  auto loop = scf::ForOp::create(b, thread, Int(b, count * length), Int(b, threads));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Int number(b, loop.getInductionVar()), place = number / length, column = number % length;
  KernelEmitter emitter(function, /*lanes=*/1);
  Int inRow = size == length ? column : min(column, Int(b, size - 1));
  Value value = emitter.elementAt(tensor, {{batch, Index::Uniform},
                                           {row(first, place), Index::Uniform},
                                           {head, Index::Uniform},
                                           {inRow, Index::Uniform}});
  if (size != length)
    value = arith::SelectOp::create(b, column < Int(b, size), value,
                                    arith::ConstantOp::create(b, b.getZeroAttr(element)));
  Value to =
      LLVM::GEPOp::create(b, memory.getType(), stored, memory, ValueRange{place * stride + column});
  LLVM::StoreOp::create(b, toStored(value), to);
}
