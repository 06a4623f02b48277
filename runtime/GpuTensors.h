// Tensors of which a kernel's blocks copy boxes, as parameters of its launch.
#pragma once

#include "Cuda.h"
#include "gen/artefact.h"

#include <vector>

namespace gen::runtime {

// Adds maps of the tensors that a kernel takes, if it takes any, to the words of its parameters.
// False if that cannot be: an old driver, tensors without elements or at odd addresses.
bool addTensors(const Cuda &cuda, const gen_device_hopper_info &kernel, const uint64_t *frame,
                std::vector<uint64_t> &words);

} // namespace gen::runtime
