//===- TensorScores.cpp - scores of attention by tensor cores -------------===//
//
// mma.sync of 16 x 8 x 16, or 16 x 8 x 8 of tf32: a warp multiplies its sixteen rows with 8 columns
// at once. Lane l has of the scores rows l / 4 (and 8 further), columns l % 4 * 2 and the next:
// four lanes share two rows. That is where the next product wants its left operand, so weights stay
// in registers. Of tf32 it wants columns l % 4 and l % 4 + 4; but a sum has no order, as long as
// both operands have the same.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/ScoreTile.h"
#include "passes/kernels/device/TensorCore.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen::kernels;

namespace {

constexpr int64_t kRows = kTensorRows, kColumns = kTensorColumns;
static_assert(kRows == ScoreShape::kRowsOfWarp);
/// What ldmatrix reads of a line; it also keeps neighbouring lines out of each other's banks.
constexpr int64_t kBytesOfPiece = 16;

class TensorScores : public ScoreTile {
public:
  TensorScores(ImplicitLocOpBuilder &b, const ScoreShape &shape, Type multiplied)
      : ScoreTile(b, shape, storedTypeOf(multiplied)), multiplied(multiplied),
        piece(kBytesOfPiece * 8 / storedType.getIntOrFloatBitWidth()),
        depth(tensorDepth(multiplied)) {}

  int64_t stride(int64_t length) const override { return filled(length) + piece; }
  int64_t filled(int64_t length) const override {
    return static_cast<int64_t>(llvm::alignTo(length, 2 * kColumns));
  }
  int64_t strideOfScores() const override { return shape.columns + 8; }
  bool storesWeights() const override { return false; }

  int64_t rows() const override { return 2; }
  int64_t columns() const override { return shape.columns / 4; }
  int64_t threadsOfRow() const override { return 4; }
  Int row(Int thread, Int number) const override {
    return firstRow(thread) + thread % kWarp / 4 + number * 8;
  }
  Int column(Int thread, Int number) const override {
    return number / 2 * kColumns + thread % 4 * 2 + number % 2;
  }

  SmallVector<Value> products(Int thread, Value ofRows, Value ofColumns, int64_t length) override {
    SmallVector<Value> initial(shape.columns / kColumns * kSums, zero());
    auto loop = scf::ForOp::create(b, Int(b, 0), Int(b, filled(length)), Int(b, depth), initial);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      Int k(b, loop.getInductionVar()), lane = thread % kWarp;
      SmallVector<Value> sums(loop.getRegionIterArgs());
      // Each lane points to a line of a matrix of 8 lines: of both halves of the rows, then of k;
      // of both halves of k, then of the columns.
      Int line = firstRow(thread) + lane % kRows;
      SmallVector<Value> left =
          load(ofRows, line * stride(length) + k + lane / kRows * piece, /*isTransposed=*/false);
      for (int64_t first = 0; first < shape.columns; first += 2 * kColumns) {
        Int column = lane / 16 * kColumns + lane % 8 + first;
        Int at = column * stride(length) + k + lane / 8 % 2 * piece;
        multiplyTwo(left, load(ofColumns, at, /*isTransposed=*/false),
                    MutableArrayRef(sums).slice(first / kColumns * kSums, 2 * kSums));
      }
      scf::YieldOp::create(b, sums);
    }
    SmallVector<Value> scores;
    for (int64_t half = 0; half < 2; ++half) {
      SmallVector<Value> row;
      for (int64_t i = 0; i < columns(); ++i)
        row.push_back(loop.getResult(i / 2 * kSums + half * 2 + i % 2));
      auto type = VectorType::get(columns(), b.getF32Type());
      scores.push_back(vector::FromElementsOp::create(b, type, row));
    }
    return scores;
  }

  SmallVector<Value> zeros(int64_t length) override {
    return SmallVector<Value>(filled(length) / kColumns * kSums, zero());
  }

  void addProducts(Int thread, ValueRange weights, Value ofColumns, int64_t length, Value,
                   MutableArrayRef<Value> sums) override {
    Int lane = thread % kWarp;
    for (int64_t k = 0; k < shape.columns; k += depth) {
      SmallVector<Value> left;
      for (int64_t half = 0; half < 2; ++half) // of k
        for (Value row : weights)
          left.push_back(isOfHalves() ? pair(row, k / 4 + half * 2)
                                      : operandOf(b, multiplied, number(row, k / 4 + half)));
      for (int64_t place = 0; place < filled(length); place += 2 * kColumns)
        multiplyTwo(left, loadAcross(ofColumns, lane, k, place, stride(length)),
                    sums.slice(place / kColumns * kSums, 2 * kSums));
    }
  }

  void scale(MutableArrayRef<Value> sums, ValueRange factors) override {
    for (auto [i, sum] : llvm::enumerate(sums))
      sum = arith::MulFOp::create(b, sum, factors[i / 2 % 2]);
  }

  void storeSums(Int thread, ValueRange sums, int64_t length, Value memory) override {
    auto type = VectorType::get(2, b.getF32Type());
    for (int64_t i = 0; i < static_cast<int64_t>(sums.size()); i += 2) {
      Int place = thread % 4 * 2 + i / kSums * kColumns;
      Int at = row(thread, Int(b, i / 2 % 2)) * stride(length) + place;
      Value to = LLVM::GEPOp::create(b, memory.getType(), b.getF32Type(), memory, ValueRange{at});
      LLVM::StoreOp::create(b, vector::FromElementsOp::create(b, type, sums.slice(i, 2)), to,
                            /*alignment=*/8);
    }
  }

private:
  static constexpr int64_t kSums = 4; ///< Of a lane, for one instruction.

  bool isOfHalves() const { return storedType == multiplied; }
  static Int firstRow(Int thread) { return thread / kWarp * kRows; }
  Value zero() { return arith::ConstantOp::create(b, b.getF32FloatAttr(0)); }

  Value number(Value numbers, int64_t i) { return vector::ExtractOp::create(b, numbers, i); }

  /// Two neighbouring numbers of a vector, rounded.
  Value pair(Value numbers, int64_t first) {
    SmallVector<Value> two = {number(numbers, first), number(numbers, first + 1)};
    Value wide = vector::FromElementsOp::create(b, VectorType::get(2, b.getF32Type()), two);
    Value narrow = arith::TruncFOp::create(b, VectorType::get(2, storedType), wide);
    return operandOf(b, multiplied, narrow);
  }

  Value address(Value memory, Int at) {
    return LLVM::GEPOp::create(b, memory.getType(), storedType, memory, ValueRange{at.value});
  }
  SmallVector<Value> load(Value memory, Int at, bool isTransposed) {
    return loadMatrices(b, multiplied, address(memory, at), 4, isTransposed);
  }

  /// Of the lines from `k` on, two instructions' columns from `place` on. Transposing matrices of
  /// 32 bits is no instruction's: number by number, of the lines whose weights the lane has.
  SmallVector<Value> loadAcross(Value memory, Int lane, int64_t k, int64_t place, int64_t stride) {
    if (isOfHalves())
      return load(memory, (lane % 16 + k) * stride + lane / 16 * kColumns + place,
                  /*isTransposed=*/true);
    Value own = address(memory, lane % 4 * 2 * stride + lane / 4);
    SmallVector<Value> operands;
    for (int64_t columns : {place, place + kColumns})
      for (int64_t line : {k, k + 1}) {
        Value from =
            LLVM::GEPOp::create(b, memory.getType(), storedType, own,
                                LLVM::GEPArg(static_cast<int32_t>(line * stride + columns)));
        operands.push_back(operandOf(b, multiplied, LLVM::LoadOp::create(b, storedType, from)));
      }
    return operands;
  }

  /// With the columns of two instructions.
  void multiplyTwo(ValueRange left, ValueRange right, MutableArrayRef<Value> sums) {
    for (int64_t i = 0; i < 2; ++i)
      multiplyMatrices(b, multiplied, left, right.slice(i * 2, 2), sums.slice(i * kSums, kSums));
  }

  const Type multiplied;
  const int64_t piece; ///< Numbers of one.
  const int64_t depth; ///< Of an instruction.
};

} // namespace

std::unique_ptr<ScoreTile> mlir::gen::kernels::tensorScores(ImplicitLocOpBuilder &b,
                                                            const ScoreShape &shape,
                                                            Type multiplied) {
  return std::make_unique<TensorScores>(b, shape, multiplied);
}
