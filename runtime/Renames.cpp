// Names in weights files for those of variables.
#include "Renames.h"
#include "Failure.h"

namespace gen::runtime {

static bool isPrefix(const std::string &name) { return name.empty() || name.back() == '.'; }

// `name` with `from` replaced by `to`, if it is that name or begins so.
static std::optional<std::string> replaced(const std::string &name, const std::string &from,
                                           const std::string &to) {
  if (name == from)
    return to;
  if (isPrefix(from) && isPrefix(to) && name.compare(0, from.size(), from) == 0)
    return to + name.substr(from.size());
  return std::nullopt;
}

Renames::Renames(const gen_rename *renames, size_t count, const char *function) {
  if (count > 0)
    requireNonNull(renames, function, "renames");
  for (size_t i = 0; i < count; ++i) {
    requireNonNull(renames[i].file, function, "renames.file");
    requireNonNull(renames[i].variable, function, "renames.variable");
    pairs.push_back({renames[i].file, renames[i].variable});
  }
}

std::string Renames::variableOf(const std::string &name) const {
  for (const Pair &pair : pairs)
    if (auto variable = replaced(name, pair.file, pair.variable))
      return *variable;
  return name;
}

std::optional<std::string> Renames::fileNameOf(const std::string &variable) const {
  if (pairs.empty())
    return variable;
  for (const Pair &pair : pairs)
    if (auto name = replaced(variable, pair.variable, pair.file))
      return name;
  return std::nullopt;
}

} // namespace gen::runtime
