// The pool of a session: see ThreadPool.h for the idea.
#include "ThreadPool.h"

#include "FloatMode.h"

#include <algorithm>
#include <chrono>
#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace gen::runtime {
namespace {

constexpr auto kSpin = std::chrono::microseconds(30);

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

// Sleeps while *word is `expected`; may return early.
void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

void futexWake(std::atomic<uint32_t> &word, int threads) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, threads, nullptr, nullptr, 0);
}

// Calls `ready` until it is true or the spinning time is over; says which.
template <class Ready> bool spinUntil(Ready &&ready) {
  auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 64; ++i) {
      if (ready())
        return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

} // namespace

ThreadPool::ThreadPool(unsigned threads, bool keepDenormals) {
  try {
    for (unsigned i = 1; i < threads; ++i)
      workers.emplace_back([this, keepDenormals] { work(keepDenormals); });
  } catch (const std::system_error &) {
    // Fewer threads compute the same results.
  }
}

ThreadPool::~ThreadPool() {
  stopping.store(true);
  started.fetch_add(1);
  futexWake(started, INT_MAX);
  for (std::thread &worker : workers)
    worker.join();
}

void ThreadPool::run(int64_t tasks, Body taskBody, void *taskData) {
  if (tasks <= 0)
    return;
  body = taskBody;
  data = taskData;
  count = tasks;
  unfinished.store(tasks, std::memory_order_relaxed);
  remaining.store(tasks, std::memory_order_release);
  // Either a worker going to sleep sees the new count here, or we see that it sleeps.
  started.fetch_add(1, std::memory_order_seq_cst);
  if (uint32_t asleep = sleepers.load(std::memory_order_seq_cst); asleep && tasks > 1)
    futexWake(started, int(std::min<int64_t>(asleep, tasks - 1)));
  while (claimAndRun())
    continue;
  waitUntilDone();
}

// Claims some tasks of the current loop and runs them; false if none remain. Early claims are
// larger, to touch the counter less; late ones are single, to end evenly.
bool ThreadPool::claimAndRun() {
  int64_t left = remaining.load(std::memory_order_acquire), share;
  do {
    if (left <= 0)
      return false;
    share = std::max<int64_t>(1, left / (4 * int64_t(size())));
  } while (!remaining.compare_exchange_weak(left, left - share, std::memory_order_acquire));
  Body taskBody = body;
  void *taskData = data;
  for (int64_t index = count - left, end = index + share; index < end; ++index)
    taskBody(taskData, index);
  if (unfinished.fetch_sub(share, std::memory_order_acq_rel) == share) {
    finished.fetch_add(1, std::memory_order_seq_cst);
    if (callerSleeps.load(std::memory_order_seq_cst))
      futexWake(finished, 1);
  }
  return true;
}

void ThreadPool::waitUntilDone() {
  auto done = [this] { return unfinished.load(std::memory_order_acquire) == 0; };
  if (done() || spinUntil(done))
    return;
  callerSleeps.store(true, std::memory_order_seq_cst);
  for (;;) {
    uint32_t seen = finished.load(std::memory_order_seq_cst);
    if (done())
      break;
    futexWait(finished, seen);
  }
  callerSleeps.store(false, std::memory_order_relaxed);
}

void ThreadPool::work(bool keepDenormals) {
  FloatMode mode(keepDenormals);
  for (;;) {
    // In this order: whoever sees the destructor's count of `started` sees `stopping`, too, and
    // whoever does not cannot fall asleep on the older count.
    uint32_t seen = started.load(std::memory_order_seq_cst);
    if (stopping.load(std::memory_order_acquire))
      return;
    while (claimAndRun())
      continue;
    if (!spinForWork(seen))
      sleepUntilWork(seen);
  }
}

bool ThreadPool::spinForWork(uint32_t seen) {
  return spinUntil([&] { return started.load(std::memory_order_acquire) != seen; });
}

void ThreadPool::sleepUntilWork(uint32_t seen) {
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  if (started.load(std::memory_order_seq_cst) == seen)
    futexWait(started, seen);
  sleepers.fetch_sub(1, std::memory_order_relaxed);
}

} // namespace gen::runtime
