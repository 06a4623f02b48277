//===- Nesting.cpp - bounding the nesting of MLIR text --------------------===//
//
// Brackets are kept on a stack, so that one that closes nothing takes nothing away. Text in which
// they do not match is for the parser to refuse; it never gets deeper than what is counted here.
//
//===----------------------------------------------------------------------===//

#include "dialect/Nesting.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <vector>

using namespace mlir;
using namespace mlir::gen;

namespace {
/// Walks over the text, skipping strings and comments.
class NestingScanner {
public:
  explicit NestingScanner(StringRef text) : text(text) {}

  std::optional<int64_t> scan() {
    for (; position < text.size(); ++position) {
      char c = text[position];
      if (c == '\n')
        ++line;
      if (llvm::isSpace(c))
        continue;
      if (text.substr(position).starts_with("//"))
        position = std::min(text.find('\n', position), text.size()) - 1;
      else if (c == '"')
        skipString();
      else
        visit(c);
      if (static_cast<int64_t>(open.size()) > kMaxNesting || signs > kMaxNesting)
        return line;
    }
    return std::nullopt;
  }

private:
  void visit(char c) {
    char next = position + 1 < text.size() ? text[position + 1] : '\0';
    bool isArrow = (c == '-' && next == '>');
    bool isComparison = (c == '<' || c == '>') && next == '=';
    signs = c == '-' && !isArrow ? signs + 1 : 0;
    if (isArrow || isComparison)
      ++position;
    else if (c == '(' || c == '[' || c == '{' || c == '<')
      open.push_back(c);
    else if (!open.empty() && c == closing(open.back()))
      open.pop_back();
  }

  static char closing(char opening) {
    switch (opening) {
    case '(':
      return ')';
    case '[':
      return ']';
    case '{':
      return '}';
    default:
      return '>';
    }
  }

  /// Moves to the closing quote; strings do not go over lines.
  void skipString() {
    signs = 0;
    while (++position < text.size() && text[position] != '"') {
      if (text[position] == '\n') {
        ++line;
        return;
      }
      if (text[position] == '\\')
        ++position;
    }
  }

  StringRef text;
  size_t position = 0;
  int64_t line = 1, signs = 0;
  std::vector<char> open;
};
} // namespace

std::optional<int64_t> mlir::gen::findDeepNesting(StringRef text) {
  if (text.starts_with("ML\xefR"))
    return std::nullopt;
  return NestingScanner(text).scan();
}

bool mlir::gen::checkNesting(StringRef text, StringRef fileName, raw_ostream &errors) {
  std::optional<int64_t> line = findDeepNesting(text);
  if (line)
    errors << fileName << ":" << *line << ": error: nested more than " << kMaxNesting << " deep\n";
  return !line;
}
