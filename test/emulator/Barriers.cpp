// The state of a barrier is kept here: what lies in shared memory only shows whether someone writes
// over it.
#include "Barriers.h"

#include "TensorMap.h"
#include "Threads.h"

#include <cstring>
#include <map>
#include <vector>

namespace emulator {
namespace {

constexpr uint64_t kMark = 0x6d62617272696572;

struct Barrier {
  int32_t count = 0, pending = 0; // arrivals
  int64_t expected = 0;           // bytes
  uint32_t phase = 0;             // how many have ended
  int thread = 0;                 // that made it,
  bool isPublished = false;       // and said so to other proxies
  std::vector<Box> started;       // not there yet
};
std::map<char *, Barrier> barriers; // of the block that runs
bool comeAtOnce = false;
const char *fault = nullptr;

// The barrier at a place; null, and a fault, if there is none.
Barrier *find(char *place) {
  uint64_t mark = 0;
  auto found = barriers.find(place);
  if (found != barriers.end())
    std::memcpy(&mark, place, sizeof mark);
  if (mark == kMark)
    return &found->second;
  fault = "something waits at a barrier in shared memory that is not there, or written over";
  return nullptr;
}

// Ends the phase if nothing is missing.
void tryToEnd(Barrier &barrier) {
  int64_t bytes = 0;
  for (const Box &box : barrier.started)
    bytes += box.bytes();
  if (barrier.pending > 0 || barrier.expected != bytes)
    return;
  for (const Box &box : barrier.started)
    box.copy();
  barrier.started.clear();
  barrier.expected = 0;
  barrier.pending = barrier.count;
  ++barrier.phase;
}

} // namespace

void startBarriers(bool boxesComeAtOnce) {
  barriers.clear();
  comeAtOnce = boxesComeAtOnce;
  fault = nullptr;
}

void initBarrier(char *place, int32_t count) {
  if (reinterpret_cast<uintptr_t>(place) % sizeof kMark != 0 || count <= 0)
    fault = "a barrier is not aligned, or nobody arrives at it";
  std::memcpy(place, &kMark, sizeof kMark);
  barriers[place] = {.count = count, .pending = count, .thread = runningThread(), .started = {}};
}

void publishBarriers() {
  for (auto &[place, barrier] : barriers)
    barrier.isPublished |= barrier.thread == runningThread();
}

uint64_t arriveAndExpect(char *place, int32_t bytes) {
  noteProgress();
  if (Barrier *barrier = find(place)) {
    tryToEnd(*barrier); // the phase before, if nobody has looked
    barrier->expected += bytes;
    --barrier->pending;
  }
  return 0;
}

uint64_t arrive(char *place) { return arriveAndExpect(place, 0); }

bool waitForPhase(char *place, int32_t parity) {
  while (Barrier *barrier = find(place)) {
    tryToEnd(*barrier);
    if (barrier->phase % 2 != uint32_t(parity))
      break;
    letOthersRun();
  }
  noteProgress();
  return true;
}

void startBox(char *to, char *barrier, const void *map, int32_t x, int32_t y, int32_t z) {
  Box box(to, map, {x, y, z});
  if (!box.isValid())
    fault = "a box is copied by something that is no map of a tensor, or to an odd address";
  Barrier *found = find(barrier);
  if (!found || fault)
    return;
  if (!found->isPublished)
    fault = "a box arrives at a barrier that no fence.proxy.async has made visible";
  if (comeAtOnce) {
    box.copy();
    found->expected -= box.bytes();
  } else {
    found->started.push_back(box);
  }
}

const char *faultOfBarriers() { return fault; }

bool areBoxesOnTheirWay() {
  for (const auto &[place, barrier] : barriers)
    if (!barrier.started.empty())
      return true;
  return false;
}

} // namespace emulator
