// What a model says about itself: names, entries, arguments, results, variables.
#include "Model.h"
#include "Tensors.h"

using namespace gen::runtime;

static const gen_entry_info *entryAt(const gen_model *model, size_t entry) {
  return model && entry < model->artefact->entry_count ? &model->artefact->entries[entry] : nullptr;
}

// Fills *spec from row `index` of a table of `count` tensors.
static gen_status *getSpec(const char *function, const gen_tensor_info *table, size_t count,
                           size_t index, const char *const *dimensions, gen_tensor_spec *spec) {
  return guard([&] {
    requireNonNull(spec, function, "spec");
    *spec = {};
    if (index >= count)
      fail(GEN_INVALID_ARGUMENT, "%s: number %zu of %zu", function, index, count);
    *spec = makeSpec(table[index], dimensions);
  });
}

const char *gen_model_name(const gen_model *model) { return model->artefact->name; }
const char *gen_model_producer(const gen_model *model) { return model->artefact->producer; }
const char *gen_model_target(const gen_model *model) { return model->artefact->target; }

size_t gen_model_entry_count(const gen_model *model) { return model->artefact->entry_count; }

const char *gen_model_entry_name(const gen_model *model, size_t entry) {
  const gen_entry_info *info = entryAt(model, entry);
  return info ? info->name : nullptr;
}

gen_status *gen_model_find_entry(const gen_model *model, const char *name, size_t *entry) {
  return guard([&] {
    requireNonNull(model, "gen_model_find_entry", "model");
    requireNonNull(name, "gen_model_find_entry", "name");
    requireNonNull(entry, "gen_model_find_entry", "entry");
    *entry = &model->findEntry(name) - model->artefact->entries;
  });
}

size_t gen_model_argument_count(const gen_model *model, size_t entry) {
  const gen_entry_info *info = entryAt(model, entry);
  return info ? info->argument_count : 0;
}

size_t gen_model_result_count(const gen_model *model, size_t entry) {
  const gen_entry_info *info = entryAt(model, entry);
  return info ? info->result_count : 0;
}

gen_status *gen_model_argument(const gen_model *model, size_t entry, size_t index,
                               gen_tensor_spec *spec) {
  const gen_entry_info *info = entryAt(model, entry);
  return getSpec("gen_model_argument", info ? info->arguments : nullptr,
                 info ? info->argument_count : 0, index, info ? info->dimensions : nullptr, spec);
}

gen_status *gen_model_result(const gen_model *model, size_t entry, size_t index,
                             gen_tensor_spec *spec) {
  const gen_entry_info *info = entryAt(model, entry);
  return getSpec("gen_model_result", info ? info->results : nullptr, info ? info->result_count : 0,
                 index, info ? info->dimensions : nullptr, spec);
}

size_t gen_model_variable_count(const gen_model *model) { return model->artefact->variable_count; }

gen_status *gen_model_variable(const gen_model *model, size_t index, gen_tensor_spec *spec) {
  return guard([&] {
    requireNonNull(model, "gen_model_variable", "model");
    requireNonNull(spec, "gen_model_variable", "spec");
    *spec = {};
    if (index >= model->artefact->variable_count)
      fail(GEN_INVALID_ARGUMENT, "gen_model_variable: number %zu of %u", index,
           model->artefact->variable_count);
    *spec = makeSpec(model->artefact->variables[index].tensor, nullptr);
  });
}
