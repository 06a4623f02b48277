//===- Checkpoint.cpp - what a weights file says of itself ----------------===//

#include "gen/checkpoint.hpp"

#include "llvm/Support/Endian.h"
#include "llvm/Support/JSON.h"

#include <filesystem>
#include <fstream>

namespace gen {

std::map<std::string, std::string> metadataOf(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  char first[sizeof(uint64_t)];
  if (!file.read(first, sizeof first))
    return {};
  uint64_t length = llvm::support::endian::read64le(first);
  std::error_code error;
  if (length > std::filesystem::file_size(path, error) || error)
    return {};
  std::string header(length, '\0');
  file.read(header.data(), static_cast<std::streamsize>(length));
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(header);
  if (!json) {
    llvm::consumeError(json.takeError());
    return {};
  }
  std::map<std::string, std::string> strings;
  const llvm::json::Object *object = json->getAsObject();
  if (const auto *metadata = object ? object->getObject("__metadata__") : nullptr)
    for (const auto &[key, value] : *metadata)
      if (auto text = value.getAsString())
        strings[key.str()] = text->str();
  return strings;
}

} // namespace gen
