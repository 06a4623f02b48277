// JSON as far as the runtime needs it: quoting strings, and a strict reader for headers of weights
// files.
#pragma once

#include "Failure.h"

#include <string>
#include <string_view>

namespace gen::runtime {

// A string in quotes, with what must be escaped escaped.
std::string quoteJson(std::string_view text);

// Reads JSON text front to back. Nothing is believed: every mistake is a Failure (GEN_CORRUPT) with
// the byte offset in the file. There is no recursion, so nesting cannot exhaust the stack.
class JsonReader {
public:
  // `offset` is the position of the text in the file `path`.
  JsonReader(std::string_view text, uint64_t offset, const std::string &path)
      : text(text), offset(offset), path(path.c_str()) {}

  // Skips white space and reads one character, which must be `wanted`.
  void expect(char wanted);
  // Skips white space and reads one character if it is `wanted`.
  bool accept(char wanted);
  // A string with its escapes resolved (UTF-8).
  std::string readString();
  // A number that is a whole one, without sign, and less than 2^63.
  int64_t readSize();
  // Nothing but white space may follow.
  void expectEnd();

  [[noreturn]] void reject(const std::string &what) const;

private:
  void skipSpace();
  unsigned readHex4();
  void readEscape(std::string &value);

  std::string_view text;
  size_t position = 0;
  uint64_t offset;
  const char *path;
};

} // namespace gen::runtime
