//===- Diagnostic.cpp - error messages of the builder ---------------------===//

#include "Diagnostic.h"

#include <algorithm>

namespace gen {

namespace {
/// The line that ops of this thread are said to be made at, while a SourceScope lives.
thread_local const SourceLocation *scopeLocation = nullptr;
thread_local SourceLocation scopeStorage;
} // namespace

SourceScope::SourceScope(SourceLocation where) : outermost(!scopeLocation) {
  if (!outermost)
    return;
  scopeStorage = where;
  scopeLocation = &scopeStorage;
}

SourceScope::~SourceScope() {
  if (outermost)
    scopeLocation = nullptr;
}

namespace detail {

SourceLocation outermost(SourceLocation where) { return scopeLocation ? *scopeLocation : where; }

std::string str(SourceLocation where) {
  return std::string(where.file_name()) + ':' + std::to_string(where.line()) + ':' +
         std::to_string(where.column());
}

Diagnostic::Diagnostic(SourceLocation where, const std::string &op, const std::string &message)
    : where(outermost(where)), message(op + ": " + message) {}

Diagnostic &Diagnostic::operand(const std::string &role, const Tensor &tensor,
                                const std::string &note) {
  std::string type = describe(tensor.dtype(), tensor.shape());
  operands.push_back(
      {role + ": ", tensor.text(), type + (note.empty() ? "" : " " + note), str(tensor.where())});
  return *this;
}

Diagnostic &Diagnostic::hint(const std::string &text) {
  hintText = text;
  return *this;
}

/// `text`, filled up with spaces.
static std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

BuildError Diagnostic::error() const {
  size_t roles = 0, texts = 0, types = 0;
  for (const Line &line : operands) {
    roles = std::max(roles, line.role.size());
    texts = std::max(texts, line.text.size());
    types = std::max(types, line.type.size());
  }
  std::string whole = str(where) + ": error: " + message;
  for (const Line &line : operands)
    whole += "\n  " + padded(line.role, roles) + padded(line.text, texts) + "  " +
             padded(line.type, types) + "  " + line.where;
  if (!hintText.empty())
    whole += "\n  hint: " + hintText;
  return BuildError(whole, where);
}

std::string count(const Dimension &number, const std::string &noun) {
  return number.str() + ' ' + noun + (number == Dimension(1) ? "" : "s");
}

} // namespace detail
} // namespace gen
