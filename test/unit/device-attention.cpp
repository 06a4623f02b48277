//===- device-attention.cpp - attention on a GPU, emulated ----------------===//
//
// A GPU comes to what the CPU does: tiles of all sizes and their ends, masks, views of a
// projection. And without any one of its barriers it does not.
//
//===----------------------------------------------------------------------===//

#include "Compiled.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <limits>

using namespace optable;

namespace {

struct Shape {
  int64_t queries, keys, heads, depth, width;
};

std::string join(const std::vector<std::string> &parts, const std::string &between) {
  std::string text;
  for (const std::string &part : parts)
    text += (text.empty() ? "" : between) + part;
  return text;
}

std::string typeOf(const std::vector<int64_t> &shape) {
  std::string type = "tensor<";
  for (int64_t size : shape)
    type += (size < 0 ? "?" : std::to_string(size)) + "x";
  return type + "f32>";
}

/// Numbers from -1 to 1, without an order, that bf16 has, too.
gen::Array numbers(const std::vector<int64_t> &shape) {
  gen::Array x(GEN_F32, shape);
  for (size_t i = 0; i < x.size(); ++i)
    x.data<float>()[i] = float(i * 7919 % 257) / 128 - 1;
  return x;
}

/// Hides every fifth key, and all keys of every seventh query.
gen::Array maskOf(const std::vector<int64_t> &shape) {
  gen::Array mask = numbers(shape);
  int64_t keys = shape.back();
  for (size_t i = 0; i < mask.size(); ++i)
    if (int64_t(i) % keys % 5 == 3 || int64_t(i) / keys % 7 == 2)
      mask.data<float>()[i] = -std::numeric_limits<float>::infinity();
  return mask;
}

class DeviceAttention : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override { setenv("GEN_CUDA_DRIVER", GEN_CUDA_EMULATOR, /*overwrite=*/1); }
  void TearDown() override {
    unsetenv("GEN_EMULATOR_DROP_BARRIER");
    unsetenv("GEN_EMULATOR_ORDER");
    std::filesystem::remove(path);
  }

  void compile(const std::string &text, const std::string &target = "cpu,cuda") {
    mlir::gen::CompileOptions options;
    options.target = target;
    options.precision = GetParam();
    options.deviceCode = mlir::gen::DeviceCode::Bitcode;
    compileText(text, options, path);
  }
  gen::Session open(const std::string &device) {
    gen::SessionOptions options;
    options.device = device;
    return gen::Session(gen::Model::open(path), options);
  }

  /// Weights, of at most 1, are rounded before they are multiplied.
  static float tolerance() {
    std::string precision = GetParam();
    return precision == "bf16" ? 4e-3f : precision == "f16" ? 5e-4f : 4e-6f;
  }

  /// Of both results.
  void expectSame(const std::string &text, const std::vector<gen::Array> &arrays) {
    std::vector<gen::View> arguments(arrays.begin(), arrays.end());
    compile(text);
    gen::Session device = open("cuda"), cpu = open("cpu");
    gen::Results results = device.call("main", arguments), expected = cpu.call("main", arguments);
    for (size_t i = 0; i < expected.size(); ++i)
      for (size_t j = 0; j < expected[i].size(); ++j) {
        float x = results[i].data<float>()[j], y = expected[i].data<float>()[j];
        ASSERT_TRUE(x == y || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) < tolerance())
            << x << " for " << y << ", element " << j << " of result " << i << "\n"
            << text;
      }
  }

  /// The attention of the arguments; their numbers of queries, keys, and of a batch are dynamic, or
  /// not.
  static std::string textOf(const Shape &sizes, const std::string &flags,
                            const std::vector<int64_t> &mask, bool isDynamic) {
    auto [s, t, h, d, e] = sizes;
    int64_t batch = 2;
    std::vector<int64_t> maskType = mask;
    if (isDynamic) {
      batch = s = t = -1;
      if (!mask.empty())
        maskType[2] = maskType[3] = -1;
    }
    std::string q = typeOf({batch, s, h, d}), k = typeOf({batch, t, h, d}),
                v = typeOf({batch, t, h, e}), z = typeOf({batch, s, h, e}),
                l = typeOf({batch, h, s});
    auto dims = [&](const std::string &names) {
      return isDynamic ? " {gen.dims = [" + names + "]}" : std::string();
    };
    std::vector<std::string> arguments = {"%q: " + q + dims(R"("b", "s", "", "")"),
                                          "%k: " + k + dims(R"("b", "t", "", "")"),
                                          "%v: " + v + dims(R"("b", "t", "", "")")};
    std::vector<std::string> types = {q, k, v};
    if (!mask.empty()) {
      types.push_back(typeOf(maskType));
      arguments.push_back("%m: " + types.back() + dims(R"("", "", "s", "t")"));
    }
    std::string results = "(" + z + ", " + l + ")";
    return "func.func @main(" + join(arguments, ", ") + ") -> " + results +
           " {\n  %z, %l = gen.attention %q, %k, %v" + (mask.empty() ? "" : " mask %m") + flags +
           " scale 3.0e-01 : (" + join(types, ", ") + ") -> " + results +
           "\n  return %z, %l : " + z + ", " + l + "\n}";
  }

  void expectAttention(const Shape &sizes, const std::string &flags = "",
                       const std::vector<int64_t> &mask = {}, bool isDynamic = false) {
    std::vector<gen::Array> arrays;
    arrays.push_back(numbers({2, sizes.queries, sizes.heads, sizes.depth}));
    arrays.push_back(numbers({2, sizes.keys, sizes.heads, sizes.depth}));
    arrays.push_back(numbers({2, sizes.keys, sizes.heads, sizes.width}));
    if (!mask.empty())
      arrays.push_back(maskOf(mask));
    expectSame(textOf(sizes, flags, mask, isDynamic), arrays);
  }

  static std::string fileName() {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    std::replace(name.begin(), name.end(), '/', '-');
    return "device-attention-" + name + ".so";
  }

  std::string path = (std::filesystem::path(testing::TempDir()) / fileName()).string();
};

INSTANTIATE_TEST_SUITE_P(Types, DeviceAttention, testing::Values("f32", "bf16", "f16"),
                         [](const auto &info) { return info.param; });

TEST_P(DeviceAttention, OfHeads) {
  expectAttention({70, 70, 3, 64, 64});
  expectAttention({130, 65, 1, 32, 40}); // rows of values that end within a thread's
  expectAttention({33, 40, 1, 128, 100});
  expectAttention({33, 40, 2, 7, 5});                             // copied one by one
  expectAttention({70, 33, 2, 8, 4}, "", {}, /*isDynamic=*/true); // by fewer threads than there are
  expectAttention({70, 33, 2, 32, 32}, "", {}, /*isDynamic=*/true);
  expectAttention({1, 3, 2, 32, 32}, "", {}, /*isDynamic=*/true);
}

TEST_P(DeviceAttention, OfWhatCameBefore) {
  expectAttention({70, 70, 2, 32, 32}, " causal");
  expectAttention({20, 100, 2, 96, 32}, " causal");
  expectAttention({90, 20, 1, 16, 16}, " causal"); // the first ones see nothing
  expectAttention({90, 50, 1, 16, 16}, " causal", {}, /*isDynamic=*/true);
}

TEST_P(DeviceAttention, OfWhatIsNotHidden) {
  expectAttention({70, 40, 2, 32, 32}, "", {2, 2, 70, 40});
  expectAttention({70, 40, 2, 32, 32}, "", {1, 1, 70, 40}, /*isDynamic=*/true);
  expectAttention({40, 70, 2, 16, 24}, " causal", {2, 1, 1, 70});
}

/// As in a layer: views of one projection, which begin where 16 bytes can be read at once, and what
/// follows on the result.
TEST_P(DeviceAttention, OfAProjection) {
  expectSame(R"(
func.func @main(%x: tensor<2x40x192xf32>, %y: tensor<2x40x64xf32>) -> tensor<2x40x64xf32> {
  %a = gen.slice %x starts [0, 0, 0] limits [2, 40, 64] strides [1, 1, 1] : tensor<2x40x192xf32> -> tensor<2x40x64xf32>
  %b = gen.slice %x starts [0, 0, 64] limits [2, 40, 128] strides [1, 1, 1] : tensor<2x40x192xf32> -> tensor<2x40x64xf32>
  %c = gen.slice %x starts [0, 0, 128] limits [2, 40, 192] strides [1, 1, 1] : tensor<2x40x192xf32> -> tensor<2x40x64xf32>
  %q = gen.reshape %a : tensor<2x40x64xf32> -> tensor<2x40x2x32xf32>
  %k = gen.reshape %b : tensor<2x40x64xf32> -> tensor<2x40x2x32xf32>
  %v = gen.reshape %c : tensor<2x40x64xf32> -> tensor<2x40x2x32xf32>
  %o, %l = gen.attention %q, %k, %v causal scale 2.0e-01 : (tensor<2x40x2x32xf32>, tensor<2x40x2x32xf32>, tensor<2x40x2x32xf32>) -> (tensor<2x40x2x32xf32>, tensor<2x2x40xf32>)
  %r = gen.tanh %o : tensor<2x40x2x32xf32>
  %s = gen.reshape %r : tensor<2x40x2x32xf32> -> tensor<2x40x64xf32>
  %z = gen.add %s, %y : (tensor<2x40x64xf32>, tensor<2x40x64xf32>) -> tensor<2x40x64xf32>
  return %z : tensor<2x40x64xf32>
})",
             {numbers({2, 40, 192}), numbers({2, 40, 64})});
}

// Before keys and values are copied, and behind; between the threads that share queries; before
// results are stored where keys were, and behind.
TEST_P(DeviceAttention, NeedsItsBarriers) {
  Shape sizes = {40, 70, 2, 16, 48};
  std::vector<gen::Array> arrays;
  arrays.push_back(numbers({2, sizes.queries, sizes.heads, sizes.depth}));
  arrays.push_back(numbers({2, sizes.keys, sizes.heads, sizes.depth}));
  arrays.push_back(numbers({2, sizes.keys, sizes.heads, sizes.width}));
  std::vector<gen::View> arguments(arrays.begin(), arrays.end());
  compile(textOf(sizes, "", {}, /*isDynamic=*/true), "cuda"); // tiles of several warps
  gen::Session session = open("cuda");
  gen::Array expected(session.call("main", arguments)[0]);
  int barriers = GetParam() == std::string("f32") ? 5 : 4; // weights stay in registers
  for (int dropped = 0; dropped <= barriers; ++dropped) {
    setenv("GEN_EMULATOR_DROP_BARRIER", std::to_string(dropped).c_str(), /*overwrite=*/1);
    bool isSame = true;
    for (const char *order : {"forward", "backward"}) {
      setenv("GEN_EMULATOR_ORDER", order, /*overwrite=*/1);
      isSame &= sameBits(open("cuda").call("main", arguments)[0], expected);
    }
    EXPECT_EQ(isSame, dropped == barriers) << "without barrier " << dropped;
  }
}

} // namespace
