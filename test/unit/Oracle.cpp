#include "Oracle.h"

#include "passes/Compiler.h"
#include "passes/Passes.h"

#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>

namespace gen::test {

std::vector<float> uniformNumbers(uint32_t number, int64_t count) {
  std::vector<float> numbers;
  for (int64_t i = 0; i < count; ++i) {
    uint32_t x = static_cast<uint32_t>(i) * 2654435761U + number * 2246822519U;
    x = (x ^ (x >> 15)) * 2246822519U;
    x = (x ^ (x >> 13)) * 3266489917U;
    x ^= x >> 16;
    numbers.push_back(static_cast<float>((x >> 8) * 0x1p-24));
  }
  return numbers;
}

std::vector<float> signedNumbers(uint32_t number, int64_t count, double bound) {
  std::vector<float> numbers;
  for (float u : uniformNumbers(number, count))
    numbers.push_back(static_cast<float>((2.0 * u - 1.0) * bound));
  return numbers;
}

int64_t elementsOf(const Shape &shape) {
  int64_t count = 1;
  for (const Dimension &dimension : shape)
    count *= dimension.number();
  return count;
}

Tensor known(const std::vector<float> &values, const Shape &shape) {
  return constant({values.begin(), values.end()}, shape);
}

template <typename Sizes> static Sizes sizesOf(const Shape &shape) {
  Sizes sizes;
  for (const Dimension &dimension : shape)
    sizes.push_back(dimension.number());
  return sizes;
}

static mlir::gen::Array arrayOf(mlir::MLIRContext &context, const Shape &shape,
                                const std::vector<float> &values) {
  mlir::gen::Array array(mlir::Float32Type::get(&context),
                         sizesOf<llvm::SmallVector<int64_t>>(shape));
  array.floats.assign(values.begin(), values.end());
  return array;
}

Interpreted::Interpreted(const Program &program) {
  mlir::DialectRegistry registry;
  mlir::gen::registerCompilerDialects(registry);
  context.appendDialectRegistry(registry);
  module = mlir::parseSourceString<mlir::ModuleOp>(program.str(), &context);
  mlir::PassManager passes(&context);
  passes.addPass(mlir::gen::createDifferentiate());
  if (!module || mlir::failed(passes.run(*module)))
    throw std::runtime_error("the program cannot be differentiated");
  interpreter.emplace(*module);
  if (!program.variables().empty())
    call("init", {}); // so that variables may be set before the first call
}

std::vector<double> Interpreted::call(const std::string &entry,
                                      const std::vector<Argument> &arguments) {
  std::vector<mlir::gen::Array> arrays;
  for (const auto &[shape, values] : arguments)
    arrays.push_back(arrayOf(context, shape, values));
  auto results = interpreter->run(entry, arrays);
  if (mlir::failed(results))
    throw std::runtime_error("the interpreter failed");
  std::vector<double> numbers;
  for (const mlir::gen::Array &result : *results)
    numbers.insert(numbers.end(), result.floats.begin(), result.floats.end());
  return numbers;
}

void Interpreted::set(const Variable &variable, const std::vector<float> &values) {
  *interpreter->variable(variable.name()) = arrayOf(context, variable.shape(), values);
}

std::vector<double> Compiled::call(const std::string &entry,
                                   const std::vector<Argument> &arguments) {
  std::vector<View> views;
  for (const auto &[shape, values] : arguments)
    views.emplace_back(values.data(), sizesOf<std::vector<int64_t>>(shape));
  Results results = session.call(entry, views);
  std::vector<double> numbers;
  for (size_t i = 0; i < results.size(); ++i) {
    View result = results[i];
    const float *values = result.data<float>();
    numbers.insert(numbers.end(), values, values + result.size());
  }
  return numbers;
}

void Compiled::set(const Variable &variable, const std::vector<float> &values) {
  session.setVariable(variable.name(),
                      View(values.data(), sizesOf<std::vector<int64_t>>(variable.shape())));
}

void forBoth(const Program &program, const std::function<void(Runner &)> &check) {
  Interpreted interpreted(program);
  Compiled compiled(program);
  check(interpreted);
  check(compiled);
}

void expectClose(const std::vector<double> &actual, const std::vector<double> &expected,
                 double relative, double absolute) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    EXPECT_NEAR(actual[i], expected[i], relative * std::abs(expected[i]) + absolute)
        << "number " << i;
}

void expectLikePyTorch(const std::vector<double> &expected, Program &program,
                       const std::vector<Variable> &inputs,
                       const std::vector<std::vector<float>> &values,
                       const std::function<Tensor()> &function) {
  program.entry("main", {}, training, [&] {
    Tensor y = function();
    Tensor weights = known(signedNumbers(9, elementsOf(y.shape())), y.shape());
    EntryResults results = result("y", y);
    for (const Tensor &g : gradient(sum(weights * y), inputs))
      results.values.push_back(
          {"g" + std::to_string(results.values.size()), g, SourceLocation::current()});
    return results;
  });
  forBoth(program, [&](Runner &runner) {
    for (size_t i = 0; i < inputs.size(); ++i)
      runner.set(inputs[i], values[i]);
    expectClose(runner.call("main", {}), expected, 1e-5);
  });
}

void expectLikePyTorch(const std::vector<double> &expected, const std::vector<Argument> &arguments,
                       const std::function<Tensor(const std::vector<Variable> &)> &function) {
  Program program("oracle");
  std::vector<Variable> inputs;
  std::vector<std::vector<float>> values;
  for (const Argument &argument : arguments) {
    std::string name = "x" + std::to_string(inputs.size());
    inputs.push_back((program / "inputs").variable(name, f32, argument.shape));
    values.push_back(argument.values);
  }
  expectLikePyTorch(expected, program, inputs, values, [&] { return function(inputs); });
}

} // namespace gen::test
