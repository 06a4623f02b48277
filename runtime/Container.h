// The container check: is this file a compiled model that this runtime and processor can run? Only
// bytes are looked at, nothing is loaded.
#pragma once

#include "Failure.h"

#include <cstddef>
#include <string>

namespace gen::runtime {

// Checks the bytes of a whole file and returns its `.gen.header`. Every offset is checked against
// the file's size before it is used. Throws a Failure that starts with `path`.
gen_artefact_header checkContainer(const unsigned char *bytes, size_t size,
                                   const std::string &path);

// Checks magic, version and the processor's instruction sets.
void checkHeader(const gen_artefact_header &header, const std::string &path);

// True if it is code for the processor, which has the instruction sets.
bool canRun(const gen_artefact_header &header);

// True for code for a GPU.
inline bool isForDevice(const gen_artefact_header &header) { return header.features & GEN_CUDA; }
// True if the processor can do its part of it.
bool canRunLaunches(gen_artefact_header header);

} // namespace gen::runtime
