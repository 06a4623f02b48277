//===- Contraction.h - Code of matrix products ----------------------------===//
//
// Emits the tasks of C[m, n] = sum over k of A[m, k] * B[k, n], for f32 and f64. A task computes a
// block of C, one register tile of `rows` x `vectors` accumulators at a time, and hands each
// finished vector of C to an epilogue of the caller. The tasks of a product are independent of each
// other.
//
// Sizes and strides are i64 values. Those that are constants specialize the code; the others make
// one code for all sizes, 0 included (no k: zeros; no row or column: no task).
//
// Every element of C is one chain acc = fma(A[m, k], B[k, n], acc) from 0 over k = 0, 1, ...,
// whatever the schedule (or, if the op asks for `chain`, the sum of such chains of equal length).
// So its bits depend on its row of A and its column of B alone: not on the batch, the tile or edge
// it falls in, the thread, or whether sizes are dynamic. (With `dot` or `along` it is one chain a
// lane, and a tree over the lanes, to the same effect.)
//
// Scratch (packed operands, unfinished sums) is an alloca in the entry block of the function around
// the task, at most a few hundred KB.
//
// A convolution is a product, too, where A is the input: m counts output positions and k the taps
// and channels, both as mixed-radix numbers whose digits step through the input (implicit GEMM).
//
// Operands that are stored in fewer bits (bf16, f16) are converted when they are copied or read;
// the sums are those of the converted numbers. Where both are i8, sums are exact, in i32, of four
// products at a time, and converted when they are done.
//
// Batches: give the task the pointers of its batch element; index / taskCount is the element.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_CONTRACTION_H
#define GEN_PASSES_KERNELS_CONTRACTION_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/kernels/Prefetch.h"

namespace mlir::gen::kernels {

/// What the code of a product looks like. chooseSchedule() fills it by rule.
struct ContractionSchedule {
  int64_t lanes = 16;  ///< Elements of an accumulator: consecutive columns of one row.
  int64_t rows = 8;    ///< Rows of a register tile.
  int64_t vectors = 3; ///< Accumulators a row of a register tile; lanes * vectors columns: a panel.
  int64_t depth = 0;   ///< Steps of k between two spills of the accumulators; 0: all.
  int64_t chain = 0;   ///< Steps of k that are added one by one, of a matrix; 0: all.
  int64_t rowBlock = 128; ///< Rows of a task at most, a multiple of `rows`.
  int64_t panels = 1;     ///< Panels of a task at most.
  bool packLhs = false;   ///< Copy the task's block of A tile by tile (transposed A only).
  bool packRhs = true;    ///< Copy each panel of B (always so for transposed B).
  /// B lies in memory as [ceil(n / lanes), k, lanes], zeros beyond n: nothing is copied. With
  /// digits of k, `rhsStride` is the distance of two vectors of columns. If both operands are i8:
  /// as [ceil(n / lanes), ceil(k / 4), lanes, 4], each run of the last digit of k divided into
  /// fours.
  bool rhsIsPacked = false;
  /// Compute C^T = B^T A^T, with the lanes along the rows of C: for a few columns, at most `lanes`.
  /// All of the above then speaks of C^T; the epilogue still gets rows of C.
  bool transposed = false;
  /// Lanes along k, and a sum over them at the end: for a known, small number of columns, and
  /// digits of k, known as well, the last of which has stride 1 in A. `rows` and `rowBlock` count
  /// only.
  bool dot = false;
  /// The same for many columns, with digits, and a k of any length, whose last digit has stride 1
  /// in A and B; both are read where they are. A register tile has `vectors` columns, a task
  /// `panels` tiles of them at most and one of rows.
  bool along = false;
};

/// What the rules want to know of the machine.
struct VectorTarget {
  int64_t registerBytes = 64; ///< 64 AVX-512, 32 AVX2, 16 SSE or NEON.
  int64_t registers = 32;
  /// How products of i8 are added to an i32.
  enum ByteProducts {
    Single, ///< One by one, in i32: any machine.
    Pairs,  ///< Two at once, widened to i16 (pmaddwd): x86-64.
    Fours   ///< Four at once (vpdpbusd): AVX-512 VNNI.
  } byteProducts = Single;
};

/// The rule table. Sizes may be ShapedType::kDynamic. `lanes`: those of an accumulator, any power
/// of two; 0 takes one register. An accumulator of several registers costs as many. `rhsIsPacked`:
/// B is in the packed layout of these lanes.
ContractionSchedule chooseSchedule(int64_t m, int64_t n, int64_t k, bool transposeLhs,
                                   bool transposeRhs, Type elementType, VectorTarget target = {},
                                   int64_t lanes = 0, bool rhsIsPacked = false);

/// The same for the gradient of a weight, a product with A transposed: of a linear layer's, a sum
/// over rows; of a convolution's, [taps and channels, n], a sum over pixels. `isStreamed`: what the
/// epilogue reads and writes comes from memory, not from a cache.
ContractionSchedule chooseWeightGradientSchedule(int64_t m, int64_t n, int64_t k, Type elementType,
                                                 VectorTarget target = {}, int64_t lanes = 0,
                                                 bool isStreamed = false);

/// The same for a convolution of `n` output channels (or the gradient of its input, of as many
/// input channels): `run` elements of A are contiguous along k.
ContractionSchedule chooseConvolutionSchedule(int64_t m, int64_t n, int64_t k, int64_t run,
                                              bool transposeRhs, Type elementType,
                                              VectorTarget target = {}, int64_t lanes = 0,
                                              bool rhsIsPacked = false);

/// The same for few rows, which stay in registers, and many columns that are read in place.
ContractionSchedule chooseInPlaceSchedule(int64_t m, int64_t n, int64_t k, Type elementType,
                                          VectorTarget target);

/// The same for sums along memory, whose columns are in runs of `run`.
ContractionSchedule chooseAlongSchedule(int64_t m, int64_t n, int64_t run, Type elementType,
                                        VectorTarget target);

/// A digit of m: it counts to `extent`, and each step is `stride` elements of A.
struct RowDigit {
  Value extent, stride;
};

/// A digit of k, with its steps in A and in B.
struct DepthDigit {
  Value extent, lhsStride, rhsStride;
};

/// Zeros around A. Step i of digit `row` of m and step j of digit `depth` of k lead to line
/// `origin` + i * `rowStep` + j * `depthStep`, and only lines 0 .. `lines` - 1 have other numbers.
/// A tile leaves out the steps of k that lead all of its rows to zeros, so B is to be finite.
struct Margin {
  size_t row, depth;
  Value origin;
  int64_t rowStep, depthStep;
  Value lines;
};

/// A product. Pointers are !llvm.ptr, the rest i64. Rows are contiguous; strides are in elements.
struct Contraction {
  Value lhs; ///< A: [m, k] with rows `lhsStride` apart, or [k, m] if transposed.
  Value rhs; ///< B: [k, n] with rows `rhsStride` apart, or [n, k] if transposed; or packed.
  Value m, n, k;
  Value lhsStride, rhsStride;
  bool transposeLhs = false, transposeRhs = false;
  /// If A is no matrix (a convolution's input): the digits of m and of k, most significant first.
  /// A[m, k] is where their steps lead from `lhs`, so that elements may be shared between rows.
  /// `m`, `k`, `lhsStride` and `transposeLhs` are not needed then; B's rows lie where the steps of
  /// k lead from `rhs`.
  SmallVector<RowDigit> rows;
  SmallVector<DepthDigit> depth;
  SmallVector<RowDigit> columns; ///< Of B, in the same way, if the schedule says `along`.
  SmallVector<Margin> margins;
  Type elementType;
  /// Of the operands' numbers, if they are converted when they are read: bf16, f16, or i8 of a
  /// packed B, then of A, too, if its rows are contiguous along the last digit of k. Null:
  /// `elementType`.
  Type lhsType, rhsType;
  ContractionSchedule schedule;
  VectorTarget target;       ///< For products of i8.
  bool longEpilogue = false; ///< Emit the epilogue once, masked, even where vectors are whole.
};

/// Receives C[row, column .. column + lanes - 1] as a vector, or C[row, column] as a number if the
/// schedule says `along`. `mask` (i1 lanes) tells the columns that exist; null: all do. Called in
/// up to two places of the code, each inside the task's loops.
using ContractionEpilogue = llvm::function_ref<void(ImplicitLocOpBuilder &, Value row, Value column,
                                                    Value accumulator, Value mask)>;

/// Asks for the memory that the epilogue of element `position` of C, row by row, will touch. Called
/// while sums are computed, which takes long enough for the memory to arrive.
using ContractionPrefetch =
    llvm::function_ref<void(ImplicitLocOpBuilder &, Int position, CacheLevel)>;

/// The number of tasks, an i64.
Value emitTaskCount(ImplicitLocOpBuilder &b, const Contraction &contraction);

/// The code of task `index` in 0 .. count - 1.
void emitTask(ImplicitLocOpBuilder &b, const Contraction &contraction, Value index,
              ContractionEpilogue epilogue, ContractionPrefetch prefetch = nullptr);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_CONTRACTION_H
