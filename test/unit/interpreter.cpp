// The interpreter as a library: state between calls, errors as diagnostics. What ops compute is
// tested by test/dialect/interpret-*.mlir and by the op table.
#include "dialect/Interpreter.h"
#include "dialect/Gen.h"
#include "dialect/Nesting.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using gen::Array;

namespace {

const char *const kCounter = R"(
  gen.variable @total : tensor<2xf32>
  gen.variable @random.seed : tensor<i64>
  func.func @init() {
    %0 = gen.constant dense<1.0> : tensor<2xf32>
    gen.assign @total, %0 : tensor<2xf32>
    return
  }
  func.func @add(%x: tensor<?xf32>) -> tensor<?xf32> {
    %0 = gen.read @total : tensor<2xf32>
    %1 = gen.add %0, %x : (tensor<2xf32>, tensor<?xf32>) -> tensor<2xf32>
    gen.assign @total, %1 : tensor<2xf32>
    %2 = tensor.cast %1 : tensor<2xf32> to tensor<?xf32>
    return %2 : tensor<?xf32>
  }
)";

class InterpreterTest : public ::testing::Test {
protected:
  InterpreterTest() {
    context.loadDialect<gen::GenDialect, arith::ArithDialect, func::FuncDialect,
                        tensor::TensorDialect>();
    context.getDiagEngine().registerHandler([&](Diagnostic &diagnostic) {
      messages.push_back(diagnostic.str());
      return success();
    });
    module = parseSourceString<ModuleOp>(kCounter, &context);
  }

  Array vector(std::vector<double> elements) {
    Array array(Float32Type::get(&context), {static_cast<int64_t>(elements.size())});
    array.floats = std::move(elements);
    return array;
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  std::vector<std::string> messages;
  OwningOpRef<ModuleOp> module;
};

} // namespace

TEST_F(InterpreterTest, StateStaysBetweenCalls) {
  gen::Interpreter interpreter(*module, 9);
  ASSERT_TRUE(succeeded(interpreter.run("add", {vector({1, 2})})));
  FailureOr<SmallVector<Array>> results = interpreter.run("add", {vector({0.5, 0.25})});
  ASSERT_TRUE(succeeded(results));
  EXPECT_EQ(results->front().floats, (std::vector<double>{2.5, 3.25}));
  EXPECT_EQ(interpreter.variable("total")->floats, (std::vector<double>{2.5, 3.25}));
  EXPECT_EQ(interpreter.variable("random.seed")->integers, std::vector<int64_t>{9});
  EXPECT_EQ(interpreter.variable("other"), nullptr);
}

TEST_F(InterpreterTest, SessionsAreApart) {
  gen::Interpreter first(*module), second(*module);
  ASSERT_TRUE(succeeded(first.run("add", {vector({1, 2})})));
  FailureOr<SmallVector<Array>> results = second.run("add", {vector({0, 0})});
  ASSERT_TRUE(succeeded(results));
  EXPECT_EQ(results->front().floats, (std::vector<double>{1, 1}));
}

TEST_F(InterpreterTest, KeepsMorePrecisionThanTheType) {
  gen::Interpreter interpreter(*module);
  FailureOr<SmallVector<Array>> results = interpreter.run("add", {vector({1e-12, 0})});
  ASSERT_TRUE(succeeded(results));
  EXPECT_EQ(results->front().floats[0], 1 + 1e-12);
}

TEST_F(InterpreterTest, RefusesWhatDoesNotFit) {
  gen::Interpreter interpreter(*module);
  EXPECT_TRUE(failed(interpreter.run("remove", {})));
  EXPECT_TRUE(failed(interpreter.run("add", {})));
  Array wrong(Float64Type::get(&context), {2});
  EXPECT_TRUE(failed(interpreter.run("add", {wrong})));
  EXPECT_TRUE(failed(interpreter.run("add", {vector({1, 2, 3})})));
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[0], "expected the name of an entry, got 'remove'");
  EXPECT_EQ(messages[1], "add: expected 1 arguments, got 0");
  EXPECT_EQ(messages[2], "add: argument 0: expected 'tensor<?xf32>', got 'tensor<2xf64>'");
}

TEST(Array, IntegersWrapToTheirWidth) {
  MLIRContext context;
  Array array(IntegerType::get(&context, 8), {3});
  array.setInteger(0, 128);
  array.setInteger(1, -129);
  array.setNumber(2, 300);
  EXPECT_EQ(array.integers, (std::vector<int64_t>{-128, 127, 44}));
  Array truth = Array::scalar(IntegerType::get(&context, 1), -1);
  EXPECT_EQ(truth.integers, std::vector<int64_t>{1});
}

TEST(Array, IndicesAreRowMajor) {
  std::vector<int64_t> positions;
  gen::forEachIndex(
      {2, 3}, [&](ArrayRef<int64_t> index) { positions.push_back(gen::linearize(index, {2, 3})); });
  EXPECT_EQ(positions, (std::vector<int64_t>{0, 1, 2, 3, 4, 5}));
  gen::forEachIndex({2, 0}, [&](ArrayRef<int64_t>) { FAIL() << "there is no index"; });
  int calls = 0;
  gen::forEachIndex({}, [&](ArrayRef<int64_t> index) { calls += index.empty(); });
  EXPECT_EQ(calls, 1);
}

TEST(Nesting, FindsTheLine) {
  std::string deep(gen::kMaxNesting + 1, '[');
  EXPECT_EQ(gen::findDeepNesting("x\ny\n" + deep), 3);
  EXPECT_EQ(gen::findDeepNesting(deep.substr(1)), std::nullopt);
  EXPECT_EQ(gen::findDeepNesting("\"" + deep + "\" // " + deep + "\n" + deep), 2);
}

TEST(Nesting, ClosingWhatIsNotOpenHidesNothing) {
  std::string text;
  for (int i = 0; i <= gen::kMaxNesting; ++i)
    text += "[ > ) -> ";
  EXPECT_EQ(gen::findDeepNesting(text), 1);
  std::string flat;
  for (int i = 0; i <= gen::kMaxNesting; ++i)
    flat += "(d0 >= 0) -> <[ ]>\n";
  EXPECT_EQ(gen::findDeepNesting(flat), std::nullopt);
}
