// Measuring the machine: chains of multiply-adds that fill the pipelines, and reading buffers of
// the sizes of the caches. Each loop exists for the vector registers that a processor may have.
#include "Limits.h"

#include "ThreadPool.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>

namespace gen::runtime {
namespace {

constexpr int kChains = 16; // independent, to hide the latency on two pipelines
constexpr int64_t kSteps = 1 << 15;
constexpr int64_t kLargest = int64_t(64) << 20;
constexpr int64_t kPart = 64 << 10; // bytes, the work of one task
constexpr int64_t kRound = 4 << 20; // bytes that a timed loop reads at least
constexpr int kRepeats = 4;

template <int Bytes> struct Vector {
  using Type __attribute__((vector_size(Bytes))) = float;
  static constexpr int kLanes = Bytes / 4;
};

// The sum keeps the work from being left out; the factors could be anything.
template <int Bytes> __attribute__((always_inline)) inline float multiplyAdd(float factor) {
  typename Vector<Bytes>::Type x = {}, y = {}, sums[kChains];
  x += factor;
  y += 1 - factor;
  for (int i = 0; i < kChains; ++i)
    sums[i] = y * float(i + 2) + x; // no two alike
  for (int64_t step = 0; step < kSteps; ++step)
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i)
      sums[i] = sums[i] * x + y;
  for (int i = 1; i < kChains; ++i)
    sums[0] += sums[i];
  return sums[0][0];
}

template <int Bytes> __attribute__((always_inline)) inline float readAll(const float *from) {
  using Type = typename Vector<Bytes>::Type;
  constexpr int kSums = 8;
  Type sums[kSums] = {};
  auto *vectors = reinterpret_cast<const Type *>(from);
  for (int64_t i = 0; i < kPart / Bytes; i += kSums)
#pragma GCC unroll 8
    for (int j = 0; j < kSums; ++j)
      sums[j] += vectors[i + j];
  for (int j = 1; j < kSums; ++j)
    sums[0] += sums[j];
  return sums[0][0];
}

// One set of loops for each kind of registers.
struct Loops {
  int lanes;
  float (*multiplyAdd)(float);
  float (*readAll)(const float *);
};

#ifdef __x86_64__
__attribute__((target("avx512f"))) float multiplyAdd512(float x) { return multiplyAdd<64>(x); }
__attribute__((target("avx512f"))) float readAll512(const float *from) { return readAll<64>(from); }
__attribute__((target("avx2,fma"))) float multiplyAdd256(float x) { return multiplyAdd<32>(x); }
__attribute__((target("avx2,fma"))) float readAll256(const float *from) {
  return readAll<32>(from);
}
#endif
float multiplyAdd128(float x) { return multiplyAdd<16>(x); }
float readAll128(const float *from) { return readAll<16>(from); }

Loops chooseLoops() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f"))
    return {16, multiplyAdd512, readAll512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {8, multiplyAdd256, readAll256};
#endif
  return {4, multiplyAdd128, readAll128};
}

struct Free {
  void operator()(float *memory) const { ::operator delete[](memory, std::align_val_t(64)); }
};

class Measurement {
public:
  explicit Measurement(unsigned threads)
      : threads(threads), pool(threads, /*keepDenormals=*/false), loops(chooseLoops()),
        buffer(static_cast<float *>(::operator new[](kLargest, std::align_val_t(64)))) {
    std::fill_n(buffer.get(), kLargest / 4, 1.0f);
  }

  Limits run() {
    Limits limits;
    int64_t tasks = 4 * int64_t(threads);
    double flops = 2.0 * kChains * kSteps * loops.lanes * double(tasks);
    limits.flopsPerSecond = flops / time(tasks, [](void *self, int64_t) {
                              auto *that = static_cast<Measurement *>(self);
                              that->sink = that->loops.multiplyAdd(0.999f);
                            });
    for (int64_t bytes = 256 << 10; bytes <= kLargest; bytes *= 4) {
      parts = bytes / kPart;
      int64_t rounds = std::max<int64_t>(1, kRound / bytes); // so that starting a loop costs little
      double seconds = time(parts * rounds, [](void *self, int64_t task) {
        auto *that = static_cast<Measurement *>(self);
        that->sink = that->loops.readAll(that->buffer.get() + task % that->parts * (kPart / 4));
      });
      limits.bandwidth.push_back({bytes, double(bytes * rounds) / seconds});
    }
    return limits;
  }

private:
  // The shortest of some runs, after one to warm up.
  double time(int64_t tasks, ThreadPool::Body body) {
    using Clock = std::chrono::steady_clock;
    double least = 0;
    pool.run(tasks, body, this);
    for (int run = 0; run < kRepeats; ++run) {
      auto begin = Clock::now();
      pool.run(tasks, body, this);
      double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      least = run ? std::min(least, seconds) : seconds;
    }
    return std::max(least, 1e-9);
  }

  unsigned threads;
  ThreadPool pool;
  Loops loops;
  std::unique_ptr<float[], Free> buffer;
  int64_t parts = 1; // of the buffer that are read
  std::atomic<float> sink{0};
};

} // namespace

double Limits::seconds(double flops, double bytes) const {
  if (bandwidth.empty())
    return 0;
  auto fits = std::find_if(bandwidth.begin(), bandwidth.end() - 1,
                           [&](const Bandwidth &level) { return double(level.bytes) >= bytes; });
  return std::max(flops / flopsPerSecond, bytes / fits->bytesPerSecond);
}

const Limits &limitsOf(unsigned threads) {
  static std::mutex mutex;
  static std::map<unsigned, Limits> known;
  std::lock_guard lock(mutex);
  auto found = known.find(threads);
  if (found == known.end())
    found = known.emplace(threads, Measurement(threads).run()).first;
  return found->second;
}

} // namespace gen::runtime
