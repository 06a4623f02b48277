// Names in weights files for those of variables: see gen_rename.
#pragma once

#include "gen/runtime.h"

#include <optional>
#include <string>
#include <vector>

namespace gen::runtime {

class Renames {
public:
  Renames() = default;
  // A Failure names a null pointer.
  Renames(const gen_rename *renames, size_t count, const char *function);

  bool empty() const { return pairs.empty(); }
  // The variable that a name of a file stands for.
  std::string variableOf(const std::string &name) const;
  // The file's name of a variable; none if there are renames, and none fits.
  std::optional<std::string> fileNameOf(const std::string &variable) const;

private:
  struct Pair {
    std::string file, variable;
  };
  std::vector<Pair> pairs;
};

} // namespace gen::runtime
