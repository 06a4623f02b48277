// Saving and loading the variables of a session as safetensors.
#include "File.h"
#include "Safetensors.h"
#include "Session.h"

#include <cstring>

using namespace gen::runtime;

void gen_session::save(const std::string &path, const Renames &renames) {
  Safetensors file;
  file.metadata = metadata;
  std::map<std::string, const char *> owners;
  for (size_t i = 0; i < variables.size(); ++i) {
    const char *own = artefact.variables[i].tensor.name;
    std::optional<std::string> name = renames.fileNameOf(own);
    if (!name)
      continue;
    auto [other, isNew] = owners.emplace(*name, own);
    if (!isNew)
      fail(GEN_INVALID_ARGUMENT, "%s: cannot write: the renames call both '%s' and '%s' '%s'",
           path.c_str(), other->second, own, name->c_str());
    file.tensors.push_back({*name, variable(i), 0, 0});
  }
  if (file.tensors.empty() && !renames.empty())
    fail(GEN_INVALID_ARGUMENT, "%s: cannot write: no rename fits a variable of model '%s'",
         path.c_str(), artefact.name);
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
  Matching(const gen_artefact_info &artefact, const Safetensors &file, const Renames &renames)
      : sources(artefact.variable_count) {
    std::map<std::string_view, uint32_t> byName;
    for (uint32_t i = 0; i < artefact.variable_count; ++i)
      byName.emplace(artefact.variables[i].tensor.name, i);
    for (const SafetensorsTensor &source : file.tensors) {
      const std::string name = renames.variableOf(source.name);
      auto found = byName.find(name);
      const std::string text = name == source.name ? name : source.name + " (for " + name + ")";
      if (found == byName.end()) {
        unexpected.push_back(text);
        continue;
      }
      const gen_tensor_info &variable = artefact.variables[found->second].tensor;
      if (const SafetensorsTensor *other = sources[found->second])
        mismatched.push_back(text + " (" + other->name + " is for the same variable)");
      sources[found->second] = &source;
      const gen_tensor &got = source.tensor;
      if (got.dtype != variable.dtype || got.rank != variable.rank ||
          !std::equal(got.shape, got.shape + got.rank, variable.shape))
        mismatched.push_back(text + " (expected " +
                             describe(variable.dtype, variable.shape, variable.rank) + ", got " +
                             describe(got) + ")");
    }
    for (uint32_t i = 0; i < artefact.variable_count; ++i)
      if (!sources[i])
        missing.emplace_back(artefact.variables[i].tensor.name);
  }

  void check(const char *modelName, const std::string &path, bool partial) {
    std::string problems = summary("mismatched", mismatched);
    if (!partial)
      problems += summary("missing", missing) + summary("unexpected", unexpected);
    if (!problems.empty())
      fail(GEN_INVALID_ARGUMENT, "%s: does not fit model '%s'%s%s", path.c_str(), modelName,
           problems.c_str(),
           !mismatched.empty() || partial ? "" : "; hint: a partial load ignores these");
  }

  // A line for all that is left out.
  std::string report() const {
    std::string text;
    for (const std::string &name : missing)
      text += "missing: " + name + "\n";
    for (const std::string &name : unexpected)
      text += "unexpected: " + name + "\n";
    return text;
  }

  std::vector<const SafetensorsTensor *> sources; // of each variable, or null

private:
  using Names = std::vector<std::string>;

  static std::string summary(const char *what, const Names &names) {
    constexpr size_t kShown = 8;
    std::string shown;
    for (size_t i = 0; i < std::min(names.size(), kShown); ++i)
      shown += (i ? ", " : "") + names[i];
    return names.empty() ? ""
                         : format("; %zu %s: %s%s", names.size(), what, shown.c_str(),
                                  names.size() > kShown ? ", ..." : "");
  }

  Names mismatched, missing, unexpected;
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
void gen_session::load(const std::string &path, uint32_t flags, const Renames &renames) {
  InputFile input(path);
  Safetensors file = readHeader(input, path);
  Matching matching(artefact, file, renames);
  matching.check(artefact.name, path, flags & GEN_LOAD_PARTIAL);
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
  loadReport = matching.report();
}

gen_status *gen_session_save(gen_session *session, const char *path) {
  return gen_session_save_renamed(session, path, nullptr, 0);
}

gen_status *gen_session_load(gen_session *session, const char *path, uint32_t flags) {
  return gen_session_load_renamed(session, path, flags, nullptr, 0);
}

gen_status *gen_session_save_renamed(gen_session *session, const char *path,
                                     const gen_rename *renames, size_t count) {
  return guard([&] {
    requireNonNull(path, "gen_session_save", "path");
    SessionUse use(session, "gen_session_save");
    session->save(path, Renames(renames, count, "gen_session_save_renamed"));
  });
}

gen_status *gen_session_load_renamed(gen_session *session, const char *path, uint32_t flags,
                                     const gen_rename *renames, size_t count) {
  return guard([&] {
    requireNonNull(path, "gen_session_load", "path");
    SessionUse use(session, "gen_session_load");
    if (flags & ~uint32_t(GEN_LOAD_PARTIAL))
      fail(GEN_INVALID_ARGUMENT, "gen_session_load: unknown flags 0x%x", flags);
    session->load(path, flags, Renames(renames, count, "gen_session_load_renamed"));
  });
}

const char *gen_session_load_report(const gen_session *session) {
  return session ? session->loadReport.c_str() : "";
}
