//===- AttentionBlock.cpp - what kernels of attention share ---------------===//

#include "passes/kernels/device/AttentionBlock.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen::kernels;

void AttentionBlock::makeTile(ScoreShape most, Int rows, llvm::function_ref<Int(int64_t)> blocks) {
  constexpr int64_t kFewBlocks = 128;
  ScoreShape shape = most;
  auto isTooLarge = [&] {
    return shape.rows / 2 >= rows.constant().value_or(shape.rows) ||
           blocks(shape.rows).constant().value_or(kFewBlocks) < kFewBlocks;
  };
  while (shape.rows > ScoreShape::kRowsOfWarp && isTooLarge())
    shape.rows /= 2;
  tile = multiplied ? tensorScores(b, shape, multiplied) : scalarScores(b, shape);
}

void AttentionBlock::enter(Int thread, Int index) {
  this->thread = thread;
  head = index % heads;
  batch = index / heads;
}

HeadRows AttentionBlock::linesOf(Value operand, int64_t length, int64_t stride) {
  return {function, operand, batch, head, length, stride, tile->storedType};
}

Value AttentionBlock::number(double value) {
  return arith::ConstantOp::create(b, b.getF32FloatAttr(static_cast<float>(value)));
}

Value AttentionBlock::splat(Value scalar, int64_t count) {
  return vector::BroadcastOp::create(b, VectorType::get(count, b.getF32Type()), scalar);
}

Value AttentionBlock::join(ValueRange scalars) {
  auto type = VectorType::get(static_cast<int64_t>(scalars.size()), b.getF32Type());
  return vector::FromElementsOp::create(b, type, scalars);
}

SmallVector<Value> AttentionBlock::split(Value vector) {
  SmallVector<Value> scalars;
  for (int64_t i = 0; i < cast<VectorType>(vector.getType()).getNumElements(); ++i)
    scalars.push_back(vector::ExtractOp::create(b, vector, i));
  return scalars;
}

Value AttentionBlock::bytesBehind(Value memory, int64_t bytes) {
  return LLVM::GEPOp::create(b, memory.getType(), b.getI8Type(), memory,
                             LLVM::GEPArg(static_cast<int32_t>(bytes)));
}

Value AttentionBlock::element(Value memory, Int at) {
  return LLVM::GEPOp::create(b, memory.getType(), b.getF32Type(), memory, ValueRange{at});
}

Value AttentionBlock::load(Value memory, Int at) {
  return LLVM::LoadOp::create(b, b.getF32Type(), element(memory, at));
}
