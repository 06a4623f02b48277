//===- TensorTile.h - a tile of a product by tensor cores -------*- C++ -*-===//
//
// mma.sync of 16 x 8 x 16, or 16 x 8 x 8 of tf32: a warp has rows of 16, `warpRows` * 16 apart, and
// neighbouring columns of 8. Lane l has row l / 4 of A and column l / 4 of B; of the sums row l / 4
// (and 8 further), columns l % 4 * 2 and the next.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_TENSORTILE_H
#define GEN_PASSES_KERNELS_DEVICE_TENSORTILE_H

#include "passes/kernels/device/ProductTile.h"
#include "passes/kernels/device/TensorCore.h"
#include "passes/kernels/device/Warp.h"

namespace mlir::gen::kernels {

class TensorTile : public ProductTile {
public:
  TensorTile(ImplicitLocOpBuilder &b, const TileShape &shape, Type multiplied,
             std::array<bool, 2> alongDepth, int64_t elementsOfCopy);

  bool liesAlongDepth(unsigned number) const override { return alongDepth[number]; }
  SmallVector<Value> zeros() override;
  void addProducts(Int thread, Value lhs, Value rhs, MutableArrayRef<Value> sums) override;
  int64_t rowsOfTurn() override;
  int64_t rowStrideOfSums() override;
  void storeSums(Int thread, Int turn, ValueRange sums, Value shared) override;

protected:
  /// Lines of a matrix of ldmatrix, 16 bytes each.
  static constexpr int64_t kLines = 8;
  int64_t elementsOfLine() const { return 16 / bytesOf(storedType); }

  /// 2 or 4 matrices in operand `number`, from (first + further, k) on: of rows both halves of 16,
  /// then both halves of k; of columns both halves of k, then the next 8 columns.
  struct Matrices {
    unsigned number;
    Int first;
    int64_t further;
    Int k;
    int64_t count;

    Int outerOf(Int matrix) const { return (number == 0 ? matrix % 2 : matrix / 2) * kLines; }
    Int halfOf(Int matrix) const { return number == 0 ? matrix / 2 : matrix % 2; }
  };
  /// What a lane has of them: its line is that of an eighth of the warp.
  virtual SmallVector<Value> load(Value memory, const Matrices &from, Int lane) = 0;

  const Type multiplied;
  const std::array<bool, 2> alongDepth; ///< How the operands lie.

private:
  int64_t warpsOfGroup() const { return warpRows * warpColumns; }
  Int group(Int thread) const;
  Int firstRow(Int thread) const;
  Int firstColumn(Int thread) const;
  /// The columns of one instruction, or of two at once.
  int64_t columnsTogether() const { return columnsOfWarp % 2 == 0 ? 2 : 1; }

  int64_t warpRows, warpColumns;     ///< Of the tile.
  int64_t rowsOfWarp, columnsOfWarp; ///< Of instructions.
};

/// Of bf16 or f16, and of tf32.
std::unique_ptr<ProductTile> halvesTile(ImplicitLocOpBuilder &b, const TileShape &shape,
                                        Type multiplied, std::array<bool, 2> liesAlongDepth);
std::unique_ptr<ProductTile> tf32Tile(ImplicitLocOpBuilder &b, const TileShape &shape,
                                      Type multiplied, std::array<bool, 2> liesAlongDepth);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_TENSORTILE_H
