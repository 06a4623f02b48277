//===- Loops.cpp - loops that are ops -------------------------------------===//

#include "gen/loops.hpp"
#include "Ops.h"
#include "gen/ops.hpp"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace gen::detail;
namespace ops = mlir::gen;

namespace gen {

/// Throws unless a step gives `values` the types of `first`.
static void requireSameTypes(const char *name, const std::vector<Tensor> &first,
                             const std::vector<Tensor> &values, SourceLocation where) {
  if (values.size() != first.size())
    throw Diagnostic(where, name,
                     "a step starts with " + count(static_cast<int64_t>(first.size()), "value") +
                         " and ends with " + std::to_string(values.size()))
        .error();
  for (size_t i = 0; i < first.size(); ++i)
    if (values[i].dtype() != first[i].dtype() || values[i].shape() != first[i].shape())
      throw Diagnostic(where, name, "value " + std::to_string(i) + " changes its type in a step")
          .operand("before", first[i])
          .operand("after", values[i])
          .error();
}

namespace {

/// What a step gives; `slices` are written into sequences at `index`.
struct Recorded {
  std::vector<Tensor> values, slices;
  mlir::Value index;
};
using Record = std::function<Recorded(mlir::Value step, const std::vector<Tensor> &values)>;

/// A loop over steps 0 .. count - 1, and what it returns: values, then sequences of `length`.
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
  std::vector<Tensor> addSequences(const Recorded &recorded);

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
  requireSameTypes(name, first, recorded.values, where);
  for (const Tensor &value : recorded.values)
    yielded.push_back(entry.value(value, where));
  for (Tensor &slice : recorded.slices)
    slice =
        entry.wrap(entry.value(slice, where), slice.dtype(), slice.shape(), slice.text(), where);
  entry.endLoop(yielded);
  std::vector<Tensor> sequences = addSequences(recorded);
  auto wrap = [&](const Tensor &like) {
    mlir::Value result = op.getResult(static_cast<unsigned>(results.size()));
    results.push_back(
        entry.wrap(result, like.dtype(), like.shape(), callText(name, {like.text()}), where));
  };
  llvm::for_each(first, wrap);
  llvm::for_each(sequences, wrap);
  return results;
}

/// Makes the loop carry the sequences, which start as zeros.
std::vector<Tensor> Loop::addSequences(const Recorded &recorded) {
  mlir::OpBuilder::InsertionGuard guard(entry.builder);
  entry.builder.setInsertionPoint(op);
  std::vector<Tensor> sequences;
  llvm::SmallVector<mlir::Value> inits;
  for (const Tensor &slice : recorded.slices) {
    Shape shape = slice.shape();
    shape.front() = length;
    sequences.push_back(zeros(shape, slice.dtype(), where).named(slice.text()));
    inits.push_back(entry.value(sequences.back(), where));
  }
  auto write = [&](mlir::OpBuilder &builder, mlir::Location,
                   llvm::ArrayRef<mlir::BlockArgument> arguments) {
    llvm::SmallVector<mlir::Value> written;
    for (auto [argument, slice] : llvm::zip(arguments, recorded.slices))
      written.push_back(ops::DynamicUpdateSliceOp::create(builder, location, argument.getType(),
                                                          argument, slice.handle()->value,
                                                          recorded.index, 0));
    return written;
  };
  mlir::IRRewriter rewriter(op);
  if (!inits.empty())
    op = mlir::cast<mlir::scf::ForOp>(
        *op.replaceWithAdditionalYields(rewriter, inits, false, write));
  return sequences;
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
