//===- Permutation.h - axes in another order --------------------*- C++ -*-===//
//
// How ops implement PermutableOpInterface: the op on transposed operands.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_DIALECT_PERMUTATION_H
#define GEN_DIALECT_PERMUTATION_H

#include "dialect/Gen.h"

namespace mlir::gen {

/// The permutation that undoes `permutation`.
SmallVector<int64_t> inversePermutation(ArrayRef<int64_t> permutation);

/// numbers[permutation[i]] for each i.
SmallVector<int64_t> permuted(ArrayRef<int64_t> numbers, ArrayRef<int64_t> permutation);

/// The type of a value of type `type` transposed by `permutation`.
RankedTensorType permutedType(Type type, ArrayRef<int64_t> permutation);

/// `value` transposed: as a reshape if only axes of size 1 change places, as a broadcast if it is
/// one.
Value transposeOrReshape(GenBuilder &b, Value value, ArrayRef<int64_t> permutation);

/// The sizes of the dynamic dimensions of `type` in the order of the transposed type's.
SmallVector<Value> permutedSizes(RankedTensorType type, ValueRange sizes,
                                 ArrayRef<int64_t> permutation);

/// Axes of a reshape's input and result that hold the same elements: [first, last) of each.
struct ReshapeAxes {
  int64_t inputFirst, inputLast, resultFirst, resultLast;
};
/// Splits a reshape into the smallest groups of axes, innermost first. What is left where a size of
/// 0 is met, or a dynamic one that is not certain to be the same on both sides, is one group.
SmallVector<ReshapeAxes> reshapeGroups(ArrayRef<int64_t> input, ArrayRef<int64_t> result);

/// PermutableOpInterface::emitPermuted of ops that broadcast as NumPy does.
Value permutedElementwise(Operation *op, GenBuilder &b, ArrayRef<int64_t> permutation,
                          SmallVectorImpl<int64_t> &order);

/// The same for reductions: an op with the attribute `axes`.
Value permutedReduction(Operation *op, ArrayRef<int64_t> axes, GenBuilder &b,
                        ArrayRef<int64_t> permutation, SmallVectorImpl<int64_t> &order);

/// The same for ops on images (gen.max_pool, ...) that have a flag `channels_last`. With the batch
/// last, it is one more spatial axis, of windows of one position.
Value permutedImages(Operation *op, bool channelsLast, GenBuilder &b, ArrayRef<int64_t> permutation,
                     SmallVectorImpl<int64_t> &order);

/// [0, 2, ..., rank - 1, 1]: from channels first to channels last.
SmallVector<int64_t> channelsLastPermutation(int64_t rank);

/// [1, ..., rank - 1, 0]: from the batch first to the batch last.
SmallVector<int64_t> batchLastPermutation(int64_t rank);

/// [s...] as [1, s...], and back.
Value withLeadingOne(GenBuilder &b, Value value);
Value withoutLeadingOne(GenBuilder &b, Value value);

} // namespace mlir::gen

#endif // GEN_DIALECT_PERMUTATION_H
