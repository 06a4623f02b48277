//===- OpFunctions.cpp - functions and inputs from a row of the table -----===//

#include "OpTable.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <limits>
#include <random>
#include <regex>

using namespace optable;
using mlir::gen::Array;

std::string optable::rowName(const Row &row) {
  std::string name = row.op.substr(std::string("gen.").size());
  return row.variant.empty() ? name : name + "_" + row.variant;
}

//===----------------------------------------------------------------------===//
// Type patterns
//===----------------------------------------------------------------------===//

static std::vector<std::string> split(const std::string &pattern) {
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(pattern).split(parts, 'x');
  return {parts.begin(), parts.end()};
}

static bool hasLetter(const std::string &size) {
  return size.find_first_of("ABC") != std::string::npos;
}

/// The value of a term: factors joined by *, then + or - a number.
static int64_t sizeOf(const std::string &term, const Sizes &sizes) {
  size_t end = term.find_first_of("+-");
  int64_t value = 1;
  llvm::SmallVector<llvm::StringRef> factors;
  llvm::StringRef(term).substr(0, end).split(factors, '*');
  for (llvm::StringRef factor : factors)
    value *= hasLetter(factor.str()) ? sizes[factor[0] - 'A'] : std::stoll(factor.str());
  return end == std::string::npos ? value : value + std::stoll(term.substr(end));
}

llvm::SmallVector<int64_t> optable::shapeOf(const std::string &pattern, const Sizes &sizes) {
  std::vector<std::string> parts = split(pattern);
  parts.pop_back();
  llvm::SmallVector<int64_t> shape;
  for (const std::string &part : parts)
    shape.push_back(sizeOf(part, sizes));
  return shape;
}

static std::string elementOf(const std::string &pattern, const std::string &element) {
  std::string last = split(pattern).back();
  return last == "E" ? element : last;
}

static bool isFloat(const std::string &element) { return element == "f32" || element == "f64"; }

std::string Function::type(const std::string &pattern) const {
  std::vector<std::string> parts = split(pattern);
  parts.pop_back();
  std::string text = "tensor<";
  for (const std::string &part : parts)
    text +=
        (!sizes && hasLetter(part) ? "?" : std::to_string(sizeOf(part, sizes.value_or(Sizes())))) +
        "x";
  return text + elementOf(pattern, element) + ">";
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

std::string Function::suffix() const {
  if (!sizes)
    return element + "_dynamic";
  return element + "_" +
         llvm::join(llvm::map_range(*sizes, [](int64_t size) { return std::to_string(size); }),
                    "x");
}

std::string Function::signature(const std::vector<Argument> &arguments) const {
  std::vector<std::string> texts;
  for (const Argument &argument : arguments) {
    std::string dims;
    std::vector<std::string> parts = split(argument.type);
    parts.pop_back();
    for (const std::string &part : parts)
      dims += (dims.empty() ? "\"" : ", \"") + (!sizes && hasLetter(part) ? part : "") + "\"";
    texts.push_back("%" + argument.name + ": " + type(argument.type) + " {gen.name = \"" +
                    argument.name + "\", gen.dims = [" + dims + "]}");
  }
  return llvm::join(texts, ", ");
}

/// Replaces $names and keeps or drops what is for dynamic shapes.
std::string Function::expanded(const std::string &code) const {
  static const std::regex forDynamic(R"(\?\{([^}]*)\}\?)");
  std::string text = std::regex_replace(code, forDynamic, sizes ? "" : "$1");
  auto replaceAll = [&](const std::string &from, const std::string &to) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  };
  replaceAll("$E", element);
  replaceAll("$z", type(row.result));
  for (const auto *named : {&row.arguments, &row.types})
    for (const Argument &argument : *named)
      replaceAll("$" + argument.name, type(argument.type));
  return text;
}

std::string Function::text(const std::string &name, const std::vector<Argument> &arguments,
                           const std::string &code, const std::vector<std::string> &results) const {
  std::vector<std::string> types;
  for (const std::string &result : results)
    types.push_back(type(result));
  std::string preamble;
  for (char letter : std::string(sizes ? "" : "ABC")) {
    for (const Argument &argument : row.arguments) {
      std::vector<std::string> parts = split(argument.type);
      auto found = std::find(parts.begin(), parts.end(), std::string(1, letter));
      if (found == parts.end())
        continue;
      std::string axis = std::to_string(found - parts.begin());
      preamble += "  %axis" + std::string(1, letter) + " = arith.constant " + axis + " : index\n";
      preamble += "  %" + std::string(1, letter) + " = tensor.dim %" + argument.name + ", %axis" +
                  letter + " : " + type(argument.type) + "\n";
      break;
    }
  }
  return "func.func @" + name + "_" + suffix() + "(" + signature(arguments) + ") -> (" +
         llvm::join(types, ", ") + ") {\n" + preamble + "  " + code + "\n}\n";
}

std::string Function::forward() const {
  return text("forward", row.arguments, expanded(row.body) + "\n  return %z : " + type(row.result),
              {row.result});
}

std::vector<Argument> Function::differentiated() const {
  std::vector<Argument> arguments;
  for (const Argument &argument : row.arguments)
    if (isFloat(elementOf(argument.type, element)))
      arguments.push_back(argument);
  return arguments;
}

std::string Function::scalar(const std::string &pattern) const {
  return "tensor<" + elementOf(pattern, element) + ">";
}

/// %sum = sum of weights * value over all axes.
std::string Function::weighted(const std::string &sum, const std::string &value,
                               const std::string &weights, const std::string &pattern) const {
  std::string full = type(pattern), axes;
  for (size_t axis = 0; axis + 1 < split(pattern).size(); ++axis)
    axes += (axis ? ", " : "") + std::to_string(axis);
  return "  " + sum + "_each = gen.mul " + value + ", " + weights + " : (" + full + ", " + full +
         ") -> " + full + "\n  " + sum + " = gen.reduce_sum " + sum + "_each axes [" + axes +
         "] : " + full + " -> " + scalar(pattern) + "\n";
}

static std::string list(const std::vector<Argument> &arguments, const std::string &prefix) {
  std::vector<std::string> names;
  for (const Argument &argument : arguments)
    names.push_back(prefix + argument.name);
  return llvm::join(names, ", ");
}

/// The row's op, the weighted sum of its result, and its gradient %d_x, ...
std::string Function::firstGradient() const {
  std::vector<std::string> types;
  for (const Argument &argument : differentiated())
    types.push_back(type(argument.type));
  std::string all = llvm::join(types, ", ");
  return expanded(row.body) + "\n" + weighted("%loss", "%z", "%weights", row.result) + "  " +
         list(differentiated(), "%d_") + " = gen.gradient %loss wrt " +
         list(differentiated(), "%") + " : " + scalar(row.result) + ", " + all + " -> " + all +
         "\n";
}

std::string Function::gradient() const {
  std::vector<Argument> arguments = row.arguments;
  arguments.push_back({"weights", row.result});
  std::vector<std::string> patterns, types;
  for (const Argument &argument : differentiated()) {
    patterns.push_back(argument.type);
    types.push_back(type(argument.type));
  }
  std::string code = firstGradient() + "  return " + list(differentiated(), "%d_") + " : " +
                     llvm::join(types, ", ");
  return text("gradient", arguments, code, patterns);
}

std::string Function::curvature() const {
  std::vector<Argument> arguments = row.arguments;
  arguments.push_back({"weights", row.result});
  std::vector<std::string> patterns, types;
  std::string code = firstGradient(), total;
  for (const Argument &argument : differentiated()) {
    arguments.push_back({"v_" + argument.name, argument.type});
    patterns.push_back(argument.type);
    types.push_back(type(argument.type));
    std::string sum = "%sum_" + argument.name, type = scalar(argument.type);
    code += weighted(sum, "%d_" + argument.name, "%v_" + argument.name, argument.type);
    if (!total.empty())
      code += "  " + sum + "_total = gen.add " + total + ", " + sum + " : (" + type + ", " + type +
              ") -> " + type + "\n";
    total = total.empty() ? sum : sum + "_total";
  }
  std::string all = llvm::join(types, ", ");
  code += "  " + list(differentiated(), "%dd_") + " = gen.gradient " + total + " wrt " +
          list(differentiated(), "%") + " : " + scalar(differentiated().front().type) + ", " + all +
          " -> " + all + "\n  return " + list(differentiated(), "%dd_") + " : " + all;
  return text("curvature", arguments, code, patterns);
}

std::vector<Function> optable::functionsOf(const Row &row) {
  std::vector<Function> functions;
  for (const std::string &element : row.elements) {
    for (const Sizes &sizes : row.sizes)
      functions.push_back({row, element, sizes});
    if (row.dynamic)
      functions.push_back({row, element, std::nullopt});
  }
  return functions;
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

static Array filled(mlir::MLIRContext &context, const Argument &argument,
                    const std::string &element, const Sizes &sizes,
                    llvm::function_ref<double(int64_t)> value) {
  mlir::Type type = mlir::parseType(elementOf(argument.type, element), &context);
  Array array(type, shapeOf(argument.type, sizes));
  for (int64_t position = 0; position < array.size(); ++position)
    array.setNumber(position, value(position));
  return array;
}

Array optable::randomArray(mlir::MLIRContext &context, const Argument &argument,
                           const std::string &element, const Sizes &sizes, unsigned seed) {
  std::mt19937 random(seed);
  bool real = isFloat(elementOf(argument.type, element));
  bool truth = elementOf(argument.type, element) == "i1";
  return filled(context, argument, element, sizes, [&](int64_t) {
    double unit = random() / 4294967296.0;
    if (truth)
      return unit < 0.5 ? 0.0 : 1.0;
    double value = argument.low + unit * (argument.high - argument.low);
    return real ? static_cast<float>(value) : std::floor(value);
  });
}

Array optable::specialArray(mlir::MLIRContext &context, const Argument &argument,
                            const std::string &element, const Sizes &sizes, unsigned seed) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  static const std::array<double, 11> specials = {
      0.0,   -0.0,   1.0,    -1.0,   infinity, -infinity, std::numeric_limits<double>::quiet_NaN(),
      100.0, -100.0, 1.0e30, -1.0e30};
  if (!isFloat(elementOf(argument.type, element)))
    return randomArray(context, argument, element, sizes, seed);
  // Strides that differ bring each value together with each.
  return filled(context, argument, element, sizes, [&](int64_t position) {
    return static_cast<float>(specials[(position / (seed % 2 ? 1 : 11) + position) % 11]);
  });
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

std::unique_ptr<mlir::MLIRContext> optable::makeContext() {
  mlir::DialectRegistry registry;
  registry.insert<mlir::gen::GenDialect, mlir::func::FuncDialect, mlir::tensor::TensorDialect,
                  mlir::arith::ArithDialect, mlir::scf::SCFDialect>();
  auto context =
      std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

mlir::OwningOpRef<mlir::ModuleOp> optable::parse(mlir::MLIRContext &context,
                                                 const std::string &text) {
  return mlir::parseSourceString<mlir::ModuleOp>(text, &context);
}
