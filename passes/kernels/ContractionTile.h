//===- ContractionTile.h - Parts of the contraction emitter ---------------===//
//
// Inside of Contraction.cpp: walks through operands, their packing, and the register tile.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_CONTRACTIONTILE_H
#define GEN_PASSES_KERNELS_CONTRACTIONTILE_H

#include "passes/kernels/Contraction.h"
#include "passes/kernels/Int.h"
#include <functional>

namespace mlir::gen::kernels {

/// A digit of a mixed-radix index, and how far apart in memory its steps are.
struct Step {
  Int extent, stride;
};
/// A mixed-radix index, the most significant digit first.
using Walk = SmallVector<Step, 4>;

/// A digit of k in both operands.
struct DepthStep {
  Int extent, lhsStride, rhsStride;
};
using DepthWalk = SmallVector<DepthStep, 4>;

/// Joins digits that are one in memory, and leaves out digits of one value.
void simplify(Walk &walk);
void simplify(DepthWalk &walk);

/// The product of the extents.
Int extentOf(ImplicitLocOpBuilder &b, const Walk &walk);
Int extentOf(ImplicitLocOpBuilder &b, ArrayRef<DepthStep> walk);

/// What divides the number of indices, even where that is not known: the product of known extents.
int64_t knownDivisor(const Walk &walk);

/// The digits of `index`.
SmallVector<Int> digitsOf(const Walk &walk, Int index);

/// A first and a last number.
using Range = std::pair<Int, Int>;
/// What the digits of the indices `first` .. `last` are. They are not from more than `count`
/// indices from a multiple of `count` on.
SmallVector<Range> rangesOf(const Walk &walk, Int first, Int last, int64_t count);
/// The steps of digit `margin.depth` of k, without the last number, that lead one of the rows whose
/// digit `margin.row` is in `rows` to other numbers than zeros.
Range stepsInside(const Margin &margin, const Range &rows);

/// Element `index` of a walk.
Int offsetOf(const Walk &walk, Int index);

/// True if `count` consecutive indices, from a multiple of `count` on, are evenly spaced.
bool isEven(const Walk &walk, int64_t count);

/// Pointers to the elements at indices `first` .. `first` + `count` - 1; `even`: those are evenly
/// spaced. Indices from `first` + `limit` on repeat the last one before it.
SmallVector<Value> walkPointers(ImplicitLocOpBuilder &b, Type element, Value base, const Walk &walk,
                                Int first, int64_t count, bool even,
                                std::optional<Int> limit = std::nullopt);

/// Emits `body` for each run of k, in order: the steps of the last digit. `position` counts the
/// steps of k before it; the offsets are those of the run in both operands.
void forEachRun(ImplicitLocOpBuilder &b, ArrayRef<DepthStep> depth,
                llvm::function_ref<void(Int position, Int lhsOffset, Int rhsOffset)> body);

/// for (i = from; i < to; i += step) body(i).
void emitLoop(ImplicitLocOpBuilder &b, Int from, Int to, int64_t step,
              llvm::function_ref<void(Int)> body);
/// Covers 0 .. count - 1 by vectors: of 16, and of fewer for the rest.
void forEachPiece(ImplicitLocOpBuilder &b, Int count,
                  llvm::function_ref<void(Int at, int64_t width)> body);
/// if (condition) then() else otherwise(); a constant condition emits one side only.
void emitIf(ImplicitLocOpBuilder &b, Value condition, llvm::function_ref<void()> then,
            llvm::function_ref<void()> otherwise);

/// Lanes below `count` are true.
Value laneMask(ImplicitLocOpBuilder &b, Int count, int64_t lanes);

Value loadVector(ImplicitLocOpBuilder &b, VectorType type, Value pointer, unsigned alignment,
                 Value mask = nullptr);
/// Numbers as those of another type.
Value converted(ImplicitLocOpBuilder &b, VectorType type, Value numbers);
/// A vector of elements of type `stored`, converted. `alignment` is that of what is stored.
Value loadConverted(ImplicitLocOpBuilder &b, VectorType type, Type stored, Value pointer,
                    unsigned alignment, Value mask = nullptr);
void storeVector(ImplicitLocOpBuilder &b, Value vector, Value pointer, unsigned alignment);

/// Turns the rows of a square into its columns, in registers.
void transposeSquare(ImplicitLocOpBuilder &b, SmallVectorImpl<Value> &rows);

/// Copies a panel of B (`depth` x `columns`, k major; `source`: a pointer a vector) to `panel`,
/// rows of `source.size()` * lanes apart. Columns beyond are 0. Here and below, elements of type
/// `stored`, if that is given, become those of `type`.
void packPanel(ImplicitLocOpBuilder &b, ArrayRef<Value> source, ArrayRef<DepthStep> depth,
               Int columns, VectorType type, Value panel, Type stored = nullptr);
/// The same from a panel whose columns are anywhere: `columns` of them from `first` of `walk` on,
/// best if each is contiguous. Columns beyond repeat the last one, and up to lanes - 1 rows beyond
/// the last are written.
void packTransposedPanel(ImplicitLocOpBuilder &b, Value source, const Walk &walk, Int first,
                         ArrayRef<DepthStep> depth, Int columns, Int vectors, VectorType type,
                         Value panel, Type stored = nullptr);
/// Copies `rows` rows of A from `first` of `walk` on, those of a tile contiguous, to tiles of depth
/// x `tileRows`. Rows beyond are 0.
void packBlock(ImplicitLocOpBuilder &b, Value source, const Walk &walk, Int first,
               ArrayRef<DepthStep> depth, Int rows, int64_t tileRows, Type element, Value block,
               Type stored = nullptr);
/// Copies `rows` rows of A from `first` of `walk` on, converted, to rows of steps of k, `rowSize`
/// apart.
void convertRows(ImplicitLocOpBuilder &b, Value source, const Walk &walk, Int first, Int rows,
                 ArrayRef<DepthStep> depth, Type stored, Type element, Value tile, int64_t rowSize);

/// Products of i8. Four steps of k are one here: a word (i32) of four numbers.
class Bytes {
public:
  Bytes(ImplicitLocOpBuilder &b, VectorTarget target) : b(b), target(target) {}

  /// In how many words four numbers of a row are multiplied.
  int64_t parts() const;
  /// Part `part` of words of A or B, scalar or vector.
  Value part(Value words, int64_t part) const;
  /// sums + the products of words, part `part`: `rhs` of B, `lhs` of a row of A in all lanes.
  Value add(Value sums, Value lhs, Value rhs) const;
  /// Whether numbers of A are stored with 128 added, so that the sums have 128 times those of B's
  /// columns in excess.
  bool hasExcess() const { return target.byteProducts == VectorTarget::Fours; }

  /// Copies `rows` rows of A from `first` of `walk` on to rows of words, `rowSize` apart; part p is
  /// `planeSize` words behind the one before. `depth` counts words, the last digit those of runs
  /// that have `run` numbers, from word `runStart` on.
  void copyRows(Value source, const Walk &walk, Int first, Int rows, ArrayRef<DepthStep> depth,
                Int run, Int runStart, Value tile, int64_t rowSize, int64_t planeSize) const;

private:
  void copyRun(Value from, Value to, Int words, Int run, Int runStart, int64_t planeSize) const;
  void storeParts(Value words, Value to, Int at, int64_t planeSize) const;
  Value shifted(Value words, int64_t left, int64_t right) const;
  Value pairSums(Value lhs, Value rhs) const;

  ImplicitLocOpBuilder &b;
  VectorTarget target;
};

/// One register tile: `rows` x `vectors` accumulators over all steps of k.
struct RegisterTile {
  int64_t rows, vectors;
  VectorType type;
  SmallVector<Value> lhs; ///< A pointer a row, at the first k.
  SmallVector<Value> rhs; ///< A pointer a vector of a row of B, at the first k.
  DepthWalk depth;
  unsigned rhsAlignment;
  Value rhsMask;      ///< Of the last vector of a row of B; null: all lanes exist.
  Value accumulators; ///< Vector v of row r is number r * accumulatorStride + v.
  int64_t accumulatorStride;
  Value first; ///< i1: start from 0, not from `accumulators`. Null: always.
  /// Asks for memory that row `row` of the result will touch; null: none. The rows' turns are
  /// spread over the steps of k: all at once they would fill the queues to memory, and the loads of
  /// the operands would wait behind them.
  std::function<void(Int row)> prefetch;
  Type rhsType = type.getElementType(); ///< Of the elements of B; they are converted.
  /// Of i8: how they are multiplied; `type` is of i32. Rows of A are words, see Bytes::copyRows.
  std::optional<VectorTarget> bytes = {};
  int64_t planeSize = 0;
  Value excess = nullptr; ///< Vectors to be subtracted from the sums; null: none.
  int64_t chain = 0;      ///< Steps of k, of one digit, that are added one by one; 0: all.
};

/// accumulators = (first ? 0 : accumulators) + lhs * rhs.
void emitRegisterTile(ImplicitLocOpBuilder &b, const RegisterTile &tile);

/// The tasks of a product whose schedule says `dot`.
Int dotTaskCount(ImplicitLocOpBuilder &b, const Contraction &contraction);
void emitDotTask(ImplicitLocOpBuilder &b, const Contraction &contraction, Int index,
                 ContractionEpilogue epilogue);

/// Those of one whose schedule says `along`.
Int alongTaskCount(ImplicitLocOpBuilder &b, const Contraction &contraction);
void emitAlongTask(ImplicitLocOpBuilder &b, const Contraction &contraction, Int index,
                   ContractionEpilogue epilogue);

/// The sums of the vectors' lanes: those of as many vectors as there are lanes, one in each lane.
Value sumsOfLanes(ImplicitLocOpBuilder &b, ArrayRef<Value> vectors);

/// A buffer in the entry block of the function around, aligned to vectors.
Value allocateScratch(ImplicitLocOpBuilder &b, Type element, int64_t size);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_CONTRACTIONTILE_H
