//===- CompiledRow.cpp - a row of the op table, compiled ------------------===//

#include "CompiledRow.h"
#include "test/gpu/StoredCalls.h"
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>

using namespace optable;
using mlir::gen::Array;

CompiledRow::CompiledRow(const Row &row, std::vector<Function> functions, const std::string &name)
    : row(row), functions(std::move(functions)), context(makeContext()) {
  mlir::DialectRegistry registry;
  mlir::gen::registerCompilerDialects(registry);
  context->appendDialectRegistry(registry);
  context->loadAllAvailableDialects();
  path = (std::filesystem::path(testing::TempDir()) / ("op-" + rowName(row) + "-" + name + ".so"))
             .string();
  for (const Function &function : this->functions) {
    if (function.sizes)
      addCalls(function, *function.sizes);
    else
      for (const Sizes &sizes : row.sizes)
        addCalls(function, sizes);
  }
}

CompiledRow::~CompiledRow() { std::filesystem::remove(path); }

/// The module: every function, and the gradient of two of them.
std::string CompiledRow::text() const {
  std::string text;
  for (const Function &function : functions) {
    if (text.empty())
      text = function.declarations();
    text += function.forward();
    if (hasGradient(function))
      text += function.gradient();
  }
  return text;
}

bool CompiledRow::hasGradient(const Function &function) const {
  return row.differentiable && function.element == row.elements.front() &&
         (!function.sizes || function.sizes == row.sizes[row.sizes.size() / 2]);
}

/// Adds the calls of a function at `sizes`.
void CompiledRow::addCalls(const Function &function, const Sizes &sizes) {
  unsigned seed = 1;
  std::vector<Array> random, special;
  for (const optable::Argument &argument : row.arguments) {
    random.push_back(randomArray(*context, argument, function.element, sizes, seed));
    special.push_back(specialArray(*context, argument, function.element, sizes, seed++));
  }
  calls.push_back({"forward_" + function.suffix(), random, {}, {}});
  if (row.special)
    calls.push_back({"forward_" + function.suffix(), special, {}, {}});
  if (hasGradient(function)) {
    random.push_back(randomArray(*context, {"weights", row.result}, function.element, sizes, seed));
    calls.push_back({"gradient_" + function.suffix(), random, {}, {}});
  }
}

void CompiledRow::interpret() {
  auto module = parse(*context, text());
  ASSERT_TRUE(module) << text();
  differentiate(*module);
  for (Call &call : calls) {
    mlir::gen::Interpreter interpreter(*module);
    auto results = interpreter.run(call.entry, call.arguments);
    ASSERT_TRUE(mlir::succeeded(results)) << call.entry;
    call.expected.assign(results->begin(), results->end());
  }
}

void CompiledRow::compile(const mlir::gen::CompileOptions &options) {
  auto module = parse(*context, text());
  ASSERT_TRUE(module) << text();
  compileArtefact(*module, options, path);
}

void CompiledRow::check(const gen::SessionOptions &options) { run(options, /*isFirst=*/true); }
void CompiledRow::checkSameBits(const gen::SessionOptions &options) {
  run(options, /*isFirst=*/false);
}

/// The largest partial sum, for `sum` as the whole: what cancels in it is rounded on that scale.
static double largestPartialSum(const Array &array, double sum) {
  double total = 0, largest = 0;
  for (int64_t i = 0; i < array.size(); ++i) {
    total += array.number(i);
    largest = std::max(largest, std::fabs(total));
  }
  return std::isfinite(total) && total != 0 ? largest * std::fabs(sum / total) : 0;
}

double CompiledRow::scaleOnDevice(const Call &call, size_t result) const {
  const Array &expected = call.expected[result];
  return row.cancels && expected.size() == 1
             ? largestPartialSum(call.arguments[0], expected.number(0))
             : 0;
}

static int64_t elementsOf(const std::vector<Array> &arguments, const std::vector<Array> &results) {
  int64_t count = 0;
  for (const auto *arrays : {&arguments, &results})
    for (const Array &array : *arrays)
      count += array.size();
  return count;
}

void CompiledRow::store(const std::string &file) const {
  constexpr int64_t kFewElements = 3000;
  std::map<std::string, int64_t> fewest; // of an entry
  for (const Call &call : calls) {
    int64_t &known = fewest.try_emplace(call.entry, INT64_MAX).first->second;
    known = std::min(known, elementsOf(call.arguments, call.expected));
  }
  std::vector<gen::gpu::StoredCall> stored;
  for (const Call &call : calls) {
    if (elementsOf(call.arguments, call.expected) > std::max(kFewElements, fewest[call.entry]))
      continue;
    stored.push_back({call.entry, {}, {}, row.ulps, {}});
    for (const Array &argument : call.arguments)
      stored.back().arguments.push_back(toRuntime(argument));
    for (size_t i = 0; i < call.expected.size(); ++i) {
      stored.back().expected.push_back(toRuntime(call.expected[i]));
      stored.back().scales.push_back(scaleOnDevice(call, i));
    }
  }
  gen::gpu::writeCalls(file + ".calls", stored);
  std::filesystem::copy_file(path, file + ".so", std::filesystem::copy_options::overwrite_existing);
}

void CompiledRow::run(const gen::SessionOptions &options, bool isFirst) {
  gen::Model model = gen::Model::open(path);
  for (Call &call : calls) {
    std::vector<gen::Array> arguments;
    for (const Array &argument : call.arguments)
      arguments.push_back(toRuntime(argument));
    gen::Session session(model, options);
    std::vector<gen::View> views(arguments.begin(), arguments.end());
    gen::Results results = session.call(call.entry, views);
    ASSERT_EQ(results.size(), call.expected.size());
    for (size_t i = 0; i < results.size(); ++i) {
      std::string what = call.entry + ", result " + std::to_string(i);
      if (isFirst) {
        call.first.emplace_back(results[i]);
        bool isDevice = !options.device.empty() && options.device != "cpu";
        double scale = isDevice ? scaleOnDevice(call, i) : 0;
        ASSERT_NO_FATAL_FAILURE(expectClose(results[i], call.expected[i], row.ulps, what, scale));
      } else {
        EXPECT_TRUE(sameBits(results[i], call.first[i])) << what;
      }
    }
  }
}

std::vector<Row> optable::compiledRows() {
  std::vector<Row> result;
  for (const Row &row : rows())
    if (row.compiled)
      result.push_back(row);
  return result;
}
