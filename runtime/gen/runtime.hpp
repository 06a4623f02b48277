// gen/runtime.hpp - opens compiled models and runs them: the C++ interface (C++17, this header
// only, over gen/runtime.h).
//
//   gen::Model model = gen::Model::open("vae.so");
//   gen::Session session(model, {.seed = 1, .threads = 2});
//   float loss = session.call("train_step", {images}).scalar<float>("loss");
//   session.save("vae.safetensors");
//   gen::Array samples = session.call("sample")["x"];
//
// Errors are thrown as gen::Error. Objects are movable and release what they hold. A Model may be
// shared by threads; a Session serves one thread at a time.
#ifndef GEN_RUNTIME_HPP
#define GEN_RUNTIME_HPP

#include "gen/dlpack.h"
#include "gen/runtime.h"

#include <cstring>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gen {

/// What every function of this header throws. `code()` is one of GEN_INVALID_ARGUMENT, ... of
/// runtime.h.
class Error : public std::runtime_error {
public:
  Error(int code, const std::string &message) : std::runtime_error(message), statusCode(code) {}
  int code() const noexcept { return statusCode; }

private:
  int statusCode;
};

namespace detail {

/// Throws and releases a status that is not null.
inline void check(gen_status *status) {
  if (!status)
    return;
  Error error(gen_status_code(status), gen_status_message(status));
  gen_status_release(status);
  throw error;
}

} // namespace detail

/// The dtype of a C++ type; `bool` is GEN_I1.
template <class T> constexpr uint32_t dtypeOf() {
  using U = std::remove_cv_t<T>;
  static_assert(std::is_same_v<U, float> || std::is_same_v<U, double> || std::is_same_v<U, bool> ||
                    (std::is_integral_v<U> && std::is_signed_v<U> && sizeof(U) != 2),
                "elements are float, double, bool, int8_t, int32_t or int64_t");
  if constexpr (std::is_same_v<U, float>)
    return GEN_F32;
  else if constexpr (std::is_same_v<U, double>)
    return GEN_F64;
  else if constexpr (std::is_same_v<U, bool>)
    return GEN_I1;
  else
    return sizeof(U) == 1 ? GEN_I8 : sizeof(U) == 4 ? GEN_I32 : GEN_I64;
}

/// A tensor's data seen, not owned: pointer, dtype, shape (dense, row-major).
class View {
public:
  View() = default;
  explicit View(const gen_tensor &tensor) : tensor(tensor) {}
  /// Data of the caller, which must outlive the view.
  template <class T> View(const T *data, const std::vector<int64_t> &shape) {
    tensor.data = const_cast<std::remove_const_t<T> *>(data);
    tensor.dtype = dtypeOf<T>();
    setShape(shape);
  }
  View(const void *data, uint32_t dtype, const std::vector<int64_t> &shape) {
    tensor.data = const_cast<void *>(data);
    tensor.dtype = dtype;
    setShape(shape);
  }

  uint32_t dtype() const { return tensor.dtype; }
  size_t rank() const { return tensor.rank; }
  std::vector<int64_t> shape() const { return {tensor.shape, tensor.shape + tensor.rank}; }
  int64_t dimension(size_t axis) const {
    if (axis >= tensor.rank)
      throw Error(GEN_INVALID_ARGUMENT, "axis " + std::to_string(axis) + " of " + describe());
    return tensor.shape[axis];
  }
  /// Number of elements.
  size_t size() const {
    size_t count = 1;
    for (uint32_t axis = 0; axis < tensor.rank; ++axis)
      count *= size_t(tensor.shape[axis]);
    return count;
  }
  size_t bytes() const { return size() * gen_dtype_size(tensor.dtype); }

  const void *raw() const { return tensor.data; }
  /// The elements; T must be the dtype's type.
  template <class T> const T *data() const {
    requireDType(dtypeOf<T>());
    return static_cast<const T *>(tensor.data);
  }
  /// The only element.
  template <class T> T scalar() const {
    if (size() != 1)
      throw Error(GEN_INVALID_ARGUMENT, "expected one element, got " + describe());
    return *data<T>();
  }
  template <class T> std::vector<T> values() const {
    const T *first = data<T>();
    return std::vector<T>(first, first + size());
  }
  /// "f32[64, 784]".
  std::string describe() const {
    std::string text = gen_dtype_name(tensor.dtype);
    text += '[';
    for (uint32_t axis = 0; axis < tensor.rank; ++axis)
      text += (axis ? ", " : "") + std::to_string(tensor.shape[axis]);
    return text + ']';
  }

  const gen_tensor &c() const { return tensor; }

protected:
  void setShape(const std::vector<int64_t> &shape) {
    if (shape.size() > GEN_MAX_RANK)
      throw Error(GEN_INVALID_ARGUMENT, "rank " + std::to_string(shape.size()) +
                                            ", expected at most " + std::to_string(GEN_MAX_RANK));
    tensor.rank = uint32_t(shape.size());
    for (size_t axis = 0; axis < shape.size(); ++axis)
      tensor.shape[axis] = shape[axis];
  }
  void requireDType(uint32_t wanted) const {
    if (wanted != tensor.dtype)
      throw Error(GEN_INVALID_ARGUMENT,
                  std::string("expected ") + gen_dtype_name(wanted) + ", got " + describe());
  }

  gen_tensor tensor = {};
};

/// A view whose dtype is known to the compiler, for typed interfaces.
template <class T> class ViewOf : public View {
public:
  ViewOf() = default;
  ViewOf(const T *data, const std::vector<int64_t> &shape) : View(data, shape) {}
  /// Throws if the dtype is another one.
  explicit ViewOf(const View &view) : View(view) { requireDType(dtypeOf<T>()); }

  const T *data() const { return static_cast<const T *>(raw()); }
  const T *begin() const { return data(); }
  const T *end() const { return data() + size(); }
  const T &operator[](size_t index) const { return data()[index]; }
};

/// A host tensor that owns its data. Made from a View (a result of a call), it holds a copy.
class Array : public View {
public:
  Array() = default;
  /// Zeros.
  Array(uint32_t dtype, const std::vector<int64_t> &shape) { allocate(dtype, shape); }
  /// A copy of `values`, which must be as many as the shape has.
  template <class T> Array(const std::vector<T> &values, const std::vector<int64_t> &shape) {
    static_assert(!std::is_same_v<T, bool>, "std::vector<bool> has no data; use a View of bool[]");
    allocate(dtypeOf<T>(), shape);
    if (values.size() != size())
      throw Error(GEN_INVALID_ARGUMENT, "expected " + std::to_string(size()) + " values for " +
                                            describe() + ", got " + std::to_string(values.size()));
    if (!values.empty())
      std::memcpy(tensor.data, values.data(), bytes());
  }
  Array(const View &view) { // NOLINT(google-explicit-constructor): results become arrays
    allocate(view.dtype(), view.shape());
    if (bytes())
      std::memcpy(tensor.data, view.raw(), bytes());
  }
  Array(const Array &other) : Array(static_cast<const View &>(other)) {}
  Array(Array &&other) noexcept : View(other), memory(std::move(other.memory)) {
    other.tensor = {};
  }
  Array &operator=(Array other) noexcept {
    std::swap(tensor, other.tensor);
    std::swap(memory, other.memory);
    return *this;
  }

  /// A tensor of rank 0.
  template <class T> static Array of(T value) {
    Array array(dtypeOf<T>(), {});
    *array.data<T>() = value;
    return array;
  }

  using View::data;
  template <class T> T *data() {
    requireDType(dtypeOf<T>());
    return static_cast<T *>(tensor.data);
  }
  void *raw() { return tensor.data; }
  using View::raw;

private:
  struct Release {
    void operator()(void *data) const { ::operator delete(data, std::align_val_t(64)); }
  };

  void allocate(uint32_t dtype, const std::vector<int64_t> &shape) {
    setShape(shape);
    tensor.dtype = dtype;
    size_t total = gen_dtype_size(dtype);
    for (int64_t length : shape)
      if (length < 0 || (length && total > PTRDIFF_MAX / size_t(length)))
        throw Error(GEN_INVALID_ARGUMENT, "impossible shape " + describe());
      else
        total *= size_t(length);
    memory.reset(::operator new(total ? total : 1, std::align_val_t(64)));
    tensor.data = memory.get();
    std::memset(tensor.data, 0, total);
  }

  std::unique_ptr<void, Release> memory;
};

/// A named tensor of a model's interface.
struct TensorSpec {
  std::string name;
  uint32_t dtype = GEN_F32;
  std::vector<int64_t> shape;          ///< -1 where the size is known only at the call
  std::vector<std::string> dimensions; ///< name of the dimension symbol there, else ""

  TensorSpec() = default;
  explicit TensorSpec(const gen_tensor_spec &spec)
      : name(spec.name), dtype(spec.dtype), shape(spec.shape, spec.shape + spec.rank) {
    for (uint32_t axis = 0; axis < spec.rank; ++axis)
      dimensions.emplace_back(spec.dimension[axis] ? spec.dimension[axis] : "");
  }
  /// "f32[batch, 784]".
  std::string describe() const {
    std::string text = gen_dtype_name(dtype);
    text += '[';
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      text += axis ? ", " : "";
      text += shape[axis] >= 0           ? std::to_string(shape[axis])
              : dimensions[axis].empty() ? "?"
                                         : dimensions[axis];
    }
    return text + ']';
  }
};

/// A public function of a model.
struct EntrySpec {
  std::string name;
  std::vector<TensorSpec> inputs, results;
};

/// A compiled model; immutable, cheap to copy, shared by threads.
class Model {
public:
  Model() = default;
  /// Opens a file written by `gencc`. See gen_model_open.
  static Model open(const std::string &path) {
    gen_model *model = nullptr;
    detail::check(gen_model_open(path.c_str(), &model));
    return Model(model);
  }
  /// A model linked into the program; `artefact` must outlive it.
  static Model fromArtefact(const gen_artefact_info &artefact) {
    gen_model *model = nullptr;
    detail::check(gen_model_from_artefact(&artefact, &model));
    return Model(model);
  }
  /// Takes over a model of the C interface.
  explicit Model(gen_model *model) : handle(model, gen_model_close) {}

  std::string name() const { return gen_model_name(c()); }
  std::string producer() const { return gen_model_producer(c()); }
  std::string target() const { return gen_model_target(c()); }

  std::vector<EntrySpec> entries() const {
    std::vector<EntrySpec> specs;
    for (size_t entry = 0; entry < gen_model_entry_count(c()); ++entry)
      specs.push_back(specOf(entry));
    return specs;
  }
  EntrySpec entry(const std::string &name) const {
    size_t entry = 0;
    detail::check(gen_model_find_entry(c(), name.c_str(), &entry));
    return specOf(entry);
  }
  bool hasEntry(std::string_view name) const {
    for (size_t entry = 0; entry < gen_model_entry_count(c()); ++entry)
      if (name == gen_model_entry_name(c(), entry))
        return true;
    return false;
  }
  std::vector<TensorSpec> variables() const {
    std::vector<TensorSpec> specs;
    for (size_t index = 0; index < gen_model_variable_count(c()); ++index) {
      gen_tensor_spec spec;
      detail::check(gen_model_variable(c(), index, &spec));
      specs.emplace_back(spec);
    }
    return specs;
  }

  /// The model of the C interface; throws for an empty Model.
  gen_model *c() const {
    if (!handle)
      throw Error(GEN_INVALID_ARGUMENT, "an empty gen::Model");
    return handle.get();
  }

private:
  EntrySpec specOf(size_t entry) const {
    EntrySpec result;
    result.name = gen_model_entry_name(c(), entry);
    gen_tensor_spec spec;
    for (size_t index = 0; index < gen_model_argument_count(c(), entry); ++index) {
      detail::check(gen_model_argument(c(), entry, index, &spec));
      result.inputs.emplace_back(spec);
    }
    for (size_t index = 0; index < gen_model_result_count(c(), entry); ++index) {
      detail::check(gen_model_result(c(), entry, index, &spec));
      result.results.emplace_back(spec);
    }
    return result;
  }

  std::shared_ptr<gen_model> handle;
};

/// How to make a session; all fields may be left out.
struct SessionOptions {
  uint64_t seed = 0;                      ///< of everything random
  uint32_t threads = 0;                   ///< including the caller's; 0: one for each processor
  bool profile = false;                   ///< record a profile from the start
  bool keepDenormals = false;             ///< see GEN_KEEP_DENORMALS
  gen_parallel_for parallelFor = nullptr; ///< runs parallel work instead of own threads
  void *parallelContext = nullptr;
  std::string device =
      "cpu";              ///< what entries run on: cpu, cuda (the first NVIDIA GPU), cuda:1, ...
  void *stream = nullptr; ///< of a GPU: the CUstream on which all happens; null: the session's own
};

/// Results of a call, by name or number: views of memory that the session owns, valid until the
/// next call of the same entry.
class Results {
public:
  size_t size() const { return views.size(); }
  View operator[](size_t index) const {
    if (index >= views.size())
      throw Error(GEN_INVALID_ARGUMENT, entry + ": result number " + std::to_string(index) +
                                            " of " + std::to_string(views.size()));
    return View(views[index]);
  }
  View operator[](int index) const { return (*this)[size_t(index)]; }
  View operator[](std::string_view name) const {
    std::string names;
    for (size_t index = 0; index < views.size(); ++index) {
      if (name == this->name(index))
        return View(views[index]);
      names += (index ? ", '" : "'") + this->name(index) + "'";
    }
    throw Error(GEN_NOT_FOUND, entry + ": no result '" + std::string(name) +
                                   "'; hint: its results are " + (names.empty() ? "none" : names));
  }
  View operator[](const char *name) const { return (*this)[std::string_view(name)]; }
  View operator[](const std::string &name) const { return (*this)[std::string_view(name)]; }
  template <class T> T scalar(std::string_view name) const { return (*this)[name].scalar<T>(); }

  std::string name(size_t index) const {
    gen_tensor_spec spec;
    detail::check(gen_model_result(model.c(), entryNumber, index, &spec));
    return spec.name;
  }

private:
  friend class Session;
  Model model;
  std::string entry;
  size_t entryNumber = 0;
  std::vector<gen_tensor> views;
};

/// A name in a weights file for a variable's; see gen_rename.
struct Rename {
  std::string file, variable;
};

/// One instance of a model: variables, memory, threads. One thread at a time.
class Session {
public:
  Session() = default;
  explicit Session(const Model &model, const SessionOptions &options = SessionOptions())
      : opened(model) {
    gen_session_options c = GEN_SESSION_OPTIONS_INIT;
    c.seed = options.seed;
    c.threads = options.threads;
    c.flags = (options.profile ? uint32_t(GEN_PROFILE) : 0) |
              (options.keepDenormals ? uint32_t(GEN_KEEP_DENORMALS) : 0);
    c.parallel_for = options.parallelFor;
    c.parallel_context = options.parallelContext;
    c.device = options.device.c_str();
    c.stream = options.stream;
    gen_session *session = nullptr;
    detail::check(gen_session_create(model.c(), &c, &session));
    handle.reset(session);
  }

  /// The model it is a session of.
  const Model &model() const { return opened; }

  /// Calls an entry; see gen_session_call.
  Results call(const std::string &entry, std::initializer_list<View> inputs = {}) {
    return call(entry, inputs.begin(), inputs.size());
  }
  Results call(const std::string &entry, const std::vector<View> &inputs) {
    return call(entry, inputs.data(), inputs.size());
  }
  Results call(const std::string &entry, const View *inputs, size_t count) {
    Results results;
    results.model = opened;
    results.entry = entry;
    detail::check(gen_model_find_entry(opened.c(), entry.c_str(), &results.entryNumber));
    results.views.resize(gen_model_result_count(opened.c(), results.entryNumber));
    std::vector<gen_tensor> arguments = tensorsOf(inputs, count);
    detail::check(gen_session_call(c(), entry.c_str(), arguments.data(), arguments.size(),
                                   results.views.data(), results.views.size()));
    return results;
  }
  /// Calls an entry in the memory of the device, without a copy and without waiting: the views of
  /// inputs and results have its addresses. See gen_session_call_on_device.
  Results callOnDevice(const std::string &entry, const std::vector<View> &inputs = {}) {
    Results results;
    results.model = opened;
    results.entry = entry;
    detail::check(gen_model_find_entry(opened.c(), entry.c_str(), &results.entryNumber));
    results.views.resize(gen_model_result_count(opened.c(), results.entryNumber));
    std::vector<gen_tensor> arguments = tensorsOf(inputs.data(), inputs.size());
    detail::check(gen_session_call_on_device(c(), entry.c_str(), arguments.data(), arguments.size(),
                                             results.views.data(), results.views.size()));
    return results;
  }
  /// Waits for all calls; their errors are thrown.
  void wait() { detail::check(gen_session_wait(c())); }
  /// The CUstream of a session on a GPU, and CUevents on it; see gen_session_wait_event.
  void *stream() {
    void *stream = nullptr;
    detail::check(gen_session_stream(c(), &stream));
    return stream;
  }
  void waitEvent(void *event) { detail::check(gen_session_wait_event(c(), event)); }
  void recordEvent(void *event) { detail::check(gen_session_record_event(c(), event)); }

  /// Calls an entry with results written to the caller's arrays; see gen_session_call_into.
  void callInto(const std::string &entry, const std::vector<View> &inputs,
                const std::vector<View> &results) {
    std::vector<gen_tensor> arguments = tensorsOf(inputs.data(), inputs.size());
    std::vector<gen_tensor> outputs = tensorsOf(results.data(), results.size());
    detail::check(gen_session_call_into(c(), entry.c_str(), arguments.data(), arguments.size(),
                                        outputs.data(), outputs.size()));
  }

  /// Number of threads that work for the session, including the caller's.
  uint32_t threadCount() const { return gen_session_thread_count(c()); }

  /// A view of a variable, valid for the life of the session; calls change its contents.
  View variable(const std::string &name) {
    gen_tensor view;
    detail::check(gen_session_variable(c(), name.c_str(), &view));
    return View(view);
  }
  void setVariable(const std::string &name, const View &value) {
    detail::check(gen_session_set_variable(c(), name.c_str(), &value.c()));
  }
  /// Variables to and from safetensors; see gen_session_save and gen_session_load.
  void save(const std::string &path) { detail::check(gen_session_save(c(), path.c_str())); }
  void load(const std::string &path, bool partial = false) {
    detail::check(gen_session_load(c(), path.c_str(), partial ? uint32_t(GEN_LOAD_PARTIAL) : 0));
  }
  /// The same under other names; see gen_session_save_renamed and gen_session_load_renamed.
  void save(const std::string &path, const std::vector<Rename> &renames) {
    std::vector<gen_rename> pairs = pairsOf(renames);
    detail::check(gen_session_save_renamed(c(), path.c_str(), pairs.data(), pairs.size()));
  }
  void load(const std::string &path, const std::vector<Rename> &renames, bool partial = false) {
    std::vector<gen_rename> pairs = pairsOf(renames);
    detail::check(gen_session_load_renamed(
        c(), path.c_str(), partial ? uint32_t(GEN_LOAD_PARTIAL) : 0, pairs.data(), pairs.size()));
  }
  /// What the last load, a partial one, has left out, a line each; see gen_session_load_report.
  std::string loadReport() const { return gen_session_load_report(c()); }
  /// Strings saved with the variables; "" if there is none of that key.
  std::string metadata(const std::string &key) const {
    const char *value = gen_session_metadata(c(), key.c_str());
    return value ? value : "";
  }
  void setMetadata(const std::string &key, const std::string &value) {
    detail::check(gen_session_set_metadata(c(), key.c_str(), value.c_str()));
  }

  void startProfile() { detail::check(gen_profile_start(c())); }
  void stopProfile() { detail::check(gen_profile_stop(c())); }
  void writeProfile(const std::string &path) {
    detail::check(gen_profile_write(c(), path.c_str()));
  }
  /// The least seconds that what was recorded could take on this machine; see gen_profile_limit().
  double profileLimit() {
    double seconds = 0;
    detail::check(gen_profile_limit(c(), &seconds));
    return seconds;
  }
  /// The kernels that have run since the profile was started, the slowest first.
  std::vector<gen_kernel_profile> profile() const {
    std::vector<gen_kernel_profile> kernels(gen_profile_kernel_count(c()));
    for (size_t index = 0; index < kernels.size(); ++index)
      detail::check(gen_profile_kernel(c(), index, &kernels[index]));
    return kernels;
  }

  /// The session of the C interface; throws for an empty Session.
  gen_session *c() const {
    if (!handle)
      throw Error(GEN_INVALID_ARGUMENT, "an empty gen::Session");
    return handle.get();
  }

private:
  struct Close {
    void operator()(gen_session *session) const { gen_session_close(session); }
  };

  static std::vector<gen_rename> pairsOf(const std::vector<Rename> &renames) {
    std::vector<gen_rename> pairs;
    for (const Rename &rename : renames)
      pairs.push_back({rename.file.c_str(), rename.variable.c_str()});
    return pairs;
  }
  static std::vector<gen_tensor> tensorsOf(const View *views, size_t count) {
    std::vector<gen_tensor> tensors;
    for (size_t index = 0; index < count; ++index)
      tensors.push_back(views[index].c());
    return tensors;
  }

  Model opened;
  std::unique_ptr<gen_session, Close> handle;
};

/// A view of a DLPack tensor, which keeps its owner.
inline View viewFromDLPack(const DLManagedTensor &managed) {
  gen_tensor tensor;
  detail::check(gen_tensor_from_dlpack(&managed, &tensor));
  return View(tensor);
}

/// The same for memory of the session's device, for Session::callOnDevice.
inline View viewFromDLPack(const Session &session, const DLManagedTensor &managed) {
  gen_tensor tensor;
  detail::check(gen_session_from_dlpack(session.c(), &managed, &tensor));
  return View(tensor);
}

/// A DLPack tensor over what a view of the session's device sees; the data stay whose they are. The
/// consumer calls the deleter.
inline DLManagedTensor *toDLPack(const Session &session, const View &view) {
  DLManagedTensor *managed = nullptr;
  detail::check(gen_session_to_dlpack(session.c(), &view.c(), &managed));
  return managed;
}

/// A DLPack tensor that owns a copy-free reference to the array's data: the array moves into it and
/// is released with it. The consumer calls the deleter.
inline DLManagedTensor *toDLPack(Array array) {
  struct Owner {
    Array array;
    DLManagedTensor *inner;
    DLManagedTensor outer;
  };
  DLManagedTensor *inner = nullptr;
  detail::check(gen_tensor_to_dlpack(&array.c(), &inner));
  auto *owner = new Owner{std::move(array), inner, *inner};
  owner->outer.manager_ctx = owner;
  owner->outer.deleter = [](DLManagedTensor *self) {
    auto *owner = static_cast<Owner *>(self->manager_ctx);
    owner->inner->deleter(owner->inner);
    delete owner;
  };
  return &owner->outer;
}

} // namespace gen
#endif // GEN_RUNTIME_HPP
