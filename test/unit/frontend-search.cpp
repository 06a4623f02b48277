// Beam search against a search that tries everything, and the translator's loop against its whole
// network.
#include "Oracle.h"

#include "gen/compile.hpp"
#include "gen/search.hpp"
#include "gen/vocabulary.hpp"
#include "models/zoo.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

namespace {

using namespace gen;
using data::Vocabulary;

constexpr int64_t kWords = 7, kLength = 3, kFirst = 1, kLast = 2, kNever = 3;

/// Logits that depend on the token before and on the sum of all before that: a state which has to
/// go with its sequence.
struct Chain {
  std::vector<float> table = test::signedNumbers(4, kWords *kWords, 3.0);

  std::vector<int64_t> search(int64_t beams) const {
    Program program("search");
    program.entry("main", {}, [&] {
      Tensor rows = test::known(table, {kWords, kWords});
      auto step = [&](const Tensor &, const Tensor &tokens, std::vector<Tensor> &state) {
        Tensor logits = gather(rows, tokens) * cos(state[0]);
        state[0] = state[0] + reshape(cast(tokens, f32), {beams, 1});
        return logits;
      };
      return result("text", beam_search(kLength, {zeros({beams, 1})}, step,
                                        {.beams = beams, .never = {kNever}}));
    });
    Session session(compile(program));
    View text = session.call("main")["text"];
    return {text.data<int64_t>(), text.data<int64_t>() + kLength};
  }

  /// Log-probabilities after `token`, where the tokens before it make `sum`.
  std::vector<double> next(int64_t token, double sum) const {
    std::vector<double> logits;
    double total = 0;
    for (int64_t word = 0; word < kWords; ++word) {
      logits.push_back(table[static_cast<size_t>(token * kWords + word)] * std::cos(sum));
      total += std::exp(logits.back());
    }
    for (double &logit : logits)
      logit -= std::log(total);
    return logits;
  }
  /// Tries every way to go on; `best` becomes the sequence with the highest score.
  void exhaust(std::vector<int64_t> text, double score, double sum,
               std::pair<double, std::vector<int64_t>> &best) const {
    int64_t token = text.empty() ? kFirst : text.back();
    if (token == kLast || static_cast<int64_t>(text.size()) == kLength) {
      double penalty = std::pow((5.0 + static_cast<double>(text.size())) / 6, 0.6);
      text.resize(kLength);
      best = std::max(best, {score / penalty, text});
      return;
    }
    std::vector<double> scores = next(token, sum);
    for (int64_t word : {2, 4, 5, 6}) {
      text.push_back(word);
      exhaust(text, score + scores[static_cast<size_t>(word)], sum + static_cast<double>(token),
              best);
      text.pop_back();
    }
  }
};

TEST(BeamSearch, FindsTheLikeliestSequence) {
  for (double factor : {1.0, -1.0, 0.5, 2.0}) {
    Chain chain;
    for (float &logit : chain.table)
      logit *= static_cast<float>(factor);
    std::pair<double, std::vector<int64_t>> best = {-1e30, {}};
    chain.exhaust({}, 0, 0, best);
    EXPECT_EQ(chain.search(40), best.second) << factor; // more beams than sequences
  }
}

TEST(BeamSearch, OfOneBeamIsGreedy) {
  Chain chain;
  std::vector<int64_t> text;
  double sum = 0;
  for (int64_t token = kFirst; token != kLast && text.size() < kLength;) {
    std::vector<double> scores = chain.next(token, sum);
    sum += static_cast<double>(token);
    token = kLast;
    for (int64_t word : {4, 5, 6})
      if (scores[static_cast<size_t>(word)] > scores[static_cast<size_t>(token)])
        token = word;
    text.push_back(token);
  }
  text.resize(kLength);
  EXPECT_EQ(chain.search(1), text);
}

TEST(BeamSearch, MistakesAreNamed) {
  Program program("mistakes");
  auto step = [](const Tensor &, const Tensor &, std::vector<Tensor> &) { return Tensor(); };
  try {
    program.entry("main", {}, [&] { return result("x", beam_search(4, {}, step, {.beams = 0})); });
    FAIL();
  } catch (const BuildError &error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("beam_search: expected at least one beam and a "
                                                 "length of at least 1, got 0 and 4"));
  }
}

class Translating : public testing::Test {
protected:
  static constexpr int64_t kPieces = 12, kWindow = 6;

  Translating() {
    Program program("translator");
    Settings settings = zoo::find("transformer_small")->defaults;
    for (auto [key, value] : {std::pair("vocabulary", kPieces),
                              {"length", kWindow},
                              {"width", 16L},
                              {"heads", 2L},
                              {"layers", 2L},
                              {"inner", 32L},
                              {"beams", 1L}})
      settings.at(key) = static_cast<double>(value);
    zoo::find("transformer_small")->build(program, settings);
    session = Session(compile(program), {.seed = 3});
    // Large weights, so that each piece matters.
    for (const TensorSpec &variable : session.model().variables())
      if (variable.name.starts_with("net.") && variable.shape.size() == 2) {
        Array weights = session.variable(variable.name);
        for (size_t i = 0; i < weights.size(); ++i)
          weights.data<float>()[i] *= 3;
        session.setVariable(variable.name, weights);
      }
  }
  std::vector<int64_t> translate(const std::vector<int64_t> &source) {
    View text = session.call("translate", {View(source.data(), {1, kWindow})})["target"];
    return {text.data<int64_t>(), text.data<int64_t>() + kWindow};
  }
  float loss(const std::vector<int64_t> &source, const std::vector<int64_t> &text,
             const std::vector<int64_t> &labels) {
    std::vector<int64_t> target = text;
    target.insert(target.begin(), Vocabulary::kBegin);
    target.pop_back();
    std::vector<int64_t> shape = {1, kWindow};
    return session
        .call("evaluate",
              {View(source.data(), shape), View(target.data(), shape), View(labels.data(), shape)})
        .scalar<float>("loss");
  }
  Session session;
};

TEST_F(Translating, TheLikeliestPieces) {
  std::set<std::vector<int64_t>> texts;
  for (std::vector<int64_t> source :
       {std::vector<int64_t>{5, 6, 7, 2, 0, 0}, {11, 10, 2, 0, 0, 0}, {8, 8, 9, 9, 5, 2}}) {
    std::vector<int64_t> text = translate(source);
    texts.insert(text);
    float best = loss(source, text, text);
    for (size_t i = 0; i < kWindow && text[i] != Vocabulary::kPad; ++i)
      for (int64_t other = Vocabulary::kEnd; other < kPieces; ++other) {
        std::vector<int64_t> changed = text;
        changed[i] = other;
        if (other != text[i] && other != Vocabulary::kUnknown && other != Vocabulary::kMask)
          EXPECT_GT(loss(source, text, changed), best) << "at " << i << " " << other;
      }
  }
  EXPECT_GT(texts.size(), 1U); // the source matters
}

TEST_F(Translating, PaddingIsNotSeen) {
  // Labels of padding are left out of the loss, whatever stands in the target there.
  std::vector<int64_t> source = {5, 6, 2, 0, 0, 0}, text = {7, 8, 2, 0, 0, 0},
                       other = {7, 8, 2, 9, 5, 0};
  EXPECT_EQ(loss(source, text, text), loss(source, other, text));
  // What padding is embedded as does not matter.
  std::vector<int64_t> before = translate(source);
  Array table = session.variable("net.tok.weight");
  for (size_t i = 0; i < 16; ++i)
    table.data<float>()[i] += i % 2 == 0 ? 3.0F : -2.0F;
  session.setVariable("net.tok.weight", table);
  EXPECT_EQ(translate(source), before);
}

} // namespace
