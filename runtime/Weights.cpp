// Saving and loading the variables of a session as safetensors.
#include "File.h"
#include "Safetensors.h"
#include "Session.h"

#include <cstring>

using namespace gen::runtime;

void gen_session::save(const std::string &path) {
  Safetensors file;
  file.metadata = metadata;
  for (size_t i = 0; i < variables.size(); ++i)
    file.tensors.push_back({model->artefact->variables[i].tensor.name, variable(i), 0, 0});
  std::string header = writeSafetensorsHeader(file);
  if (header.size() - 8 > kMaxSafetensorsHeader)
    fail(GEN_INVALID_ARGUMENT, "%s: cannot write: header of %zu bytes, the format allows %llu",
         path.c_str(), header.size() - 8, (unsigned long long)kMaxSafetensorsHeader);
  AtomicFile output(path);
  output.write(header);
  for (const SafetensorsTensor &tensor : file.tensors)
    output.write(tensor.tensor.data, tensor.end - tensor.begin);
  output.commit();
}

namespace {

// Matches the tensors of a file with the variables of a model and says all that does not fit.
class Matching {
public:
  Matching(const gen_artefact_info &artefact, const Safetensors &file)
      : sources(artefact.variable_count) {
    std::map<std::string_view, uint32_t> byName;
    for (uint32_t i = 0; i < artefact.variable_count; ++i)
      byName.emplace(artefact.variables[i].tensor.name, i);
    for (const SafetensorsTensor &source : file.tensors) {
      auto found = byName.find(source.name);
      if (found == byName.end()) {
        add(unexpected, source.name);
        continue;
      }
      const gen_tensor_info &variable = artefact.variables[found->second].tensor;
      sources[found->second] = &source;
      const gen_tensor &got = source.tensor;
      if (got.dtype != variable.dtype || got.rank != variable.rank ||
          !std::equal(got.shape, got.shape + got.rank, variable.shape))
        add(mismatched, source.name + " (expected " +
                            describe(variable.dtype, variable.shape, variable.rank) + ", got " +
                            describe(got) + ")");
    }
    for (uint32_t i = 0; i < artefact.variable_count; ++i)
      if (!sources[i])
        add(missing, artefact.variables[i].tensor.name);
  }

  void check(const char *modelName, const std::string &path, bool partial) {
    std::string problems = mismatched.text("mismatched");
    if (!partial)
      problems += missing.text("missing") + unexpected.text("unexpected");
    if (!problems.empty())
      fail(GEN_INVALID_ARGUMENT, "%s: does not fit model '%s'%s%s", path.c_str(), modelName,
           problems.c_str(),
           mismatched.count || partial ? "" : "; hint: a partial load ignores these");
  }

  std::vector<const SafetensorsTensor *> sources; // of each variable, or null

private:
  struct List {
    std::string names;
    size_t count = 0;

    std::string text(const char *what) const {
      if (!count)
        return "";
      return format("; %zu %s: %s%s", count, what, names.c_str(), count > kShown ? ", ..." : "");
    }
  };
  static constexpr size_t kShown = 8;

  static void add(List &list, const std::string &name) {
    if (++list.count <= kShown)
      list.names += (list.count > 1 ? ", " : "") + name;
  }

  List mismatched, missing, unexpected;
};

// A byte other than 0 and 1 is no boolean, and compiled code relies on that.
void checkBooleans(const Buffer &data, const SafetensorsTensor &source, const std::string &path) {
  auto *bytes = static_cast<const unsigned char *>(data.data());
  for (uint64_t i = 0; i < source.end - source.begin; ++i)
    if (bytes[i] > 1)
      fail(GEN_CORRUPT, "%s: byte %llu: tensor '%s': value %u of a BOOL, expected 0 or 1",
           path.c_str(), (unsigned long long)(source.begin + i), source.name.c_str(), bytes[i]);
}

Safetensors readHeader(const InputFile &input, const std::string &path) {
  if (input.size() < 8)
    fail(GEN_CORRUPT, "%s: file of %llu bytes, too short for safetensors", path.c_str(),
         (unsigned long long)input.size());
  unsigned char first[8];
  input.read(first, sizeof first, 0);
  std::string header(readSafetensorsLength(first, input.size(), path), '\0');
  input.read(header.data(), header.size(), sizeof first);
  return readSafetensorsHeader(header, input.size(), path);
}

} // namespace

// All data are read before any variable changes. They are read, not mapped: a mapped file that
// another program shortens would end this one.
void gen_session::load(const std::string &path, uint32_t flags) {
  InputFile input(path);
  Safetensors file = readHeader(input, path);
  Matching matching(*model->artefact, file);
  matching.check(model->artefact->name, path, flags & GEN_LOAD_PARTIAL);
  std::vector<Buffer> staged(variables.size());
  for (size_t i = 0; i < variables.size(); ++i)
    if (const SafetensorsTensor *source = matching.sources[i]) {
      staged[i].reserve(source->end - source->begin);
      input.read(staged[i].data(), source->end - source->begin, source->begin);
      if (source->tensor.dtype == GEN_I1)
        checkBooleans(staged[i], *source, path);
    }
  for (size_t i = 0; i < variables.size(); ++i)
    if (const SafetensorsTensor *source = matching.sources[i]) {
      std::memcpy(variables[i].data(), staged[i].data(), source->end - source->begin);
      noteWrite(i);
    }
  metadata = std::move(file.metadata);
}

gen_status *gen_session_save(gen_session *session, const char *path) {
  return guard([&] {
    requireNonNull(path, "gen_session_save", "path");
    SessionUse use(session, "gen_session_save");
    session->save(path);
  });
}

gen_status *gen_session_load(gen_session *session, const char *path, uint32_t flags) {
  return guard([&] {
    requireNonNull(path, "gen_session_load", "path");
    SessionUse use(session, "gen_session_load");
    if (flags & ~uint32_t(GEN_LOAD_PARTIAL))
      fail(GEN_INVALID_ARGUMENT, "gen_session_load: unknown flags 0x%x", flags);
    session->load(path, flags);
  });
}
