// Barriers in shared memory (mbarrier), and boxes of tensors that are copied to it (TMA). A phase
// of a barrier ends when so many threads have arrived, and all bytes have come that they expect.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emulator {

// No barriers, in a new block. Boxes come when someone sees that their phase has ended, as late as
// allowed; or when they are asked for.
void startBarriers(bool boxesComeAtOnce);

void initBarrier(char *place, int32_t count);
uint64_t arrive(char *place);
uint64_t arriveAndExpect(char *place, int32_t bytes);
// Lets other threads run until the last phase of this parity has ended.
bool waitForPhase(char *place, int32_t parity);
// Other proxies see the barriers that this thread made.
void publishBarriers();
// Asks for the box of a tensor whose first element is at (x, y, z).
void startBox(char *to, char *barrier, const void *map, int32_t x, int32_t y, int32_t z);

// What went wrong since startBarriers, or null.
const char *faultOfBarriers();
// True if nobody has seen boxes come.
bool areBoxesOnTheirWay();

} // namespace emulator
