// Calls of an artefact with what they have to come to, in a file: made where the reference
// interpreter is (rows.cpp), checked where a GPU is (check.cpp). Needs the runtime only.
#pragma once

#include "gen/runtime.hpp"

#include <string>
#include <vector>

namespace gen::gpu {

struct StoredCall {
  std::string entry;
  std::vector<Array> arguments, expected;
  /// Room of each result (differenceOf).
  double ulps;
  std::vector<double> scales;
};

/// A line for each call and each tensor, which is followed by the tensor's bytes.
void writeCalls(const std::string &path, const std::vector<StoredCall> &calls);
std::vector<StoredCall> readCalls(const std::string &path);

/// Makes the calls on the GPU. Returns what is not as expected, a line each.
std::vector<std::string> compareWithStored(const Model &model,
                                           const std::vector<StoredCall> &calls);

} // namespace gen::gpu
