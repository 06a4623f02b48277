// A library of NVIDIA's that is looked for when an artefact could use it; nothing needs it.
#pragma once

#include <initializer_list>
#include <string>

namespace gen::runtime {

class FoundLibrary {
public:
  // The library that the environment variable names, or the first of `names` that there is.
  FoundLibrary(const char *variable, std::initializer_list<const char *> names);

  // A library without one of the functions is none.
  template <class Function> void find(const char *name, Function &function) {
    function = reinterpret_cast<Function>(address(name));
  }
  // False if there is none. Throws a Failure, every time, if the one that is named cannot be used,
  // as `what`.
  bool check(const char *what) const;

private:
  void *address(const char *name);

  const char *variable;
  std::string chosen; // by the variable
  void *library = nullptr;
  bool isThere = false;
};

} // namespace gen::runtime
