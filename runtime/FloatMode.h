// The floating-point state that compiled code runs in: round to nearest, no traps, denormals
// counted as zero unless they are to be kept. The thread's own state comes back at the end of the
// scope.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace gen::runtime {

#if defined(__x86_64__)

class FloatMode {
public:
  explicit FloatMode(bool keepDenormals) : saved(_mm_getcsr()) {
    constexpr unsigned masked = 0x1f80, flushToZero = 0x8000, denormalsAreZero = 0x0040;
    _mm_setcsr(keepDenormals ? masked : masked | flushToZero | denormalsAreZero);
  }
  ~FloatMode() { _mm_setcsr(saved); }

private:
  unsigned saved;
};

#elif defined(__aarch64__)

class FloatMode {
public:
  explicit FloatMode(bool keepDenormals) {
    constexpr uint64_t flushToZero = uint64_t(1) << 24;
    uint64_t wanted = keepDenormals ? 0 : flushToZero;
    asm volatile("mrs %0, fpcr" : "=r"(saved));
    asm volatile("msr fpcr, %0" ::"r"(wanted));
  }
  ~FloatMode() { asm volatile("msr fpcr, %0" ::"r"(saved)); }

private:
  uint64_t saved;
};

#endif

} // namespace gen::runtime
