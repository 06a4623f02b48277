//===- op-gradients.cpp - derivatives against finite differences ----------===//
//
// For every differentiable row: the gradient of a weighted sum of the result, and the gradient of a
// weighted sum of that gradient, both on the interpreter in f64, against central differences.
//
//===----------------------------------------------------------------------===//

#include "OpTable.h"
#include "dialect/Interpreter.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Passes.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace optable;
using mlir::gen::Array;

namespace {

/// A row in f64 at its first sizes, differentiated, on the interpreter.
class Differentiated {
public:
  explicit Differentiated(const Row &row)
      : function{row, row.elements.size() > 1 ? "f64" : row.elements.front(), row.sizes.front()},
        context(makeContext()) {
    module = parse(*context, function.declarations() + function.forward() + function.gradient() +
                                 function.curvature());
    if (!module)
      return;
    mlir::PassManager pm(context.get());
    pm.addPass(mlir::gen::createDifferentiate());
    if (mlir::failed(pm.run(*module)))
      module = nullptr;
  }

  bool isValid() { return static_cast<bool>(module); }

  std::vector<Array> inputs(const std::vector<Argument> &arguments, unsigned seed) {
    std::vector<Array> arrays;
    for (const Argument &argument : arguments)
      arrays.push_back(randomArray(*context, argument, function.element, *function.sizes, seed++));
    return arrays;
  }

  std::vector<Array> run(const std::string &name, const std::vector<Array> &arguments) {
    mlir::gen::Interpreter interpreter(*module);
    auto results = interpreter.run(name + "_" + function.suffix(), arguments);
    if (mlir::failed(results)) {
      ADD_FAILURE() << name << " did not run";
      return {};
    }
    return {results->begin(), results->end()};
  }

  Function function;
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

double dot(const Array &lhs, const Array &rhs) {
  double sum = 0;
  for (size_t i = 0; i < lhs.floats.size(); ++i)
    sum += lhs.floats[i] * rhs.floats[i];
  return sum;
}

/// Compares `gradients`, one for each floating-point argument, with central differences of
/// `scalar`.
void expectDifferences(const std::vector<Array> &gradients, std::vector<Array> arguments,
                       llvm::function_ref<double(const std::vector<Array> &)> scalar) {
  size_t number = 0;
  for (size_t which = 0; which < arguments.size(); ++which) {
    if (!arguments[which].isFloat())
      continue;
    ASSERT_LT(number, gradients.size());
    const Array &gradient = gradients[number++];
    ASSERT_EQ(gradient.shape, arguments[which].shape);
    for (int64_t i = 0; i < gradient.size(); ++i) {
      double &x = arguments[which].floats[i], kept = x, step = 1e-5 * std::max(1.0, std::fabs(x));
      x = kept + step;
      double above = scalar(arguments);
      x = kept - step;
      double below = scalar(arguments);
      x = kept;
      double expected = (above - below) / (2 * step);
      ASSERT_NEAR(gradient.floats[i], expected, 1e-6 * std::max(1.0, std::fabs(expected)))
          << "argument " << which << ", element " << i << ", x = " << kept;
    }
  }
  EXPECT_EQ(number, gradients.size());
}

class OpGradients : public testing::TestWithParam<Row> {};

TEST_P(OpGradients, FirstOrder) {
  Differentiated test(GetParam());
  ASSERT_TRUE(test.isValid()) << test.function.gradient();
  std::vector<Array> arguments = test.inputs(GetParam().arguments, 1);
  Array weights = test.inputs({{"weights", GetParam().result}}, 100).front();
  std::vector<Array> all = arguments;
  all.push_back(weights);
  expectDifferences(test.run("gradient", all), arguments, [&](const std::vector<Array> &at) {
    std::vector<Array> results = test.run("forward", at);
    return results.empty() ? 0.0 : dot(results.front(), weights);
  });
}

TEST_P(OpGradients, SecondOrder) {
  Differentiated test(GetParam());
  ASSERT_TRUE(test.isValid()) << test.function.curvature();
  std::vector<Array> arguments = test.inputs(GetParam().arguments, 1);
  Array weights = test.inputs({{"weights", GetParam().result}}, 100).front();
  std::vector<Array> directions = test.inputs(test.function.differentiated(), 200);
  std::vector<Array> all = arguments;
  all.push_back(weights);
  all.insert(all.end(), directions.begin(), directions.end());
  expectDifferences(test.run("curvature", all), arguments, [&](const std::vector<Array> &at) {
    std::vector<Array> withWeights = at;
    withWeights.push_back(weights);
    double sum = 0;
    std::vector<Array> gradients = test.run("gradient", withWeights);
    for (size_t i = 0; i < gradients.size(); ++i)
      sum += dot(gradients[i], directions[i]);
    return sum;
  });
}

std::vector<Row> differentiableRows() {
  std::vector<Row> result;
  for (const Row &row : rows())
    if (row.differentiable)
      result.push_back(row);
  return result;
}

INSTANTIATE_TEST_SUITE_P(Rows, OpGradients, testing::ValuesIn(differentiableRows()),
                         [](const auto &info) { return rowName(info.param); });

} // namespace
