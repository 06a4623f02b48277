//===- Loops.cpp - loops that are ops -------------------------------------===//

#include "gen/loops.hpp"
#include "Ops.h"
#include "gen/ops.hpp"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace gen::detail;
namespace ops = mlir::gen;

namespace gen {

/// Throws unless a step gives `values` the types of `first`.
static void requireSameTypes(const char *name, const std::vector<Tensor> &first,
                             const std::vector<Tensor> &values, const char *mistake,
                             SourceLocation where) {
  if (values.size() != first.size())
    throw Diagnostic(where, name,
                     "a step starts with " + count(static_cast<int64_t>(first.size()), "value") +
                         " and ends with " + std::to_string(values.size()))
        .error();
  for (size_t i = 0; i < first.size(); ++i)
    if (values[i].dtype() != first[i].dtype() || values[i].shape() != first[i].shape())
      throw Diagnostic(where, name, "value " + std::to_string(i) + " " + mistake)
          .operand("before", first[i])
          .operand("after", values[i])
          .error();
}

namespace {

/// What a step gives; `slices` are written into sequences at `index`; of `last` there is what the
/// last step gave.
struct Recorded {
  std::vector<Tensor> values, slices;
  mlir::Value index;
  std::vector<Tensor> last = {};
};
using Record = std::function<Recorded(mlir::Value step, const std::vector<Tensor> &values)>;

/// A loop over steps 0 .. count - 1, and what it returns: values, sequences of `length`, and what
/// the last step gave.
class Loop {
public:
  Loop(const char *name, mlir::Value count, Dimension length, SourceLocation where)
      : name(name), entry(Entry::current(name, where)), location(entry.locate(where)), count(count),
        length(std::move(length)), where(where) {}

  std::vector<Tensor> record(const std::vector<Tensor> &first, const Record &body);

private:
  mlir::Value index(int64_t number) {
    return mlir::arith::ConstantIndexOp::create(entry.builder, location, number);
  }
  std::vector<Tensor> addOutputs(const Recorded &recorded);

  const char *name;
  Entry &entry;
  mlir::Location location;
  mlir::Value count;
  Dimension length;
  SourceLocation where;
  mlir::scf::ForOp op;
};

} // namespace

std::vector<Tensor> Loop::record(const std::vector<Tensor> &first, const Record &body) {
  llvm::SmallVector<mlir::Value> inits, yielded;
  for (const Tensor &value : first)
    inits.push_back(entry.value(value, where));
  mlir::Value zero = index(0), one = index(1);
  op = mlir::scf::ForOp::create(
      entry.builder, location, zero, count, one, inits,
      [](mlir::OpBuilder &, mlir::Location, mlir::Value, mlir::ValueRange) {});
  entry.beginLoop(op);
  std::vector<Tensor> values, results;
  for (auto [i, argument] : llvm::enumerate(op.getRegionIterArgs()))
    values.push_back(
        entry.wrap(argument, first[i].dtype(), first[i].shape(), first[i].text(), where));
  Recorded recorded = body(op.getInductionVar(), values);
  requireSameTypes(name, first, recorded.values, "changes its type in a step", where);
  for (const Tensor &value : recorded.values)
    yielded.push_back(entry.value(value, where));
  for (std::vector<Tensor> *outputs : {&recorded.slices, &recorded.last})
    for (Tensor &output : *outputs)
      output = entry.wrap(entry.value(output, where), output.dtype(), output.shape(), output.text(),
                          where);
  entry.endLoop(yielded);
  std::vector<Tensor> outputs = addOutputs(recorded);
  auto wrap = [&](const Tensor &like) {
    mlir::Value result = op.getResult(static_cast<unsigned>(results.size()));
    results.push_back(
        entry.wrap(result, like.dtype(), like.shape(), callText(name, {like.text()}), where));
  };
  llvm::for_each(first, wrap);
  llvm::for_each(outputs, wrap);
  return results;
}

/// Makes the loop carry the sequences and what its last step gives, which start as zeros.
std::vector<Tensor> Loop::addOutputs(const Recorded &recorded) {
  mlir::OpBuilder::InsertionGuard guard(entry.builder);
  entry.builder.setInsertionPoint(op);
  std::vector<Tensor> outputs;
  llvm::SmallVector<mlir::Value> inits;
  auto add = [&](const Tensor &like, const Shape &shape) {
    outputs.push_back(zeros(shape, like.dtype(), where).named(like.text()));
    inits.push_back(entry.value(outputs.back(), where));
  };
  for (const Tensor &slice : recorded.slices) {
    Shape shape = slice.shape();
    shape.front() = length;
    add(slice, shape);
  }
  for (const Tensor &value : recorded.last)
    add(value, value.shape());
  auto write = [&](mlir::OpBuilder &builder, mlir::Location,
                   llvm::ArrayRef<mlir::BlockArgument> arguments) {
    llvm::SmallVector<mlir::Value> written;
    for (auto [argument, slice] : llvm::zip(arguments, recorded.slices))
      written.push_back(ops::DynamicUpdateSliceOp::create(builder, location, argument.getType(),
                                                          argument, slice.handle()->value,
                                                          recorded.index, 0));
    for (const Tensor &value : recorded.last)
      written.push_back(value.handle()->value);
    return written;
  };
  mlir::IRRewriter rewriter(op);
  if (!inits.empty())
    op = mlir::cast<mlir::scf::ForOp>(
        *op.replaceWithAdditionalYields(rewriter, inits, false, write));
  return outputs;
}

/// A number of steps as an index.
static mlir::Value stepCount(Entry &entry, const Dimension &steps, SourceLocation where) {
  if (!steps.isNumber())
    return entry.size(steps, where);
  return mlir::arith::ConstantIndexOp::create(entry.builder, entry.locate(where), steps.number());
}

std::vector<Tensor> repeat(const Dimension &steps, const std::vector<Tensor> &first,
                           const RepeatBody &body, SourceLocation where) {
  constexpr const char *kName = "repeat";
  Entry &entry = Entry::current(kName, where);
  if (steps.isNumber() && steps.number() < 0)
    throw Diagnostic(where, kName, "expected 0 or more steps, got " + steps.str()).error();
  return Loop(kName, stepCount(entry, steps, where), steps, where)
      .record(first, [&](mlir::Value index, const std::vector<Tensor> &values) {
        Tensor step = entry.emit<ops::SizeOp>(where, i64, Shape(), "step", index);
        return Recorded{body(step, values), {}, index};
      });
}

Tensor repeat(const Dimension &steps, const Tensor &first,
              const std::function<Tensor(const Tensor &, const Tensor &)> &body,
              SourceLocation where) {
  auto bodyOfOne = [&](const Tensor &step, const std::vector<Tensor> &values) {
    return std::vector<Tensor>{body(step, values.front())};
  };
  return repeat(steps, std::vector<Tensor>{first}, bodyOfOne, where).front();
}

/// A number of steps, or a condition (one step or none), that the entry computes.
static mlir::Value computedCount(Entry &entry, const Tensor &count, SourceLocation where) {
  mlir::Location location = entry.locate(where);
  auto element =
      mlir::tensor::ExtractOp::create(entry.builder, location, entry.value(count, where), {});
  mlir::Type index = entry.builder.getIndexType();
  if (count.dtype() == boolean)
    return mlir::arith::IndexCastUIOp::create(entry.builder, location, index, element);
  return mlir::arith::IndexCastOp::create(entry.builder, location, index, element);
}

std::vector<Tensor> repeat(const Tensor &steps, const std::vector<Tensor> &first,
                           const RepeatBody &body, SourceLocation where) {
  constexpr const char *kName = "repeat";
  Entry &entry = Entry::current(kName, where);
  if (steps.dtype() != i64 || steps.rank() != 0)
    throw Diagnostic(where, kName, "expected a number of steps, a scalar of i64")
        .operand("steps", steps)
        .error();
  return Loop(kName, computedCount(entry, steps, where), 0, where)
      .record(first, [&](mlir::Value index, const std::vector<Tensor> &values) {
        Tensor step = entry.emit<ops::SizeOp>(where, i64, Shape(), "step", index);
        return Recorded{body(step, values), {}, index};
      });
}

/// A branch is a loop of one step or none; the second one starts with what the first one gave.
std::vector<Tensor> cond(const Tensor &condition, const Branch &then, const Branch &otherwise,
                         SourceLocation where) {
  constexpr const char *kName = "cond";
  SourceScope scope(where);
  Entry &entry = Entry::current(kName, where);
  if (condition.dtype() != boolean || condition.rank() != 0)
    throw Diagnostic(where, kName, "expected a condition, a boolean scalar")
        .operand("condition", condition)
        .error();
  mlir::Value holds = computedCount(entry, condition, where),
              fails = computedCount(entry, !condition, where);
  std::vector<Tensor> results =
      Loop(kName, holds, 1, where).record({}, [&](mlir::Value index, const auto &) {
        return Recorded{{}, {}, index, then()};
      });
  return Loop(kName, fails, 1, where).record(results, [&](mlir::Value index, const auto &) {
    std::vector<Tensor> others = otherwise();
    requireSameTypes(kName, results, others, "differs in type between the branches", where);
    return Recorded{std::move(others), {}, index};
  });
}

/// The element of a sequence at `index`.
static Tensor elementOf(Entry &entry, const Tensor &sequence, mlir::Value index,
                        SourceLocation where) {
  Shape shape(sequence.shape().begin() + 1, sequence.shape().end()), slice = sequence.shape();
  slice.front() = 1;
  mlir::Value value = entry.value(sequence, where);
  std::string text = callText("element", {sequence.text()});
  Tensor kept = entry.emit<ops::DynamicSliceOp>(where, sequence.dtype(), slice, text, value, index,
                                                uint64_t(0), uint64_t(1));
  return reshape(kept, shape, where).named(text);
}

/// The length that all sequences have; throws if they differ.
static Dimension lengthOf(const std::vector<Tensor> &sequences, SourceLocation where) {
  if (sequences.empty())
    throw Diagnostic(where, "scan", "expected at least one sequence")
        .hint("repeat(steps, ...) needs none")
        .error();
  for (const Tensor &sequence : sequences)
    if (sequence.rank() == 0 || sequence.dimension(0) != sequences.front().dimension(0))
      throw Diagnostic(where, "scan", "expected sequences of one length along the first axis")
          .operand("first", sequences.front())
          .operand("other", sequence)
          .error();
  return sequences.front().dimension(0);
}

ScanStep scan(const std::vector<Tensor> &first, const std::vector<Tensor> &sequences,
              const ScanBody &body, const ScanOptions &options, SourceLocation where) {
  constexpr const char *kName = "scan";
  SourceScope scope(where);
  Entry &entry = Entry::current(kName, where);
  Dimension length = lengthOf(sequences, where);
  mlir::Value count = stepCount(entry, length, where);
  auto indexOf = [&](mlir::Value step) -> mlir::Value {
    if (!options.reverse)
      return step;
    mlir::Location location = entry.locate(where);
    auto one = mlir::arith::ConstantIndexOp::create(entry.builder, location, 1);
    auto last = mlir::arith::SubIOp::create(entry.builder, location, count, one);
    return mlir::arith::SubIOp::create(entry.builder, location, last, step);
  };
  auto record = [&](mlir::Value step, const std::vector<Tensor> &values) {
    mlir::Value index = indexOf(step);
    std::vector<Tensor> elements, slices;
    for (const Tensor &sequence : sequences)
      elements.push_back(elementOf(entry, sequence, index, where));
    ScanStep result = body(values, elements);
    for (const Tensor &output : result.outputs) {
      Shape slice = output.shape();
      slice.insert(slice.begin(), 1);
      slices.push_back(reshape(output, slice, where).named(output.text()));
    }
    return Recorded{std::move(result.values), std::move(slices), index};
  };
  std::vector<Tensor> results = Loop(kName, count, length, where).record(first, record);
  auto last = results.begin() + static_cast<std::ptrdiff_t>(first.size());
  return {std::vector<Tensor>(results.begin(), last), std::vector<Tensor>(last, results.end())};
}

} // namespace gen
