//===- BulkSteps.cpp - steps of k that a warp of its own has copied -------===//

#include "passes/kernels/device/BulkSteps.h"
#include "passes/kernels/device/DeviceEmitter.h"
#include "passes/kernels/device/OperandTile.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

constexpr int64_t kWarp = 32;
/// Elements of a line of a box, 128 bytes.
constexpr int64_t kLine = 64, kBytesOfLine = 128;
/// Of a barrier.
constexpr int64_t kBytesOfBarrier = 8;
/// Of a map (CUtensorMap).
constexpr int64_t kBytesOfMap = 128, kAlignmentOfMap = 64;

} // namespace

bool BulkSteps::areCopied(ProductElements &products, const TileShape &shape,
                          ArrayRef<Value> operands) {
  if (!products.isOfMatrices())
    return false;
  return llvm::all_of(llvm::enumerate(operands), [&](auto operand) {
    auto [number, tensor] = operand;
    return OperandTile::memoryOf(tensor) &&
           OperandTile::isCopiedWide(products, shape, static_cast<unsigned>(number), tensor);
  });
}

/// Two blocks side by side, if that leaves three steps to each: while one stores its results, the
/// other multiplies.
BulkSteps::BulkSteps(KernelFunction &function, ProductElements &products, ProductTile &tile,
                     ArrayRef<Value> operands)
    : function(function), b(function.b), products(products), tile(tile), operands(operands) {
  constexpr int64_t kShared = 224 * 1024, kLeast = 3, kMost = 4;
  blocks = kShared / 2 / bytesOfStep() >= kLeast ? 2 : 1;
  stages = std::min(kShared / blocks / bytesOfStep(), kMost);
}

int64_t BulkSteps::threads() const { return tile.shape.threads + kWarp; }

/// Of 65536, a multiple of 8 for each thread.
int64_t BulkSteps::registers() const { return (1 << 16) / blocks / threads() / 8 * 8; }

int64_t BulkSteps::bytes() const { return stages * (bytesOfStep() + 2 * kBytesOfBarrier); }

int64_t BulkSteps::bytesOf(unsigned number) const {
  return tile.side(number) * tile.shape.depth * kernels::bytesOf(tile.storedType);
}

int64_t BulkSteps::boxes(unsigned number) const {
  return products.isContiguousAlongDepth(number) ? tile.shape.depth / kLine
                                                 : tile.side(number) / kLine;
}

/// Behind the words, in the memory of parameters.
void BulkSteps::takeMaps() {
  LLVM::LLVMFuncOp device = function.function;
  unsigned words = device.getNumArguments();
  auto map = LLVM::LLVMArrayType::get(b.getI8Type(), kBytesOfMap);
  NamedAttribute attributes[] = {
      b.getNamedAttr(LLVM::LLVMDialect::getByValAttrName(), TypeAttr::get(map)),
      b.getNamedAttr(LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(kAlignmentOfMap)),
      b.getNamedAttr(NVVM::NVVMDialect::getGridConstantAttrName(), b.getUnitAttr())};
  LLVM::LLVMFunctionType type = device.getFunctionType();
  SmallVector<Type> parameters(type.getParams());
  parameters.append(maps.size(), LLVM::LLVMPointerType::get(b.getContext()));
  device.setFunctionType(LLVM::LLVMFunctionType::get(type.getReturnType(), parameters));
  device->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
  for (unsigned number = 0; number < maps.size(); ++number) {
    device.setArgAttrs(words + number, attributes);
    maps[number] = device.getBody().front().addArgument(parameters.back(), b.getLoc());
  }
}

Value BulkSteps::memoryOf(unsigned number, Int step) {
  Int offset = step % stages * bytesOfStep() + (number == 0 ? 0 : bytesOf(0));
  return LLVM::GEPOp::create(b, shared.getType(), b.getI8Type(), shared, ValueRange{offset});
}

Value BulkSteps::barrierOf(Barrier barrier, Int step) {
  Int offset = step % stages * kBytesOfBarrier +
               stages * (bytesOfStep() + (barrier == Full ? 0 : kBytesOfBarrier));
  return LLVM::GEPOp::create(b, shared.getType(), b.getI8Type(), shared, ValueRange{offset});
}

/// Boxes arrive at barriers through another proxy than that of the threads, which has to see them.
void BulkSteps::startBarriers(Int thread) {
  auto count = [&](int64_t arrivals) { return arith::ConstantIntOp::create(b, arrivals, 32); };
  emitIf(b, thread == Int(b, 0), [&] {
    emitLoop(Int(b, 0), Int(b, stages), 1, {}, [&](Int step, auto) {
      NVVM::MBarrierInitOp::create(b, barrierOf(Full, step), count(1), Value());
      NVVM::MBarrierInitOp::create(b, barrierOf(Empty, step), count(tile.shape.threads / kWarp),
                                   Value());
    });
    tile.publish();
  });
  NVVM::BarrierOp::create(b);
}

/// Places are full in phase 0 of their barrier, and are empty from the beginning, as if a phase had
/// ended before the first.
void BulkSteps::waitFor(Barrier barrier, Int step) {
  Int phase = (step / stages + (barrier == Full ? 0 : 1)) % 2;
  Value parity = arith::TruncIOp::create(b, b.getI32Type(), phase),
        place = barrierOf(barrier, step);
  scf::WhileOp::create(
      b, TypeRange(), ValueRange(),
      [&](OpBuilder &inner, Location at, ValueRange) {
        Value isOver = NVVM::MBarrierTryWaitOp::create(inner, at, inner.getI1Type(), place, parity,
                                                       /*ticks=*/Value());
        Value isOn =
            arith::XOrIOp::create(inner, at, isOver, arith::ConstantIntOp::create(inner, at, 1, 1));
        scf::ConditionOp::create(inner, at, isOn, ValueRange());
      },
      [](OpBuilder &inner, Location at, ValueRange) { scf::YieldOp::create(inner, at); });
}

/// The number of a thread's warp, read from one lane: so whoever compiles this knows that it is the
/// same in all, and that products are in a path which whole warps take. Else they would wait for
/// each other (ptxas, C7520).
Int BulkSteps::warpOf(Int thread) {
  auto word = [&](int64_t number) { return arith::ConstantIntOp::create(b, number, 32); };
  Value own = arith::TruncIOp::create(b, b.getI32Type(), thread / kWarp);
  Value first = NVVM::ShflOp::create(b, own.getType(), word(-1), own, word(0), word(kWarp - 1),
                                     NVVM::ShflKind::idx, UnitAttr());
  return {b, arith::ExtUIOp::create(b, b.getI64Type(), first)};
}

SmallVector<Value> BulkSteps::addSteps(Int thread, Int steps, const Place &place, Value memory) {
  shared = memory;
  takeMaps();
  startBarriers(thread);
  SmallVector<Value> zeros = tile.zeros();
  Value multiplies = warpOf(thread) < Int(b, tile.shape.threads / kWarp);
  auto branch =
      scf::IfOp::create(b, ValueRange(zeros).getTypes(), multiplies, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, multiply(thread, steps));
  b.setInsertionPointToStart(branch.elseBlock());
  emitIf(b, thread == Int(b, tile.shape.threads), [&] { copy(steps, place); });
  scf::YieldOp::create(b, zeros);
  return SmallVector<Value>(branch.getResults());
}

/// A place is empty when each warp says so: then its products of that step are done.
SmallVector<Value> BulkSteps::multiply(Int thread, Int steps) {
  auto step = [&](Int step, MutableArrayRef<Value> sums) {
    waitFor(Full, step);
    tile.addProducts(thread, memoryOf(0, step), memoryOf(1, step), sums);
    Int done = step - tile.stepsInFlight();
    Value speaks = arith::AndIOp::create(b, thread % kWarp == Int(b, 0), Int(b, 0) <= done);
    emitIf(b, speaks, [&] {
      NVVM::MBarrierArriveOp::create(b, TypeRange(), barrierOf(Empty, done), /*count=*/Value());
    });
  };
  SmallVector<Value> sums = emitLoop(Int(b, 0), steps, 1, tile.zeros(), step);
  tile.finish(sums);
  return sums;
}

void BulkSteps::copy(Int steps, const Place &place) {
  emitLoop(Int(b, 0), steps, 1, {}, [&](Int step, auto) {
    waitFor(Empty, step);
    Value bytes = arith::ConstantIntOp::create(b, bytesOfStep(), 32);
    NVVM::MBarrierArriveExpectTxOp::create(b, TypeRange(), barrierOf(Full, step), bytes,
                                           NVVM::MemScopeKind::CTA, /*relaxed=*/false,
                                           /*predicate=*/Value());
    startBoxes(0, step, place);
    startBoxes(1, step, place);
  });
}

/// Box after box, along rows or columns: a tile is one line deep.
void BulkSteps::startBoxes(unsigned number, Int step, const Place &place) {
  constexpr unsigned kSharedOfCluster = 7;
  auto coordinate = [&](Int at) { return arith::TruncIOp::create(b, b.getI32Type(), at); };
  auto cluster = LLVM::LLVMPointerType::get(b.getContext(), kSharedOfCluster);
  Int k = (place.step + step) * tile.shape.depth, outer = number == 0 ? place.row : place.column;
  bool isAlongDepth = products.isContiguousAlongDepth(number);
  for (int64_t box = 0; box < boxes(number); ++box) {
    SmallVector<Value> at = {coordinate(isAlongDepth ? k : outer + box * kLine),
                             coordinate(isAlongDepth ? outer : k), coordinate(place.product)};
    Value to = LLVM::GEPOp::create(
        b, shared.getType(), b.getI8Type(), memoryOf(number, step),
        LLVM::GEPArg(static_cast<int32_t>(box * tile.shape.depth * kBytesOfLine)));
    NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(
        b, LLVM::AddrSpaceCastOp::create(b, cluster, to), maps[number], at, barrierOf(Full, step),
        /*im2colOffsets=*/ValueRange(), /*multicastMask=*/Value(),
        /*l2CacheHint=*/Value(), NVVM::TMALoadMode::TILE, /*isCTAOnly=*/false,
        /*group=*/NVVM::CTAGroupKindAttr(), /*predicate=*/Value());
  }
}

/// The axes from the contiguous one outwards, and the box. Emitted into code of the CPU.
void BulkSteps::describe(Value tensors) {
  int64_t at = 0;
  auto store = [&](Value word) {
    LLVM::StoreOp::create(b, word, elementPointer(b, b.getI64Type(), tensors, Int(b, at++)));
  };
  for (unsigned number : {0, 1}) {
    bool isAlongDepth = products.isContiguousAlongDepth(number);
    Int depth = products.depth(), outer = number == 0 ? products.rows() : products.columns();
    store(function.pointer(OperandTile::memoryOf(operands[number])));
    store(isAlongDepth ? depth : outer);
    store(isAlongDepth ? outer : depth);
    store(products.count());
    store(Int(b, kLine));
    store(Int(b, isAlongDepth ? tile.side(number) : tile.shape.depth));
  }
}
