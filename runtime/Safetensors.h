// The safetensors format (github.com/huggingface/safetensors): eight bytes with the length of a
// JSON header, the header, then the data of all tensors. The reader believes nothing: no overlap,
// no hole, no duplicate, every size checked against shape and file before it is used.
#pragma once

#include "Failure.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gen::runtime {

constexpr uint64_t kMaxSafetensorsHeader = 100'000'000; // bytes, the format's own limit

struct SafetensorsTensor {
  std::string name;
  gen_tensor tensor;   // without data
  uint64_t begin, end; // bytes of the file
};

struct Safetensors {
  std::vector<SafetensorsTensor> tensors; // in the order of their data
  std::map<std::string, std::string> metadata;
};

// Checks the first eight bytes and returns the length of the header.
uint64_t readSafetensorsLength(const unsigned char (&bytes)[8], uint64_t fileSize,
                               const std::string &path);

// Reads the header of a file of `fileSize` bytes. A Failure names the byte offset and the field.
Safetensors readSafetensorsHeader(std::string_view header, uint64_t fileSize,
                                  const std::string &path);

// The first bytes of a file: length and header. Gives the tensors their places in the file, ordered
// so that all data are aligned: largest elements first, then by name.
std::string writeSafetensorsHeader(Safetensors &file);

} // namespace gen::runtime
