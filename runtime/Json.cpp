// A strict JSON reader without recursion (RFC 8259).
#include "Json.h"

namespace gen::runtime {

std::string quoteJson(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      (quoted += '\\') += c;
    else if (static_cast<unsigned char>(c) < 0x20)
      quoted += format("\\u%04x", c);
    else
      quoted += c;
  }
  return quoted + '"';
}

void JsonReader::reject(const std::string &what) const {
  fail(GEN_CORRUPT, "%s: byte %llu: %s", path, (unsigned long long)(offset + position),
       what.c_str());
}

void JsonReader::skipSpace() {
  while (position < text.size() && (text[position] == ' ' || text[position] == '\n' ||
                                    text[position] == '\r' || text[position] == '\t'))
    ++position;
}

bool JsonReader::accept(char wanted) {
  skipSpace();
  if (position == text.size() || text[position] != wanted)
    return false;
  ++position;
  return true;
}

void JsonReader::expect(char wanted) {
  if (accept(wanted))
    return;
  std::string got = "the end of the header";
  if (position < text.size()) {
    char c = text[position];
    got = c >= 0x20 && c < 0x7f ? format("'%c'", c)
                                : format("byte 0x%02x", static_cast<unsigned char>(c));
  }
  reject(format("expected '%c', got %s", wanted, got.c_str()));
}

void JsonReader::expectEnd() {
  skipSpace();
  if (position != text.size())
    reject("expected the end of the header");
}

int64_t JsonReader::readSize() {
  skipSpace();
  size_t begin = position;
  int64_t value = 0;
  while (position < text.size() && text[position] >= '0' && text[position] <= '9')
    if (__builtin_mul_overflow(value, int64_t(10), &value) ||
        __builtin_add_overflow(value, int64_t(text[position++] - '0'), &value))
      reject("number too large, expected less than 2^63");
  if (position == begin)
    reject("expected a whole number without sign");
  if (text[begin] == '0' && position - begin > 1)
    reject("number with a leading zero");
  if (position < text.size() && (text[position] == '.' || (text[position] | 0x20) == 'e'))
    reject("expected a whole number");
  return value;
}

unsigned JsonReader::readHex4() {
  unsigned value = 0;
  for (int i = 0; i < 4; ++i, ++position) {
    char c = position < text.size() ? text[position] : '\0';
    unsigned digit = c >= '0' && c <= '9'                     ? c - '0'
                     : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                              : 16;
    if (digit > 15)
      reject("expected four hexadecimal digits after \\u");
    value = value * 16 + digit;
  }
  return value;
}

static void appendUtf8(std::string &value, unsigned code) {
  if (code < 0x80) {
    value += char(code);
  } else if (code < 0x800) {
    value += char(0xc0 | code >> 6);
    value += char(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    value += char(0xe0 | code >> 12);
    value += char(0x80 | (code >> 6 & 0x3f));
    value += char(0x80 | (code & 0x3f));
  } else {
    value += char(0xf0 | code >> 18);
    value += char(0x80 | (code >> 12 & 0x3f));
    value += char(0x80 | (code >> 6 & 0x3f));
    value += char(0x80 | (code & 0x3f));
  }
}

void JsonReader::readEscape(std::string &value) {
  static constexpr std::string_view kEscapes = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
  char c = position < text.size() ? text[position++] : '\0';
  if (c != 'u') {
    size_t index = kEscapes.find(c);
    if (index == std::string_view::npos)
      reject("unknown escape in a string");
    value += kMeanings[index];
    return;
  }
  unsigned code = readHex4();
  if (code >= 0xd800 && code < 0xdc00) { // the first half of a surrogate pair
    if (text.substr(position, 2) != "\\u")
      reject("half a surrogate pair");
    position += 2;
    unsigned low = readHex4();
    if (low < 0xdc00 || low >= 0xe000)
      reject("half a surrogate pair");
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  } else if (code >= 0xdc00 && code < 0xe000) {
    reject("half a surrogate pair");
  }
  if (code == 0)
    reject("a zero byte in a string"); // names are C strings
  appendUtf8(value, code);
}

std::string JsonReader::readString() {
  expect('"');
  std::string value;
  for (;;) {
    if (position == text.size())
      reject("string without end");
    char c = text[position++];
    if (c == '"')
      return value;
    if (c == '\\')
      readEscape(value);
    else if (static_cast<unsigned char>(c) < 0x20)
      reject("control character in a string");
    else
      value += c;
  }
}

} // namespace gen::runtime
