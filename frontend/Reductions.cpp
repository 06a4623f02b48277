//===- Reductions.cpp - folds along axes, matrix products -----------------===//

#include "Ops.h"

#include <algorithm>

using namespace gen::detail;
namespace ops = mlir::gen;

namespace gen {

template <typename Op>
static Tensor reduce(const char *name, const Tensor &x, const ReduceOptions &options,
                     SourceLocation where) {
  std::vector<int64_t> axes = normalizeAxes(name, x, options.axes, where);
  if (axes.empty())
    for (int64_t axis = 0; axis < x.rank(); ++axis)
      axes.push_back(axis);
  Shape shape, kept;
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    bool reduced = std::binary_search(axes.begin(), axes.end(), axis);
    kept.push_back(reduced ? Dimension(1) : x.dimension(axis));
    if (!reduced)
      shape.push_back(x.dimension(axis));
  }
  Entry &entry = Entry::current(name, where);
  mlir::Value value = entry.value(x, where);
  Tensor result = entry.emit<Op>(where, x.dtype(), shape, callText(name + 11, {x.text()}), value,
                                 llvm::ArrayRef<int64_t>(axes));
  return options.keepdim ? reshape(result, kept, where) : result;
}

Tensor sum(const Tensor &x, const ReduceOptions &options, SourceLocation where) {
  requireNumber("gen.reduce_sum", x, where);
  return reduce<ops::ReduceSumOp>("gen.reduce_sum", x, options, where);
}
Tensor mean(const Tensor &x, const ReduceOptions &options, SourceLocation where) {
  requireFloat("gen.reduce_mean", x, where);
  return reduce<ops::ReduceMeanOp>("gen.reduce_mean", x, options, where);
}
Tensor max(const Tensor &x, const ReduceOptions &options, SourceLocation where) {
  requireNumber("gen.reduce_max", x, where);
  return reduce<ops::ReduceMaxOp>("gen.reduce_max", x, options, where);
}
Tensor min(const Tensor &x, const ReduceOptions &options, SourceLocation where) {
  requireNumber("gen.reduce_min", x, where);
  return reduce<ops::ReduceMinOp>("gen.reduce_min", x, options, where);
}
Tensor norm(const Tensor &x, const ReduceOptions &options, SourceLocation where) {
  return sqrt(sum(square(x, where), options, where), where).named(callText("norm", {x.text()}));
}

Tensor matmul(const Tensor &lhs, const Tensor &rhs, const MatmulOptions &options,
              SourceLocation where) {
  constexpr const char *kName = "gen.matmul";
  auto mistake = [&](const std::string &message) {
    return Diagnostic(where, kName, message)
        .operand("lhs", lhs, options.transpose_lhs ? "transposed" : "")
        .operand("rhs", rhs, options.transpose_rhs ? "transposed" : "");
  };
  requireFloat(kName, lhs, where);
  requireSameDType(kName, lhs, rhs, where);
  if (lhs.rank() < 2 || lhs.rank() != rhs.rank())
    throw mistake("expected two matrices, or two equal batches of matrices")
        .hint("reshape(x, {1, n}) makes a row of a vector")
        .error();
  Dimension rows = lhs.dimension(options.transpose_lhs ? -1 : -2);
  Dimension columns = lhs.dimension(options.transpose_lhs ? -2 : -1);
  Dimension rhsRows = rhs.dimension(options.transpose_rhs ? -1 : -2);
  if (columns != rhsRows)
    throw mistake("lhs has " + count(columns, "column") + ", rhs has " + count(rhsRows, "row"))
        .error();
  Shape shape(lhs.shape().begin(), lhs.shape().end() - 2);
  if (!std::equal(shape.begin(), shape.end(), rhs.shape().begin()))
    throw mistake("expected equal leading axes").error();
  shape.insert(shape.end(), {rows, rhs.dimension(options.transpose_rhs ? -2 : -1)});
  Entry &entry = Entry::current(kName, where);
  mlir::Value l = entry.value(lhs, where), r = entry.value(rhs, where);
  return entry.emit<ops::MatmulOp>(
      where, lhs.dtype(), shape, callText("matmul", {lhs.text(), rhs.text()}), l, r,
      options.transpose_lhs, options.transpose_rhs, mlir::IntegerAttr());
}

} // namespace gen
