// BERT's masks and its fine-tuning, on a network of a few numbers.
#include "gen/compile.hpp"
#include "gen/vocabulary.hpp"
#include "models/zoo.hpp"

#include <gtest/gtest.h>

namespace {

using namespace gen;
using data::Vocabulary;

class SmallBert : public testing::Test {
protected:
  static constexpr int64_t kPieces = 12, kLength = 8, kBatch = 8;

  SmallBert() : pretraining(make("bert")), session(make("bert_classifier")) {
    // Sentences of three or four pieces, of the class of the second one.
    for (int64_t row = 0; row < kBatch; ++row) {
      classes.push_back(row % 2);
      for (int64_t number :
           std::initializer_list<int64_t>{Vocabulary::kBegin, 7 + row % 3, 5 + row % 2, 8 + row % 4,
                                          row % 3 == 0 ? Vocabulary::kEnd : 9,
                                          row % 3 == 0 ? Vocabulary::kPad : Vocabulary::kEnd,
                                          Vocabulary::kPad, Vocabulary::kPad})
        ids.push_back(number);
    }
  }
  static Session make(const char *name) {
    Program program(name);
    Settings settings = zoo::find(name)->defaults;
    for (auto [key, value] : {std::pair("vocabulary", double(kPieces)),
                              {"length", double(kLength)},
                              {"width", 16.0},
                              {"heads", 2.0},
                              {"layers", 1.0},
                              {"warm_up", 20.0},
                              {"learning_rate", 1e-2},
                              {"tuning_rate", 1e-2}})
      if (settings.contains(key))
        settings.at(key) = value;
    zoo::find(name)->build(program, settings);
    return Session(compile(program), {.seed = 3});
  }
  std::vector<float> classify() {
    View p = session.call("classify", {rows(ids), rows(segments)})["p"];
    return {p.data<float>(), p.data<float>() + p.size()};
  }
  float tune() {
    return session.call("train_step", {rows(ids), rows(segments), View(classes.data(), {kBatch})})
        .scalar<float>("loss");
  }
  static View rows(const std::vector<int64_t> &numbers) {
    return {numbers.data(), {kBatch, kLength}};
  }

  Session pretraining, session;
  std::vector<int64_t> ids, classes, segments = std::vector<int64_t>(kBatch * kLength);
};

TEST_F(SmallBert, FineTuningTellsClassesAndReachesTheNetwork) {
  Array before = session.variable("net.bert.layers.0.attn.qkv.weight");
  float first = tune();
  EXPECT_NEAR(first, 0.69, 0.3);
  for (int step = 0; step < 60; ++step)
    tune();
  EXPECT_LT(tune(), 0.1);
  std::vector<float> p = classify();
  for (size_t row = 0; row < kBatch; ++row)
    EXPECT_EQ(p[2 * row + 1] > p[2 * row], classes[row] == 1) << row;
  Array after = session.variable("net.bert.layers.0.attn.qkv.weight");
  EXPECT_FALSE(
      std::equal(before.data<float>(), before.data<float>() + before.size(), after.data<float>()));
}

TEST_F(SmallBert, PaddingIsNotSeen) {
  std::vector<float> before = classify();
  for (const char *name : {"net.bert.tok.weight", "net.bert.pos.weight"}) {
    Array table = session.variable(name);
    size_t row = name == std::string("net.bert.tok.weight") ? 0 : kLength - 1; // a padded place
    for (size_t i = 0; i < 16; ++i)
      table.data<float>()[16 * row + i] += i % 2 == 0 ? 3.0F : -2.0F;
    session.setVariable(name, table);
  }
  EXPECT_EQ(classify(), before);
  ids[5] = 9; // what is no padding is seen
  EXPECT_NE(classify(), before);
}

// Of the questions of an evaluation, 15 % of the pieces; begin, end and padding are never asked.
TEST_F(SmallBert, HiddenPiecesAreGuessed) {
  std::vector<int64_t> follows(kBatch, 1);
  auto evaluate = [&] {
    return pretraining.call("evaluate", {rows(ids), rows(segments), View(follows.data(), {kBatch})})
        .scalar<float>("masked_loss");
  };
  float before = evaluate();
  EXPECT_EQ(before, evaluate()); // the same questions each time
  for (int step = 0; step < 300; ++step)
    pretraining.call("train_step", {rows(ids), rows(segments), View(follows.data(), {kBatch})});
  EXPECT_LT(evaluate(), 0.8F * before);
}

} // namespace
