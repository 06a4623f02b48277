// The thread pool: every task once, at any size and pace; no time used when idle.
#include "ThreadPool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <memory>
#include <random>
#include <thread>

using gen::runtime::ThreadPool;

namespace {

// Counts how often each task ran.
struct Counts {
  explicit Counts(int64_t size) : counts(new std::atomic<int>[size]()), size(size) {}
  static void add(void *data, int64_t index) {
    auto *self = static_cast<Counts *>(data);
    ASSERT_GE(index, 0);
    ASSERT_LT(index, self->size);
    self->counts[index].fetch_add(1, std::memory_order_relaxed);
  }
  bool areAll(int expected) const {
    return std::all_of(counts.get(), counts.get() + size, [&](auto &c) { return c == expected; });
  }
  std::unique_ptr<std::atomic<int>[]> counts;
  int64_t size;
};

double processSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

} // namespace

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (unsigned threads : {1u, 2u, 3u, 8u, 33u}) {
    ThreadPool pool(threads, false);
    EXPECT_EQ(pool.size(), threads);
    for (int64_t count : {0, 1, 2, 3, 7, 64, 1000, 100000}) {
      Counts counts(count);
      pool.run(count, Counts::add, &counts);
      EXPECT_TRUE(counts.areAll(1)) << threads << " threads, " << count << " tasks";
    }
  }
}

TEST(ThreadPool, SurvivesManySmallLoops) {
  ThreadPool pool(4, false);
  Counts counts(5);
  for (int i = 0; i < 200000; ++i)
    pool.run(1 + i % 5, Counts::add, &counts);
  EXPECT_EQ(counts.counts[0], 200000);
  EXPECT_EQ(counts.counts[4], 40000);
}

// Pauses around the spinning time, so that workers fall asleep and wake in the middle of
// everything.
TEST(ThreadPool, SurvivesPauses) {
  ThreadPool pool(4, false);
  Counts counts(9);
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 100));
    pool.run(9, Counts::add, &counts);
    ASSERT_TRUE(counts.areAll(i + 1));
  }
}

TEST(ThreadPool, UnevenTasks) {
  ThreadPool pool(3, false);
  std::atomic<int> sum{0};
  auto body = [](void *data, int64_t index) {
    if (index == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    static_cast<std::atomic<int> *>(data)->fetch_add(int(index));
  };
  for (int i = 0; i < 50; ++i) {
    sum = 0;
    pool.run(10, body, &sum);
    ASSERT_EQ(sum, 45);
  }
}

namespace {

bool comesTrue(auto &&condition) {
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition() && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  return condition();
}

} // namespace

// Two threads that keep step: each has one half of the tasks, from its first to its last.
TEST(ThreadPool, NeighboursStayTogether) {
  static constexpr int kTasks = 8;
  struct Steps {
    std::thread::id caller = std::this_thread::get_id();
    std::atomic<int> begun[2] = {0, 0};
    int ran[kTasks];
  } steps;
  ThreadPool pool(2, false);
  auto body = [](void *data, int64_t index) {
    auto &steps = *static_cast<Steps *>(data);
    int thread = std::this_thread::get_id() == steps.caller ? 0 : 1;
    int step = ++steps.begun[thread];
    EXPECT_TRUE(comesTrue([&] { return steps.begun[1 - thread] >= step; }));
    steps.ran[index] = thread;
  };
  pool.run(kTasks, body, &steps);
  for (int i = 0; i < kTasks; ++i)
    EXPECT_EQ(steps.ran[i], i / (kTasks / 2)) << "task " << i;
}

// The first task lasts until all others are done: another thread takes those of its share.
TEST(ThreadPool, TakesTasksOfOthers) {
  static constexpr int kTasks = 9;
  ThreadPool pool(3, false);
  std::atomic<int> done{0};
  auto body = [](void *data, int64_t index) {
    auto &done = *static_cast<std::atomic<int> *>(data);
    if (index == 0)
      EXPECT_TRUE(comesTrue([&] { return done == kTasks - 1; }));
    ++done;
  };
  pool.run(kTasks, body, &done);
  EXPECT_EQ(done, kTasks);
}

TEST(ThreadPool, ComesAndGoes) {
  for (int i = 0; i < 300; ++i) {
    ThreadPool pool(4, false);
    Counts counts(8);
    if (i % 2)
      pool.run(8, Counts::add, &counts);
  }
}

TEST(ThreadPool, ManyPoolsAtOnce) {
  std::vector<std::thread> users;
  std::atomic<int> right{0};
  for (int k = 0; k < 6; ++k)
    users.emplace_back([&] {
      ThreadPool pool(3, false);
      Counts counts(17);
      for (int i = 0; i < 2000; ++i)
        pool.run(17, Counts::add, &counts);
      right += counts.areAll(2000);
    });
  for (std::thread &user : users)
    user.join();
  EXPECT_EQ(right, 6);
}

TEST(ThreadPool, UsesNoTimeWhenIdle) {
  ThreadPool pool(8, false);
  Counts counts(64);
  pool.run(64, Counts::add, &counts);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  double before = processSeconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_LT(processSeconds() - before, 0.005); // 1 %
}
