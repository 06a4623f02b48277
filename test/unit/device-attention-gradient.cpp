//===- device-attention-gradient.cpp - its gradient on a GPU, emulated ----===//
//
// A GPU comes to what the CPU does, from the same output and logsumexp: tiles of all sizes and
// their ends, masks, views of a projection. And without any one of its barriers it does not.
//
//===----------------------------------------------------------------------===//

#include "DeviceAttention.h"

using namespace optable;

namespace {

class DeviceAttentionGradient : public OnDeviceAttention {
protected:
  /// Queries, keys, values and mask, then what the attention came to and the gradient of that.
  static std::vector<AttentionCase::Argument> argumentsOf(const AttentionCase &of) {
    std::vector<AttentionCase::Argument> arguments = of.operands();
    for (const AttentionCase::Argument &more : {of.output("z"), of.logsumexp(), of.output("d")})
      arguments.push_back(more);
    return arguments;
  }

  static std::string textOf(const AttentionCase &of) {
    std::string results = of.types({of.query(), of.key(), of.value()});
    std::vector<AttentionCase::Argument> read = {of.query(),     of.key(),       of.value(),
                                                 of.output("z"), of.logsumexp(), of.output("d")};
    if (!of.mask.empty())
      read.push_back(of.operands().back());
    return "func.func @main(" + of.declared(argumentsOf(of)) + ") -> (" + results +
           ") {\n  %a, %b, %c = gen.attention_gradient %q, %k, %v, %z, %l, %d" +
           (of.mask.empty() ? "" : " mask %m") + of.flags + " scale 3.0e-01 : (" + of.types(read) +
           ") -> (" + results + ")\n  return %a, %b, %c : " + results + "\n}\n";
  }
  static std::string attentionOf(const AttentionCase &of) {
    std::string results = of.types({of.output("z"), of.logsumexp()});
    return "func.func @attention(" + of.declared(of.operands()) + ") -> (" + results + ") {\n  " +
           of.attention() + "\n  return %z, %l : " + results + "\n}\n";
  }

  void expectGradient(const AttentionCase &of) {
    SCOPED_TRACE(textOf(of));
    compile(textOf(of) + attentionOf(of));
    std::vector<gen::Array> given = arraysOf(of.operands()), all = arraysOf(argumentsOf(of)),
                            results = call("cpu", "attention", given);
    std::move(results.begin(), results.end(), all.begin() + static_cast<ptrdiff_t>(given.size()));
    expectSameVectors(all);
  }
};

INSTANTIATE_TEST_SUITE_P(Types, DeviceAttentionGradient,
                         testing::Values("f32", "tf32", "bf16", "f16"),
                         [](const auto &info) { return info.param; });

TEST_P(DeviceAttentionGradient, OfHeads) {
  expectGradient({40, 70, 2, 64, 64});
  expectGradient({33, 20, 1, 128, 100});
  expectGradient({20, 33, 2, 7, 5}); // copied one by one
  // By fewer threads than there are.
  expectGradient({70, 33, 2, 32, 40, "", {}, /*isDynamic=*/true});
  expectGradient({2, 3, 2, 32, 32, "", {}, /*isDynamic=*/true});
}

TEST_P(DeviceAttentionGradient, OfWhatCameBefore) {
  expectGradient({70, 70, 2, 32, 32, " causal"});
  expectGradient({20, 70, 1, 96, 32, " causal"});
  expectGradient({70, 20, 1, 16, 16, " causal"}); // the first ones see nothing
  expectGradient({90, 50, 1, 16, 16, " causal", {}, /*isDynamic=*/true});
}

TEST_P(DeviceAttentionGradient, OfWhatIsNotHidden) {
  expectGradient({40, 70, 2, 32, 32, "", {2, 2, 40, 70}});
  expectGradient({70, 40, 1, 32, 32, "", {1, 1, 70, 40}, /*isDynamic=*/true});
  expectGradient({20, 40, 2, 16, 24, " causal", {2, 1, 1, 40}});
}

// Of both kinds of tiles: before lines are copied, and behind; between the threads that share rows;
// before results are stored where lines were, and behind. Some are for what has no queries, or no
// keys.
TEST_P(DeviceAttentionGradient, NeedsItsBarriers) {
  std::vector<std::vector<gen::Array>> calls;
  AttentionCase of = {0, 0, 1, 16, 24, "", {}, /*isDynamic=*/true}; // tiles of several warps
  compile(textOf(of), "cuda");
  for (auto [queries, keys] : {std::pair(70, 80), {0, 80}, {70, 0}}) {
    of.queries = queries;
    of.keys = keys;
    calls.push_back(arraysOf(argumentsOf(of)));
  }
  expectNeeds(GetParam() == std::string("f32") ? 12 : 8, calls); // weights stay in registers
}

} // namespace
