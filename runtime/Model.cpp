// Opening and closing models. A file is read into a private memory file, checked there, and loaded
// from there: what is checked is what is loaded, later changes of the file do not matter, and the
// loader's cache of names and inodes cannot hand back the code of an earlier file.
#include "Model.h"

#include "Container.h"
#include "File.h"

#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace gen::runtime {
namespace {

// A file descriptor, closed at the end of the scope unless released.
struct Descriptor {
  explicit Descriptor(int number) : number(number) {}
  ~Descriptor() {
    if (number >= 0)
      close(number);
  }
  int release() { return std::exchange(number, -1); }
  int number;
};

// Where no memory file can be had (or executed), the file itself is loaded.
int makePrivateCopy(const std::vector<unsigned char> &bytes) {
  int descriptor = memfd_create("gen-model", MFD_CLOEXEC);
  if (descriptor >= 0 && !writeAll(descriptor, bytes.data(), bytes.size())) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

void *load(const std::string &file, const std::string &path) {
  if (void *handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL))
    return handle;
  const char *reason = dlerror();
  fail(GEN_INCOMPATIBLE, "%s: cannot load: %s", path.c_str(), reason ? reason : "unknown reason");
}

// The best of the artefact's variants that this processor can run.
const gen_artefact_info *chooseVariant(const gen_artefact_info *artefact, const std::string &path) {
  checkArtefact(*artefact, path);
  const gen_artefact_info *best = artefact;
  for (uint32_t i = 0; i < artefact->variant_count; ++i)
    if (canRun(artefact->variants[i]->header))
      best = artefact->variants[i];
  if (best != artefact)
    checkArtefact(*best, path);
  return best;
}

// The code for GPUs among the artefact and its variants, or null.
const gen_device_artefact_info *chooseDevice(const gen_artefact_info *artefact,
                                             const std::string &path) {
  const gen_artefact_info *device = isForDevice(artefact->header) ? artefact : nullptr;
  for (uint32_t i = 0; i < artefact->variant_count; ++i)
    if (isForDevice(artefact->variants[i]->header))
      device = artefact->variants[i];
  if (!device || !canRunLaunches(device->header))
    return nullptr;
  checkArtefact(*device, path);
  auto *info = reinterpret_cast<const gen_device_artefact_info *>(device);
  if (device->size < sizeof *info || !info->image || device->entry_count != artefact->entry_count ||
      device->variable_count != artefact->variable_count)
    fail(GEN_CORRUPT, "%s: damaged artefact: its code for GPUs is another model's", path.c_str());
  return info;
}

gen_model *openModel(const std::string &path) {
  std::vector<unsigned char> bytes = readFile(path, INT64_MAX);
  gen_artefact_header header = checkContainer(bytes.data(), bytes.size(), path);

  // The descriptor stays open with the model: the loader knows the file by its number, which must
  // not be used again while this one is loaded.
  Descriptor copy(makePrivateCopy(bytes));
  void *handle = load(
      copy.number >= 0 ? "/proc/self/fd/" + std::to_string(copy.number) : absolutePath(path), path);
  auto *artefact = static_cast<const gen_artefact_info *>(dlsym(handle, GEN_ARTEFACT_SYMBOL));
  try {
    if (!artefact || std::memcmp(&artefact->header, &header, sizeof header) != 0)
      fail(GEN_CORRUPT, "%s: damaged artefact: %s", path.c_str(),
           artefact ? "header and section " GEN_ARTEFACT_SECTION " differ"
                    : "no symbol " GEN_ARTEFACT_SYMBOL);
    auto *model = new gen_model(chooseVariant(artefact, path), chooseDevice(artefact, path), handle,
                                copy.number);
    copy.release();
    return model;
  } catch (...) {
    dlclose(handle);
    throw;
  }
}

} // namespace
} // namespace gen::runtime

using namespace gen::runtime;

gen_model::~gen_model() {
  if (handle)
    dlclose(handle);
  if (descriptor >= 0)
    close(descriptor);
}

// "'init', 'sample', 'train_step'", shortened for large models.
template <class NameOf> static std::string listNames(size_t count, NameOf &&nameOf) {
  std::string text;
  for (size_t i = 0; i < count && i < 16; ++i)
    text += (i ? ", '" : "'") + std::string(nameOf(i)) + "'";
  if (count > 16)
    text += format(", ... (%zu in all)", count);
  return count ? text : "none";
}

const gen_entry_info &gen_model::findEntry(const char *name) const {
  for (uint32_t i = 0; i < artefact->entry_count; ++i)
    if (std::strcmp(artefact->entries[i].name, name) == 0)
      return artefact->entries[i];
  std::string names =
      listNames(artefact->entry_count, [&](size_t i) { return artefact->entries[i].name; });
  fail(GEN_NOT_FOUND, "model '%s' has no entry '%s'; hint: its entries are %s", artefact->name,
       name, names.c_str());
}

size_t gen_model::findVariable(const char *name) const {
  for (uint32_t i = 0; i < artefact->variable_count; ++i)
    if (std::strcmp(artefact->variables[i].tensor.name, name) == 0)
      return i;
  std::string names = listNames(artefact->variable_count,
                                [&](size_t i) { return artefact->variables[i].tensor.name; });
  fail(GEN_NOT_FOUND, "model '%s' has no variable '%s'; hint: its variables are %s", artefact->name,
       name, names.c_str());
}

gen_status *gen_model_open(const char *path, gen_model **model) {
  return guard([&] {
    requireNonNull(model, "gen_model_open", "model");
    *model = nullptr;
    requireNonNull(path, "gen_model_open", "path");
    *model = openModel(path);
  });
}

gen_status *gen_model_from_artefact(const gen_artefact_info *artefact, gen_model **model) {
  return guard([&] {
    requireNonNull(model, "gen_model_from_artefact", "model");
    *model = nullptr;
    requireNonNull(artefact, "gen_model_from_artefact", "artefact");
    std::string origin = "linked artefact";
    checkHeader(artefact->header, origin);
    *model =
        new gen_model(chooseVariant(artefact, origin), chooseDevice(artefact, origin), nullptr, -1);
  });
}

void gen_model_close(gen_model *model) {
  if (model)
    model->release();
}
