// Which works of a GPU have to follow which: those that touch the same memory, if one of them
// writes it. All others may happen at the same time, or in any order.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace gen::runtime {

// Memory of a GPU, or of the host, from `begin` on, before `end`.
struct GpuRange {
  uint64_t begin, end;
};

// What a work touches. One that has a place in both lists reads it first.
struct GpuAccess {
  std::vector<GpuRange> reads, writes;
};

class GpuOrder {
public:
  // Adds a work. Returns those before it that it has to follow, as their numbers, which count works
  // from 0; what follows from others of them is left out, as far as a short search finds it.
  const std::vector<uint32_t> &add(const GpuAccess &access);

private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Region {
    uint64_t end;
    uint32_t writer;               // the last one
    std::vector<uint32_t> readers; // since then
  };
  void splitAt(uint64_t address);
  void read(const GpuRange &range, uint32_t work, std::vector<uint32_t> &found);
  void write(const GpuRange &range, uint32_t work, std::vector<uint32_t> &found);
  void dropImplied(std::vector<uint32_t> &found);

  std::map<uint64_t, Region> regions;          // disjoint, by where they begin
  std::vector<std::vector<uint32_t>> followed; // by each work
  std::vector<uint32_t> impliedFor;            // by work: the last one for which it was implied
};

} // namespace gen::runtime
