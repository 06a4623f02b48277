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

ThreadPool::ThreadPool(unsigned threads, bool keepDenormals) : shares(std::max(threads, 1u)) {
  try {
    for (unsigned i = 1; i < threads; ++i)
      workers.emplace_back([this, i, keepDenormals] { work(i, keepDenormals); });
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
  constexpr int64_t kMost = UINT32_MAX; // that a share can count
  body = taskBody;
  data = taskData;
  for (base = 0; base < tasks; base += kMost)
    runShares(std::min(tasks - base, kMost));
}

void ThreadPool::runShares(int64_t tasks) {
  unfinished.store(tasks, std::memory_order_relaxed);
  auto startOf = [&](unsigned thread) { return uint64_t(tasks) * thread / size(); };
  for (unsigned i = 0; i < size(); ++i)
    shares[i].range.store(startOf(i) | startOf(i + 1) << 32, std::memory_order_release);
  // Either a worker going to sleep sees the new loop here, or we see that it sleeps.
  started.fetch_add(1, std::memory_order_seq_cst);
  if (uint32_t asleep = sleepers.load(std::memory_order_seq_cst); asleep && tasks > 1)
    futexWake(started, int(std::min<int64_t>(asleep, tasks - 1)));
  while (claimAndRun(0))
    continue;
  waitUntilDone();
}

// Claims tasks of a share: its owner from the front, others from the end. Early claims are larger,
// to touch the share less; late ones are single, to end evenly.
bool ThreadPool::claimFrom(Share &share, bool isOwn, uint32_t &from, uint32_t &to) {
  uint64_t seen = share.range.load(std::memory_order_acquire), rest;
  do {
    auto first = uint32_t(seen), end = uint32_t(seen >> 32);
    if (first >= end)
      return false;
    uint32_t count = std::max(1u, (end - first) / 4);
    from = isOwn ? first : end - count;
    to = from + count;
    rest = isOwn ? to | uint64_t(end) << 32 : first | uint64_t(from) << 32;
  } while (!share.range.compare_exchange_weak(seen, rest, std::memory_order_acquire));
  return true;
}

// Claims some tasks of the current loop and runs them; false if none remain.
bool ThreadPool::claimAndRun(unsigned thread) {
  uint32_t from = 0, to = 0;
  bool found = false;
  for (size_t i = 0; i < shares.size() && !found; ++i)
    found = claimFrom(shares[(thread + i) % shares.size()], i == 0, from, to);
  if (!found)
    return false;
  Body taskBody = body;
  void *taskData = data;
  for (int64_t index = base + from, end = base + to; index < end; ++index)
    taskBody(taskData, index);
  if (unfinished.fetch_sub(to - from, std::memory_order_acq_rel) == to - from) {
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

void ThreadPool::work(unsigned thread, bool keepDenormals) {
  FloatMode mode(keepDenormals);
  for (;;) {
    // In this order: whoever sees the destructor's count of `started` sees `stopping`, too, and
    // whoever does not cannot fall asleep on the older count.
    uint32_t seen = started.load(std::memory_order_seq_cst);
    if (stopping.load(std::memory_order_acquire))
      return;
    while (claimAndRun(thread))
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
