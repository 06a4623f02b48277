//===- AttentionTile.cpp - what kernels of attention share ----------------===//

#include "passes/kernels/AttentionTile.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::gen::kernels {

Int AttentionTiles::keysSeenBefore(Int end) {
  return causal ? max(min(end + keys - queries, keys), Int(b, 0)) : keys;
}

Value AttentionTiles::seenLanes(Int query, Int key) {
  if (!causal && *keys.constant() % kColumns == 0)
    return nullptr;
  return laneMask(b, keysSeenBefore(query + 1) - key, kLanes);
}

Lanes AttentionTiles::scoresOf(Int query, Int key, Lanes product, Value isSeen) {
  Lanes score = product * constant(scale);
  if (!mask)
    return score;
  Indices where = {{batch}, {head}, {query}, {key, Index::Consecutive}};
  for (auto [index, extent] :
       llvm::zip_equal(where, cast<RankedTensorType>(mask.getType()).getShape()))
    if (extent == 1)
      index = {Int(b, 0), Index::Uniform};
  KernelEmitter emitter(function, kLanes);
  emitter.setMask(isSeen);
  return score + Lanes{&b, emitter.elementAt(mask, where)};
}

void AttentionTiles::pack(const View &view, Int first, Int count, Int length, Int groups,
                          Value packed) {
  Value source = addressOf(function, view, {batch, first, head, Int(b, 0)});
  Walk walk = {{count, view.strides[1]}};
  DepthWalk steps = {{length, Int(b, 0), view.strides[3]}};
  bool isWhole = count.constant() && *count.constant() % kLanes == 0;
  emitLoop(b, Int(b, 0), groups, 1, [&](Int group) {
    Int row = group * kLanes;
    Int columns = isWhole ? Int(b, kLanes) : min(count - row, Int(b, kLanes));
    packTransposedPanel(b, source, walk, row, steps, columns, Int(b, 1), type,
                        at(packed, group * groupSize(length)));
  });
}

void AttentionTiles::emitProducts(const View &view, Int first, Int rows, Int length, Value packed,
                                  Int groups, Int panel, Value products, int64_t rowSize) {
  RegisterTile tile{tileRows,
                    kVectors,
                    type,
                    {},
                    {},
                    {{length, view.strides[3], Int(b, kLanes)}},
                    static_cast<unsigned>(bytes * kLanes),
                    {},
                    products,
                    rowSize / kLanes,
                    {},
                    {}};
  for (int64_t row = 0; row < tileRows; ++row) { // behind the last one, that one again
    Int index = row == 0 ? first : first + min(Int(b, row), rows - 1);
    tile.lhs.push_back(addressOf(function, view, {batch, index, head, Int(b, 0)}));
  }
  for (int64_t v = 0; v < kVectors; ++v) {
    Int group = min(panel * kVectors + v, groups - 1);
    tile.rhs.push_back(at(packed, group * groupSize(length)));
  }
  emitRegisterTile(b, tile);
}

Value AttentionTiles::allocate(int64_t count) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&function.function.getBody().front());
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  return LLVM::AllocaOp::create(b, pointer, element, Int(b, count), /*alignment=*/64);
}

Lanes AttentionTiles::splat(Value scalar) {
  return {&b, vector::BroadcastOp::create(b, type, scalar)};
}

Lanes AttentionTiles::constant(double number) {
  return {&b, arith::ConstantOp::create(
                  b, DenseElementsAttr::get(type, b.getFloatAttr(element, number)))};
}

Lanes AttentionTiles::loadLanes(Value pointer) {
  return {&b, loadVector(b, type, pointer, bytes * kLanes)};
}

Value AttentionTiles::combineLanes(Lanes all, llvm::function_ref<Lanes(Lanes, Lanes)> combine) {
  for (int64_t lanes = kLanes / 2; lanes >= 1; lanes /= 2) {
    auto low = llvm::to_vector(llvm::seq<int64_t>(0, lanes));
    auto high = llvm::to_vector(llvm::seq<int64_t>(lanes, 2 * lanes));
    all = combine({&b, vector::ShuffleOp::create(b, all, all, low)},
                  {&b, vector::ShuffleOp::create(b, all, all, high)});
  }
  return vector::ExtractOp::create(b, all, ArrayRef<int64_t>{0});
}

} // namespace mlir::gen::kernels
