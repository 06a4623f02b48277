//===- device-attention.cpp - attention on a GPU, emulated ----------------===//
//
// A GPU comes to what the CPU does: tiles of all sizes and their ends, masks, views of a
// projection. And without any one of its barriers it does not.
//
//===----------------------------------------------------------------------===//

#include "DeviceAttention.h"

using namespace optable;

namespace {

class DeviceAttention : public OnDeviceAttention {
protected:
  static std::string textOf(const AttentionCase &of) {
    std::string results = of.types({of.output("z"), of.logsumexp()});
    return "func.func @main(" + of.declared(of.operands()) + ") -> (" + results + ") {\n  " +
           of.attention() + "\n  return %z, %l : " + results + "\n}";
  }

  void expectAttention(const AttentionCase &of) {
    SCOPED_TRACE(textOf(of));
    compile(textOf(of));
    expectSame(arraysOf(of.operands()));
  }
};

INSTANTIATE_TEST_SUITE_P(Types, DeviceAttention, testing::Values("f32", "tf32", "bf16", "f16"),
                         [](const auto &info) { return info.param; });

TEST_P(DeviceAttention, OfHeads) {
  expectAttention({70, 70, 3, 64, 64});
  expectAttention({130, 65, 1, 32, 40}); // rows of values that end within a thread's
  expectAttention({33, 40, 1, 128, 100});
  expectAttention({33, 40, 2, 7, 5}); // copied one by one
  // By fewer threads than there are.
  expectAttention({70, 33, 2, 8, 4, "", {}, /*isDynamic=*/true});
  expectAttention({70, 33, 2, 32, 32, "", {}, /*isDynamic=*/true});
  expectAttention({1, 3, 2, 32, 32, "", {}, /*isDynamic=*/true});
}

TEST_P(DeviceAttention, OfWhatCameBefore) {
  expectAttention({70, 70, 2, 32, 32, " causal"});
  expectAttention({20, 100, 2, 96, 32, " causal"});
  expectAttention({90, 20, 1, 16, 16, " causal"}); // the first ones see nothing
  expectAttention({90, 50, 1, 16, 16, " causal", {}, /*isDynamic=*/true});
}

TEST_P(DeviceAttention, OfWhatIsNotHidden) {
  expectAttention({70, 40, 2, 32, 32, "", {2, 2, 70, 40}});
  expectAttention({70, 40, 2, 32, 32, "", {1, 1, 70, 40}, /*isDynamic=*/true});
  expectAttention({40, 70, 2, 16, 24, " causal", {2, 1, 1, 70}});
}

/// As in a layer: views of one projection, which begin where 16 bytes can be read at once, and what
/// follows on the result.
TEST_P(DeviceAttention, OfAProjection) {
  compile(R"(
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
})");
  expectSame(arraysOf({{"x", {2, 40, 192}}, {"y", {2, 40, 64}}}));
}

// Before keys and values are copied, and behind; between the threads that share queries; before
// results are stored where keys were, and behind.
TEST_P(DeviceAttention, NeedsItsBarriers) {
  AttentionCase tilesOfSeveralWarps = {40, 70, 2, 16, 48, "", {}, /*isDynamic=*/true};
  compile(textOf(tilesOfSeveralWarps), "cuda");
  expectNeeds(GetParam() == std::string("f32") ? 5 : 4, // weights stay in registers
              {arraysOf(tilesOfSeveralWarps.operands())});
}

} // namespace
