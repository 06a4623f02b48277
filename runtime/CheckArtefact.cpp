// Checks the tables of a loaded artefact: names, counts, ranks, dtypes, dimension symbols. A table
// that contradicts itself is refused here, once, with the entry and tensor named.
#include "Model.h"
#include "Tensors.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace gen::runtime {
namespace {

constexpr uint32_t kMaxCount = 1u << 20; // of entries, variables, arguments, results, dimensions

class Checker {
public:
  Checker(const gen_artefact_info &artefact, const std::string &origin)
      : artefact(artefact), origin(origin.c_str()) {}

  void check() {
    checkHeaderAndSize();
    checkCount(artefact.entry_count, artefact.entries, "entries");
    checkCount(artefact.variable_count, artefact.variables, "variables");
    checkCount(artefact.packed_count, artefact.packed, "packed copies");
    checkCount(artefact.variant_count, artefact.variants, "variants");
    for (uint32_t i = 0; i < artefact.variant_count; ++i)
      if (!artefact.variants[i] || artefact.variants[i]->variant_count)
        reject(format("variant %u is missing or has variants", i));
    if (artefact.entry_count == 0)
      reject("no entries");
    for (uint32_t i = 0; i < artefact.entry_count; ++i)
      checkEntry(artefact.entries[i]);
    for (uint32_t i = 0; i < artefact.variable_count; ++i)
      checkVariable(artefact.variables[i].tensor);
    for (uint32_t i = 0; i < artefact.packed_count; ++i)
      checkPacked(artefact.packed[i]);
    checkUnique(artefact.entries, artefact.entry_count, "entries",
                [](const gen_entry_info &entry) { return entry.name; });
    checkUnique(artefact.variables, artefact.variable_count, "variables",
                [](const gen_variable_info &variable) { return variable.tensor.name; });
  }

private:
  [[noreturn]] void reject(const std::string &what) {
    fail(GEN_CORRUPT, "%s: damaged artefact: %s", origin, what.c_str());
  }

  void checkHeaderAndSize() {
    if (artefact.size < sizeof(gen_artefact_info))
      reject(format("its root table has %u bytes, expected at least %zu", artefact.size,
                    sizeof(gen_artefact_info)));
    if (!artefact.name || !artefact.producer || !artefact.target)
      reject("name, producer or target is missing");
  }

  void checkCount(uint32_t count, const void *table, const std::string &what) {
    if (count > kMaxCount)
      reject(format("%u %s", count, what.c_str()));
    if (count && !table)
      reject("the table of " + what + " is missing");
  }

  // Sorts names, so that large models are checked in no time.
  template <class T, class Name>
  void checkUnique(const T *table, uint32_t count, const char *what, Name &&nameOf) {
    std::vector<const char *> names;
    for (uint32_t i = 0; i < count; ++i)
      names.push_back(nameOf(table[i]));
    auto less = [](const char *a, const char *b) { return std::strcmp(a, b) < 0; };
    std::sort(names.begin(), names.end(), less);
    for (size_t i = 1; i < names.size(); ++i)
      if (std::strcmp(names[i - 1], names[i]) == 0)
        reject(format("two %s named '%s'", what, names[i]));
  }

  void checkName(const char *name, const std::string &what) {
    if (!name || !*name)
      reject(what + " without a name");
  }

  void checkTensor(const gen_tensor_info &tensor, const std::string &what) {
    checkName(tensor.name, what);
    std::string where = what + " '" + tensor.name + "'";
    if (!gen_dtype_size(tensor.dtype))
      reject(where + ": unknown dtype " + std::to_string(tensor.dtype));
    if (tensor.rank > GEN_MAX_RANK)
      reject(format("%s: rank %u, expected at most %d", where.c_str(), tensor.rank, GEN_MAX_RANK));
    if (tensor.rank && !tensor.shape)
      reject(where + ": no shape");
  }

  void checkVariable(const gen_tensor_info &tensor) {
    checkTensor(tensor, "variable");
    int64_t bytes;
    if (!countBytes(tensor.dtype, tensor.shape, tensor.rank, &bytes))
      reject(format("variable '%s': impossible shape %s", tensor.name,
                    describe(tensor.dtype, tensor.shape, tensor.rank).c_str()));
  }

  void checkPacked(const gen_packed_info &packed) {
    if (packed.variable >= artefact.variable_count || packed.bytes < 0 || packed.arena_bytes < 0 ||
        !packed.pack)
      reject(format("impossible packed copy of variable %u", packed.variable));
  }

  void checkNumbers(uint32_t count, const uint32_t *numbers, uint32_t end,
                    const std::string &what) {
    checkCount(count, numbers, what);
    for (uint32_t i = 0; i < count; ++i)
      if (numbers[i] >= end)
        reject(format("%s: number %u of %u", what.c_str(), numbers[i], end));
  }

  void checkEntry(const gen_entry_info &entry) {
    checkName(entry.name, "entry");
    std::string where = std::string("entry '") + entry.name + "': ";
    if (!entry.plan || !entry.run)
      reject(where + "no code");
    checkCount(entry.argument_count, entry.arguments, where + "arguments");
    checkCount(entry.result_count, entry.results, where + "results");
    checkCount(entry.dimension_count, entry.dimensions, where + "dimension symbols");
    checkNumbers(entry.written_count, entry.written, artefact.variable_count,
                 where + "written variables");
    checkNumbers(entry.packed_count, entry.packed, artefact.packed_count, where + "packed copies");
    for (uint32_t i = 0; i < entry.dimension_count; ++i)
      checkName(entry.dimensions[i], where + "dimension symbol");
    std::vector<bool> bound(entry.dimension_count);
    for (uint32_t i = 0; i < entry.argument_count; ++i)
      checkShape(entry, entry.arguments[i], where + "argument", &bound);
    for (uint32_t i = 0; i < entry.result_count; ++i)
      checkShape(entry, entry.results[i], where + "result", nullptr);
    for (uint32_t i = 0; i < entry.dimension_count; ++i)
      if (!bound[i])
        reject(format("%sno argument has the dimension '%s'", where.c_str(), entry.dimensions[i]));
  }

  // `bound` is null for results, whose sizes may also be unknown before `plan`.
  void checkShape(const gen_entry_info &entry, const gen_tensor_info &tensor,
                  const std::string &what, std::vector<bool> *bound) {
    checkTensor(tensor, what);
    for (uint32_t axis = 0; axis < tensor.rank; ++axis) {
      int64_t size = tensor.shape[axis];
      if (size >= 0 || (!bound && size == INT64_MIN))
        continue;
      if (size < -int64_t(entry.dimension_count))
        reject(format("%s '%s': size %lld of axis %u is no dimension symbol", what.c_str(),
                      tensor.name, (long long)size, axis));
      if (bound)
        (*bound)[-(size + 1)] = true;
    }
  }

  const gen_artefact_info &artefact;
  const char *origin;
};

} // namespace

void checkArtefact(const gen_artefact_info &artefact, const std::string &origin) {
  Checker(artefact, origin).check();
}

} // namespace gen::runtime
