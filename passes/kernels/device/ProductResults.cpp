//===- ProductResults.cpp - from sums to a kernel's results ---------------===//

#include "passes/kernels/device/ProductResults.h"
#include "passes/kernels/device/DeviceEmitter.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

/// Columns that are stored at once.
static constexpr int64_t kFour = 4;

/// The code for four is added to that for one, so there have to be many.
ProductResults::ProductResults(KernelFunction &function, Value sums, ProductElements &products,
                               ProductTile &tile, Value shared)
    : function(function), b(function.b), product(sums), products(products), tile(tile),
      shared(shared) {
  constexpr int64_t kMany = 64 * 128;
  Int columns = products.columns();
  bool areMany = tile.shape.rows * tile.shape.columns >= kMany && products.isOfMatrices() &&
                 columns.constant().value_or(0) > 0 && (columns % kFour).is(0) &&
                 tile.rowStrideOfSums() % kFour == 0;
  if (!areMany ||
      !llvm::all_of(function.yield.getValues(), [&](Value value) { return areFourAtOnce(value); }))
    return;
  SmallVector<Value> addresses;
  for (BlockArgument argument : arguments)
    addresses.push_back(function.pointer(argument));
  for (unsigned number = 0; number < function.yield.getValues().size(); ++number)
    addresses.push_back(function.resultPointer(number));
  isAligned = areAligned(b, addresses);
}

/// True if elements of `tensor` for neighbouring columns are computed of those for the same ones:
/// then four begin at a multiple of four wherever they are read.
bool ProductResults::areFourAtOnce(Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type)
    return false;
  if (tensor == product || isOneElement(type))
    return true;
  if (type.getRank() == 0 || type.getShape().back() != products.columns().constant())
    return false;
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    arguments.push_back(argument);
    return true;
  }
  auto pointwise = dyn_cast<PointwiseOpInterface>(tensor.getDefiningOp());
  return pointwise && pointwise.isElementwise() &&
         llvm::all_of(tensor.getDefiningOp()->getOperands(),
                      [&](Value operand) { return areFourAtOnce(operand); });
}

int64_t ProductResults::bytes(ProductTile &tile) {
  return tile.shape.groups * tile.rowsOfTurn() * tile.rowStrideOfSums() * bytesOf(tile.sumType);
}

void ProductResults::store(Int thread, int64_t threads, Int row, Int column, ValueRange sums) {
  int64_t rows = tile.rowsOfTurn();
  emitLoop(Int(b, 0), Int(b, tile.shape.rows / rows), 1, {}, [&](Int turn, auto) {
    NVVM::BarrierOp::create(b);
    emitIf(b, thread < Int(b, tile.shape.threads),
           [&] { tile.storeSums(thread, turn, sums, shared); });
    NVVM::BarrierOp::create(b);
    Int first = row + turn * rows;
    if (!isAligned)
      return storeTurn(thread, threads, first, column, 1);
    auto branch = scf::IfOp::create(b, isAligned, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    storeTurn(thread, threads, first, column, kFour);
    b.setInsertionPointToStart(branch.elseBlock());
    storeTurn(thread, threads, first, column, 1);
  });
}

void ProductResults::storeTurn(Int thread, int64_t threads, Int row, Int column, int64_t width) {
  int64_t places = tile.shape.columns / width;
  emitLoop(thread, Int(b, tile.rowsOfTurn() * places), threads, {}, [&](Int number, auto) {
    Int inRows = number / places, inColumns = number % places * width;
    Value exists = arith::AndIOp::create(b, row + inRows < products.rows(),
                                         column + inColumns < products.columns());
    emitIf(b, exists, [&] {
      products.atResult(row + inRows, column + inColumns, [&](Indices at) {
        KernelEmitter emitter(function, width);
        if (width > 1) {
          emitter.setAlignment(kBytesAtOnce);
          at.back().kind = Index::Consecutive;
        }
        if (part)
          at.insert(at.begin(), {*part, Index::Uniform});
        emitter.bind(product, sumsAt(inRows, inColumns, width));
        emitter.storeResults(at);
      });
    });
  });
}

/// What the groups have of elements, one after another.
Value ProductResults::sumsAt(Int row, Int column, int64_t width) {
  Type type = width == 1 ? tile.sumType : VectorType::get(width, tile.sumType);
  auto load = [&](Int group) -> Value {
    Int at = (group * tile.rowsOfTurn() + row) * tile.rowStrideOfSums() + column;
    Value from = LLVM::GEPOp::create(b, shared.getType(), tile.sumType, shared, ValueRange{at});
    int64_t alignment = std::min(width * bytesOf(tile.sumType), kBytesAtOnce);
    return LLVM::LoadOp::create(b, type, from, static_cast<unsigned>(alignment));
  };
  Value first = load(Int(b, 0));
  if (tile.shape.groups == 1)
    return first;
  return emitLoop(Int(b, 1), Int(b, tile.shape.groups), 1, first,
                  [&](Int group, MutableArrayRef<Value> sum) {
                    sum[0] = arith::AddFOp::create(b, sum[0], load(group));
                  })[0];
}
