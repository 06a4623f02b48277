//===- Contraction.cpp - products, a tile for each block of threads -------===//
//
// A step of k at a time, the threads of a block copy what their tile of the result needs of both
// operands to shared memory, and multiply it from there. While they multiply one step, the elements
// of the next are on their way. In the end the sums lie in shared memory, and each thread asks for
// the results at some of their places: neighbours for neighbouring columns.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/DeviceEmitter.h"
#include "passes/kernels/device/ProductElements.h"
#include "passes/kernels/device/ProductTile.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

/// An element that a thread copies in each step.
struct Copy {
  SmallVector<Int> place; ///< Its row or column in the product.
  Int outer, k;           ///< Where it is in the tile.
};

/// What the threads of a block read of an operand in each step.
struct Part {
  unsigned number;
  Value tensor;
  SmallVector<Copy> copies; ///< This thread's.
  int64_t offset;           ///< In shared memory, in bytes: twice a step.
  int64_t bytes;            ///< Of a step.
};

class ContractionEmitter : public DeviceEmitter {
public:
  explicit ContractionEmitter(KernelFunction &function) : DeviceEmitter(function) {
    for (Operation &op : function.kernel.getBody().front())
      if (auto contraction = dyn_cast<ContractionOpInterface>(op))
        this->op = contraction;
    products = productElements(function, op);
    chooseTile();
  }

  int64_t threads() const override { return tile->shape.threads; }
  Value blocks() override { return rowTiles() * columnTiles() * products->count(); }

  void emitThread(Int block, Int thread) override {
    Int firstRow = block % rowTiles() * tile->shape.rows;
    Int rest = block / rowTiles();
    Int firstColumn = rest % columnTiles() * tile->shape.columns;
    products->moveTo(rest / columnTiles());
    int64_t offset = 0;
    auto part = [&](unsigned number, Int first, Int limit, int64_t side) {
      int64_t bytes = tile->elements(number) * bytesOf(tile->storedType);
      Part result{number, operands[number], copiesOf(number, thread, first, limit, side), offset,
                  bytes};
      offset += 2 * bytes;
      return result;
    };
    Part parts[] = {part(0, firstRow, products->rows(), tile->shape.rows),
                    part(1, firstColumn, products->columns(), tile->shape.columns)};
    int64_t sums = tile->shape.groups * tile->rowsOfTurn() * tile->rowStrideOfSums();
    shared = sharedMemory(std::max(offset, sums * bytesOf(tile->sumType)));
    storeResults(thread, firstRow, firstColumn, addSteps(thread, parts));
  }

private:
  /// Numbers of 16 bits that are converted for the product are a tensor core's.
  void chooseTile() {
    ProductSizes sizes{products->count().constant(), products->rows().constant(),
                       products->columns().constant(), products->depth().constant()};
    Type sumType = getElementTypeOrSelf(op->getResult(0));
    SmallVector<Value> converted;
    for (Value operand : op->getOperands().take_front(2))
      if (auto cast = operand.getDefiningOp<CastOp>())
        converted.push_back(cast.getInput());
    if (converted.size() == 2 && sumType.isF32()) {
      Type type = getElementTypeOrSelf(converted[0]);
      if ((type.isBF16() || type.isF16()) && type == getElementTypeOrSelf(converted[1])) {
        operands = std::move(converted);
        tile = tensorTile(b, chooseTensorTile(sizes), type);
        return;
      }
    }
    llvm::append_range(operands, op->getOperands().take_front(2));
    tile = scalarTile(b, chooseScalarTile(sizes, sumType), sumType);
  }

  static int64_t bytesOf(Type type) { return type.getIntOrFloatBitWidth() / 8; }
  Int rowTiles() { return roundedUpQuotient(products->rows(), tile->shape.rows); }
  Int columnTiles() { return roundedUpQuotient(products->columns(), tile->shape.columns); }

  /// The sums of this thread, over all steps.
  SmallVector<Value> addSteps(Int thread, ArrayRef<Part> parts) {
    Int steps = roundedUpQuotient(products->depth(), tile->shape.depth);
    auto fetchBoth = [&](Int step) {
      SmallVector<Value> fetched = fetch(parts[0], step);
      fetched.append(fetch(parts[1], step));
      return fetched;
    };
    SmallVector<Value> state = tile->zeros();
    size_t count = state.size();
    state.append(fetchBoth(Int(b, 0)));
    state = emitLoop(Int(b, 0), steps, 1, state, [&](Int step, MutableArrayRef<Value> now) {
      ArrayRef<Value> fetched = now.drop_front(count);
      size_t ofLhs = parts[0].copies.size();
      Value lhs = put(parts[0], step, fetched.take_front(ofLhs)),
            rhs = put(parts[1], step, fetched.drop_front(ofLhs));
      // Who is here has read the step before, so it may be overwritten in the step after.
      emitBarrier();
      llvm::copy(fetchBoth(step + 1), now.begin() + count);
      tile->addProducts(thread, lhs, rhs, now.take_front(count));
    });
    state.truncate(count);
    return state;
  }

  /// What a thread copies of an operand in each step, of a tile that begins at `first` of `limit`
  /// rows or columns. If there are more threads than elements, some copy the same. Rows and columns
  /// that are not there are others', which nobody stores.
  SmallVector<Copy> copiesOf(unsigned number, Int thread, Int first, Int limit, int64_t side) {
    int64_t together = tile->elementsOfCopy, depth = tile->shape.depth / together;
    bool isAlongDepth = products->isContiguousAlongDepth(number);
    int64_t fast = isAlongDepth ? depth : side, all = side * depth;
    if (all < threads())
      thread = thread % all;
    SmallVector<Copy> copies;
    for (int64_t before = 0; before < all; before += threads()) {
      // Powers of two: threads that pass along whole lines stay at their place in them.
      bool staysInLine = threads() % fast == 0;
      Int inLine = (staysInLine ? thread : thread + before) % fast;
      Int line = staysInLine ? thread / fast + before / fast : (thread + before) / fast;
      Int outer = isAlongDepth ? line : inLine, k = (isAlongDepth ? inLine : line) * together;
      Int place = first + outer;
      if (!(limit % side).is(0))
        place = min(place, limit - 1);
      SmallVector<Int> digits = products->outerDigits(number, place);
      for (int64_t i = 0; i < together; ++i)
        copies.push_back({digits, outer, k + i});
    }
    return copies;
  }

  /// Steps of k that are not there are zeros.
  SmallVector<Value> fetch(const Part &part, Int step) {
    Int depth = products->depth();
    bool isWhole = depth.constant().value_or(0) > 0 && (depth % tile->shape.depth).is(0);
    if (isWhole) // beyond the last step the last one, which nobody uses
      step = min(step, depth / tile->shape.depth - 1);
    struct Step {
      SmallVector<Int> digits;
      Value exists;
    };
    llvm::MapVector<Value, Step> known; // by the place in the tile
    SmallVector<Value> fetched;
    for (const Copy &copy : part.copies) {
      Step &now = known[copy.k.value];
      if (now.digits.empty()) {
        Int k = step * tile->shape.depth + copy.k;
        now = {products->depthDigits(k), isWhole ? Value() : k < depth};
      }
      fetched.push_back(
          products->element(part.number, part.tensor, copy.place, now.digits, now.exists));
    }
    return fetched;
  }

  /// Copies what was fetched to shared memory. Returns where that is.
  Value put(const Part &part, Int step, ValueRange fetched) {
    Value memory = LLVM::GEPOp::create(b, shared.getType(), b.getI8Type(), shared,
                                       ValueRange{step % 2 * part.bytes + part.offset});
    int64_t together = tile->elementsOfCopy;
    for (size_t i = 0; i < fetched.size(); i += together) {
      const Copy &copy = part.copies[i];
      Value to = LLVM::GEPOp::create(b, memory.getType(), tile->storedType, memory,
                                     ValueRange{tile->position(part.number, copy.outer, copy.k)});
      Value element = fetched[i];
      if (together > 1)
        element = vector::FromElementsOp::create(b, VectorType::get(together, tile->storedType),
                                                 fetched.slice(i, together));
      LLVM::StoreOp::create(b, element, to,
                            static_cast<unsigned>(together * bytesOf(tile->storedType)));
    }
    return memory;
  }

  void storeResults(Int thread, Int firstRow, Int firstColumn, ValueRange sums) {
    int64_t rows = tile->rowsOfTurn(), columns = tile->shape.columns;
    emitLoop(Int(b, 0), Int(b, tile->shape.rows / rows), 1, {}, [&](Int turn, auto) {
      emitBarrier();
      tile->storeSums(thread, turn, sums, shared);
      emitBarrier();
      emitLoop(thread, Int(b, rows * columns), threads(), {}, [&](Int number, auto) {
        Int row = firstRow + turn * rows + number / columns;
        Int column = firstColumn + number % columns;
        Value exists =
            arith::AndIOp::create(b, row < products->rows(), column < products->columns());
        auto branch = scf::IfOp::create(b, exists, /*withElseRegion=*/false);
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(branch.thenBlock());
        products->atResult(row, column, [&](const Indices &at) {
          KernelEmitter emitter(function, /*lanes=*/1);
          emitter.bind(op->getResult(0), sumOf(number / columns, number % columns));
          emitter.storeResults(at);
        });
      });
    });
  }

  /// What the groups have of an element, one after another.
  Value sumOf(Int row, Int column) {
    auto load = [&](Int group) -> Value {
      Int at = (group * tile->rowsOfTurn() + row) * tile->rowStrideOfSums() + column;
      Value from = LLVM::GEPOp::create(b, shared.getType(), tile->sumType, shared, ValueRange{at});
      return LLVM::LoadOp::create(b, tile->sumType, from);
    };
    Value first = load(Int(b, 0));
    if (tile->shape.groups == 1)
      return first;
    return emitLoop(Int(b, 1), Int(b, tile->shape.groups), 1, first,
                    [&](Int group, MutableArrayRef<Value> sum) {
                      sum[0] = arith::AddFOp::create(b, sum[0], load(group));
                    })[0];
  }

  ContractionOpInterface op;
  SmallVector<Value> operands; ///< Converted or not.
  std::unique_ptr<ProductElements> products;
  std::unique_ptr<ProductTile> tile;
  Value shared;
};

} // namespace

std::unique_ptr<DeviceEmitter>
mlir::gen::kernels::makeContractionEmitter(KernelFunction &function) {
  return std::make_unique<ContractionEmitter>(function);
}
