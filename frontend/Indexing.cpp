//===- Indexing.cpp - rows chosen by numbers ------------------------------===//

#include "gen/indexing.hpp"
#include "Ops.h"
#include "gen/ops.hpp"

using namespace gen::detail;
namespace ops = mlir::gen;

namespace gen {

static void requireIndices(const char *op, const Tensor &indices, SourceLocation where) {
  if (indices.dtype() != i32 && indices.dtype() != i64)
    throw Diagnostic(where, op,
                     std::string("expected indices of i32 or i64, got ") + name(indices.dtype()))
        .operand("indices", indices)
        .hint("cast(x, i64) converts them")
        .error();
}

Tensor gather(const Tensor &table, const Tensor &indices, SourceLocation where) {
  constexpr const char *kName = "gen.gather";
  requireIndices(kName, indices, where);
  if (table.rank() < 1)
    throw Diagnostic(where, kName, "expected a table of rank 1 or more")
        .operand("table", table)
        .error();
  Shape shape = indices.shape();
  shape.insert(shape.end(), table.shape().begin() + 1, table.shape().end());
  Entry &entry = Entry::current(kName, where);
  mlir::Value rows = entry.value(table, where), numbers = entry.value(indices, where);
  return entry.emit<ops::GatherOp>(where, table.dtype(), shape,
                                   callText("gather", {table.text(), indices.text()}), rows,
                                   numbers);
}

Tensor scatter_add(const Tensor &indices, const Tensor &updates, const Dimension &rows,
                   SourceLocation where) {
  constexpr const char *kName = "gen.scatter_add";
  requireIndices(kName, indices, where);
  requireNumber(kName, updates, where);
  auto leading = static_cast<size_t>(indices.rank());
  const Shape &all = updates.shape();
  if (all.size() < leading ||
      !std::equal(indices.shape().begin(), indices.shape().end(), all.begin()))
    throw Diagnostic(where, kName, "expected updates whose first axes are those of the indices")
        .operand("indices", indices)
        .operand("updates", updates)
        .error();
  Shape shape = {rows};
  shape.insert(shape.end(), all.begin() + static_cast<int64_t>(leading), all.end());
  Entry &entry = Entry::current(kName, where);
  mlir::Value numbers = entry.value(indices, where), values = entry.value(updates, where);
  return entry.emit<ops::ScatterAddOp>(where, updates.dtype(), shape,
                                       callText("scatter_add", {indices.text(), updates.text()}),
                                       numbers, values, entry.sizes(shape, where));
}

Tensor iota(const Shape &shape, int64_t axis, DType dtype, SourceLocation where) {
  constexpr const char *kName = "gen.iota";
  auto rank = static_cast<int64_t>(shape.size());
  int64_t number = axis < 0 ? axis + rank : axis;
  if (number < 0 || number >= rank || dtype == boolean)
    throw Diagnostic(where, kName,
                     "expected an axis of " + describe(dtype, shape) + " and a dtype of numbers, " +
                         "got axis " + std::to_string(axis))
        .error();
  Entry &entry = Entry::current(kName, where);
  return entry.emit<ops::IotaOp>(where, dtype, shape, callText("iota", {}),
                                 entry.sizes(shape, where), static_cast<uint64_t>(number));
}

Tensor one_hot(const Tensor &indices, const Dimension &classes, DType dtype, SourceLocation where) {
  SourceScope scope(where);
  requireIndices("one_hot", indices, where);
  Shape column = indices.shape(), shape = indices.shape();
  column.push_back(1);
  shape.push_back(classes);
  Tensor isHere = equal(reshape(indices, column, where), iota(shape, -1, indices.dtype(), where));
  return cast(isHere, dtype, where).named(callText("one_hot", {indices.text()}));
}

} // namespace gen
