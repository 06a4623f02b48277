//===- Entry.cpp - an entry being built -----------------------------------===//

#include "Entry.h"
#include "Diagnostic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <atomic>

namespace gen::detail {

static thread_local Entry *currentEntry = nullptr;
static std::atomic<uint64_t> entriesMade = 0;

Entry::Entry(ProgramState &program, const std::string &name, Mode mode, SourceLocation where)
    : program(program), mode(mode), builder(&program.context), serial(++entriesMade), name(name),
      made(where) {
  if (currentEntry)
    throw Diagnostic(where, "entry '" + name + "'", "made inside of another entry").error();
  builder.setInsertionPointToEnd(program.module->getBody());
  function =
      mlir::func::FuncOp::create(builder, locate(where), name, builder.getFunctionType({}, {}));
  function.setPublic();
  builder.setInsertionPointToStart(function.addEntryBlock());
  currentEntry = this;
}

Entry::~Entry() {
  currentEntry = nullptr;
  if (!finished)
    function.erase(); // an error was thrown: leave the program as it was
}

Entry *Entry::currentOrNull() { return currentEntry; }

Entry &Entry::current(const char *what, SourceLocation where) {
  if (!currentEntry)
    throw Diagnostic(where, what, "used outside of an entry")
        .hint(
            "ops are recorded while the function given to program.entry(...) runs; values that all "
            "entries share are variables or constant(...)")
        .error();
  return *currentEntry;
}

std::vector<Tensor> Entry::addInputs(const std::vector<Input> &inputs) {
  std::vector<Tensor> tensors;
  std::set<std::string> names;
  for (const auto &[index, input] : llvm::enumerate(inputs)) {
    if (input.name.empty() || !names.insert(input.name).second)
      throw Diagnostic(input.where, "entry '" + name + "'",
                       "two inputs are called '" + input.name + "'")
          .error();
    llvm::SmallVector<mlir::Attribute> dimensions;
    for (const Dimension &dimension : input.shape)
      dimensions.push_back(builder.getStringAttr(dimension.isNumber() ? "" : dimension.str()));
    auto attributes = builder.getDictionaryAttr(
        {builder.getNamedAttr(mlir::gen::kNameAttr, builder.getStringAttr(input.name)),
         builder.getNamedAttr(mlir::gen::kDimensionsAttr, builder.getArrayAttr(dimensions))});
    (void)function.insertArgument(static_cast<unsigned>(index), typeOf(input.dtype, input.shape),
                                  attributes, locate(input.where));
    mlir::Value argument = function.getArgument(static_cast<unsigned>(index));
    for (const auto &[axis, dimension] : llvm::enumerate(input.shape))
      if (!dimension.isNumber())
        symbolSources.try_emplace(dimension.str(), argument, static_cast<int64_t>(axis));
    tensors.push_back(wrap(argument, input.dtype, input.shape, input.name, input.where));
  }
  return tensors;
}

void Entry::finish(const EntryResults &results) {
  llvm::SmallVector<mlir::Value> values;
  std::set<std::string> names;
  for (const EntryResults::Result &result : results.values) {
    if (result.name.empty() || !names.insert(result.name).second)
      throw Diagnostic(result.where, "entry '" + name + "'",
                       "two results are called '" + result.name + "'")
          .error();
    values.push_back(value(result.value, result.where));
  }
  storeAssigned(assigned);
  mlir::func::ReturnOp::create(builder, locate(made), values);
  function.setFunctionType(
      builder.getFunctionType(function.getArgumentTypes(), mlir::ValueRange(values).getTypes()));
  for (const auto &[index, result] : llvm::enumerate(results.values))
    function.setResultAttr(static_cast<unsigned>(index), mlir::gen::kNameAttr,
                           builder.getStringAttr(result.name));
  finished = true;
}

Tensor Entry::wrap(mlir::Value value, DType dtype, Shape shape, std::string text,
                   SourceLocation where) {
  auto node = std::make_shared<Node>(Node{.dtype = dtype,
                                          .shape = std::move(shape),
                                          .text = std::move(text),
                                          .where = outermost(where),
                                          .entry = serial,
                                          .value = value});
  nodes.push_back(node);
  return Tensor(node);
}

mlir::Value Entry::scalar(double number, DType dtype, SourceLocation where) {
  return mlir::gen::ConstantOp::create(builder, locate(where),
                                       program.splat(typeOf(dtype, {}), number));
}

/// The attribute of a constant's elements.
static mlir::DenseElementsAttr elements(mlir::OpBuilder &builder, mlir::RankedTensorType type,
                                        const std::vector<double> &values) {
  llvm::SmallVector<mlir::Attribute> attributes;
  for (double value : values)
    if (mlir::isa<mlir::FloatType>(type.getElementType()))
      attributes.push_back(builder.getFloatAttr(type.getElementType(), value));
    else
      attributes.push_back(
          builder.getIntegerAttr(type.getElementType(), static_cast<int64_t>(value)));
  return mlir::DenseElementsAttr::get(type, attributes);
}

mlir::Value Entry::value(const Tensor &tensor, SourceLocation where) {
  if (!tensor.handle())
    throw Diagnostic(where, "entry '" + name + "'", "a tensor that was never given a value is used")
        .error();
  const Node &node = *tensor.handle();
  if (!node.variable.empty())
    return read(node, where);
  if (!node.entry)
    return mlir::gen::ConstantOp::create(
        builder, locate(where), elements(builder, typeOf(node.dtype, node.shape), node.values));
  if (node.entry != serial)
    throw Diagnostic(where, "entry '" + name + "'", "a value of another entry is used")
        .operand("value", tensor)
        .hint("entries share variables only: (program / \"scope\").variable(...)")
        .error();
  mlir::Value known = node.value;
  if (!known.getParentRegion()->isAncestor(builder.getInsertionBlock()->getParent()))
    throw Diagnostic(where, "entry '" + name + "'",
                     "a value of a loop's step is used after the loop")
        .operand("value", tensor)
        .hint("return it from the body")
        .error();
  return known;
}

void Entry::storeAssigned(const Assignments &assignments) {
  for (const auto &[variable, assignment] : assignments)
    mlir::gen::AssignOp::create(builder, locate(assignment.where), variable, assignment.value);
}

void Entry::beginLoop(mlir::scf::ForOp loop) {
  loops.push_back({loop, std::move(reads), std::move(assigned), {}, {}});
  reads.clear();
  assigned.clear();
  builder.setInsertionPointToStart(loop.getBody());
}

void Entry::endLoop(mlir::ValueRange yielded) {
  OpenLoop loop = std::move(loops.back());
  loops.pop_back();
  storeAssigned(assigned);
  mlir::scf::YieldOp::create(builder, loop.op.getLoc(), yielded);
  builder.setInsertionPoint(loop.op);
  for (const auto &[variable, assignment] : assigned) {
    auto before = loop.assigned.find(variable);
    if (before != loop.assigned.end()) // the first step reads it
      mlir::gen::AssignOp::create(builder, locate(before->second.where), variable,
                                  before->second.value);
    loop.assigned.erase(variable);
    loop.reads.erase(variable.str());
    reads.erase(variable.str());
  }
  // What the body only reads is what it was before the loop.
  for (auto &[variable, value] : reads) {
    auto before = loop.assigned.find(variable);
    mlir::Value &known = loop.reads[variable];
    if (before != loop.assigned.end() || known) {
      value.replaceAllUsesWith(before != loop.assigned.end() ? before->second.value : known);
      value.getDefiningOp()->erase();
    } else {
      value.getDefiningOp()->moveBefore(loop.op);
      known = value;
    }
  }
  reads = std::move(loop.reads);
  assigned = std::move(loop.assigned);
  builder.setInsertionPointAfter(loop.op);
}

mlir::Value Entry::read(const Node &variable, SourceLocation where) {
  if (auto found = assigned.find(variable.variable); found != assigned.end())
    return found->second.value;
  mlir::Value &value = reads[variable.variable];
  if (!value)
    value = mlir::gen::ReadOp::create(builder, locate(where),
                                      typeOf(variable.dtype, variable.shape), variable.variable);
  return value;
}

void Entry::assign(const Variable &variable, const Tensor &tensor, SourceLocation where) {
  const std::shared_ptr<const Node> &node = variable.handle();
  if (!node || program.findVariable(node->variable) != node)
    throw Diagnostic(where, "gen.assign", "the variable is not one of this program").error();
  if (tensor.dtype() != variable.dtype() || tensor.shape() != variable.shape())
    throw Diagnostic(where, "gen.assign",
                     "a variable keeps its dtype and shape: expected " +
                         describe(variable.dtype(), variable.shape()) + ", got " +
                         describe(tensor.dtype(), tensor.shape()))
        .operand("variable", variable)
        .operand("value", tensor)
        .error();
  // The key is the variable's own string, which lives as long as the program.
  assigned[node->variable] = {value(tensor, where), outermost(where)};
}

void Entry::substitute(const Variable &variable, const Tensor &tensor, SourceLocation where) {
  if (assigned.count(variable.name()))
    throw Diagnostic(where, "entry '" + name + "'",
                     "another value cannot stand for a variable that has been assigned before")
        .operand("variable", variable)
        .error();
  reads[variable.handle()->variable] = value(tensor, where);
}

mlir::Value Entry::symbolSize(const std::string &symbol, SourceLocation where) {
  mlir::Value &size = symbolSizes[symbol];
  if (size)
    return size;
  auto source = symbolSources.find(symbol);
  if (source == symbolSources.end())
    throw Diagnostic(where, "entry '" + name + "'",
                     "dimension '" + symbol + "' is unknown here: no input of the entry has it")
        .error();
  const auto &[argument, axis] = source->second;
  mlir::OpBuilder::InsertionGuard guard(builder);
  if (!loops.empty())
    builder.setInsertionPoint(loops.front().op);
  return size = mlir::tensor::DimOp::create(builder, locate(where), argument, axis);
}

mlir::Value Entry::size(const Dimension &dimension, SourceLocation where) {
  if (symbolSources.count(dimension.str()))
    return symbolSize(dimension.str(), where);
  mlir::Location location = locate(where);
  mlir::Value sum;
  for (const auto &[symbols, coefficient] : dimension.terms()) {
    mlir::Value product = mlir::arith::ConstantIndexOp::create(builder, location, coefficient);
    for (const std::string &symbol : symbols)
      product = mlir::arith::MulIOp::create(builder, location, product, symbolSize(symbol, where));
    sum = sum ? mlir::arith::AddIOp::create(builder, location, sum, product).getResult() : product;
  }
  return sum;
}

llvm::SmallVector<mlir::Value> Entry::sizes(const Shape &shape, SourceLocation where) {
  llvm::SmallVector<mlir::Value> values;
  for (const Dimension &dimension : shape)
    if (!dimension.isNumber())
      values.push_back(size(dimension, where));
  return values;
}

void Entry::makeKey(SourceLocation where) {
  auto state = [&](const char *name) {
    auto node = program.findVariable(name);
    return node ? Variable(node) : program.makeVariable(name, i64, {}, {}, where);
  };
  key = value(state(kSeed), where);
  if (mode == Mode::Evaluation) {
    counter = scalar(-1, i64, where); // not reached by counting
    return;
  }
  Variable calls = state(kCounter);
  counter = value(calls, where);
  assign(calls, calls + Operand(1, where), where);
}

/// A loop has a key of its own, 64 random bits drawn where it stands, and counts its steps.
void Entry::makeLoopKey(size_t number, SourceLocation where) {
  OpenLoop &loop = loops[number];
  mlir::Location location = locate(where);
  mlir::Value outerKey = number ? loops[number - 1].key : key;
  mlir::Value outerCounter = number ? loops[number - 1].counter : counter;
  builder.setInsertionPoint(loop.op);
  mlir::gen::GenBuilder b(location, &program.context);
  b.restoreInsertionPoint(builder.saveInsertionPoint());
  auto pair = mlir::RankedTensorType::get({2}, b.getI32Type());
  mlir::Value bits = mlir::gen::RandomBitsOp::create(b, pair, outerKey, outerCounter,
                                                     mlir::ValueRange(), streams++);
  mlir::Value wide = b.cast(bits, b.getI64Type());
  auto half = [&](int64_t i) {
    mlir::Value one = mlir::gen::SliceOp::create(
        b, mlir::RankedTensorType::get({1}, b.getI64Type()), wide, llvm::ArrayRef<int64_t>{i},
        llvm::ArrayRef<int64_t>{i + 1}, llvm::ArrayRef<int64_t>{1});
    auto single = mlir::RankedTensorType::get({}, b.getI64Type());
    return mlir::gen::ReshapeOp::create(b, single, one, mlir::ValueRange());
  };
  mlir::Value low = half(0), high = half(1);
  loop.key = b.add(b.mul(high, b.scalar(0x1p32, high)), low);
  builder.setInsertionPointToStart(loop.op.getBody());
  loop.counter =
      mlir::gen::SizeOp::create(builder, location, typeOf(i64, {}), loop.op.getInductionVar());
}

Entry::Draw Entry::draw(SourceLocation where) {
  mlir::OpBuilder::InsertionGuard guard(builder);
  if (!key && loops.empty()) {
    makeKey(where);
  } else if (!key) { // the function's, as if drawn before the outermost loop
    builder.setInsertionPoint(loops.front().op);
    std::swap(reads, loops.front().reads);
    std::swap(assigned, loops.front().assigned);
    makeKey(where);
    std::swap(reads, loops.front().reads);
    std::swap(assigned, loops.front().assigned);
  }
  for (size_t number = 0; number < loops.size(); ++number)
    if (!loops[number].key)
      makeLoopKey(number, where);
  if (loops.empty())
    return {key, counter, streams++};
  return {loops.back().key, loops.back().counter, streams++};
}

std::shared_ptr<const Node> Entry::findByLastDimension(int64_t rank, const Dimension &last) const {
  for (const auto &node : llvm::reverse(nodes))
    if (node->shape.size() == static_cast<size_t>(rank) && node->shape.back() == last)
      return node;
  return nullptr;
}

} // namespace gen::detail
