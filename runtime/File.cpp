// Reading files and replacing them atomically.
#include "File.h"

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace gen::runtime {

bool writeAll(int descriptor, const void *data, size_t size) {
  auto *bytes = static_cast<const char *>(data);
  while (size) {
    ssize_t written = ::write(descriptor, bytes, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return false;
    bytes += written;
    size -= written;
  }
  return true;
}

void readAll(int descriptor, void *data, size_t size, uint64_t offset, const std::string &path) {
  auto *bytes = static_cast<char *>(data);
  while (size) {
    ssize_t got = ::pread(descriptor, bytes, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      failErrno(errno, path, "read");
    if (got == 0)
      fail(GEN_CORRUPT, "%s: truncated file: it ends at byte %llu, expected %zu more", path.c_str(),
           (unsigned long long)offset, size);
    bytes += got;
    offset += got;
    size -= got;
  }
}

std::vector<unsigned char> readFile(const std::string &path, int64_t limit) {
  InputFile file(path);
  if (file.size() > static_cast<uint64_t>(limit))
    fail(GEN_CORRUPT, "%s: file of %llu bytes, expected at most %lld", path.c_str(),
         (unsigned long long)file.size(), (long long)limit);
  std::vector<unsigned char> bytes(file.size());
  file.read(bytes.data(), bytes.size(), 0);
  return bytes;
}

std::string absolutePath(const std::string &path) {
  char resolved[PATH_MAX];
  if (!realpath(path.c_str(), resolved))
    failErrno(errno, path, "open");
  return resolved;
}

InputFile::InputFile(const std::string &path) : path(path) {
  // A FIFO must not block the open.
  descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    failErrno(errno, path, "open");
  struct stat info;
  bool known = ::fstat(descriptor, &info) == 0;
  if (!known || !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    fail(GEN_IO, "%s: cannot open: %s", path.c_str(),
         known && S_ISDIR(info.st_mode) ? "it is a folder" : "it is no regular file");
  }
  bytes = static_cast<uint64_t>(info.st_size);
}

InputFile::~InputFile() { ::close(descriptor); }

// Creates a new file whose name starts with that of the file it will replace.
static int createBeside(const std::string &path, std::string *name) {
  static std::atomic<unsigned> counter{0};
  for (int attempt = 0; attempt < 100; ++attempt) {
    *name = format("%s.%d-%u.tmp", path.c_str(), int(::getpid()), counter++);
    int descriptor = ::open(name->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST)
      return descriptor;
  }
  return -1;
}

// The file that a symbolic link names is what is replaced, not the link.
static std::string resolveLink(const std::string &path) {
  char resolved[PATH_MAX];
  return realpath(path.c_str(), resolved) ? resolved : path;
}

AtomicFile::AtomicFile(const std::string &wanted) : path(resolveLink(wanted)) {
  struct stat old;
  bool replaces = ::stat(path.c_str(), &old) == 0;
  if (replaces && !S_ISREG(old.st_mode))
    fail(GEN_IO, "%s: cannot write: %s", path.c_str(),
         S_ISDIR(old.st_mode) ? "it is a folder" : "it is no regular file");
  descriptor = createBeside(path, &temporary);
  if (descriptor < 0)
    failErrno(errno, path, "write");
  if (replaces)
    ::fchmod(descriptor, old.st_mode & 07777); // keeps the permissions; a foreign owner's cannot be
}

AtomicFile::~AtomicFile() {
  if (descriptor < 0)
    return;
  ::close(descriptor);
  ::unlink(temporary.c_str());
}

void AtomicFile::flush() {
  if (!writeAll(descriptor, pending.data(), pending.size()))
    failErrno(errno, path, "write");
  pending.clear();
}

void AtomicFile::write(const void *data, size_t size) {
  constexpr size_t kGathered = 1 << 16;
  if (pending.size() + size > kGathered)
    flush();
  if (size <= kGathered)
    pending.append(static_cast<const char *>(data), size);
  else if (!writeAll(descriptor, data, size))
    failErrno(errno, path, "write");
}

void AtomicFile::commit() {
  flush();
  if (::fsync(descriptor) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0)
    failErrno(errno, path, "write");
  ::close(std::exchange(descriptor, -1));
  // The rename itself is durable once the folder is; a file system that cannot do that is no error.
  size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  int folderDescriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folderDescriptor >= 0) {
    ::fsync(folderDescriptor);
    ::close(folderDescriptor);
  }
}

} // namespace gen::runtime
