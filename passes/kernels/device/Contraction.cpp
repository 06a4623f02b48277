//===- Contraction.cpp - products, a tile for each block of threads -------===//
//
// A step of k at a time, the threads of a block copy what their tile of the result needs of both
// operands to shared memory, and multiply it from there. While they multiply one step, the elements
// of the next are on their way: of one step if they go through registers, of three if not. In the
// end the sums lie in shared memory, and each thread asks for the results at some of their places:
// neighbours for neighbouring columns. Where few results are long sums, each of several blocks has
// some of a tile's steps, and stores partial sums.
//
//===----------------------------------------------------------------------===//

#include "passes/DeviceCode.h"
#include "passes/kernels/device/BulkSteps.h"
#include "passes/kernels/device/DeviceEmitter.h"
#include "passes/kernels/device/OperandTile.h"
#include "passes/kernels/device/ProductResults.h"
#include "passes/kernels/device/TensorCore.h"
#include "passes/kernels/device/TileOrder.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

class ContractionEmitter : public DeviceEmitter {
public:
  /// The code of compute capability 8.0, or of 9.0.
  ContractionEmitter(KernelFunction &function, bool isForHopper) : DeviceEmitter(function) {
    for (Operation &op : function.kernel.getBody().front()) {
      if (auto contraction = dyn_cast<ContractionOpInterface>(op))
        this->op = contraction;
      else if (auto sums = dyn_cast<PartialSumsOp>(op))
        partialSums = sums;
    }
    if (partialSums)
      parts = partialSums.getType().getDimSize(0);
    products = productElements(function, op);
    chooseTile(isForHopper);
    if (isForHopper && tile && BulkSteps::areCopied(*products, tile->shape, operands))
      bulk = std::make_unique<BulkSteps>(function, *products, *tile, operands);
  }

  /// False if there is no code of its own for compute capability 9.0.
  bool hasTile() const { return tile != nullptr; }
  int64_t threads() const override { return bulk ? bulk->threads() : tile->shape.threads; }
  int64_t registers() const override { return bulk ? bulk->registers() : tile->registers(); }
  Value blocks() override { return rowTiles() * columnTiles() * products->count() * parts; }

  void emitThread(Int block, Int thread) override {
    Int tiles = rowTiles() * columnTiles();
    TilePlace place = tileOfBlock(block % tiles, rowTiles(), columnTiles());
    Int firstRow = place.row * tile->shape.rows, firstColumn = place.column * tile->shape.columns;
    Int product = block / tiles, part(b, 0);
    if (partialSums) {
      part = product / products->count();
      product = product % products->count();
    }
    products->moveTo(product);
    Steps own = stepsOf(part);
    SmallVector<Value> sums;
    if (bulk) {
      share(bulk->bytes());
      sums = bulk->addSteps(thread, own.count, {product, firstRow, firstColumn, own.first}, shared);
    } else {
      OperandTile lhs(*products, *tile, 0, operands[0], thread, firstRow),
          rhs(*products, *tile, 1, operands[1], thread, firstColumn);
      chooseStages(lhs, rhs, own.count);
      share(stages * (lhs.bytes() + rhs.bytes()));
      sums = addSteps(thread, lhs, rhs, own);
    }
    Value sum = op->getResult(0);
    if (partialSums)
      sum = partialSums.getResult();
    ProductResults results(function, sum, *products, *tile, shared);
    if (partialSums)
      results.setPart(part);
    results.store(thread, threads(), firstRow, firstColumn, sums);
  }

  bool takesTensors() const override { return bulk != nullptr; }
  void describeTensors(Value tensors) override { bulk->describe(tensors); }

private:
  /// Shared memory for steps, and for sums in their place.
  void share(int64_t bytesOfSteps) {
    shared = sharedMemory(std::max(bytesOfSteps, ProductResults::bytes(*tile)), tile->alignment());
  }

  /// Numbers of 16 bits that are converted for the product are a tensor core's; of f32 those that
  /// --precision has rounded.
  void chooseTile(bool isForHopper) {
    ProductSizes sizes{(products->count() * parts).constant(), products->rows().constant(),
                       products->columns().constant(),
                       roundedUpQuotient(products->depth(), parts).constant()};
    Type sumType = getElementTypeOrSelf(op->getResult(0));
    SmallVector<Value> converted;
    for (Value operand : op->getOperands().take_front(2))
      if (auto cast = operand.getDefiningOp<CastOp>())
        converted.push_back(cast.getInput());
    if (converted.size() == 2 && sumType.isF32()) {
      Type type = getElementTypeOrSelf(converted[0]);
      if ((type.isBF16() || type.isF16()) && type == getElementTypeOrSelf(converted[1])) {
        operands = std::move(converted);
        chooseTensorCores(sizes, type, isForHopper);
        return;
      }
    }
    llvm::append_range(operands, op->getOperands().take_front(2));
    if (isForHopper)
      return;
    auto rounded = op->getAttrOfType<TypeAttr>(kProductsAttr);
    if (rounded && sumType.isF32())
      chooseTensorCores(sizes, rounded.getValue(), isForHopper);
    else
      tile = scalarTile(b, chooseScalarTile(sizes, sumType), sumType);
  }

  void chooseTensorCores(const ProductSizes &sizes, Type multiplied, bool isForHopper) {
    std::optional<TileShape> shape =
        isForHopper ? chooseWarpgroupTile(sizes) : chooseTensorTile(sizes, multiplied);
    if (!shape)
      return;
    // 16 bits are copied one by one only along k, two to a word.
    auto liesAlongDepth = [&](unsigned number) {
      return products->isContiguousAlongDepth(number) ||
             (bytesOf(storedTypeOf(multiplied)) < kLeastCopied &&
              !OperandTile::isCopiedWide(*products, *shape, number, operands[number]));
    };
    std::array lies = {liesAlongDepth(0), liesAlongDepth(1)};
    tile = (isForHopper ? warpgroupTile : tensorTile)(b, *shape, multiplied, lies);
  }

  Int rowTiles() { return roundedUpQuotient(products->rows(), tile->shape.rows); }
  Int columnTiles() { return roundedUpQuotient(products->columns(), tile->shape.columns); }

  /// Steps of k, one after another.
  struct Steps {
    Int first, count;
  };
  /// The last parts may have fewer than the others, or none.
  Steps stepsOf(Int part) {
    Int all = roundedUpQuotient(products->depth(), tile->shape.depth);
    Int each = roundedUpQuotient(all, parts), first = part * each;
    if ((all % parts).is(0))
      return {first, each};
    return {first, min(each, max(all - first, Int(b, 0)))};
  }

  /// How many steps are in shared memory, or on their way there.
  void chooseStages(const OperandTile &lhs, const OperandTile &rhs, Int steps) {
    constexpr int64_t kLeast = 2, kMost = 4;
    isAsynchronous = lhs.isAsynchronous() || rhs.isAsynchronous();
    bool areMany = isAsynchronous && steps.constant().value_or(kMost) > kLeast;
    stages = areMany || tile->stepsInFlight() > 0 ? kMost : kLeast;
    ahead = stages - 1 - tile->stepsInFlight();
  }

  /// The sums of this thread, over `own` steps, which are counted from 0 here.
  SmallVector<Value> addSteps(Int thread, OperandTile &lhs, OperandTile &rhs, const Steps &own) {
    Int steps = own.count;
    auto left = [&](Int step) { return memoryAt(step % stages * (lhs.bytes() + rhs.bytes())); };
    auto right = [&](Int step) {
      return memoryAt(step % stages * (lhs.bytes() + rhs.bytes()) + lhs.bytes());
    };
    auto start = [&](Int step) {
      if (lhs.isAsynchronous())
        lhs.start(own.first + step, left(step));
      if (rhs.isAsynchronous())
        rhs.start(own.first + step, right(step));
    };
    auto fetchBoth = [&](Int step) {
      SmallVector<Value> fetched = lhs.fetch(own.first + step);
      fetched.append(rhs.fetch(own.first + step));
      return fetched;
    };
    SmallVector<Value> state = tile->zeros();
    size_t count = state.size();
    startAhead(steps, start);
    state.append(fetchBoth(Int(b, 0)));
    state = emitLoop(Int(b, 0), steps, 1, state, [&](Int step, MutableArrayRef<Value> now) {
      ValueRange fetched(ArrayRef<Value>(now).drop_front(count));
      lhs.put(left(step), fetched.take_front(lhs.fetchedCount()));
      rhs.put(right(step), fetched.drop_front(lhs.fetchedCount()));
      if (isAsynchronous) // all but the copies of the steps after this one
        NVVM::CpAsyncWaitGroupOp::create(b, static_cast<uint32_t>(ahead - 1));
      tile->publish();
      // Who is here has read the step before, or the one before that, so it may be overwritten.
      emitBarrier();
      startGroup(step + ahead, steps, start);
      llvm::copy(fetchBoth(step + 1), now.begin() + count);
      tile->addProducts(thread, left(step), right(step), now.take_front(count));
    });
    state.truncate(count);
    tile->finish(state);
    return state;
  }

  /// The first steps' copies.
  void startAhead(Int steps, llvm::function_ref<void(Int)> start) {
    if (isAsynchronous)
      emitLoop(Int(b, 0), Int(b, ahead), 1, {},
               [&](Int step, auto) { startGroup(step, steps, start); });
  }

  /// The copies of a step, which may not exist. They are waited for together.
  void startGroup(Int step, Int steps, llvm::function_ref<void(Int)> start) {
    if (!isAsynchronous)
      return;
    emitIf(b, step < steps, [&] { start(step); });
    NVVM::CpAsyncCommitGroupOp::create(b);
  }

  Value memoryAt(Int offset) {
    return LLVM::GEPOp::create(b, shared.getType(), b.getI8Type(), shared, ValueRange{offset});
  }

  ContractionOpInterface op;
  PartialSumsOp partialSums; ///< Null if a block has all steps of its tile.
  int64_t parts = 1;
  SmallVector<Value> operands; ///< Converted or not.
  std::unique_ptr<ProductElements> products;
  std::unique_ptr<ProductTile> tile;
  std::unique_ptr<BulkSteps> bulk; ///< Null if all threads copy.
  int64_t stages = 0, ahead = 0;   ///< Steps in shared memory, and those of them to come.
  bool isAsynchronous = false;     ///< Some of the copies.
  Value shared;
};

} // namespace

std::unique_ptr<DeviceEmitter>
mlir::gen::kernels::makeContractionEmitter(KernelFunction &function) {
  return std::make_unique<ContractionEmitter>(function, /*isForHopper=*/false);
}

std::unique_ptr<DeviceEmitter> mlir::gen::kernels::makeHopperEmitter(KernelFunction &function) {
  if (function.kernel.getFamily() != "contraction")
    return nullptr;
  auto emitter = std::make_unique<ContractionEmitter>(function, /*isForHopper=*/true);
  return emitter->hasTile() ? std::move(emitter) : nullptr;
}
