// Gradients of composed functions against central differences, both on the reference interpreter in
// f64. A function
// @value takes its inputs and gives a scalar; @gradient gives the gradient with respect to each
// input. Second order: the scalar is itself made of gradients.
#include "dialect/Gen.h"
#include "dialect/Interpreter.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace mlir;
using gen::Array;

namespace {

class Differentiate : public ::testing::Test {
protected:
  Differentiate() {
    DialectRegistry registry;
    registry
        .insert<gen::GenDialect, arith::ArithDialect, func::FuncDialect, tensor::TensorDialect>();
    func::registerInlinerExtension(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// Parses `text`, inlines, and expands the gradients.
  OwningOpRef<ModuleOp> expand(const std::string &text) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    PassManager pm(&context);
    pm.addPass(createInlinerPass());
    pm.addPass(gen::createDifferentiate());
    pm.addPass(gen::createDecompose());
    pm.addPass(createCanonicalizerPass());
    if (!module || failed(pm.run(*module)))
      return {};
    return module;
  }

  /// Values of the arguments of `entry`: drawn from [-1, 1], dynamic sizes 3.
  static SmallVector<Array> drawArguments(func::FuncOp entry) {
    std::mt19937_64 generator(7);
    std::uniform_real_distribution<double> distribution(-1, 1);
    SmallVector<Array> arguments;
    for (Type type : entry.getArgumentTypes()) {
      auto tensor = cast<RankedTensorType>(type);
      SmallVector<int64_t> shape(tensor.getShape());
      std::replace(shape.begin(), shape.end(), ShapedType::kDynamic, int64_t{3});
      Array &array = arguments.emplace_back(tensor.getElementType(), shape);
      for (double &element : array.floats)
        element = distribution(generator);
    }
    return arguments;
  }

  /// Compares @gradient with central differences of @value, element by element.
  void compare(const std::string &text) {
    OwningOpRef<ModuleOp> module = expand(text);
    ASSERT_TRUE(module);
    gen::Interpreter interpreter(*module);
    SmallVector<Array> arguments = drawArguments(module->lookupSymbol<func::FuncOp>("value"));
    auto value = [&](ArrayRef<Array> inputs) {
      FailureOr<SmallVector<Array>> result = interpreter.run("value", inputs);
      return succeeded(result) ? result->front().floats[0] : std::nan("");
    };
    FailureOr<SmallVector<Array>> gradients = interpreter.run("gradient", arguments);
    ASSERT_TRUE(succeeded(gradients));
    ASSERT_EQ(gradients->size(), arguments.size());
    const double step = 1e-5;
    double largest = 0;
    for (size_t i = 0; i < arguments.size(); ++i)
      for (int64_t position = 0; position < arguments[i].size(); ++position) {
        SmallVector<Array> up = arguments, down = arguments;
        up[i].floats[position] += step;
        down[i].floats[position] -= step;
        double expected = (value(up) - value(down)) / (2 * step);
        double got = (*gradients)[i].floats[position];
        EXPECT_NEAR(got, expected, 1e-7 * (1 + std::abs(expected)))
            << "input " << i << " at " << position;
        largest = std::max(largest, std::abs(expected));
      }
    EXPECT_GT(largest, 1e-3) << "the function does not depend on its inputs";
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
};

/// @value with a @gradient beside it: `arguments` are "%x: tensor<4xf64>, ...", `types` and `names`
/// the same apart.
std::string withGradient(const std::string &body, const std::string &arguments,
                         const std::string &names, const std::string &types) {
  return "func.func @value(" + arguments + ") -> tensor<f64> {" + body +
         "return %value : tensor<f64> }\n" + "func.func @gradient(" + arguments + ") -> (" + types +
         ") {" + body + "%g:" + std::to_string(std::count(names.begin(), names.end(), '%')) +
         " = gen.gradient %value wrt " + names + " : tensor<f64>, " + types + " -> " + types +
         " return " +
         [&] {
           std::string results;
           for (int i = 0; i < std::count(names.begin(), names.end(), '%'); ++i)
             results += (i ? ", %g#" : "%g#") + std::to_string(i);
           return results;
         }() +
         " : " + types + " }\n";
}

} // namespace

// Two layers with tanh, binary cross-entropy with logits, mean.
const char *const kPerceptron = R"(
  %h0 = gen.matmul %x, %w1 transposed : (tensor<3x4xf64>, tensor<5x4xf64>) -> tensor<3x5xf64>
  %h1 = gen.add %h0, %b1 : (tensor<3x5xf64>, tensor<5xf64>) -> tensor<3x5xf64>
  %h = gen.tanh %h1 : tensor<3x5xf64>
  %logits = gen.matmul %h, %w2 : (tensor<3x5xf64>, tensor<5x2xf64>) -> tensor<3x2xf64>
  %loss = gen.bce_with_logits %logits, %t : (tensor<3x2xf64>, tensor<3x2xf64>) -> tensor<3x2xf64>
  %value = gen.reduce_mean %loss axes [0, 1] : tensor<3x2xf64> -> tensor<f64>
)";

TEST_F(Differentiate, PerceptronWithBinaryCrossEntropy) {
  compare(withGradient(
      kPerceptron,
      "%x: tensor<3x4xf64>, %w1: tensor<5x4xf64>, %b1: tensor<5xf64>, %w2: tensor<5x2xf64>, "
      "%t: tensor<3x2xf64>",
      "%x, %w1, %b1, %w2, %t",
      "tensor<3x4xf64>, tensor<5x4xf64>, tensor<5xf64>, tensor<5x2xf64>, tensor<3x2xf64>"));
}

// Reconstruction and divergence of a variational autoencoder with one linear layer each way; a
// dynamic batch.
TEST_F(Differentiate, VariationalAutoencoder) {
  const char *body = R"(
    %half = gen.constant dense<0.5> : tensor<f64>
    %one = gen.constant dense<1.0> : tensor<f64>
    %key = gen.constant dense<3> : tensor<i64>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %x, %c0 : tensor<?x4xf64>
    %code = gen.matmul %x, %encoder : (tensor<?x4xf64>, tensor<4x4xf64>) -> tensor<?x4xf64>
    %mean = gen.slice %code starts [0, 0] limits [0, 2] strides [1, 1] : tensor<?x4xf64> -> tensor<?x2xf64>
    %log_variance = gen.slice %code starts [0, 2] limits [0, 4] strides [1, 1] : tensor<?x4xf64> -> tensor<?x2xf64>
    %halved = gen.mul %log_variance, %half : (tensor<?x2xf64>, tensor<f64>) -> tensor<?x2xf64>
    %deviation = gen.exp %halved : tensor<?x2xf64>
    %noise = gen.random_normal %key, %key stream 0 sizes(%n) : tensor<?x2xf64>
    %spread = gen.mul %deviation, %noise : (tensor<?x2xf64>, tensor<?x2xf64>) -> tensor<?x2xf64>
    %z = gen.add %mean, %spread : (tensor<?x2xf64>, tensor<?x2xf64>) -> tensor<?x2xf64>
    %logits = gen.matmul %z, %decoder : (tensor<?x2xf64>, tensor<2x4xf64>) -> tensor<?x4xf64>
    %bce = gen.bce_with_logits %logits, %x : (tensor<?x4xf64>, tensor<?x4xf64>) -> tensor<?x4xf64>
    %bce_sum = gen.reduce_sum %bce axes [1] : tensor<?x4xf64> -> tensor<?xf64>
    %variance = gen.exp %log_variance : tensor<?x2xf64>
    %square = gen.mul %mean, %mean : (tensor<?x2xf64>, tensor<?x2xf64>) -> tensor<?x2xf64>
    %k0 = gen.sub %variance, %log_variance : (tensor<?x2xf64>, tensor<?x2xf64>) -> tensor<?x2xf64>
    %k1 = gen.add %k0, %square : (tensor<?x2xf64>, tensor<?x2xf64>) -> tensor<?x2xf64>
    %k2 = gen.sub %k1, %one : (tensor<?x2xf64>, tensor<f64>) -> tensor<?x2xf64>
    %k3 = gen.mul %k2, %half : (tensor<?x2xf64>, tensor<f64>) -> tensor<?x2xf64>
    %divergence = gen.reduce_sum %k3 axes [1] : tensor<?x2xf64> -> tensor<?xf64>
    %loss = gen.add %bce_sum, %divergence : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
    %value = gen.reduce_mean %loss axes [0] : tensor<?xf64> -> tensor<f64>
  )";
  compare(withGradient(
      body, "%x: tensor<?x4xf64>, %encoder: tensor<4x4xf64>, %decoder: tensor<2x4xf64>",
      "%x, %encoder, %decoder", "tensor<?x4xf64>, tensor<4x4xf64>, tensor<2x4xf64>"));
}

// (|gradient of the critic with respect to its input| - 1)^2, as in WGAN-GP: second order through
// matmuls.
TEST_F(Differentiate, GradientPenalty) {
  const char *body = R"(
    %h0 = gen.matmul %x, %w1 : (tensor<3x4xf64>, tensor<4x5xf64>) -> tensor<3x5xf64>
    %h = gen.sigmoid %h0 : tensor<3x5xf64>
    %critic = gen.matmul %h, %w2 : (tensor<3x5xf64>, tensor<5x1xf64>) -> tensor<3x1xf64>
    %sum = gen.reduce_sum %critic axes [0, 1] : tensor<3x1xf64> -> tensor<f64>
    %dx = gen.gradient %sum wrt %x : tensor<f64>, tensor<3x4xf64> -> tensor<3x4xf64>
    %square = gen.mul %dx, %dx : (tensor<3x4xf64>, tensor<3x4xf64>) -> tensor<3x4xf64>
    %norm2 = gen.reduce_sum %square axes [1] : tensor<3x4xf64> -> tensor<3xf64>
    %norm = gen.sqrt %norm2 : tensor<3xf64>
    %one = gen.constant dense<1.0> : tensor<f64>
    %off = gen.sub %norm, %one : (tensor<3xf64>, tensor<f64>) -> tensor<3xf64>
    %off2 = gen.mul %off, %off : (tensor<3xf64>, tensor<3xf64>) -> tensor<3xf64>
    %value = gen.reduce_mean %off2 axes [0] : tensor<3xf64> -> tensor<f64>
  )";
  compare(withGradient(body, "%x: tensor<3x4xf64>, %w1: tensor<4x5xf64>, %w2: tensor<5x1xf64>",
                       "%x, %w1, %w2", "tensor<3x4xf64>, tensor<4x5xf64>, tensor<5x1xf64>"));
}

// Every op that moves elements, twice: the value is a gradient's square.
TEST_F(Differentiate, SecondOrderThroughMovement) {
  const char *body = R"(
    %slice = gen.slice %x starts [1, 0] limits [3, 6] strides [1, 2] : tensor<4x6xf64> -> tensor<2x3xf64>
    %rows = gen.transpose %slice permutation [1, 0] : tensor<2x3xf64> -> tensor<3x2xf64>
    %pad = gen.pad %rows value 2.0 : f64 low [1, 0] high [0, 1] interior [1, 1] : tensor<3x2xf64> -> tensor<6x4xf64>
    %flat = gen.reshape %pad : tensor<6x4xf64> -> tensor<4x6xf64>
    %both = gen.concat %flat, %x axis 0 : (tensor<4x6xf64>, tensor<4x6xf64>) -> tensor<8x6xf64>
    %wide = gen.broadcast %v axes [1] : tensor<6xf64> -> tensor<8x6xf64>
    %product = gen.mul %both, %wide : (tensor<8x6xf64>, tensor<8x6xf64>) -> tensor<8x6xf64>
    %curve = gen.sin %product : tensor<8x6xf64>
    %sum = gen.reduce_sum %curve axes [0, 1] : tensor<8x6xf64> -> tensor<f64>
    %dx = gen.gradient %sum wrt %x : tensor<f64>, tensor<4x6xf64> -> tensor<4x6xf64>
    %square = gen.mul %dx, %dx : (tensor<4x6xf64>, tensor<4x6xf64>) -> tensor<4x6xf64>
    %value = gen.reduce_sum %square axes [0, 1] : tensor<4x6xf64> -> tensor<f64>
  )";
  compare(withGradient(body, "%x: tensor<4x6xf64>, %v: tensor<6xf64>", "%x, %v",
                       "tensor<4x6xf64>, tensor<6xf64>"));
}

// The same with sizes that only the run tells.
TEST_F(Differentiate, SecondOrderThroughDynamicMovement) {
  const char *body = R"(
    %c0 = arith.constant 0 : index
    %n = tensor.dim %x, %c0 : tensor<?x6xf64>
    %slice = gen.slice %x starts [1, 0] limits [-1, 6] strides [1, 2] : tensor<?x6xf64> -> tensor<?x3xf64>
    %pad = gen.pad %slice value 2.0 : f64 low [2, 0] high [0, 1] interior [0, 1] : tensor<?x3xf64> -> tensor<?x6xf64>
    %both = gen.concat %pad, %x axis 1 : (tensor<?x6xf64>, tensor<?x6xf64>) -> tensor<?x12xf64>
    %columns = gen.reshape %both sizes(%n) : tensor<?x12xf64> -> tensor<2x?x6xf64>
    %wide = gen.broadcast %v axes [2] sizes(%n) : tensor<6xf64> -> tensor<2x?x6xf64>
    %product = gen.mul %columns, %wide : (tensor<2x?x6xf64>, tensor<2x?x6xf64>) -> tensor<2x?x6xf64>
    %curve = gen.sin %product : tensor<2x?x6xf64>
    %sum = gen.reduce_sum %curve axes [0, 1, 2] : tensor<2x?x6xf64> -> tensor<f64>
    %dx = gen.gradient %sum wrt %x : tensor<f64>, tensor<?x6xf64> -> tensor<?x6xf64>
    %square = gen.mul %dx, %dx : (tensor<?x6xf64>, tensor<?x6xf64>) -> tensor<?x6xf64>
    %value = gen.reduce_sum %square axes [0, 1] : tensor<?x6xf64> -> tensor<f64>
  )";
  compare(withGradient(body, "%x: tensor<?x6xf64>, %v: tensor<6xf64>", "%x, %v",
                       "tensor<?x6xf64>, tensor<6xf64>"));
}
