// The IDX reader. A header claims sizes; nothing is allocated because a header says so: the claim
// is held against the file's size first (deflate packs at most 1032 to 1), then the bytes are read
// as they come.
#include "gen/data.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <stdexcept>
#include <zlib.h>

namespace gen::data {
namespace {

constexpr int64_t maxDeflateRatio = 1032;

template <typename... Args>
[[noreturn]] void fail(const std::string &path, fmt::format_string<Args...> text, Args &&...args) {
  throw std::runtime_error(path + ": " + fmt::format(text, std::forward<Args>(args)...));
}

// A plain or compressed file; zlib sees which by itself.
class Input {
public:
  explicit Input(const std::string &path) : path(path), file(gzopen(path.c_str(), "rb")) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
      fail(path, "expected an IDX file, got a folder");
    size = static_cast<int64_t>(std::filesystem::file_size(path, error));
    if (error || !file)
      fail(path, "cannot open the file: {}",
           error ? error.message() : "out of memory or not readable");
  }

  // Reads up to `count` bytes; fewer only at the end of the data.
  size_t read(uint8_t *to, size_t count) {
    size_t done = 0;
    while (done < count) {
      auto want = static_cast<unsigned>(std::min<size_t>(count - done, 1 << 20));
      int got = gzread(file.get(), to + done, want);
      if (got < 0)
        fail(path, "the compressed data is damaged: {}", message());
      if (got == 0)
        break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  bool compressed() { return !gzdirect(file.get()); }
  int64_t fileSize() const { return size; }

private:
  const char *message() {
    int code = 0;
    return gzerror(file.get(), &code);
  }

  struct Close {
    void operator()(gzFile_s *f) const { gzclose(f); }
  };
  std::string path;
  std::unique_ptr<gzFile_s, Close> file;
  int64_t size = 0;
};

const char *typeName(uint8_t type) {
  switch (type) {
  case 0x08:
    return "unsigned byte";
  case 0x09:
    return "signed byte";
  case 0x0b:
    return "short";
  case 0x0c:
    return "int";
  case 0x0d:
    return "float";
  case 0x0e:
    return "double";
  default:
    return "unknown";
  }
}

std::vector<int64_t> readShape(Input &input, const std::string &path) {
  std::array<uint8_t, 4> magic{};
  if (input.read(magic.data(), 4) != 4)
    fail(path, "not an IDX file: it ends within the first 4 bytes");
  if (magic[0] != 0 || magic[1] != 0)
    fail(path, "not an IDX file: expected it to begin with two zero bytes, got {:02x} {:02x}",
         magic[0], magic[1]);
  if (magic[2] != 0x08)
    fail(path, "expected elements of type unsigned byte (08), got {} ({:02x})", typeName(magic[2]),
         magic[2]);
  std::vector<int64_t> shape;
  for (int axis = 0; axis < magic[3]; ++axis) {
    std::array<uint8_t, 4> b{};
    if (input.read(b.data(), 4) != 4)
      fail(path, "truncated: the header ends before the size of axis {} of {}", axis,
           int{magic[3]});
    shape.push_back(int64_t{b[0]} << 24 | int64_t{b[1]} << 16 | int64_t{b[2]} << 8 | int64_t{b[3]});
  }
  return shape;
}

int64_t elementCount(const std::vector<int64_t> &shape, int64_t most, const std::string &path) {
  int64_t count = 1;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    return 0;
  for (int64_t size : shape) {
    if (size > most / count)
      fail(path, "the shape [{}] has more than the {} bytes that are allowed",
           fmt::join(shape, ", "), most);
    count *= size;
  }
  return count;
}

} // namespace

ByteArray readIdx(const std::string &path, int64_t maxBytes) {
  Input input(path);
  ByteArray array;
  array.shape = readShape(input, path);
  int64_t count = elementCount(array.shape, maxBytes, path);
  int64_t possible = input.compressed() ? input.fileSize() * maxDeflateRatio : input.fileSize();
  if (count > possible)
    fail(path, "truncated: the shape [{}] needs {} bytes, the file has {}{}",
         fmt::join(array.shape, ", "), count, input.fileSize(),
         input.compressed() ? " compressed" : "");
  while (static_cast<int64_t>(array.values.size()) < count) {
    size_t have = array.values.size();
    size_t chunk = std::min<size_t>(static_cast<size_t>(count) - have, size_t{1} << 24);
    array.values.resize(have + chunk);
    size_t got = input.read(array.values.data() + have, chunk);
    if (got < chunk)
      fail(path, "truncated: the shape [{}] needs {} bytes of data, got {}",
           fmt::join(array.shape, ", "), count, have + got);
  }
  uint8_t more = 0;
  if (input.read(&more, 1) != 0)
    fail(path, "the file goes on after the {} bytes that the shape [{}] needs", count,
         fmt::join(array.shape, ", "));
  return array;
}

} // namespace gen::data
