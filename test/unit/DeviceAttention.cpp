//===- DeviceAttention.cpp - attention on a GPU beside a CPU --------------===//

#include "DeviceAttention.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>

using namespace optable;

std::string optable::join(const std::vector<std::string> &parts, const std::string &between) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i)
    text += (i == 0 ? "" : between) + parts[i];
  return text;
}

//===----------------------------------------------------------------------===//
// Cases
//===----------------------------------------------------------------------===//

static std::string typeOf(const AttentionCase::Argument &argument, bool isDynamic) {
  std::string type = "tensor<";
  for (size_t axis = 0; axis < argument.shape.size(); ++axis)
    type +=
        (isDynamic && !argument.dims[axis].empty() ? "?" : std::to_string(argument.shape[axis])) +
        "x";
  return type + "f32>";
}

std::vector<AttentionCase::Argument> AttentionCase::operands() const {
  std::vector<Argument> arguments = {query(), key(), value()};
  if (!mask.empty())
    arguments.push_back({"m", mask, {"", "", "s", "t"}});
  return arguments;
}

std::string AttentionCase::declared(const std::vector<Argument> &arguments) const {
  std::vector<std::string> parts;
  for (const Argument &argument : arguments) {
    std::string names = "\"" + join(argument.dims, "\", \"") + "\"";
    parts.push_back("%" + argument.name + ": " + typeOf(argument, isDynamic) +
                    (isDynamic ? " {gen.dims = [" + names + "]}" : ""));
  }
  return join(parts, ", ");
}

std::string AttentionCase::types(const std::vector<Argument> &arguments) const {
  std::vector<std::string> parts;
  for (const Argument &argument : arguments)
    parts.push_back(typeOf(argument, isDynamic));
  return join(parts, ", ");
}

std::string AttentionCase::attention() const {
  return std::string("%z, %l = gen.attention %q, %k, %v") + (mask.empty() ? "" : " mask %m") +
         flags + " scale 3.0e-01 : (" + types(operands()) + ") -> (" +
         types({output("z"), logsumexp()}) + ")";
}

/// Knuth's multiplicative generator: of `seed`, the eight bits that are best.
static gen::Array numbers(const std::vector<int64_t> &shape, uint32_t seed) {
  gen::Array x(GEN_F32, shape);
  for (size_t i = 0; i < x.size(); ++i) {
    seed = seed * 1664525 + 1013904223;
    x.data<float>()[i] = float(seed >> 24) / 128 - 1;
  }
  return x;
}

static void hideKeys(gen::Array &mask, int64_t keys) {
  for (size_t i = 0; i < mask.size(); ++i)
    if (int64_t(i) % keys % 5 == 3 || int64_t(i) / keys % 7 == 2)
      mask.data<float>()[i] = -std::numeric_limits<float>::infinity();
}

std::vector<gen::Array> optable::arraysOf(const std::vector<AttentionCase::Argument> &arguments) {
  std::vector<gen::Array> arrays;
  for (const AttentionCase::Argument &argument : arguments) {
    arrays.push_back(numbers(argument.shape, static_cast<uint32_t>(arrays.size())));
    if (argument.name == "m")
      hideKeys(arrays.back(), argument.shape.back());
  }
  return arrays;
}

//===----------------------------------------------------------------------===//
// Artefacts
//===----------------------------------------------------------------------===//

void OnDeviceAttention::SetUp() { setenv("GEN_CUDA_DRIVER", GEN_CUDA_EMULATOR, /*overwrite=*/1); }

void OnDeviceAttention::TearDown() {
  unsetenv("GEN_EMULATOR_DROP_BARRIER");
  unsetenv("GEN_EMULATOR_ORDER");
  std::filesystem::remove(path);
}

std::string OnDeviceAttention::fileName() {
  const testing::TestInfo *info = testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string(info->test_suite_name()) + "-" + info->name();
  std::replace(name.begin(), name.end(), '/', '-');
  return name + ".so";
}

void OnDeviceAttention::compile(const std::string &text, const std::string &target) {
  mlir::gen::CompileOptions options;
  options.target = target;
  options.precision = GetParam();
  options.deviceCode = mlir::gen::DeviceCode::Bitcode;
  compileText(text, options, path);
}

std::vector<gen::Array> OnDeviceAttention::call(const std::string &device, const std::string &entry,
                                                const std::vector<gen::Array> &arguments) const {
  gen::SessionOptions options;
  options.device = device;
  gen::Session session(gen::Model::open(path), options);
  std::vector<gen::View> views(arguments.begin(), arguments.end());
  gen::Results called = session.call(entry, views);
  std::vector<gen::Array> results;
  for (size_t i = 0; i < called.size(); ++i)
    results.emplace_back(called[i]);
  return results;
}

float OnDeviceAttention::tolerance() {
  std::string precision = GetParam();
  return precision == "bf16" ? 4e-3f : precision == "f32" ? 4e-6f : 5e-4f;
}

void OnDeviceAttention::expectSame(const std::vector<gen::Array> &arguments) const {
  std::vector<gen::Array> results = call("cuda", "main", arguments),
                          expected = call("cpu", "main", arguments);
  for (size_t i = 0; i < expected.size(); ++i)
    for (size_t j = 0; j < expected[i].size(); ++j) {
      float x = results[i].data<float>()[j], y = expected[i].data<float>()[j];
      ASSERT_TRUE(x == y || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) < tolerance())
          << x << " for " << y << ", element " << j << " of result " << i;
    }
}

void OnDeviceAttention::expectSameVectors(const std::vector<gen::Array> &arguments) const {
  std::vector<gen::Array> results = call("cuda", "main", arguments),
                          expected = call("cpu", "main", arguments);
  for (size_t i = 0; i < expected.size(); ++i) {
    double off = 0, length = 0;
    for (size_t j = 0; j < expected[i].size(); ++j) {
      double x = results[i].data<float>()[j], y = expected[i].data<float>()[j];
      ASSERT_EQ(std::isnan(x), std::isnan(y)) << "element " << j << " of result " << i;
      if (!std::isnan(y)) {
        off += (x - y) * (x - y);
        length += y * y;
      }
    }
    EXPECT_LE(std::sqrt(off), tolerance() * std::sqrt(length)) << "result " << i;
  }
}

void OnDeviceAttention::expectNeeds(int barriers,
                                    const std::vector<std::vector<gen::Array>> &calls) const {
  std::vector<std::vector<gen::Array>> expected;
  for (const std::vector<gen::Array> &arguments : calls)
    expected.push_back(call("cuda", "main", arguments));
  auto areSame = [&] {
    for (size_t i = 0; i < calls.size(); ++i) {
      std::vector<gen::Array> results = call("cuda", "main", calls[i]);
      for (size_t j = 0; j < results.size(); ++j)
        if (!sameBits(results[j], expected[i][j]))
          return false;
    }
    return true;
  };
  for (int dropped = 0; dropped <= barriers; ++dropped) {
    setenv("GEN_EMULATOR_DROP_BARRIER", std::to_string(dropped).c_str(), /*overwrite=*/1);
    bool isSame = true;
    for (const char *order : {"forward", "backward"}) {
      setenv("GEN_EMULATOR_ORDER", order, /*overwrite=*/1);
      isSame = isSame && areSame();
    }
    EXPECT_EQ(isSame, dropped == barriers) << "without barrier " << dropped;
  }
}
