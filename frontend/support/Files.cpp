// Atomic file writing: a temporary file in the same folder, fsync, rename.
#include "gen/files.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <stdexcept>
#include <unistd.h>

namespace gen {
namespace {

[[noreturn]] void fail(const std::string &path, const char *what, int error) {
  throw std::runtime_error(fmt::format("{}: cannot {}: {}", path, what, std::strerror(error)));
}

// Owns the temporary file until it is renamed.
class TemporaryFile {
public:
  explicit TemporaryFile(const std::string &target)
      : target(target), path(fmt::format("{}.{}.tmp", target, getpid())),
        descriptor(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (descriptor < 0)
      fail(target, "create the file", errno);
  }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  ~TemporaryFile() {
    if (descriptor >= 0)
      close(descriptor);
    if (!renamed)
      unlink(path.c_str());
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
      if (count < 0 && errno != EINTR)
        fail(target, "write the file", errno);
      if (count > 0)
        bytes.remove_prefix(static_cast<size_t>(count));
    }
  }

  void commit() {
    if (fsync(descriptor) != 0 && errno != EINVAL) // EINVAL: not a kind of file that can be synced
      fail(target, "write the file", errno);
    int closed = close(descriptor);
    descriptor = -1;
    if (closed != 0)
      fail(target, "write the file", errno);
    if (rename(path.c_str(), target.c_str()) != 0)
      fail(target, "replace the file", errno);
    renamed = true;
  }

private:
  std::string target, path;
  int descriptor;
  bool renamed = false;
};

} // namespace

void writeFileAtomically(const std::string &path, std::string_view bytes) {
  TemporaryFile file(path);
  file.write(bytes);
  file.commit();
}

void createFolder(const std::string &path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error || !std::filesystem::is_directory(path, error))
    throw std::runtime_error(
        fmt::format("{}: cannot create the folder: {}", path,
                    error ? error.message() : "a file of that name is in the way"));
}

} // namespace gen
