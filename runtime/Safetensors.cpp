// Reading and writing headers of safetensors files.
#include "Safetensors.h"

#include "Json.h"
#include "Tensors.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace gen::runtime {
namespace {

struct DType {
  const char *name;
  uint32_t dtype;
};
constexpr DType kDTypes[] = {{"F32", GEN_F32}, {"F64", GEN_F64}, {"BOOL", GEN_I1},
                             {"I8", GEN_I8},   {"I32", GEN_I32}, {"I64", GEN_I64}};

class HeaderReader {
public:
  HeaderReader(std::string_view header, uint64_t fileSize, const std::string &path)
      : json(header, 8, path), path(path.c_str()), dataBegin(8 + header.size()),
        fileSize(fileSize) {
    if (header.empty() || header[0] != '{')
      json.reject("expected '{' at the start of the header");
  }

  Safetensors read() {
    json.expect('{');
    if (!json.accept('}'))
      do
        readMember();
      while (more('}'));
    json.expectEnd();
    checkRanges();
    return std::move(file);
  }

private:
  bool more(char end) {
    if (json.accept(','))
      return true;
    json.expect(end);
    return false;
  }

  void readMember() {
    std::string name = json.readString();
    json.expect(':');
    if (!names.insert(name).second)
      json.reject("tensor '" + name + "' twice");
    if (name == "__metadata__")
      readMetadata();
    else
      readTensor(std::move(name));
  }

  void readMetadata() {
    json.expect('{');
    if (json.accept('}'))
      return;
    do {
      std::string key = json.readString();
      json.expect(':');
      if (!file.metadata.emplace(key, json.readString()).second)
        json.reject("__metadata__: key '" + key + "' twice");
    } while (more('}'));
  }

  void readTensor(std::string name) {
    SafetensorsTensor tensor = {std::move(name), {}, 0, 0};
    std::string where = "tensor '" + tensor.name + "': ";
    if (tensor.name.empty())
      json.reject("tensor without a name");
    bool seen[3] = {};
    static constexpr const char *kFields[] = {"dtype", "shape", "data_offsets"};
    json.expect('{');
    do {
      std::string field = json.readString();
      json.expect(':');
      auto *known = std::find(std::begin(kFields), std::end(kFields), field);
      if (known == std::end(kFields))
        json.reject(where + "unknown field '" + field + "'");
      size_t index = known - kFields;
      if (std::exchange(seen[index], true))
        json.reject(where + field + " twice");
      if (index == 0)
        readDType(tensor, where);
      else if (index == 1)
        readShape(tensor, where);
      else
        readOffsets(tensor, where);
    } while (more('}'));
    for (size_t index = 0; index < 3; ++index)
      if (!seen[index])
        json.reject(where + kFields[index] + " is missing");
    checkSize(tensor, where);
    file.tensors.push_back(std::move(tensor));
  }

  void readDType(SafetensorsTensor &tensor, const std::string &where) {
    std::string name = json.readString();
    for (const DType &known : kDTypes)
      if (name == known.name) {
        tensor.tensor.dtype = known.dtype;
        return;
      }
    json.reject(where + "dtype '" + name + "', expected F32, F64, BOOL, I8, I32 or I64");
  }

  void readShape(SafetensorsTensor &tensor, const std::string &where) {
    json.expect('[');
    if (json.accept(']'))
      return;
    do {
      if (tensor.tensor.rank == GEN_MAX_RANK)
        json.reject(format("%sshape has more than %d sizes", where.c_str(), GEN_MAX_RANK));
      tensor.tensor.shape[tensor.tensor.rank++] = json.readSize();
    } while (more(']'));
  }

  void readOffsets(SafetensorsTensor &tensor, const std::string &where) {
    json.expect('[');
    tensor.begin = json.readSize();
    json.expect(',');
    tensor.end = json.readSize();
    json.expect(']');
    if (tensor.begin > tensor.end || tensor.end > fileSize - dataBegin)
      json.reject(format("%sdata_offsets [%llu, %llu] in a file with %llu bytes of data",
                         where.c_str(), (unsigned long long)tensor.begin,
                         (unsigned long long)tensor.end,
                         (unsigned long long)(fileSize - dataBegin)));
    tensor.begin += dataBegin;
    tensor.end += dataBegin;
  }

  void checkSize(const SafetensorsTensor &tensor, const std::string &where) {
    int64_t bytes;
    const gen_tensor &view = tensor.tensor;
    if (!countBytes(view.dtype, view.shape, view.rank, &bytes))
      json.reject(where + "shape " + describe(view) + " overflows");
    if (uint64_t(bytes) != tensor.end - tensor.begin)
      json.reject(format("%sshape %s has %lld bytes, data_offsets span %llu", where.c_str(),
                         describe(view).c_str(), (long long)bytes,
                         (unsigned long long)(tensor.end - tensor.begin)));
  }

  // The data must follow each other without overlap or hole, to the end of the file.
  void checkRanges() {
    std::sort(file.tensors.begin(), file.tensors.end(),
              [](const SafetensorsTensor &a, const SafetensorsTensor &b) {
                return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
              });
    uint64_t expected = dataBegin;
    for (const SafetensorsTensor &tensor : file.tensors) {
      if (tensor.begin != expected)
        fail(
            GEN_CORRUPT,
            "%s: byte %llu: tensor '%s': data_offsets %s its neighbour (expected to begin at %llu)",
            path, (unsigned long long)tensor.begin, tensor.name.c_str(),
            tensor.begin < expected ? "overlap" : "leave a hole after",
            (unsigned long long)expected);
      expected = tensor.end;
    }
    if (expected != fileSize)
      fail(GEN_CORRUPT, "%s: byte %llu: %llu bytes that belong to no tensor", path,
           (unsigned long long)expected, (unsigned long long)(fileSize - expected));
  }

  JsonReader json;
  const char *path;
  uint64_t dataBegin, fileSize;
  Safetensors file;
  std::set<std::string> names;
};

const char *dtypeName(uint32_t dtype) {
  for (const DType &known : kDTypes)
    if (known.dtype == dtype)
      return known.name;
  return "?";
}

} // namespace

uint64_t readSafetensorsLength(const unsigned char (&bytes)[8], uint64_t fileSize,
                               const std::string &path) {
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i)
    length = length << 8 | bytes[i];
  if (length > kMaxSafetensorsHeader)
    fail(GEN_CORRUPT,
         "%s: byte 0: header of %llu bytes, expected at most %llu; hint: is it a safetensors file?",
         path.c_str(), (unsigned long long)length, (unsigned long long)kMaxSafetensorsHeader);
  if (fileSize < 8 || length > fileSize - 8)
    fail(GEN_CORRUPT, "%s: byte 0: header of %llu bytes in a file of %llu bytes", path.c_str(),
         (unsigned long long)length, (unsigned long long)fileSize);
  return length;
}

Safetensors readSafetensorsHeader(std::string_view header, uint64_t fileSize,
                                  const std::string &path) {
  return HeaderReader(header, fileSize, path).read();
}

std::string writeSafetensorsHeader(Safetensors &file) {
  std::sort(file.tensors.begin(), file.tensors.end(),
            [](const SafetensorsTensor &a, const SafetensorsTensor &b) {
              size_t sizeA = gen_dtype_size(a.tensor.dtype), sizeB = gen_dtype_size(b.tensor.dtype);
              return sizeA != sizeB ? sizeA > sizeB : a.name < b.name;
            });
  std::string header = "{";
  if (!file.metadata.empty()) {
    const char *separator = "\"__metadata__\":{";
    for (auto &[key, value] : file.metadata) {
      header += separator + quoteJson(key) + ":" + quoteJson(value);
      separator = ",";
    }
    header += "}";
  }
  uint64_t offset = 0;
  for (SafetensorsTensor &tensor : file.tensors) {
    int64_t bytes = 0;
    countBytes(tensor.tensor.dtype, tensor.tensor.shape, tensor.tensor.rank, &bytes);
    tensor.begin = offset;
    tensor.end = offset += bytes;
    std::string shape = describe(tensor.tensor);
    header += format("%s%s:{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%llu,%llu]}",
                     header.size() > 1 ? "," : "", quoteJson(tensor.name).c_str(),
                     dtypeName(tensor.tensor.dtype), shape.substr(shape.find('[')).c_str(),
                     (unsigned long long)tensor.begin, (unsigned long long)tensor.end);
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' '); // aligns the data
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i)
    bytes[i] = char(uint64_t(header.size()) >> (8 * i));
  for (SafetensorsTensor &tensor : file.tensors) {
    tensor.begin += 8 + header.size();
    tensor.end += 8 + header.size();
  }
  return bytes + header;
}

} // namespace gen::runtime
