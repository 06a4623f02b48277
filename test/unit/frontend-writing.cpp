// Models that write: the compiled loop, which keeps what it knows of the characters before, writes
// what the whole network finds likeliest.
#include "gen/compile.hpp"
#include "models/zoo.hpp"

#include <gtest/gtest.h>

namespace {

using namespace gen;

struct Writer {
  const char *model;
  Settings settings;
  int64_t length; ///< of a text it writes
};

class Writing : public testing::TestWithParam<Writer> {
protected:
  static constexpr int64_t kWords = 5, kGiven = 3;

  Writing() {
    Program program("writer");
    Settings settings = zoo::find(GetParam().model)->defaults;
    for (const auto &[key, value] : GetParam().settings)
      settings.at(key) = value;
    settings.at("vocabulary") = kWords;
    settings.at("length") = static_cast<double>(GetParam().length);
    zoo::find(GetParam().model)->build(program, settings);
    session = Session(compile(program), {.seed = 2});
    // Large weights, so that each character matters.
    for (const TensorSpec &variable : session.model().variables())
      if (variable.dtype == GEN_F32 && variable.shape.size() == 2) {
        Array weights = session.variable(variable.name);
        for (size_t i = 0; i < weights.size(); ++i)
          weights.data<float>()[i] *= 4;
        session.setVariable(variable.name, weights);
      }
  }

  std::vector<int64_t> write(const std::vector<int64_t> &prompt, float temperature) {
    View text = session.call("generate", {View(prompt.data(), {GetParam().length}),
                                          Array::of(kGiven), Array::of(temperature),
                                          Array::of(int64_t{0}), Array::of(1.0F)})["text"];
    return {text.data<int64_t>(), text.data<int64_t>() + GetParam().length};
  }
  /// Mean negative logarithm of the likelihood that `targets` follow the characters of `ids`.
  float loss(const std::vector<int64_t> &ids, const std::vector<int64_t> &targets) {
    std::vector<int64_t> shape = {1, GetParam().length};
    return session.call("evaluate", {View(ids.data(), shape), View(targets.data(), shape)})
        .scalar<float>("loss");
  }

  Session session;
};

TEST_P(Writing, TheLikeliestCharacters) {
  std::vector<int64_t> prompt(static_cast<size_t>(GetParam().length), 4);
  prompt[0] = 1;
  std::vector<int64_t> text = write(prompt, 0), next(text.begin() + 1, text.end());
  EXPECT_TRUE(std::equal(prompt.begin(), prompt.begin() + kGiven, text.begin()));
  next.push_back(0);
  float best = loss(text, next);
  std::vector<int64_t> seen(kWords);
  for (size_t i = kGiven - 1; i + 1 < next.size(); i += 1 + next.size() / 20) {
    ++seen.at(static_cast<size_t>(next[i]));
    for (int64_t other = 0; other < kWords; ++other) {
      std::vector<int64_t> changed = next;
      changed[i] = other;
      if (other != next[i])
        EXPECT_GT(loss(text, changed), best) << "at " << i << " " << other;
    }
  }
  EXPECT_LT(*std::max_element(seen.begin(), seen.end()), GetParam().length);
}

TEST_P(Writing, WarmIsAnotherTextEachTime) {
  std::vector<int64_t> prompt(static_cast<size_t>(GetParam().length), 2);
  EXPECT_EQ(write(prompt, 0), write(prompt, 0));
  EXPECT_NE(write(prompt, 1), write(prompt, 1));
}

INSTANTIATE_TEST_SUITE_P(
    Models, Writing,
    testing::Values(Writer{"gpt", {{"width", 16}, {"heads", 2}, {"layers", 2}}, 32},
                    Writer{"gpt", {{"width", 16}, {"heads", 2}, {"layers", 2}, {"rotary", 1}}, 24},
                    Writer{"lstm", {{"hidden", 12}, {"layers", 2}, {"batch", 1}}, 256},
                    Writer{"gru", {{"hidden", 12}, {"layers", 1}, {"batch", 1}}, 256},
                    Writer{"rnn", {{"hidden", 12}, {"layers", 2}, {"batch", 1}}, 256}),
    [](const auto &info) {
      return info.param.model +
             std::string(info.param.settings.contains("rotary") ? "_rotary" : "");
    });

} // namespace
