// Reading and writing .npy files. The header is a Python dictionary literal, of which only the form
// that NumPy writes is read.
#include "Npy.h"

#include "File.h"
#include "Tensors.h"

#include <algorithm>
#include <cstring>

namespace gen::runtime {
namespace {

struct DType {
  std::string_view name;
  uint32_t dtype;
};
constexpr DType kDTypes[] = {{"<f4", GEN_F32}, {"<f8", GEN_F64}, {"|b1", GEN_I1},
                             {"|i1", GEN_I8},  {"<i4", GEN_I32}, {"<i8", GEN_I64}};
constexpr std::string_view kMagic = "\x93NUMPY";

class HeaderReader {
public:
  HeaderReader(std::string_view bytes, uint64_t fileSize, const std::string &path)
      : text(bytes), fileSize(fileSize), path(path.c_str()) {}

  NpyHeader read() {
    readPreamble();
    readDictionary();
    checkSize();
    return header;
  }

private:
  [[noreturn]] void reject(const std::string &what) {
    fail(GEN_CORRUPT, "%s: byte %zu: %s", path, position, what.c_str());
  }

  void readPreamble() {
    if (text.substr(0, kMagic.size()) != kMagic)
      reject("not a .npy file (no NumPy magic)");
    position = kMagic.size();
    if (text.size() < 10)
      reject(format("truncated file of %zu bytes", text.size()));
    unsigned major = byte(6);
    if (major < 1 || major > 3)
      reject(format(".npy version %u, expected 1 to 3", major));
    size_t width = major == 1 ? 2 : 4;
    position = 8;
    if (text.size() < 8 + width)
      reject(format("truncated file of %zu bytes", text.size()));
    uint64_t length = 0;
    for (size_t i = width; i-- > 0;)
      length = length << 8 | byte(8 + i);
    if (length > kMaxNpyHeader || length > text.size() - 8 - width)
      reject(format("header of %llu bytes in a file of %llu bytes", (unsigned long long)length,
                    (unsigned long long)fileSize));
    position += width;
    header.dataOffset = position + length;
    text = text.substr(0, header.dataOffset);
  }

  unsigned byte(size_t index) { return static_cast<unsigned char>(text[index]); }

  void skipSpace() {
    while (position < text.size() && (text[position] == ' ' || text[position] == '\n'))
      ++position;
  }

  bool accept(std::string_view wanted) {
    skipSpace();
    if (text.substr(position, wanted.size()) != wanted)
      return false;
    position += wanted.size();
    return true;
  }

  void expect(std::string_view wanted) {
    if (!accept(wanted))
      reject("expected '" + std::string(wanted) + "' in the header");
  }

  std::string readString() {
    skipSpace();
    char quote = position < text.size() ? text[position] : '\0';
    size_t end = quote == '\'' || quote == '"' ? text.find(quote, position + 1) : text.npos;
    if (end == text.npos)
      reject("expected a string in the header");
    std::string value(text.substr(position + 1, end - position - 1));
    position = end + 1;
    return value;
  }

  void readDictionary() {
    bool seen[3] = {};
    static constexpr const char *kKeys[] = {"descr", "fortran_order", "shape"};
    expect("{");
    while (!accept("}")) {
      std::string key = readString();
      auto *known = std::find(std::begin(kKeys), std::end(kKeys), key);
      if (known == std::end(kKeys))
        reject("unknown key '" + key + "'");
      if (std::exchange(seen[known - kKeys], true))
        reject("key '" + key + "' twice");
      expect(":");
      if (key == "descr")
        readDType();
      else if (key == "fortran_order")
        readOrder();
      else
        readShape();
      if (!accept(",")) {
        expect("}");
        break;
      }
    }
    for (size_t i = 0; i < 3; ++i)
      if (!seen[i])
        reject(std::string("key '") + kKeys[i] + "' is missing");
    skipSpace();
    if (position != text.size())
      reject("expected the end of the header");
  }

  void readDType() {
    skipSpace();
    if (position < text.size() && text[position] == '[')
      reject("a record dtype; hint: save one field");
    std::string name = readString();
    for (const DType &known : kDTypes)
      if (name == known.name) {
        header.tensor.dtype = known.dtype;
        return;
      }
    reject("dtype '" + name +
           "' is not supported; hint: save it as little-endian float32, float64, " +
           "bool, int8, int32 or int64");
  }

  void readOrder() {
    if (accept("True"))
      reject("Fortran order is not supported; hint: save numpy.ascontiguousarray(array)");
    expect("False");
  }

  void readShape() {
    expect("(");
    while (!accept(")")) {
      if (header.tensor.rank == GEN_MAX_RANK)
        reject(format("rank above %d", GEN_MAX_RANK));
      header.tensor.shape[header.tensor.rank++] = readSize();
      if (!accept(",")) {
        expect(")");
        break;
      }
    }
  }

  int64_t readSize() {
    skipSpace();
    size_t begin = position;
    int64_t value = 0;
    while (position < text.size() && text[position] >= '0' && text[position] <= '9')
      if (__builtin_mul_overflow(value, int64_t(10), &value) ||
          __builtin_add_overflow(value, int64_t(text[position++] - '0'), &value))
        reject("size too large");
    if (position == begin)
      reject("expected a size in the shape");
    return value;
  }

  void checkSize() {
    int64_t bytes;
    const gen_tensor &tensor = header.tensor;
    if (!countBytes(tensor.dtype, tensor.shape, tensor.rank, &bytes))
      reject("shape " + describe(tensor) + " overflows");
    if (uint64_t(bytes) != fileSize - header.dataOffset)
      reject(format("%s has %lld bytes of data, the file %llu", describe(tensor).c_str(),
                    (long long)bytes, (unsigned long long)(fileSize - header.dataOffset)));
  }

  std::string_view text;
  uint64_t fileSize;
  const char *path;
  size_t position = 0;
  NpyHeader header = {};
};

} // namespace

NpyHeader readNpyHeader(std::string_view bytes, uint64_t fileSize, const std::string &path) {
  return HeaderReader(bytes, fileSize, path).read();
}

std::string writeNpyHeader(const gen_tensor &tensor) {
  std::string shape;
  for (uint32_t axis = 0; axis < tensor.rank; ++axis)
    shape += std::to_string(tensor.shape[axis]) + (axis + 1 < tensor.rank ? ", " : "");
  if (tensor.rank == 1)
    shape += ","; // Python's tuple of one
  std::string_view name;
  for (const DType &known : kDTypes)
    if (known.dtype == tensor.dtype)
      name = known.name;
  std::string dictionary =
      "{'descr': '" + std::string(name) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr size_t preamble = 10, alignment = 64; // NumPy's own
  size_t total = (preamble + dictionary.size() + 1 + alignment - 1) / alignment * alignment;
  dictionary.resize(total - preamble - 1, ' ');
  dictionary += '\n';
  std::string bytes(kMagic);
  bytes += {'\x01', '\x00', char(dictionary.size() & 0xff), char(dictionary.size() >> 8)};
  return bytes + dictionary;
}

Array readNpy(const std::string &path) {
  InputFile file(path);
  std::string first(std::min<uint64_t>(file.size(), kMaxNpyHeader + 12), '\0');
  file.read(first.data(), first.size(), 0);
  NpyHeader header = readNpyHeader(first, file.size(), path);
  Array array(header.tensor.dtype, View(header.tensor).shape());
  file.read(array.raw(), array.bytes(), header.dataOffset);
  auto *bytes = static_cast<const unsigned char *>(array.raw());
  if (array.dtype() == GEN_I1 &&
      std::any_of(bytes, bytes + array.size(), [](unsigned char value) { return value > 1; }))
    fail(GEN_CORRUPT, "%s: a bool that is neither 0 nor 1", path.c_str());
  return array;
}

void writeNpy(const std::string &path, const View &view) {
  AtomicFile file(path);
  file.write(writeNpyHeader(view.c()));
  file.write(view.raw(), view.bytes());
  file.commit();
}

} // namespace gen::runtime
