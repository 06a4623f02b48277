#include "Threads.h"

#include "Barriers.h"
#include "Fiber.h"
#include "Warpgroup.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <vector>

namespace emulator {
namespace {

struct Copy {
  char *to;
  const char *from;
  uint32_t bytes, read; // zeros for those that are not read
};
using Group = std::vector<Copy>;

struct Thread {
  enum State { Ready, AtBarrier, AtPhase, InWarp, Done };

  Fiber fiber;
  State state = Ready;
  WarpOperation operation = nullptr; // that the warp does when all of its threads are there
  Lane lane;                         // what it does it with
  std::deque<Group> groups;          // of copies on their way
  Group started;                     // for the next group
  Group landed;                      // that other proxies do not see yet
};

// The block that runs, and its thread.
struct Running {
  Block block = {};
  int thread = 0;
  const std::function<void()> *body = nullptr;
  bool isMisaligned = false; // something that was read or written
  bool isUnfinished = false; // a copy of a thread that has ended
  bool hasProgress = false;  // in this round of all warps
  Fiber scheduler;
  std::vector<Thread> all;
  std::vector<char> unpublished; // words of shared memory that other proxies do not see yet
};
Running running;

void stop(Thread::State state) {
  Thread &thread = running.all[running.thread];
  thread.state = state;
  Fiber::change(thread.fiber, running.scheduler);
}

void runThread() {
  (*running.body)();
  Thread &thread = running.all[running.thread];
  for (const Group &group : thread.groups)
    running.isUnfinished |= !group.empty();
  running.isUnfinished |= !thread.started.empty();
  stop(Thread::Done);
}

int32_t threadNumber() { return running.thread; }
int32_t blockNumber() { return int32_t(running.block.number); }

void waitAtBarrier(int32_t) { stop(Thread::AtBarrier); }

template <WarpOperation operation> void waitForWarp(void *result, const void *arguments) {
  Thread &thread = running.all[running.thread];
  thread.operation = operation;
  thread.lane = {result, arguments, running.thread};
  stop(Thread::InWarp);
}

constexpr size_t kWord = 4; // the least that is copied

void mark(const Copy &copy, bool isUnpublished) {
  size_t first = size_t(copy.to - running.block.shared) / kWord;
  std::fill_n(running.unpublished.begin() + int64_t(first), copy.bytes / kWord, isUnpublished);
}

void land(const Copy &copy) {
  std::memcpy(copy.to, copy.from, copy.read);
  std::memset(copy.to + copy.read, 0, copy.bytes - copy.read);
  if (running.block.hasProxies) {
    running.all[running.thread].landed.push_back(copy);
    mark(copy, /*isUnpublished=*/true);
  }
}

void publish() {
  Group &landed = running.all[running.thread].landed;
  for (const Copy &copy : landed)
    mark(copy, /*isUnpublished=*/false);
  landed.clear();
  publishBarriers();
}

template <uint32_t bytes> void startCopy(char *to, const char *from, uint32_t read) {
  Copy copy{to, from, bytes, std::min(read, bytes)};
  running.isMisaligned |= (uintptr_t(to) | (read ? uintptr_t(from) : 0)) % bytes != 0;
  if (running.block.order == Order::Backward)
    land(copy);
  else
    running.all[running.thread].started.push_back(copy);
}
template <uint32_t bytes> void startWholeCopy(char *to, const char *from) {
  startCopy<bytes>(to, from, bytes);
}

void endGroup() {
  Thread &thread = running.all[running.thread];
  thread.groups.push_back(std::move(thread.started));
  thread.started.clear();
}

void waitForGroups(int32_t pending) {
  std::deque<Group> &groups = running.all[running.thread].groups;
  for (; int64_t(groups.size()) > pending; groups.pop_front())
    std::for_each(groups.front().begin(), groups.front().end(), land);
}

// Number i of the order in which threads run, of `count`.
int inOrder(int i, int count) { return running.block.order == Order::Forward ? i : count - 1 - i; }

// Runs the threads of a warp until each waits at a barrier or has ended. Returns whether they do
// together what a warp does together.
bool runWarp(int first) {
  for (;;) {
    std::vector<Lane> lanes;
    WarpOperation operation = nullptr;
    for (int i = 0; i < kWarp; ++i) {
      running.thread = first + inOrder(i, kWarp);
      if (running.thread >= running.block.threads)
        continue;
      Thread &thread = running.all[running.thread];
      if (thread.state == Thread::Ready || thread.state == Thread::AtPhase)
        Fiber::change(running.scheduler, thread.fiber);
    }
    for (int i = first; i < std::min(first + kWarp, running.block.threads); ++i)
      if (running.all[i].state == Thread::InWarp) {
        Thread &thread = running.all[i];
        if (operation && operation != thread.operation)
          return false;
        operation = thread.operation;
        lanes.push_back(thread.lane);
        thread.state = Thread::Ready;
      }
    if (lanes.empty())
      return true;
    if (lanes.size() != kWarp)
      return false;
    operation(lanes.data());
  }
}

bool waitsForPhase() {
  return std::any_of(running.all.begin(), running.all.begin() + running.block.threads,
                     [](const Thread &thread) { return thread.state == Thread::AtPhase; });
}

// Runs all warps as far as they come. Returns what is wrong, or null.
const char *runWarps() {
  int warps = (running.block.threads + kWarp - 1) / kWarp;
  do {
    running.hasProgress = false;
    for (int i = 0; i < warps; ++i)
      if (!runWarp(inOrder(i, warps) * kWarp))
        return "the threads of a warp do not come together to an operation of the warp";
  } while (waitsForPhase() && running.hasProgress);
  return waitsForPhase() ? "threads wait for a phase of a barrier that does not end" : nullptr;
}

// Counts the threads that have ended; the others go on.
int passBarrier() {
  int done = 0;
  for (int i = 0; i < running.block.threads; ++i)
    if (running.all[i].state == Thread::Done)
      ++done;
    else
      running.all[i].state = Thread::Ready;
  return done;
}

void startThreads() {
  if (running.all.size() < size_t(running.block.threads))
    running.all.resize(running.block.threads);
  for (int i = 0; i < running.block.threads; ++i) {
    running.all[i].fiber.start(runThread);
    running.all[i].state = Thread::Ready;
    running.all[i].groups.clear();
    running.all[i].started.clear();
    running.all[i].landed.clear();
  }
}

// A GPU stops where several elements are read or written at once elsewhere.
void requireAlignment(uint64_t address, uint64_t bytes) {
  running.isMisaligned |= address % bytes != 0;
}

// What went wrong, or null.
const char *findFault() {
  if (running.isMisaligned)
    return "it reads or writes a vector at an address that is not aligned";
  return faultOfWarpgroups() ? faultOfWarpgroups() : faultOfBarriers();
}

// The same when all threads have ended.
std::string faultInTheEnd() {
  if (running.isUnfinished || areBoxesOnTheirWay())
    return "a thread has ended while its copies are on their way";
  return findFault() ? findFault() : "";
}

} // namespace

bool isPublished(const char *place) {
  return !running.unpublished[size_t(place - running.block.shared) / kWord];
}

int runningThread() { return running.thread; }
void letOthersRun() { stop(Thread::AtPhase); }
void noteProgress() { running.hasProgress = true; }

std::string runBlock(const Block &block, const std::function<void()> &body) {
  running.block = block;
  running.body = &body;
  running.isMisaligned = running.isUnfinished = false;
  startWarpgroups(block.threads, block.shared);
  startBarriers(/*boxesComeAtOnce=*/block.order == Order::Backward);
  if (block.hasProxies)
    running.unpublished.assign(kMostShared / kWord, false);
  int threads = block.threads;
  if (!block.waits) {
    for (int i = 0; i < threads; ++i) {
      running.thread = inOrder(i, threads);
      body();
    }
    return faultInTheEnd();
  }
  startThreads();
  for (int done = 0; done < threads;) {
    if (const char *error = runWarps())
      return findFault() ? findFault() : error;
    done = passBarrier();
    if (done > 0 && done < threads)
      return std::to_string(done) + " of " + std::to_string(threads) +
             " threads have ended while the others wait at a barrier";
  }
  return faultInTheEnd();
}

constexpr const char *kWaitForGroups = "llvm.nvvm.cp.async.wait.group";
constexpr const char *kWaitForProducts = "llvm.nvvm.wgmma.wait_group.sync.aligned";
constexpr const char *kWaitForPhase = "llvm.nvvm.mbarrier.try.wait.parity.scope.cta.space.cta";

static const std::map<std::string, void *> &intrinsics() {
  static const std::map<std::string, void *> table = {
      {kRequireAlignment, reinterpret_cast<void *>(requireAlignment)},
      {"llvm.nvvm.read.ptx.sreg.tid.x", reinterpret_cast<void *>(threadNumber)},
      {"llvm.nvvm.read.ptx.sreg.ctaid.x", reinterpret_cast<void *>(blockNumber)},
      {"llvm.nvvm.barrier.cta.sync.aligned.all", reinterpret_cast<void *>(waitAtBarrier)},
      {"llvm.nvvm.bar.warp.sync", reinterpret_cast<void *>(waitForWarp<waitForAll>)},
      {"llvm.nvvm.shfl.sync.bfly.f32", reinterpret_cast<void *>(waitForWarp<exchangeWords>)},
      {"llvm.nvvm.shfl.sync.bfly.i32", reinterpret_cast<void *>(waitForWarp<exchangeWords>)},
      {"llvm.nvvm.shfl.sync.idx.i32", reinterpret_cast<void *>(waitForWarp<readWords>)},
      {"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x2.b16.p3",
       reinterpret_cast<void *>(waitForWarp<loadTwoMatrices>)},
      {"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3",
       reinterpret_cast<void *>(waitForWarp<loadFourMatrices>)},
      {"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x2.trans.b16.p3",
       reinterpret_cast<void *>(waitForWarp<loadTwoTransposed>)},
      {"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3",
       reinterpret_cast<void *>(waitForWarp<loadFourTransposed>)},
      {"llvm.nvvm.cp.async.ca.shared.global.4", reinterpret_cast<void *>(startWholeCopy<4>)},
      {"llvm.nvvm.cp.async.ca.shared.global.8", reinterpret_cast<void *>(startWholeCopy<8>)},
      {"llvm.nvvm.cp.async.cg.shared.global.16", reinterpret_cast<void *>(startWholeCopy<16>)},
      {"llvm.nvvm.cp.async.ca.shared.global.4.s", reinterpret_cast<void *>(startCopy<4>)},
      {"llvm.nvvm.cp.async.ca.shared.global.8.s", reinterpret_cast<void *>(startCopy<8>)},
      {"llvm.nvvm.cp.async.cg.shared.global.16.s", reinterpret_cast<void *>(startCopy<16>)},
      {"llvm.nvvm.cp.async.commit.group", reinterpret_cast<void *>(endGroup)},
      {kWaitForGroups, reinterpret_cast<void *>(waitForGroups)},
      {"llvm.nvvm.fence.proxy.async.shared_cta", reinterpret_cast<void *>(publish)},
      {"llvm.nvvm.mbarrier.init.shared", reinterpret_cast<void *>(initBarrier)},
      {"llvm.nvvm.mbarrier.arrive.shared", reinterpret_cast<void *>(arrive)},
      {"llvm.nvvm.mbarrier.arrive.expect.tx.scope.cta.space.cta",
       reinterpret_cast<void *>(arriveAndExpect)},
      {kWaitForPhase, reinterpret_cast<void *>(waitForPhase)},
      {"llvm.nvvm.cp.async.bulk.tensor.g2s.tile.3d", reinterpret_cast<void *>(startBox)},
      {"llvm.nvvm.wgmma.fence.sync.aligned", reinterpret_cast<void *>(waitForWarp<fenceSums>)},
      {"llvm.nvvm.wgmma.commit_group.sync.aligned",
       reinterpret_cast<void *>(waitForWarp<endProducts>)},
      {kWaitForProducts, reinterpret_cast<void *>(waitForWarp<waitForProducts>)},
      {kStartProducts, reinterpret_cast<void *>(waitForWarp<startProducts>)},
      {kWaitForSums, reinterpret_cast<void *>(waitForWarp<waitForSums>)},
      {"llvm.nvvm.mma.m16n8k16.row.col.bf16", reinterpret_cast<void *>(waitForWarp<multiplyBF16>)},
      {"llvm.nvvm.mma.m16n8k16.row.col.f32.f32",
       reinterpret_cast<void *>(waitForWarp<multiplyF16>)},
      {"llvm.nvvm.mma.m16n8k8.row.col.tf32", reinterpret_cast<void *>(waitForWarp<multiplyTF32>)},
      {"llvm.nvvm.f2tf32.rna", reinterpret_cast<void *>(toTF32)},
  };
  return table;
}

void *findIntrinsic(const std::string &name) {
  auto found = intrinsics().find(name);
  return found == intrinsics().end() ? nullptr : found->second;
}

static bool startsWith(const std::string &name, const char *prefix) {
  return name.rfind(prefix, 0) == 0;
}

bool isBarrier(const std::string &name) {
  return startsWith(name, "llvm.nvvm.barrier") || name == "llvm.nvvm.bar.warp.sync" ||
         startsWith(name, "llvm.nvvm.mbarrier.arrive") || isWaitForPhase(name) ||
         startsWith(name, "llvm.nvvm.fence.") || startsWith(name, "llvm.nvvm.wgmma.fence.");
}
bool isOfWarp(const std::string &name) {
  for (const char *kind : {"bar.warp.", "shfl.", "mma.", "ldmatrix.", "wgmma."})
    if (startsWith(name, (std::string("llvm.nvvm.") + kind).c_str()))
      return true;
  return false;
}
bool isWaitForPhase(const std::string &name) { return name == kWaitForPhase; }
bool isWait(const std::string &name) { return name == kWaitForGroups || name == kWaitForProducts; }

} // namespace emulator
