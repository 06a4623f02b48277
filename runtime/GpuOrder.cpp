// Memory as regions that know who wrote them last, and who has read them since. A write makes one
// region of all that it covers, so there are no more of them than tensors that are alive; readers
// are only looked at when someone writes, and are gone then, so that a thousand works that read the
// same weights cost a thousand steps.
#include "GpuOrder.h"

#include <algorithm>

namespace gen::runtime {

const std::vector<uint32_t> &GpuOrder::add(const GpuAccess &access) {
  auto work = uint32_t(followed.size());
  std::vector<uint32_t> found;
  for (const GpuRange &range : access.reads)
    read(range, work, found);
  for (const GpuRange &range : access.writes)
    write(range, work, found);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  while (!found.empty() && found.back() >= work) // itself, or no one
    found.pop_back();
  impliedFor.push_back(kNone);
  dropImplied(found);
  return followed.emplace_back(std::move(found));
}

// No region has `address` inside.
void GpuOrder::splitAt(uint64_t address) {
  auto after = regions.lower_bound(address);
  if (after == regions.begin())
    return;
  Region &before = std::prev(after)->second;
  if (before.end <= address)
    return;
  Region rest = before;
  before.end = address;
  regions.emplace_hint(after, address, std::move(rest));
}

void GpuOrder::read(const GpuRange &range, uint32_t work, std::vector<uint32_t> &found) {
  splitAt(range.begin);
  splitAt(range.end);
  auto region = regions.lower_bound(range.begin);
  for (uint64_t at = range.begin; at < range.end; at = region->second.end, ++region) {
    if (region == regions.end() || region->first > at) { // no one has touched what comes next
      uint64_t end = region == regions.end() ? range.end : std::min(range.end, region->first);
      region = regions.emplace_hint(region, at, Region{end, kNone, {}});
    }
    found.push_back(region->second.writer);
    std::vector<uint32_t> &readers = region->second.readers;
    if (readers.empty() || readers.back() != work)
      readers.push_back(work);
  }
}

// Who has read since the last write follows that one already.
void GpuOrder::write(const GpuRange &range, uint32_t work, std::vector<uint32_t> &found) {
  if (range.begin >= range.end)
    return;
  splitAt(range.begin);
  splitAt(range.end);
  auto first = regions.lower_bound(range.begin), last = regions.lower_bound(range.end);
  for (auto region = first; region != last; ++region) {
    const auto &[end, writer, readers] = region->second;
    if (readers.empty())
      found.push_back(writer);
    found.insert(found.end(), readers.begin(), readers.end());
  }
  regions.erase(first, last);
  regions.emplace_hint(last, range.begin, Region{range.end, work, {}});
}

// Drops those that others of them follow: directly, or by some more works, the nearest first.
void GpuOrder::dropImplied(std::vector<uint32_t> &found) {
  if (found.size() < 2)
    return;
  constexpr size_t kMore =
      64; // a graph of many works that all depend on each other takes no longer
  auto work = uint32_t(followed.size());
  uint32_t first = found.front();
  std::vector<uint32_t> reached(found.rbegin(), found.rend());
  size_t most = reached.size() + kMore;
  for (size_t i = 0; i < reached.size() && i < most; ++i)
    for (uint32_t before : followed[reached[i]])
      if (before >= first && impliedFor[before] != work) {
        impliedFor[before] = work;
        reached.push_back(before);
      }
  std::erase_if(found, [&](uint32_t one) { return impliedFor[one] == work; });
}

} // namespace gen::runtime
