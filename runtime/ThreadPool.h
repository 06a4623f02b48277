// A small thread pool for parallel loops that follow each other closely. The caller works too; the
// other threads spin for some microseconds after a loop, ready for the next, then sleep in the
// kernel, so that an idle session costs nothing.
//
// Each thread has a share of the tasks, side by side: neighbouring tasks read neighbouring memory,
// and the same thread has it in its cache in the next loop. Whoever is done takes from the end of
// another's share. A claim takes part in whatever loop is current at that moment, and a loop cannot
// end before its claimed tasks have: so a thread that wakes late finds either nothing or valid
// work, and no loop has to wait for threads that are still asleep.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace gen::runtime {

class ThreadPool {
public:
  using Body = void (*)(void *data, int64_t index);

  // `threads` counts the calling one. If the system refuses threads, there are fewer.
  // `keepDenormals` is the floating-point mode of the workers.
  ThreadPool(unsigned threads, bool keepDenormals);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  // Runs body(data, i) for every 0 <= i < count and returns when all are done. One loop at a time.
  void run(int64_t count, Body body, void *data);

  unsigned size() const { return unsigned(workers.size()) + 1; }

private:
  // Tasks that are not yet claimed: the first in the low half, the end in the high one.
  struct alignas(64) Share {
    std::atomic<uint64_t> range{0};
  };

  void runShares(int64_t tasks);
  void work(unsigned thread, bool keepDenormals);
  bool claimAndRun(unsigned thread);
  static bool claimFrom(Share &share, bool isOwn, uint32_t &from, uint32_t &to);
  bool spinForWork(uint32_t seen);
  void sleepUntilWork(uint32_t seen);
  void waitUntilDone();

  std::vector<std::thread> workers;

  // The current loop: written before the shares are, read after a claim.
  Body body = nullptr;
  void *data = nullptr;
  int64_t base = 0; // the task that is number 0 in the shares

  std::vector<Share> shares;                      // of the caller, then the workers
  alignas(64) std::atomic<int64_t> unfinished{0}; // tasks not yet done
  std::atomic<uint32_t> finished{0};              // counts ended loops; the caller sleeps on it
  std::atomic<bool> callerSleeps{false};
  alignas(64) std::atomic<uint32_t> started{0}; // counts begun loops; workers sleep on it
  std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> stopping{false};
};

} // namespace gen::runtime
