// Products of four warps (wgmma), which are on their way until they are waited for: only then are
// operands read from shared memory, and sums are no numbers before.
#pragma once

#include "Warp.h"

namespace emulator {

// What is on its way in a block of so many threads, whose shared memory is `shared`: nothing yet.
void startWarpgroups(int threads, const char *shared);

// Before the first product of a group: what was written to registers is there.
void fenceSums(const Lane *lanes);
// Arguments: the columns, 1 if of bf16 and not of f16, 1 if lhs lies along rows, 1 if rhs lies
// along columns (i32 each), the sums, both descriptors. Result: the sums.
void startProducts(const Lane *lanes);
void endProducts(const Lane *lanes);
// Waits for all groups but so many (i64).
void waitForProducts(const Lane *lanes);
// Arguments: twice the number of sums, all groups but how many, two that do not count (i32 each),
// the sums. Result: the sums.
void waitForSums(const Lane *lanes);

// What went wrong since startWarpgroups, or null.
const char *faultOfWarpgroups();

} // namespace emulator
