// The threads of a block, one after another on the CPU: fibers that change places at barriers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace emulator {

// Of threads. What is copied asynchronously lands where it is waited for, as late as allowed;
// backward when it is started, as early as allowed.
enum class Order { Forward, Backward };

// Runs body for every thread of block `block`. Those that wait at a barrier go on, in that order,
// when all do; before, a warp runs as far as it comes. `waits` false promises that no thread waits
// for another. Returns what went wrong, or "".
std::string runBlock(int64_t block, int threads, bool waits, Order order,
                     const std::function<void()> &body);

// Stands before each vector that is read: void(u64 address, u64 alignment).
constexpr const char *kRequireAlignment = "emulator.require.alignment";

// The functions that compiled code calls, by the names of the intrinsics they stand for; null for
// an unknown one.
void *findIntrinsic(const std::string &name);
// True for intrinsics at which the threads of a block wait for each other.
bool isBarrier(const std::string &name);
// True for those at which the threads of a warp do.
bool isOfWarp(const std::string &name);
// True for those that wait for all asynchronous copies but so many groups (their one argument).
bool isWait(const std::string &name);

} // namespace emulator
