// A model on a GPU beside itself on the CPU: what the tests on the emulator and the check on a
// machine with a GPU share. Needs the runtime only.
#pragma once

#include "gen/runtime.hpp"

#include <string>
#include <vector>

namespace gen::gpu {

/// Calls every entry of a model, which has code for both, on both: initial values have to be the
/// same bits, integers and the random counter equal, results and what training changes equal up to
/// rounding, whether a call is launches or a graph. Returns what is not, a line each. `weights` is
/// a file for the variables meanwhile.
std::vector<std::string> compareWithCpu(const Model &model, const std::string &weights);

} // namespace gen::gpu
