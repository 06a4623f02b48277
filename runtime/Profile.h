// What a session records about its launches: sums per kernel, and the launches themselves for a
// trace.
#pragma once

#include "Limits.h"
#include "gen/runtime.h"

#include <chrono>
#include <string>
#include <vector>

namespace gen::runtime {

class Profile {
public:
  using Clock = std::chrono::steady_clock;

  void start();
  void stop() { recording = false; }
  bool isRecording() const { return recording; }

  void addLaunch(const gen_kernel_info *kernel, Clock::time_point begin, Clock::time_point end,
                 int64_t tasks, int64_t flops, int64_t bytes) noexcept;
  void addCall(const char *entry, Clock::time_point begin, Clock::time_point end) noexcept;

  size_t kernelCount() const { return sums.size(); }
  gen_kernel_profile kernel(size_t rank) const; // 0 is the slowest
  double flops() const;
  double limitSeconds(const Limits &limits) const; // of all launches, one after another
  void write(const std::string &path, const Limits &limits) const;

private:
  struct Event {
    const gen_kernel_info *kernel; // null for a call of an entry
    const char *entry;
    double begin, seconds; // since the start of the profile
    int64_t tasks, flops, bytes;
  };
  struct Sum {
    const gen_kernel_info *kernel;
    uint64_t calls;
    double seconds, flops, bytes;
  };

  Sum &sumOf(const gen_kernel_info *kernel);
  void addEvent(const Event &event);
  double since(Clock::time_point time) const {
    return std::chrono::duration<double>(time - origin).count();
  }

  bool recording = false;
  Clock::time_point origin;
  std::vector<Event> events;
  std::vector<Sum> sums; // sorted by kernel
};

} // namespace gen::runtime
