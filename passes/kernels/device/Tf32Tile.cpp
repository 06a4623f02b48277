//===- Tf32Tile.cpp - a tile of a product of tf32 by tensor cores ---------===//
//
// Operands are f32 in shared memory, and lie there as they do in the GPU's; a lane rounds what it
// loads. Lines along k are loaded by ldmatrix, which takes 16 bytes of each as they are: four
// numbers, one for a lane. Lines along rows or columns it could not transpose: lanes load number by
// number. 16 and 32 bytes between lines let either meet all banks once.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/TensorTile.h"

using namespace mlir;
using namespace mlir::gen::kernels;

namespace {

class Tf32Tile : public TensorTile {
public:
  Tf32Tile(ImplicitLocOpBuilder &b, const TileShape &shape, Type multiplied,
           std::array<bool, 2> alongDepth)
      : TensorTile(b, shape, multiplied, alongDepth, /*elementsOfCopy=*/1) {}

  Int position(unsigned number, Int outer, Int k) override {
    return alongDepth[number] ? outer * stride(number) + k : k * stride(number) + outer;
  }
  int64_t elements(unsigned number) override {
    return (alongDepth[number] ? shape.side(number) : shape.depth) * stride(number);
  }

  SmallVector<Value> load(Value memory, const Matrices &from, Int lane) override {
    return alongDepth[from.number] ? loadLines(memory, from, lane)
                                   : loadElements(memory, from, lane);
  }

private:
  int64_t stride(unsigned number) const {
    return alongDepth[number] ? shape.depth + 4 : shape.side(number) + 8;
  }

  /// Each 8 lanes point to the lines of a matrix.
  SmallVector<Value> loadLines(Value memory, const Matrices &from, Int lane) {
    if (from.count * kLines < kWarp)
      lane = lane % (from.count * kLines); // the others point nowhere
    Int matrix = lane / kLines;
    Int at = position(from.number, from.first + from.outerOf(matrix) + lane % kLines,
                      from.k + from.halfOf(matrix) * elementsOfLine());
    Value address = behind(behind(memory, at), from.further * stride(from.number));
    return loadMatrices(b, multiplied, address, from.count, /*isTransposed=*/false);
  }

  SmallVector<Value> loadElements(Value memory, const Matrices &from, Int lane) {
    Int at = position(from.number, from.first + lane / elementsOfLine(),
                      from.k + lane % elementsOfLine());
    Value own = behind(memory, at);
    SmallVector<Value> operands;
    for (int64_t i = 0; i < from.count; ++i) {
      Int matrix(b, i);
      Int further = position(from.number, from.outerOf(matrix) + from.further,
                             from.halfOf(matrix) * elementsOfLine());
      Value number = LLVM::LoadOp::create(b, storedType, behind(own, *further.constant()),
                                          static_cast<unsigned>(bytesOf(storedType)));
      operands.push_back(operandOf(b, multiplied, number));
    }
    return operands;
  }

  Value behind(Value memory, Int elements) {
    return LLVM::GEPOp::create(b, memory.getType(), storedType, memory, ValueRange{elements.value});
  }
  Value behind(Value memory, int64_t elements) {
    return LLVM::GEPOp::create(b, memory.getType(), storedType, memory,
                               LLVM::GEPArg(static_cast<int32_t>(elements)));
  }
};

} // namespace

std::unique_ptr<ProductTile> mlir::gen::kernels::tf32Tile(ImplicitLocOpBuilder &b,
                                                          const TileShape &shape, Type multiplied,
                                                          std::array<bool, 2> liesAlongDepth) {
  return std::make_unique<Tf32Tile>(b, shape, multiplied, liesAlongDepth);
}
