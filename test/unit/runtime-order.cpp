//===- runtime-order.cpp - what works of a GPU have to follow -------------===//

#include "GpuOrder.h"

#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace gen::runtime;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

using Ranges = std::vector<GpuRange>;

class Order : public testing::Test {
protected:
  /// Adds a work: what it has to follow.
  std::vector<uint32_t> add(const Ranges &reads, const Ranges &writes) {
    return order.add({reads, writes});
  }

private:
  GpuOrder order;
};

TEST_F(Order, ReadsFollowWrites) {
  EXPECT_THAT(add({}, {{0, 8}}), IsEmpty());
  EXPECT_THAT(add({{0, 8}}, {}), ElementsAre(0));
  EXPECT_THAT(add({{0, 8}}, {}), ElementsAre(0)); // not the other reader
}

TEST_F(Order, WritesFollowReads) {
  EXPECT_THAT(add({{0, 8}}, {{100, 108}}), IsEmpty());
  EXPECT_THAT(add({{0, 8}}, {{200, 208}}), IsEmpty());
  EXPECT_THAT(add({}, {{0, 8}}), ElementsAre(0, 1));
  EXPECT_THAT(add({}, {{0, 8}}), ElementsAre(2)); // they have been followed
}

TEST_F(Order, WritesFollowWrites) {
  EXPECT_THAT(add({}, {{0, 8}}), IsEmpty());
  EXPECT_THAT(add({}, {{0, 8}}), ElementsAre(0));
}

TEST_F(Order, DisjointMemoryHasNone) {
  EXPECT_THAT(add({{0, 8}}, {{8, 16}}), IsEmpty());
  EXPECT_THAT(add({}, {{16, 24}}), IsEmpty());
  EXPECT_THAT(add({{24, 32}}, {{32, 40}}), IsEmpty());
  EXPECT_THAT(add({{4, 4}, {12, 12}}, {{20, 20}, {4, 4}}), IsEmpty()); // nothing of it
  EXPECT_THAT(add({{40, 48}}, {}), IsEmpty());
}

TEST_F(Order, WorksInPlace) {
  EXPECT_THAT(add({{0, 8}}, {{0, 8}}), IsEmpty());
  EXPECT_THAT(add({{0, 8}}, {{0, 8}}), ElementsAre(0));
  EXPECT_THAT(add({{0, 8}, {4, 8}}, {{4, 8}}), ElementsAre(1));
  EXPECT_THAT(add({{0, 4}}, {}), ElementsAre(1));
}

// Begin, middle and end of what others wrote, and what nobody has touched between.
TEST_F(Order, PartsOverlap) {
  EXPECT_THAT(add({}, {{10, 20}}), IsEmpty());
  EXPECT_THAT(add({}, {{30, 40}}), IsEmpty());
  EXPECT_THAT(add({{0, 11}}, {}), ElementsAre(0));
  EXPECT_THAT(add({{0, 10}, {20, 30}, {40, 50}}, {}), IsEmpty());
  EXPECT_THAT(add({{19, 31}}, {}), ElementsAre(0, 1));
  EXPECT_THAT(add({}, {{12, 18}}), ElementsAre(0)); // no one read that part
  EXPECT_THAT(add({}, {{18, 21}}), ElementsAre(3, 4));
  EXPECT_THAT(add({{10, 20}}, {}), ElementsAre(5, 6));
  EXPECT_THAT(add({{11, 12}}, {}), ElementsAre(0));      // what is left of the first one
  EXPECT_THAT(add({}, {{0, 50}}), ElementsAre(2, 7, 8)); // 7, 6, 4, 1
}

TEST_F(Order, CoveringWritesHideWhatWasBefore) {
  for (uint64_t part = 0; part < 4; ++part)
    add({}, {{10 * part, 10 * part + 10}});
  EXPECT_THAT(add({}, {{0, 40}}), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(add({{5, 35}}, {}), ElementsAre(4));
  EXPECT_THAT(add({}, {{0, 5}}), ElementsAre(4));
}

// Also those that are followed by way of others.
TEST_F(Order, ImpliedOnesAreDropped) {
  EXPECT_THAT(add({}, {{0, 8}}), IsEmpty());
  EXPECT_THAT(add({}, {{8, 16}}), IsEmpty());
  EXPECT_THAT(add({{0, 8}}, {{16, 24}}), ElementsAre(0));
  EXPECT_THAT(add({{0, 8}, {16, 24}}, {{24, 32}}), ElementsAre(2));
  EXPECT_THAT(add({{8, 16}, {24, 32}}, {}), ElementsAre(1, 3));
  EXPECT_THAT(add({{0, 8}, {24, 32}}, {}), ElementsAre(3));
}

// What the first of a chain of works wrote, the last one reads, too: if the chain is long, that is
// not known to be implied.
TEST_F(Order, SearchesAreShort) {
  constexpr uint32_t kShort = 60, kLong = 70;
  add({}, {{0, 8}, {100, 108}});
  for (uint32_t work = 1; work < kLong; ++work) {
    bool isEnd = work == kShort;
    ASSERT_THAT(add({isEnd ? GpuRange{0, 8} : GpuRange{100, 108}, {100, 108}}, {{100, 108}}),
                ElementsAre(work - 1));
  }
  EXPECT_THAT(add({{0, 8}, {100, 108}}, {}), ElementsAre(0, kLong - 1));
}

TEST_F(Order, ManyReadersAreFast) {
  constexpr uint32_t kMany = 200000;
  auto start = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < kMany; ++i) { // the same weights; values take turns
    uint64_t from = 1000 + 8 * (i % 2), to = 1000 + 8 * ((i + 1) % 2);
    std::vector<uint32_t> followed = add({{0, 100}, {from, from + 8}}, {{to, to + 8}});
    ASSERT_THAT(followed, i == 0 ? std::vector<uint32_t>() : std::vector<uint32_t>{i - 1});
  }
  EXPECT_THAT(add({}, {{50, 60}}), ElementsAre(kMany - 1)); // the others precede it
  EXPECT_THAT(add({{50, 55}}, {{55, 60}}), ElementsAre(kMany));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

} // namespace
