//===- OperandTile.cpp - what a block of threads copies of an operand -----===//

#include "passes/kernels/device/OperandTile.h"
#include "passes/kernels/device/DeviceEmitter.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

BlockArgument OperandTile::memoryOf(Value tensor) {
  if (auto reshape = tensor.getDefiningOp<ReshapeOp>())
    tensor = reshape.getInput();
  return dyn_cast<BlockArgument>(tensor);
}

bool OperandTile::isCopiedWide(ProductElements &products, const TileShape &shape, unsigned number,
                               Value tensor) {
  int64_t width = kBytesAtOnce / bytesOf(getElementTypeOrSelf(tensor));
  Int extent = products.contiguousExtent(number);
  bool isAlongDepth = products.isContiguousAlongDepth(number);
  int64_t side = isAlongDepth ? shape.depth : shape.side(number);
  return extent.constant().value_or(0) > 0 && (extent % width).is(0) && side % width == 0 &&
         ProductElements::isPositional(tensor);
}

OperandTile::OperandTile(ProductElements &products, ProductTile &tile, unsigned number,
                         Value tensor, Int thread, Int first)
    : b(*first.b), products(products), tile(tile), number(number), tensor(tensor), first(first),
      isAlongDepth(products.isContiguousAlongDepth(number)), width(1), lines(1) {
  bool isWide = isCopiedWide(products, tile.shape, number, tensor);
  bool isTurned = isAlongDepth != tile.liesAlongDepth(number);
  if ((isWide && !isTurned) || bytesOf(tile.storedType) >= kLeastCopied)
    memory = memoryOf(tensor);
  if (memory && isTurned)
    isWide = false;
  if (isWide) {
    isAligned = products.isAligned(tensor);
    width = kBytesAtOnce / bytesOf(tile.storedType);
  } else {
    lines = tile.elementsOfCopy;
  }
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

bool OperandTile::isWhole() const {
  Int depth = products.depth();
  return depth.constant().value_or(0) > 0 && (depth % tile.shape.depth).is(0);
}

OperandTile::Line &OperandTile::lineOf(Lines &known, Int step, Int inDepth) {
  Line &line = known[inDepth.value];
  if (line.digits.empty()) {
    Int k = step * tile.shape.depth + inDepth;
    line = {products.depthDigits(k), isWhole() ? Value() : k < products.depth()};
  }
  return line;
}

SmallVector<Value> OperandTile::fetch(Int step) {
  SmallVector<Value> fetched;
  if (isAsynchronous())
    return fetched;
  if (isWhole()) // beyond the last step the last one, which nobody uses
    step = min(step, products.depth() / tile.shape.depth - 1);
  Lines known;
  for (const Copy &copy : copies)
    for (Int inDepth : copy.inDepth) {
      const Line &line = lineOf(known, step, inDepth);
      fetched.push_back(
          isAligned ? products.elements(number, tensor, copy.digits, line.digits, line.exists,
                                        width, isAligned)
                    : products.element(number, tensor, copy.digits, line.digits, line.exists));
    }
  return fetched;
}

void OperandTile::put(Value shared, ValueRange fetched) {
  if (isAsynchronous())
    return;
  bool liesAlongDepth = tile.liesAlongDepth(number);
  for (const Copy &copy : copies) {
    ValueRange own = fetched.take_front(lines);
    fetched = fetched.drop_front(lines);
    Int k = copy.inDepth.front();
    if (!isAligned || (isAlongDepth == liesAlongDepth)) {
      store(shared, own, copy.outer, k);
      continue;
    }
    for (int64_t i = 0; i < width; ++i) {
      SmallVector<Value> elements;
      for (Value line : own)
        elements.push_back(vector::ExtractOp::create(b, line, i));
      store(shared, elements, isAlongDepth ? copy.outer : copy.outer + i, isAlongDepth ? k + i : k);
    }
  }
}

Value OperandTile::placeOf(Value shared, Int outer, Int k) {
  return LLVM::GEPOp::create(b, shared.getType(), tile.storedType, shared,
                             ValueRange{tile.position(number, outer, k)});
}

/// A vector, or elements that lie side by side.
void OperandTile::store(Value shared, ValueRange elements, Int outer, Int k) {
  Value stored = elements.front();
  if (elements.size() > 1)
    stored = vector::FromElementsOp::create(
        b, VectorType::get(static_cast<int64_t>(elements.size()), tile.storedType), elements);
  auto vector = dyn_cast<VectorType>(stored.getType());
  int64_t count = vector ? vector.getNumElements() : 1;
  LLVM::StoreOp::create(b, stored, placeOf(shared, outer, k),
                        static_cast<unsigned>(count * bytesOf(tile.storedType)));
}
