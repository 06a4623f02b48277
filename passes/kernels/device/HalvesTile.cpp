//===- HalvesTile.cpp - a tile of a product of 16 bits by tensor cores ----===//
//
// Operands lie in shared memory as they do in the GPU's: lines along k, which ldmatrix loads as
// they are, or lines along rows or columns, which it transposes. It reads 16 bytes of eight lines
// at once, so pieces of 16 bytes change places within their line: all banks are read, and written,
// once.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/TensorTile.h"

using namespace mlir;
using namespace mlir::gen::kernels;

namespace {

class HalvesTile : public TensorTile {
public:
  HalvesTile(ImplicitLocOpBuilder &b, const TileShape &shape, Type multiplied,
             std::array<bool, 2> alongDepth)
      : TensorTile(b, shape, multiplied, alongDepth, /*elementsOfCopy=*/2) {}

  Int position(unsigned number, Int outer, Int k) override {
    return alongDepth[number] ? swizzled(outer, k, shape.depth)
                              : swizzled(k, outer, shape.side(number));
  }
  int64_t elements(unsigned number) override { return shape.side(number) * shape.depth; }

  /// Each 8 lanes point to the lines of a matrix.
  SmallVector<Value> load(Value memory, const Matrices &from, Int lane) override {
    if (from.count * kLines < kWarp)
      lane = lane % (from.count * kLines); // the others point nowhere
    Int matrix = lane / kLines, line = lane % kLines;
    Int outer = from.first + from.outerOf(matrix),
        k = from.k + from.halfOf(matrix) * elementsOfLine();
    // Multiples of 8 lines further the exchange of pieces is the same.
    bool isOffset = alongDepth[from.number];
    Int at = isOffset ? position(from.number, outer + line, k)
                      : position(from.number, outer + from.further, k + line);
    Value address =
        LLVM::GEPOp::create(b, memory.getType(), storedType, memory, ValueRange{at.value});
    if (isOffset && from.further)
      address = LLVM::GEPOp::create(b, memory.getType(), storedType, address,
                                    LLVM::GEPArg(static_cast<int32_t>(from.further * shape.depth)));
    return loadMatrices(b, multiplied, address, from.count, /*isTransposed=*/!isOffset);
  }
};

} // namespace

std::unique_ptr<ProductTile> mlir::gen::kernels::halvesTile(ImplicitLocOpBuilder &b,
                                                            const TileShape &shape, Type multiplied,
                                                            std::array<bool, 2> liesAlongDepth) {
  return std::make_unique<HalvesTile>(b, shape, multiplied, liesAlongDepth);
}
