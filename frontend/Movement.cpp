//===- Movement.cpp - functions that make or move elements ----------------===//

#include "Ops.h"

#include <algorithm>
#include <numeric>

using namespace gen::detail;
namespace ops = mlir::gen;

namespace gen {

/// The product of all dimensions.
static Dimension elements(const Shape &shape) {
  return std::accumulate(shape.begin(), shape.end(), Dimension(1),
                         [](const Dimension &lhs, const Dimension &rhs) { return lhs * rhs; });
}

Tensor reshape(const Tensor &x, const Shape &shape, SourceLocation where) {
  constexpr const char *kName = "gen.reshape";
  Shape result = shape;
  auto unknown = std::find(result.begin(), result.end(), Dimension(-1));
  if (unknown != result.end()) {
    *unknown = 1;
    if (std::optional<Dimension> rest = elements(x.shape()).dividedBy(elements(result)))
      *unknown = *rest;
  }
  if (elements(result) != elements(x.shape()))
    throw Diagnostic(where, kName,
                     "expected " + elements(x.shape()).str() + " elements, got the shape " +
                         describe(x.dtype(), shape))
        .operand("input", x)
        .error();
  if (result == x.shape())
    return x;
  Entry &entry = Entry::current(kName, where);
  mlir::Value value = entry.value(x, where);
  return entry.emit<ops::ReshapeOp>(where, x.dtype(), result, callText("reshape", {x.text()}),
                                    value, entry.sizes(result, where));
}

Tensor transpose(const Tensor &x, const std::vector<int64_t> &permutation, SourceLocation where) {
  constexpr const char *kName = "gen.transpose";
  std::vector<int64_t> order = permutation;
  if (order.empty() && x.rank() >= 2) {
    order.resize(static_cast<size_t>(x.rank()));
    std::iota(order.begin(), order.end(), 0);
    std::swap(order[order.size() - 1], order[order.size() - 2]);
  }
  if (static_cast<int64_t>(normalizeAxes(kName, x, order, where).size()) != x.rank())
    throw Diagnostic(where, kName, "expected each axis once").operand("input", x).error();
  Shape shape;
  for (int64_t &axis : order) {
    axis = normalizeAxis(kName, x, axis, where);
    shape.push_back(x.dimension(axis));
  }
  Entry &entry = Entry::current(kName, where);
  mlir::Value value = entry.value(x, where);
  return entry.emit<ops::TransposeOp>(where, x.dtype(), shape, callText("transpose", {x.text()}),
                                      value, llvm::ArrayRef<int64_t>(order));
}

Tensor slice(const Tensor &x, const SliceOptions &options, SourceLocation where) {
  constexpr const char *kName = "gen.slice";
  int64_t axis = normalizeAxis(kName, x, options.axis, where);
  Dimension size = x.dimension(axis);
  if (!size.isNumber())
    throw Diagnostic(where, kName, "the size of axis " + std::to_string(axis) + " is not a number")
        .operand("input", x)
        .error();
  if (options.start < 0 || options.start > options.limit || options.limit > size.number() ||
      options.stride < 1)
    throw Diagnostic(where, kName,
                     "expected 0 <= start <= limit <= " + size.str() +
                         " and stride >= 1, got start " + std::to_string(options.start) +
                         ", limit " + std::to_string(options.limit) + ", stride " +
                         std::to_string(options.stride))
        .operand("input", x)
        .error();
  auto rank = static_cast<size_t>(x.rank());
  std::vector<int64_t> starts(rank, 0), limits, strides(rank, 1);
  for (const Dimension &dimension : x.shape()) // a limit of 0 is the end of a dynamic axis
    limits.push_back(dimension.isNumber() ? dimension.number() : 0);
  auto at = static_cast<size_t>(axis);
  starts[at] = options.start;
  limits[at] = options.limit;
  strides[at] = options.stride;
  Shape shape = x.shape();
  shape[at] = (options.limit - options.start + options.stride - 1) / options.stride;
  Entry &entry = Entry::current(kName, where);
  mlir::Value value = entry.value(x, where);
  return entry.emit<ops::SliceOp>(where, x.dtype(), shape, callText("slice", {x.text()}), value,
                                  llvm::ArrayRef<int64_t>(starts), llvm::ArrayRef<int64_t>(limits),
                                  llvm::ArrayRef<int64_t>(strides));
}

std::vector<Tensor> chunk(const Tensor &x, int64_t count, int64_t axis, SourceLocation where) {
  axis = normalizeAxis("gen.slice", x, axis, where);
  Dimension size = x.dimension(axis);
  if (count < 1 || !size.isNumber() || size.number() % count != 0)
    throw Diagnostic(where, "gen.slice",
                     "axis " + std::to_string(axis) + " of size " + size.str() + " has no " +
                         std::to_string(count) + " equal parts")
        .operand("input", x)
        .error();
  int64_t length = size.number() / count;
  std::vector<Tensor> parts;
  for (int64_t i = 0; i < count; ++i)
    parts.push_back(slice(x, {axis, i * length, (i + 1) * length}, where));
  return parts;
}

Tensor concat(const std::vector<Tensor> &tensors, int64_t axis, SourceLocation where) {
  constexpr const char *kName = "gen.concat";
  if (tensors.empty())
    throw Diagnostic(where, kName, "expected at least one tensor").error();
  const Tensor &first = tensors.front();
  axis = normalizeAxis(kName, first, axis, where);
  Entry &entry = Entry::current(kName, where);
  llvm::SmallVector<mlir::Value> values;
  Shape shape = first.shape();
  Dimension total = 0;
  for (const Tensor &x : tensors) {
    Shape other = x.shape();
    if (other.size() == shape.size()) {
      total = total + other[static_cast<size_t>(axis)];
      other[static_cast<size_t>(axis)] = first.dimension(axis);
    }
    if (other != first.shape() || x.dtype() != first.dtype())
      throw Diagnostic(where, kName,
                       "expected tensors of one dtype that differ along axis " +
                           std::to_string(axis) + " only")
          .operand("first", first)
          .operand("other", x)
          .error();
    values.push_back(entry.value(x, where));
  }
  shape[static_cast<size_t>(axis)] = total;
  return entry.emit<ops::ConcatOp>(where, first.dtype(), shape,
                                   callText("concat", {first.text(), "..."}),
                                   mlir::ValueRange(values), static_cast<uint64_t>(axis));
}

Tensor pad(const Tensor &x, const PadOptions &options, SourceLocation where) {
  constexpr const char *kName = "gen.pad";
  auto rank = static_cast<size_t>(x.rank());
  auto negative = [](int64_t number) { return number < 0; };
  if (options.low.size() != rank || options.high.size() != rank ||
      std::any_of(options.low.begin(), options.low.end(), negative) ||
      std::any_of(options.high.begin(), options.high.end(), negative))
    throw Diagnostic(where, kName, "expected low and high to hold a number >= 0 for each axis")
        .operand("input", x)
        .error();
  Shape shape;
  for (size_t axis = 0; axis < rank; ++axis)
    shape.push_back(x.shape()[axis] + Dimension(options.low[axis] + options.high[axis]));
  Entry &entry = Entry::current(kName, where);
  mlir::Value value = entry.value(x, where);
  auto splat = entry.program.splat(entry.typeOf(x.dtype(), {}), options.value);
  std::vector<int64_t> interior(rank, 0);
  return entry.emit<ops::PadOp>(
      where, x.dtype(), shape, callText("pad", {x.text()}), value,
      splat.getSplatValue<mlir::TypedAttr>(), llvm::ArrayRef<int64_t>(options.low),
      llvm::ArrayRef<int64_t>(options.high), llvm::ArrayRef<int64_t>(interior));
}

Tensor broadcast_to(const Tensor &x, const Shape &shape, SourceLocation where) {
  constexpr const char *kName = "gen.broadcast";
  bool fits = x.shape().size() <= shape.size();
  std::vector<int64_t> axes;
  for (size_t axis = 0; fits && axis < x.shape().size(); ++axis) {
    size_t target = shape.size() - x.shape().size() + axis;
    fits = x.shape()[axis] == shape[target] || x.shape()[axis] == Dimension(1);
    axes.push_back(static_cast<int64_t>(target));
  }
  if (!fits)
    throw Diagnostic(where, kName, "cannot be repeated to " + describe(x.dtype(), shape))
        .operand("input", x)
        .error();
  Entry &entry = Entry::current(kName, where);
  mlir::Value value = entry.value(x, where);
  return entry.emit<ops::BroadcastOp>(where, x.dtype(), shape, callText("broadcast_to", {x.text()}),
                                      value, entry.sizes(shape, where),
                                      llvm::ArrayRef<int64_t>(axes));
}

Tensor full(const Shape &shape, double value, DType dtype, SourceLocation where) {
  constexpr const char *kName = "gen.constant";
  Entry &entry = Entry::current(kName, where);
  std::string text = callText("full", {numberText(value)});
  if (std::all_of(shape.begin(), shape.end(), [](const Dimension &d) { return d.isNumber(); })) {
    auto attribute = entry.program.splat(entry.typeOf(dtype, shape), value);
    mlir::Value constant = ops::ConstantOp::create(entry.builder, entry.locate(where), attribute);
    return entry.wrap(constant, dtype, shape, text, where);
  }
  Tensor scalar = entry.wrap(entry.scalar(value, dtype, where), dtype, {}, text, where);
  return broadcast_to(scalar, shape, where);
}
Tensor zeros(const Shape &shape, DType dtype, SourceLocation where) {
  return full(shape, 0, dtype, where);
}
Tensor ones(const Shape &shape, DType dtype, SourceLocation where) {
  return full(shape, 1, dtype, where);
}
Tensor full_like(const Tensor &x, double value, SourceLocation where) {
  return full(x.shape(), value, x.dtype(), where);
}
Tensor zeros_like(const Tensor &x, SourceLocation where) { return full_like(x, 0, where); }
Tensor ones_like(const Tensor &x, SourceLocation where) { return full_like(x, 1, where); }

Tensor constant(std::vector<double> values, const Shape &shape, DType dtype, SourceLocation where) {
  if (elements(shape) != Dimension(values.size()))
    throw Diagnostic(where, "gen.constant",
                     "expected " + elements(shape).str() + " values for " + describe(dtype, shape) +
                         ", got " + std::to_string(values.size()))
        .error();
  return Tensor(std::make_shared<Node>(Node{.dtype = dtype,
                                            .shape = shape,
                                            .text = "constant",
                                            .where = outermost(where),
                                            .values = std::move(values)}));
}

template <typename Op, typename... Args>
static Tensor draw(const char *name, DType dtype, const Shape &shape, SourceLocation where,
                   Args &&...args) {
  Entry &entry = Entry::current(name, where);
  Entry::Draw draw = entry.draw(where);
  return entry.emit<Op>(where, dtype, shape, callText(name + 11, {}), draw.key, draw.counter,
                        entry.sizes(shape, where), static_cast<uint64_t>(draw.stream),
                        std::forward<Args>(args)...);
}
/// Random numbers are f32 or f64.
static void requireFloat(const char *name, DType dtype, SourceLocation where) {
  if (!isFloat(dtype))
    throw Diagnostic(where, name, std::string("expected f32 or f64, got ") + gen::name(dtype))
        .error();
}

Tensor normal(const Shape &shape, DType dtype, SourceLocation where) {
  requireFloat("gen.random_normal", dtype, where);
  return draw<ops::RandomNormalOp>("gen.random_normal", dtype, shape, where);
}
Tensor uniform(const Shape &shape, DType dtype, SourceLocation where) {
  requireFloat("gen.random_uniform", dtype, where);
  return draw<ops::RandomUniformOp>("gen.random_uniform", dtype, shape, where);
}
Tensor bernoulli(const Shape &shape, double probability, SourceLocation where) {
  if (!(probability >= 0 && probability <= 1))
    throw Diagnostic(where, "gen.random_bernoulli",
                     "expected a probability from 0 to 1, got " + std::to_string(probability))
        .error();
  return draw<ops::RandomBernoulliOp>("gen.random_bernoulli", boolean, shape, where,
                                      llvm::APFloat(probability));
}
Tensor normal_like(const Tensor &x, SourceLocation where) {
  return normal(x.shape(), x.dtype(), where);
}
Tensor uniform_like(const Tensor &x, SourceLocation where) {
  return uniform(x.shape(), x.dtype(), where);
}
Tensor bernoulli_like(const Tensor &x, double probability, SourceLocation where) {
  return bernoulli(x.shape(), probability, where);
}

} // namespace gen
