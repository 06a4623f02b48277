//===- Frames.cpp - what padding adds to a kernel's result ----------------===//
//
// A kernel that computes images may store them inside a frame of zeros, which the next one reads:
// the frames are filled by tasks of their own, one an image.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/Int.h"
#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

bool mlir::gen::kernels::isFrame(PadOp pad) {
  auto isZero = [](int64_t number) { return number == 0; };
  return pad.getType().getRank() >= 3 && llvm::all_of(pad.getInterior(), isZero) &&
         pad.getLow().front() + pad.getHigh().front() + pad.getLow().back() +
                 pad.getHigh().back() ==
             0;
}

PadOp mlir::gen::kernels::frameOf(KernelOp kernel, Value result) {
  bool isFilledApart = kernel.getFamily() == "contraction" || isTiled(kernel);
  auto pad = isFilledApart ? result.getDefiningOp<PadOp>() : PadOp();
  return pad && isFrame(pad) ? pad : PadOp();
}

static bool hasFrames(KernelFunction &function) {
  return llvm::any_of(function.yield.getValues(),
                      [&](Value value) { return bool(frameOf(function.kernel, value)); });
}

/// Fills elements `from` .. `to` - 1.
static void emitFill(ImplicitLocOpBuilder &b, Value pointer, TypedAttr value, Int from, Int to) {
  auto type = VectorType::get(kLanes, value.getType());
  Value filler = arith::ConstantOp::create(b, DenseElementsAttr::get(type, Attribute(value)));
  emitLaneLoop(b, from, to, kLanes, /*once=*/true, [&](Value at, Value mask) {
    Value place = LLVM::GEPOp::create(b, pointer.getType(), value.getType(), pointer,
                                      ArrayRef<LLVM::GEPArg>{at});
    LLVM::MaskedStoreOp::create(b, filler, place, mask,
                                b.getI32IntegerAttr(value.getType().getIntOrFloatBitWidth() / 8));
  });
}

/// Fills what padding adds to image `image` of a result [n, ..., lines, channels].
static void emitFrame(KernelFunction &function, PadOp frame, Value pointer, Value image) {
  ImplicitLocOpBuilder &b = function.b;
  Value result = frame.getResult();
  int64_t rank = frame.getType().getRank(), across = rank - 2;
  auto size = [&](Value tensor, int64_t axis) { return Int(b, function.size(tensor, axis)); };
  Int lines(b, 1);
  for (int64_t axis = 1; axis < across; ++axis)
    lines = lines * size(result, axis);
  auto loop = scf::ForOp::create(b, i64Constant(b, 0), lines, i64Constant(b, 1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Int line(b, loop.getInductionVar()), rest = line;
  Value inside = arith::ConstantIntOp::create(b, 1, 1);
  for (int64_t axis = across - 1; axis > 0; --axis) {
    Int at = rest % size(result, axis);
    rest = rest / size(result, axis);
    Int first(b, frame.getLow()[axis]);
    Value isIn = arith::AndIOp::create(b, first <= at, at < first + size(frame.getInput(), axis));
    inside = arith::AndIOp::create(b, inside, isIn);
  }
  Int channels = size(result, rank - 1), width = size(result, across) * channels;
  Int start = (Int(b, image) * lines + line) * width, end = start + width;
  Int left = start + channels * frame.getLow()[across];
  Int right = left + size(frame.getInput(), across) * channels;
  auto branch = scf::IfOp::create(b, inside, /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.thenBlock());
  emitFill(b, pointer, frame.getValue(), start, left);
  emitFill(b, pointer, frame.getValue(), right, end);
  b.setInsertionPointToStart(branch.elseBlock());
  emitFill(b, pointer, frame.getValue(), start, end);
}

/// Fills image `image` of all frames.
static void emitFrames(KernelFunction &function, Value image) {
  for (auto [number, value] : llvm::enumerate(function.yield.getValues()))
    if (PadOp frame = frameOf(function.kernel, value))
      emitFrame(function, frame, function.resultPointer(number), image);
}

Value mlir::gen::kernels::withFrameTasks(KernelFunction &function, Value tasks) {
  if (!hasFrames(function))
    return tasks;
  Value images = function.size(function.yield.getValues().front(), 0);
  return function.b.createOrFold<arith::AddIOp>(tasks, images);
}

void mlir::gen::kernels::emitWithFrames(KernelFunction &function, Value index,
                                        llvm::function_ref<Value()> tasks,
                                        llvm::function_ref<void()> task) {
  if (!hasFrames(function))
    return task();
  ImplicitLocOpBuilder &b = function.b;
  Value count = tasks();
  Value isTask = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, index, count);
  auto branch = scf::IfOp::create(b, isTask, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.elseBlock());
  emitFrames(function, arith::SubIOp::create(b, index, count));
  b.setInsertionPointToStart(branch.thenBlock());
  task();
}
