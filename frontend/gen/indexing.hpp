//===- gen/indexing.hpp - rows chosen by numbers ----------------*- C++ -*-===//
//
// Lookup in tables, its gradient as a function of its own, and what is made of comparing with
// 0, 1, 2, ... Indices are i32 or i64.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_INDEXING_HPP
#define GEN_INDEXING_HPP

#include "gen/tensor.hpp"

namespace gen {

// NOLINTBEGIN(readability-identifier-naming): the field's names

/// Rows of `table` (its first axis) by number: [rows, ...] and [i...] -> [i..., ...]. An index that
/// names no row gives zeros.
Tensor gather(const Tensor &table, const Tensor &indices,
              SourceLocation where = SourceLocation::current());
/// The sums of the `updates` that have the same index: [i...] and [i..., ...] -> [rows, ...],
/// always added in the same order. An index that names no row adds nothing.
Tensor scatter_add(const Tensor &indices, const Tensor &updates, const Dimension &rows,
                   SourceLocation where = SourceLocation::current());
/// 0, 1, 2, ... along `axis`.
Tensor iota(const Shape &shape, int64_t axis = -1, DType dtype = i64,
            SourceLocation where = SourceLocation::current());
/// [i...] -> [i..., classes]: 1 at the class of the index, else 0; all 0 where it names no class.
Tensor one_hot(const Tensor &indices, const Dimension &classes, DType dtype = f32,
               SourceLocation where = SourceLocation::current());

// NOLINTEND(readability-identifier-naming)

} // namespace gen

#endif // GEN_INDEXING_HPP
