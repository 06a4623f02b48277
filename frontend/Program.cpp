//===- Program.cpp - programs, scopes, entries ----------------------------===//

#include "gen/program.hpp"
#include "Diagnostic.h"
#include "Entry.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/ToolOutputFile.h"

using gen::detail::Diagnostic;

namespace gen {

namespace detail {

ProgramState::ProgramState(const std::string &name) : name(name) {
  context.loadDialect<mlir::gen::GenDialect, mlir::func::FuncDialect, mlir::arith::ArithDialect,
                      mlir::scf::SCFDialect, mlir::tensor::TensorDialect>();
  module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context), name);
}

mlir::Location ProgramState::locate(SourceLocation where) {
  SourceLocation caller = outermost(where);
  return mlir::FileLineColLoc::get(&context, caller.file_name(), caller.line(), caller.column());
}

mlir::Type ProgramState::elementType(DType dtype) {
  mlir::Builder builder(&context);
  switch (dtype) {
  case DType::f32:
    return builder.getF32Type();
  case DType::f64:
    return builder.getF64Type();
  case DType::i1:
    return builder.getI1Type();
  case DType::i8:
    return builder.getI8Type();
  case DType::i32:
    return builder.getI32Type();
  case DType::i64:
    return builder.getI64Type();
  }
  return {};
}

mlir::RankedTensorType ProgramState::typeOf(DType dtype, const Shape &shape) {
  llvm::SmallVector<int64_t> sizes;
  for (const Dimension &dimension : shape)
    sizes.push_back(dimension.isNumber() ? dimension.number() : mlir::ShapedType::kDynamic);
  return mlir::RankedTensorType::get(sizes, elementType(dtype));
}

mlir::DenseElementsAttr ProgramState::splat(mlir::RankedTensorType type, double number) {
  mlir::Builder builder(&context);
  mlir::Type element = type.getElementType();
  mlir::Attribute value;
  if (mlir::isa<mlir::FloatType>(element))
    value = builder.getFloatAttr(element, number);
  else
    value = builder.getIntegerAttr(element, static_cast<int64_t>(number));
  return mlir::DenseElementsAttr::get(type, value);
}

std::shared_ptr<const Node> ProgramState::findVariable(const std::string &name) const {
  for (const auto &variable : variables)
    if (variable->variable == name)
      return variable;
  return nullptr;
}

void ProgramState::checkName(const std::string &what, const std::string &name,
                             SourceLocation where) const {
  auto allowed = [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.' || c == '-'; };
  llvm::StringRef text = name;
  if (text.empty() || !llvm::all_of(text, allowed) || text.starts_with(".") ||
      text.ends_with(".") || text.contains(".."))
    throw Diagnostic(where, what, "'" + name + "' is not a name")
        .hint("use letters, digits, _")
        .error();
  if (auto variable = findVariable(name))
    throw Diagnostic(where, what, "'" + name + "' exists already")
        .operand("variable", Tensor(variable))
        .error();
  if (entries.count(name))
    throw Diagnostic(where, what, "there is an entry '" + name + "' already").error();
}

Variable ProgramState::makeVariable(const std::string &name, DType dtype, const Shape &shape,
                                    Initializer initializer, SourceLocation where) {
  checkName("variable", name, where);
  for (const Dimension &dimension : shape)
    if (!dimension.isNumber() || dimension.number() < 0)
      throw Diagnostic(where, "variable '" + name + "'",
                       "expected a shape of numbers, got " + describe(dtype, shape))
          .error();
  if (initializer.kind != Initializer::Kind::Constant && !isFloat(dtype))
    throw Diagnostic(where, "variable '" + name + "'",
                     std::string("random initial values need f32 or f64, got ") + gen::name(dtype))
        .error();
  mlir::OpBuilder builder(&context);
  // Variables stand before the entries.
  auto &operations = module->getBody()->getOperations();
  auto first = llvm::find_if(
      operations, [](mlir::Operation &op) { return !mlir::isa<mlir::gen::VariableOp>(op); });
  builder.setInsertionPoint(module->getBody(), first);
  mlir::gen::VariableOp::create(builder, locate(where), name, typeOf(dtype, shape),
                                mlir::ElementsAttr());
  variables.push_back(std::make_shared<Node>(Node{
      .dtype = dtype, .shape = shape, .text = name, .where = outermost(where), .variable = name}));
  initializers[name] = initializer;
  return Variable(variables.back());
}

mlir::OwningOpRef<mlir::ModuleOp> ProgramState::finish() {
  auto random = [](const auto &each) { return each.second.kind != Initializer::Kind::Constant; };
  if (llvm::any_of(initializers, random) && !findVariable(kSeed))
    makeVariable(kSeed, i64, {}, {}, SourceLocation::current());
  mlir::OwningOpRef<mlir::ModuleOp> copy(module.get().clone());
  addInit(*this, *copy);
  std::string message;
  mlir::ScopedDiagnosticHandler handler(copy->getContext(), [&](mlir::Diagnostic &diagnostic) {
    llvm::raw_string_ostream(message) << "\n" << diagnostic.getLocation() << ": " << diagnostic;
    return mlir::success();
  });
  if (mlir::failed(mlir::verify(*copy)))
    throw BuildError("error: program '" + name + "' is not valid:" + message, SourceLocation());
  return copy;
}

} // namespace detail

Scope Scope::operator/(const std::string &child) const {
  return Scope(state, prefix.empty() ? child : prefix + '.' + child);
}

Variable Scope::variable(const std::string &name, DType dtype, const Shape &shape,
                         Initializer initializer, SourceLocation where) const {
  return state->makeVariable((*this / name).path(), dtype, shape, initializer, where);
}

Variable Scope::buffer(const std::string &name, DType dtype, const Shape &shape,
                       Initializer initializer, SourceLocation where) const {
  Variable made = variable(name, dtype, shape, initializer, where);
  state->buffers.insert(made.name());
  return made;
}

std::vector<Variable> Scope::parameters() const {
  std::vector<Variable> below = variables();
  llvm::erase_if(below, [&](const Variable &v) { return state->buffers.count(v.name()) != 0; });
  return below;
}

std::vector<Variable> Scope::variables() const {
  std::vector<Variable> below;
  for (const auto &variable : state->variables)
    if (prefix.empty() || llvm::StringRef(variable->variable).starts_with(prefix + '.'))
      below.emplace_back(variable);
  return below;
}

Input input(std::string name, DType dtype, Shape shape, SourceLocation where) {
  return {std::move(name), dtype, std::move(shape), where};
}

EntryResults &&EntryResults::result(std::string name, Tensor value, SourceLocation where) && {
  values.push_back({std::move(name), std::move(value), where});
  return std::move(*this);
}

EntryResults result(std::string name, Tensor value, SourceLocation where) {
  return EntryResults().result(std::move(name), std::move(value), where);
}

bool isTraining() {
  detail::Entry *entry = detail::Entry::currentOrNull();
  return entry && entry->mode == Mode::Training;
}

Program::Program(const std::string &name) : state(std::make_shared<detail::ProgramState>(name)) {}
Program::~Program() = default;

const std::string &Program::name() const { return state->name; }
Scope Program::scope() const { return Scope(state, ""); }

Dimension Program::dimension(const std::string &name, SourceLocation where) const {
  state->checkName("dimension", name, where);
  return Dimension::symbol(name);
}

void Program::build(const std::string &name, const std::vector<Input> &inputs, Mode mode,
                    size_t arity, const ErasedBody &body, SourceLocation where) {
  const std::string what = "entry '" + name + "'";
  state->checkName("entry", name, where);
  if (name == "init")
    throw Diagnostic(where, what, "the name is taken: it gives variables their initial values")
        .hint("give initial values where the variables are made")
        .error();
  if (arity != inputs.size())
    throw Diagnostic(where, what,
                     "has " + detail::count(static_cast<int64_t>(inputs.size()), "input") +
                         ", but its function takes " +
                         detail::count(static_cast<int64_t>(arity), "tensor"))
        .error();
  detail::Entry entry(*state, name, mode, where);
  entry.finish(body(entry.addInputs(inputs)));
  state->entries.insert(name);
}

std::string Program::str(bool locations) const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  mlir::OwningOpRef<mlir::ModuleOp> module = state->finish();
  module->print(stream, mlir::OpPrintingFlags().enableDebugInfo(locations));
  return text;
}

void Program::write(const std::string &path) const {
  const std::string text = str(/*locations=*/true);
  llvm::Error failed = llvm::writeToOutput(path, [&](llvm::raw_ostream &stream) {
    stream << text;
    return llvm::Error::success();
  });
  if (failed)
    throw std::system_error(llvm::errorToErrorCode(std::move(failed)), path);
}

} // namespace gen
