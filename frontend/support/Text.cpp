// Texts: characters of UTF-8 files as numbers.
#include "gen/data.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <stdexcept>

namespace gen::data {

static constexpr uintmax_t kMostBytes = uintmax_t{1} << 30;

// The number of bytes of a character that begins with `lead`; 0 if none does.
static int lengthOf(unsigned char lead) {
  return lead < 0x80   ? 1
         : lead < 0xc2 ? 0
         : lead < 0xe0 ? 2
         : lead < 0xf0 ? 3
         : lead < 0xf5 ? 4
                       : 0;
}

std::u32string charactersOf(const std::string &source, const std::string &utf8) {
  std::u32string characters;
  for (size_t at = 0; at < utf8.size();) {
    auto lead = static_cast<unsigned char>(utf8[at]);
    int length = lengthOf(lead);
    char32_t value = length > 1 ? lead & (0x7f >> length) : lead;
    bool valid = length > 0 && at + static_cast<size_t>(length) <= utf8.size();
    for (int i = 1; valid && i < length; ++i) {
      auto byte = static_cast<unsigned char>(utf8[at + static_cast<size_t>(i)]);
      valid = (byte & 0xc0) == 0x80;
      value = value << 6 | (byte & 0x3f);
    }
    // No longer forms than needed, no surrogates, nothing beyond Unicode.
    valid = valid && !(length == 3 && (value < 0x800 || (value >= 0xd800 && value < 0xe000))) &&
            !(length == 4 && (value < 0x10000 || value > 0x10ffff));
    if (!valid)
      throw std::runtime_error(
          fmt::format("{}: expected UTF-8, got byte {:02x} at offset {}", source, lead, at));
    characters += value;
    at += static_cast<size_t>(length);
  }
  return characters;
}

std::string utf8Of(const std::u32string &characters) {
  std::string bytes;
  for (char32_t c : characters) {
    int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    bytes += static_cast<char>(more == 0 ? c : (0xff00 >> (more + 1) & 0xff) | c >> (6 * more));
    for (int i = more - 1; i >= 0; --i)
      bytes += static_cast<char>(0x80 | (c >> (6 * i) & 0x3f));
  }
  return bytes;
}

Text textOf(const std::string &name, const std::string &utf8) {
  Text text;
  text.name = name;
  std::u32string characters = charactersOf(name, utf8);
  text.alphabet = characters;
  std::sort(text.alphabet.begin(), text.alphabet.end());
  text.alphabet.erase(std::unique(text.alphabet.begin(), text.alphabet.end()), text.alphabet.end());
  for (char32_t c : characters)
    text.characters.push_back(static_cast<int32_t>(
        std::lower_bound(text.alphabet.begin(), text.alphabet.end(), c) - text.alphabet.begin()));
  return text;
}

std::string readUtf8(const std::string &path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw std::runtime_error(fmt::format(
        "{}: expected a text file, got {}", path,
        std::filesystem::exists(path, error) ? "something else" : "nothing of that name"));
  uintmax_t size = std::filesystem::file_size(path, error);
  if (size > kMostBytes)
    throw std::runtime_error(
        fmt::format("{}: expected at most {} bytes, got {}", path, kMostBytes, size));
  std::ifstream file(path, std::ios::binary);
  std::string bytes(static_cast<size_t>(size), '\0');
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size)))
    throw std::runtime_error(fmt::format("{}: cannot read the file", path));
  charactersOf(path, bytes);
  return bytes;
}

Text readText(const std::string &path) {
  Text text = textOf(path, readUtf8(path));
  text.name = std::filesystem::path(path).stem().string();
  return text;
}

} // namespace gen::data
