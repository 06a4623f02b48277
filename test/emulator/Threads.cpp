#include "Threads.h"

#include "Fiber.h"

#include <map>
#include <vector>

namespace emulator {
namespace {

struct Thread {
  Fiber fiber;
  bool isDone = false;
};

// The block that runs, and its thread.
struct Running {
  int64_t block = 0;
  int thread = 0;
  const std::function<void()> *body = nullptr;
  Fiber scheduler;
  std::vector<Thread> threads;
};
Running running;

void stop() { Fiber::change(running.threads[running.thread].fiber, running.scheduler); }

void runThread() {
  (*running.body)();
  running.threads[running.thread].isDone = true;
  stop();
}

int32_t threadNumber() { return running.thread; }
int32_t blockNumber() { return int32_t(running.block); }

void waitAtBarrier(int32_t) { stop(); }

// Runs every thread up to its next barrier. Returns how many have ended.
int step(int threads, Order order) {
  int done = 0;
  for (int i = 0; i < threads; ++i) {
    running.thread = order == Order::Forward ? i : threads - 1 - i;
    Thread &thread = running.threads[running.thread];
    if (!thread.isDone)
      Fiber::change(running.scheduler, thread.fiber);
    done += thread.isDone;
  }
  return done;
}

void startThreads(int threads) {
  if (running.threads.size() < size_t(threads))
    running.threads.resize(threads);
  for (int i = 0; i < threads; ++i) {
    running.threads[i].fiber.start(runThread);
    running.threads[i].isDone = false;
  }
}

} // namespace

std::string runBlock(int64_t block, int threads, bool hasBarriers, Order order,
                     const std::function<void()> &body) {
  running.block = block;
  running.body = &body;
  if (!hasBarriers) {
    for (int i = 0; i < threads; ++i) {
      running.thread = order == Order::Forward ? i : threads - 1 - i;
      body();
    }
    return "";
  }
  startThreads(threads);
  int done = 0;
  while (done < threads) {
    done = step(threads, order);
    if (done > 0 && done < threads)
      return std::to_string(done) + " of " + std::to_string(threads) +
             " threads have ended while the others wait at a barrier";
  }
  return "";
}

static const std::map<std::string, void *> &intrinsics() {
  static const std::map<std::string, void *> table = {
      {"llvm.nvvm.read.ptx.sreg.tid.x", reinterpret_cast<void *>(threadNumber)},
      {"llvm.nvvm.read.ptx.sreg.ctaid.x", reinterpret_cast<void *>(blockNumber)},
      {"llvm.nvvm.barrier.cta.sync.aligned.all", reinterpret_cast<void *>(waitAtBarrier)},
  };
  return table;
}

void *findIntrinsic(const std::string &name) {
  auto found = intrinsics().find(name);
  return found == intrinsics().end() ? nullptr : found->second;
}

bool isBarrier(const std::string &name) { return name.rfind("llvm.nvvm.barrier", 0) == 0; }

} // namespace emulator
