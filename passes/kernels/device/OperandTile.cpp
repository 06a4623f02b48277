//===- OperandTile.cpp - what a block of threads copies of an operand -----===//

#include "passes/kernels/device/OperandTile.h"
#include "passes/kernels/device/DeviceEmitter.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

static int64_t bytesOf(Type type) { return type.getIntOrFloatBitWidth() / 8; }

OperandTile::OperandTile(ProductElements &products, ProductTile &tile, unsigned number,
                         Value tensor, Int thread, Int first)
    : b(*first.b), products(products), tile(tile), number(number), tensor(tensor), first(first),
      isAlongDepth(products.isContiguousAlongDepth(number)),
      width(kBytesAtOnce / bytesOf(tile.storedType)), lines(tile.elementsOfCopy) {
  auto isWhole = [&](Int size) { return size.constant().value_or(0) > 0 && (size % width).is(0); };
  if (isWhole(products.contiguousExtent(number)) &&
      isWhole(Int(b, isAlongDepth ? tile.shape.depth : tile.side(number))))
    isAligned = products.isAligned(tensor);
  if (!isAligned)
    width = 1;
  else if (isAlongDepth)
    lines = 1;
  makeCopies(thread);
}

int64_t OperandTile::bytes() const { return tile.elements(number) * bytesOf(tile.storedType); }

/// Rows and columns that are not there are others', which nobody stores.
SmallVector<Int> OperandTile::digitsOf(Int outer) {
  Int limit = number == 0 ? products.rows() : products.columns(), place = first + outer;
  if (!(limit % tile.side(number)).is(0))
    place = min(place, limit - (isAlongDepth ? 1 : width));
  return products.outerDigits(number, place);
}

/// Neighbouring threads copy neighbours in memory. If there are more threads than there is to copy,
/// some copy the same.
void OperandTile::makeCopies(Int thread) {
  int64_t ofDepth = isAlongDepth ? std::max(width, lines) : lines,
          ofOuter = isAlongDepth ? 1 : width, threads = tile.shape.threads,
          depth = tile.shape.depth / ofDepth, outers = tile.side(number) / ofOuter,
          fast = isAlongDepth ? depth : outers, all = outers * depth;
  // Powers of two: threads that pass along whole lines stay at their place in them.
  bool staysInLine = threads % fast == 0;
  if (all < threads)
    thread = thread % all;
  std::optional<Copy> copy;
  auto moveOuter = [&](Int i) {
    copy->outer = i * ofOuter;
    copy->digits = digitsOf(copy->outer);
  };
  auto moveDepth = [&](Int i) {
    copy->inDepth.clear();
    for (int64_t line = 0; line < lines; ++line)
      copy->inDepth.push_back(i * ofDepth + line);
  };
  for (int64_t before = 0; before < all; before += threads) {
    Int number = thread + before;
    Int line = staysInLine ? thread / fast + before / fast : number / fast;
    bool moves = !copy || !staysInLine;
    if (!copy)
      copy = Copy{line, {}, {}};
    if (moves)
      isAlongDepth ? moveDepth(number % fast) : moveOuter(number % fast);
    isAlongDepth ? moveOuter(line) : moveDepth(line);
    copies.push_back(*copy);
  }
}

SmallVector<Value> OperandTile::fetch(Int step) {
  Int depth = products.depth();
  bool isWhole = depth.constant().value_or(0) > 0 && (depth % tile.shape.depth).is(0);
  if (isWhole) // beyond the last step the last one, which nobody uses
    step = min(step, depth / tile.shape.depth - 1);
  struct Line {
    SmallVector<Int> digits;
    Value exists;
  };
  llvm::MapVector<Value, Line> known; // by the place in the step
  SmallVector<Value> fetched;
  for (const Copy &copy : copies)
    for (Int inDepth : copy.inDepth) {
      Line &line = known[inDepth.value];
      if (line.digits.empty()) {
        Int k = step * tile.shape.depth + inDepth;
        line = {products.depthDigits(k), isWhole ? Value() : k < depth};
      }
      fetched.push_back(
          isAligned ? products.elements(number, tensor, copy.digits, line.digits, line.exists,
                                        width, isAligned)
                    : products.element(number, tensor, copy.digits, line.digits, line.exists));
    }
  return fetched;
}

void OperandTile::put(Value memory, ValueRange fetched) {
  bool liesAlongDepth = tile.elementsOfCopy > 1;
  for (const Copy &copy : copies) {
    ValueRange own = fetched.take_front(lines);
    fetched = fetched.drop_front(lines);
    Int k = copy.inDepth.front();
    if (!isAligned || (isAlongDepth == liesAlongDepth)) {
      store(memory, own, copy.outer, k);
      continue;
    }
    for (int64_t i = 0; i < width; ++i) {
      SmallVector<Value> elements;
      for (Value line : own)
        elements.push_back(vector::ExtractOp::create(b, line, i));
      store(memory, elements, isAlongDepth ? copy.outer : copy.outer + i, isAlongDepth ? k + i : k);
    }
  }
}

/// A vector, or elements that lie side by side.
void OperandTile::store(Value memory, ValueRange elements, Int outer, Int k) {
  Value to = LLVM::GEPOp::create(b, memory.getType(), tile.storedType, memory,
                                 ValueRange{tile.position(number, outer, k)});
  Value stored = elements.front();
  if (elements.size() > 1)
    stored = vector::FromElementsOp::create(
        b, VectorType::get(static_cast<int64_t>(elements.size()), tile.storedType), elements);
  auto vector = dyn_cast<VectorType>(stored.getType());
  int64_t count = vector ? vector.getNumElements() : 1;
  LLVM::StoreOp::create(b, stored, to, static_cast<unsigned>(count * bytesOf(tile.storedType)));
}
