// Words in pieces, and sentences as examples.
#include "support-files.h"

#include "gen/sentences.hpp"

#include <gmock/gmock.h>

#include <set>

namespace {

using namespace gen::data;
using gen::test::errorOf;
using gen::test::Folder;
using testing::ElementsAre;

TEST(Vocabulary, CutsTextsIntoWords) {
  EXPECT_THAT(wordsOf("t", "Who's  there,\n\u201eBär\u201c 1 42x?"),
              ElementsAre(" Who", "'", "s", " there", ",", " \u201e", "Bär", "\u201c", " 1", " 42",
                          "x", "?"));
  EXPECT_THAT(wordsOf("t", " \n"), ElementsAre());
  EXPECT_EQ(errorOf([] { wordsOf("t", "ab\xff"); }), "t: expected UTF-8, got byte ff at offset 2");
}

// Sennrich et al. 2016, figure 1: low, lowest, newer, wider.
TEST(Vocabulary, JoinsTheCommonestPair) {
  std::string text;
  for (auto [word, count] : {std::pair("low", 5), {"lowest", 2}, {"newer", 6}, {"wider", 3}})
    for (int i = 0; i < count; ++i)
      text += std::string(word) + " ";
  Vocabulary vocabulary = Vocabulary::learn({text}, 1000);
  // The space is in 16 words, e in 17, w in 16, r in 9; then "er" is the commonest pair of all.
  std::string lines = vocabulary.str();
  EXPECT_THAT(lines, testing::StartsWith("e\n \nw\n"));
  EXPECT_THAT(lines, testing::HasSubstr("\ner\n"));
  EXPECT_EQ(vocabulary.encode("t", "newer low").size(), 2U); // frequent: a piece each
  EXPECT_GT(vocabulary.encode("t", "lower").size(), 1U);     // new: of several
  EXPECT_EQ(vocabulary.decode(vocabulary.encode("t", "lower newest")), "lower newest");
}

TEST(Vocabulary, IsBoundedAndComesBackFromItsText) {
  std::vector<std::string> texts;
  for (const auto &[english, german] : toldPairs(500))
    texts.insert(texts.end(), {english, german});
  Vocabulary vocabulary = Vocabulary::learn(texts, 200), again(vocabulary.str());
  EXPECT_EQ(vocabulary.size(), 200);
  EXPECT_EQ(again.str(), vocabulary.str());
  EXPECT_EQ(Vocabulary::learn(texts, 100).str(),
            vocabulary.str().substr(0, Vocabulary::learn(texts, 100).str().size()));
  for (const std::string &text : texts) {
    std::vector<int64_t> numbers = again.encode("t", text);
    EXPECT_EQ(numbers, vocabulary.encode("t", text));
    EXPECT_EQ(again.decode(numbers), text);
  }
  EXPECT_THAT(vocabulary.encode("t", "\u20ac"),
              ElementsAre(testing::Ge(Vocabulary::kFirst), Vocabulary::kUnknown));
  EXPECT_EQ(vocabulary.decode({Vocabulary::kBegin, Vocabulary::kMask, Vocabulary::kUnknown,
                               Vocabulary::kEnd, Vocabulary::kFirst}),
            "_\ufffd");
}

TEST(Pairs, AreEqualOnEveryMachine) {
  std::vector<SentencePair> pairs = toldPairs(2, 1);
  EXPECT_EQ(pairs[0], SentencePair("Lukas knows that Greta fetched the old fiddle.",
                                   "Lukas weiß, dass Greta die alte Geige holte."));
  EXPECT_EQ(pairs[1], SentencePair("The heavy miller did not see the box.",
                                   "Der schwere Müller sah die Kiste nicht."));
  EXPECT_NE(toldPairs(2, 2), pairs);
}

TEST(Pairs, AreReadFromLines) {
  Folder folder;
  folder.write("pairs.tsv", "1\t2\nGo.\tGeh.\r\n\nHi.\tHallo!\tCC-BY 2.0\n");
  EXPECT_THAT(readPairs(folder.path("pairs.tsv")),
              ElementsAre(SentencePair("Go.", "Geh."), SentencePair("Hi.", "Hallo!")));
  for (const char *line : {"Go.", "\tGeh.", "Go.\t", "Go.\t\tCC"}) {
    folder.write("bad.tsv", std::string("Go.\tGeh.\n") + line + "\n");
    EXPECT_EQ(errorOf([&] { readPairs(folder.path("bad.tsv")); }),
              folder.path("bad.tsv") + ":2: expected a sentence, a tab and its translation")
        << line;
  }
}

TEST(Pairs, BecomeRowsAndAreSplitBySentence) {
  TrainingData data = pairData("", {.length = 24, .vocabulary = 300});
  Vocabulary vocabulary(data.metadata.at("vocabulary"));
  EXPECT_EQ(data.facts.at("vocabulary"), 300);
  std::set<std::vector<int64_t>> tested;
  for (int64_t i = 0; i < data.test->count(); ++i)
    tested.insert(data.test->batch(i, 1).features[0].integers);
  EXPECT_GT(tested.size(), 100U);
  for (int64_t i = 0; i < data.train->count(); i += 7) {
    Batch batch = data.train->batch(i, 1);
    const std::vector<int64_t> &source = batch.features[data.train->find("source")].integers,
                               &target = batch.features[data.train->find("target")].integers,
                               &labels = batch.features[data.train->find("labels")].integers;
    ASSERT_FALSE(tested.contains(source));
    ASSERT_EQ(source.size(), 24U);
    ASSERT_EQ(target[0], Vocabulary::kBegin);
    auto end = std::find(labels.begin(), labels.end(), Vocabulary::kEnd);
    ASSERT_TRUE(std::equal(labels.begin(), end, target.begin() + 1));
    ASSERT_TRUE(std::all_of(end + 1, labels.end(), [](int64_t n) { return n == 0; }));
  }
  EXPECT_THAT(
      errorOf([] { pairData("", {.length = 2, .vocabulary = 300}); }),
      testing::StartsWith("told pairs: has no sentences to train on; hint: sentences longer "
                          "than 2 pieces"));
}

TEST(NextSentences, FollowEachOtherHalfOfTheTime) {
  Folder folder;
  std::string text;
  for (int i = 0; i < 400; ++i)
    text += "This is no " + std::to_string(i) + ". ";
  folder.write("numbers.txt", text);
  TrainingData data =
      nextSentenceData(folder.path("numbers.txt"), {.length = 32, .vocabulary = 60});
  Vocabulary vocabulary(data.metadata.at("vocabulary"));
  int64_t following = 0;
  for (int64_t i = 0; i < data.train->count(); ++i) {
    Batch batch = data.train->batch(i, 1);
    const std::vector<int64_t> &ids = batch.features[0].integers,
                               &segments = batch.features[1].integers;
    auto second = std::find(segments.begin(), segments.end(), 1) - segments.begin();
    std::string first = vocabulary.decode(ids),
                other = vocabulary.decode({ids.begin() + second, ids.end()});
    ASSERT_EQ(first, "This is no " + std::to_string(i) + ".");
    if (batch.features[2].integers[0] == 1) {
      ASSERT_EQ(other, "This is no " + std::to_string(i + 1) + ".");
    }
    following += batch.features[2].integers[0];
  }
  EXPECT_NEAR(following, data.train->count() / 2, 40);
  EXPECT_EQ(vocabulary.decode({static_cast<int64_t>(data.facts.at("commonest"))}).size(), 1U);
  EXPECT_EQ(data.train->count() + data.test->count(), 398); // the last of each part have no next
}

TEST(NextSentences, LoseWhatDoesNotFit) {
  TrainingData data = nextSentenceData("", {.length = 16, .vocabulary = 200});
  for (int64_t i = 0; i < 50; ++i) {
    std::vector<int64_t> ids = data.train->batch(i, 1).features[0].integers;
    EXPECT_EQ(ids.size(), 16U);
    EXPECT_EQ(std::count(ids.begin(), ids.end(), Vocabulary::kEnd), 2);
  }
  EXPECT_EQ(errorOf([] { nextSentenceData("", {.length = 4}); }),
            "length: expected at least 8 for two sentences, got 4");
}

TEST(Labelled, AreReadFromLines) {
  Folder folder;
  folder.write("classes.tsv", "1\tGo on.\r\n\n0\tHi.\tHallo.\n");
  std::vector<LabelledText> texts = readLabelled(folder.path("classes.tsv"));
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0].label, 1);
  EXPECT_EQ(texts[0].first, "Go on.");
  EXPECT_EQ(texts[0].second, "");
  EXPECT_EQ(texts[1].label, 0);
  EXPECT_EQ(texts[1].first, "Hi.");
  EXPECT_EQ(texts[1].second, "Hallo.");
  for (const char *line :
       {"Go.", "1", "1\t", "-1\tGo.", "x\tGo.", "1x\tGo.", "\tGo.", "1\t\tGo."}) {
    folder.write("bad.tsv", std::string("0\tGo.\n") + line + "\n");
    EXPECT_EQ(errorOf([&] { readLabelled(folder.path("bad.tsv")); }),
              folder.path("bad.tsv") + ":2: expected a class from 0, a tab and a sentence, or two "
                                       "with a tab between")
        << line;
  }
}

TEST(Labelled, BecomeWindowsInKnownWords) {
  Folder folder;
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += std::to_string(i % 3) + "\tone " + std::to_string(i) + (i % 2 ? "\tand two\n" : "\n");
  folder.write("classes.tsv", text);
  Vocabulary known = Vocabulary::learn({"one and two and three 0123456789"}, 60);
  TrainingData data =
      labelledData(folder.path("classes.tsv"), {.length = 16, .vocabulary = 99}, known.str());
  EXPECT_EQ(data.facts.at("classes"), 3);
  EXPECT_EQ(data.facts.at("vocabulary"), static_cast<double>(known.size()));
  EXPECT_EQ(data.metadata.at("vocabulary"), known.str());
  EXPECT_EQ(data.train->count() + data.test->count(), 200);
  EXPECT_NEAR(static_cast<double>(data.test->count()), 20, 12);
  for (int64_t i = 0; i < data.test->count(); ++i) {
    Batch batch = data.test->batch(i, 1);
    const std::vector<int64_t> &ids = batch.features[0].integers,
                               &segments = batch.features[1].integers;
    int number = std::stoi(known.decode(ids).substr(4));
    EXPECT_EQ(batch.features[2].integers[0], number % 3);
    auto second = std::find(segments.begin(), segments.end(), 1) - segments.begin();
    EXPECT_EQ(known.decode({ids.begin() + second, ids.end()}), number % 2 ? "and two" : "");
  }
}

} // namespace
