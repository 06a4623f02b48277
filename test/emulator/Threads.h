// The threads of a block, one after another on the CPU: fibers that change places at barriers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace emulator {

// Of threads. What is copied asynchronously lands where it is waited for, as late as allowed;
// backward when it is started, as early as allowed.
enum class Order { Forward, Backward };

// A block of threads, and how it is run.
struct Block {
  int64_t number;
  int threads;
  bool waits; // false promises that no thread waits for another
  Order order;
  const char *shared; // its shared memory, or null
  bool hasProxies;    // it reads shared memory through another proxy (wgmma)
};

// Runs body for every thread of a block. Those that wait at a barrier go on, in that order, when
// all do; before, a warp runs as far as it comes. Returns what went wrong, or "".
std::string runBlock(const Block &block, const std::function<void()> &body);

// The thread that runs, by its number in the block.
int runningThread();
// The thread that runs goes on when the others have come as far as they can. If that changes
// nothing for any of those that wait so, the block fails.
void letOthersRun();
// Says that something has changed for which others may wait.
void noteProgress();

// Shared memory that a block can have, of compute capability 9.0.
constexpr size_t kMostShared = 227 * 1024;
// True unless the place in shared memory was copied to asynchronously, and its thread has not made
// that visible to other proxies.
bool isPublished(const char *place);

// Stands before each vector that is read or written: void(u64 address, u64 alignment).
constexpr const char *kRequireAlignment = "emulator.require.alignment";

// The functions that compiled code calls, by the names of the intrinsics they stand for; null for
// an unknown one.
void *findIntrinsic(const std::string &name);
// The same of instructions that are text.
constexpr const char *kStartProducts = "emulator.start.products";
constexpr const char *kWaitForSums = "emulator.wait.for.sums";

// True for intrinsics at which the threads of a block wait for each other, or what they write for
// others.
bool isBarrier(const std::string &name);
// True for those at which the threads of a warp do.
bool isOfWarp(const std::string &name);
// True for those that wait for all asynchronous copies, or products, but so many groups (their one
// argument).
bool isWait(const std::string &name);
// True for those that wait for a phase of a barrier in shared memory, by its parity (their second
// argument).
bool isWaitForPhase(const std::string &name);

} // namespace emulator
