// Files: reading whole ones, and writing so that a reader sees the old file or the new one, never a
// part.
#pragma once

#include "Failure.h"

#include <cstdint>
#include <string>
#include <vector>

namespace gen::runtime {

// Writes all bytes; false with errno set if that fails.
bool writeAll(int descriptor, const void *data, size_t size);

// Reads all of `size` bytes at `offset`; a Failure names the path and says "truncated" if the file
// ends.
void readAll(int descriptor, void *data, size_t size, uint64_t offset, const std::string &path);

// The bytes of a regular file of at most `limit` bytes.
std::vector<unsigned char> readFile(const std::string &path, int64_t limit);

// `path` from the root, so that the loader does not search its own folders.
std::string absolutePath(const std::string &path);

// A file opened for reading, with its size. Refuses what is no regular file.
class InputFile {
public:
  explicit InputFile(const std::string &path);
  ~InputFile();
  InputFile(const InputFile &) = delete;
  InputFile &operator=(const InputFile &) = delete;

  void read(void *data, size_t bytes, uint64_t offset) const {
    readAll(descriptor, data, bytes, offset, path);
  }
  uint64_t size() const { return bytes; }

private:
  std::string path;
  int descriptor;
  uint64_t bytes;
};

// A file that replaces `path` when committed: written beside it, synchronized, renamed, and the
// folder synchronized. Without commit() nothing is left behind.
class AtomicFile {
public:
  explicit AtomicFile(const std::string &path);
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  void write(const void *data, size_t size);
  void write(const std::string &text) { write(text.data(), text.size()); }
  void commit();

private:
  void flush();

  std::string path, temporary;
  std::string pending; // gathers small writes
  int descriptor;
};

} // namespace gen::runtime
