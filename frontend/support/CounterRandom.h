// Random numbers as a function of (seed, stream, counter), equal on every machine. For data only:
// models draw from Philox. The mixing function is the finalizer of SplitMix64 (Steele, Lea, Flood
// 2014).
#ifndef GEN_SUPPORT_COUNTERRANDOM_H
#define GEN_SUPPORT_COUNTERRANDOM_H

#include <cstdint>

namespace gen {

class CounterRandom {
public:
  CounterRandom(uint64_t seed, uint64_t stream) : key(mix(mix(seed + golden) ^ (stream * odd))) {}

  uint64_t bits() { return mix(key + golden * ++counter); }
  /// In [0, bound); bound is at least 1. Its bias is below bound / 2^32.
  uint32_t below(uint32_t bound) {
    return static_cast<uint32_t>(((bits() >> 32) * static_cast<uint64_t>(bound)) >> 32);
  }
  /// In [0, 1).
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Nearly normal, mean 0 and deviation 1, between -3.5 and 3.5: a sum of four uniforms, which
  /// needs no function whose last bit depends on the library.
  double normal() {
    return (uniform() + uniform() + uniform() + uniform() - 2.0) * 1.7320508075688772;
  }

private:
  static constexpr uint64_t golden = 0x9e3779b97f4a7c15, odd = 0xd1342543de82ef95;
  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t key, counter = 0;
};

} // namespace gen

#endif // GEN_SUPPORT_COUNTERRANDOM_H
