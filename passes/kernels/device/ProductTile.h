//===- ProductTile.h - a tile of a product, by a block of threads -*- C++ -*-===//
//
// What a block of threads does with a step of k that lies in shared memory.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_PRODUCTTILE_H
#define GEN_PASSES_KERNELS_DEVICE_PRODUCTTILE_H

#include "passes/kernels/Int.h"

#include <memory>

namespace mlir::gen::kernels {

inline int64_t bytesOf(Type type) { return type.getIntOrFloatBitWidth() / 8; }

/// The sizes of products, where they are known.
struct ProductSizes {
  std::optional<int64_t> count, rows, columns, depth;
};

/// The shape of a tile.
struct TileShape {
  int64_t rows, columns;
  int64_t depth;  ///< Of k in one step.
  int64_t groups; ///< Of threads, each of which takes a part of a step's depth.
  int64_t threads;

  /// Rows, or columns.
  int64_t side(unsigned number) const { return number == 0 ? rows : columns; }
};

/// The rule table: rows and columns, no less than `least` each, and up to 128 if they may be many.
TileShape chooseSides(const ProductSizes &sizes, int64_t least, bool mayBeMany);
TileShape chooseScalarTile(const ProductSizes &sizes, Type sumType);
/// `multiplied`: bf16, f16 or tf32.
TileShape chooseTensorTile(const ProductSizes &sizes, Type multiplied);
/// None if there are too few tiles to gain by.
std::optional<TileShape> chooseWarpgroupTile(const ProductSizes &sizes);

/// The position of an element in lines of `extent` in shared memory, of 16 bits each. Of lines that
/// lie in the same banks, the pieces of 16 bytes are exchanged, each time in another way.
Int swizzled(Int line, Int place, int64_t extent);

/// The threads of a block at work on a tile: each has sums of its own.
class ProductTile {
public:
  ProductTile(ImplicitLocOpBuilder &b, const TileShape &shape, Type sumType, Type storedType,
              int64_t elementsOfCopy)
      : shape(shape), sumType(sumType), storedType(storedType), elementsOfCopy(elementsOfCopy),
        b(b) {}
  virtual ~ProductTile() = default;

  int64_t side(unsigned number) const { return shape.side(number); }

  /// True if neighbours along k lie side by side in shared memory; else neighbouring rows or
  /// columns of operand `number` do.
  virtual bool liesAlongDepth(unsigned number) const = 0;
  /// Where the element of operand `number` at (row or column, k) lies in shared memory, by
  /// position, and how many elements there are in all.
  virtual Int position(unsigned number, Int outer, Int k) = 0;
  virtual int64_t elements(unsigned number) = 0;

  virtual SmallVector<Value> zeros() = 0;
  /// Has what this thread wrote to shared memory be seen by what multiplies. Before a barrier.
  virtual void publish() {}
  /// Adds the products of a step; `lhs` and `rhs` are where its operands lie. Some steps later they
  /// may be overwritten.
  virtual void addProducts(Int thread, Value lhs, Value rhs, MutableArrayRef<Value> sums) = 0;
  virtual int64_t stepsInFlight() const { return 0; }
  /// Has the sums be what they are.
  virtual void finish(MutableArrayRef<Value>) {}

  /// Bytes of which shared memory has to begin at a multiple.
  virtual int64_t alignment() const { return 16; }
  /// What a thread has of registers.
  virtual int64_t registers() const { return 128; }

  /// The rows come out in turns, the first ones first, of so many each.
  virtual int64_t rowsOfTurn() = 0;
  /// Elements between two rows of sums.
  virtual int64_t rowStrideOfSums() = 0;
  /// Stores the sums of turn `turn` as [groups, rowsOfTurn, columns].
  virtual void storeSums(Int thread, Int turn, ValueRange sums, Value shared) = 0;

  const TileShape shape;
  const Type sumType, storedType;
  /// Neighbours along k that are copied together where elements are copied one by one.
  const int64_t elementsOfCopy;

protected:
  ImplicitLocOpBuilder &b;
};

/// One product after another, each with one rounding.
std::unique_ptr<ProductTile> scalarTile(ImplicitLocOpBuilder &b, const TileShape &shape,
                                        Type sumType);
/// By tensor cores: of bf16, f16 or tf32, sums in f32. `liesAlongDepth` says so of each operand.
std::unique_ptr<ProductTile> tensorTile(ImplicitLocOpBuilder &b, const TileShape &shape,
                                        Type multiplied, std::array<bool, 2> liesAlongDepth);
/// By tensor cores of compute capability 9.0, from shared memory: of 16 bits.
std::unique_ptr<ProductTile> warpgroupTile(ImplicitLocOpBuilder &b, const TileShape &shape,
                                           Type storedType, std::array<bool, 2> liesAlongDepth);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_PRODUCTTILE_H
