/* gen/runtime.h - opens compiled models and runs them: the C interface (C11).
 *
 *   gen_model    a compiled model, immutable, shared by any number of threads and sessions
 *   gen_session  one instance of a model: its own variables, memory and threads; used by one thread
 * at a time gen_tensor   a view of dense row-major data: pointer, dtype, rank, shape; never owns
 * the data gen_status   an error, or null when all went well
 *
 * Every function that can fail returns a `gen_status *`: null is success, anything else says what
 * is wrong, where, what was expected and what was got, and is released by the caller. After a
 * failure the objects are as they were before the call, unless a function says otherwise; pointers
 * returned through arguments are null.
 *
 *   gen_model *model;
 *   gen_session *session;
 *   gen_status *status = gen_model_open("vae.so", &model);
 *   if (!status) status = gen_session_create(model, NULL, &session);
 *   gen_tensor x;
 *   if (!status) status = gen_session_call(session, "sample", NULL, 0, &x, 1);
 *   if (status) fprintf(stderr, "error: %s\n", gen_status_message(status));
 */
#ifndef GEN_RUNTIME_H
#define GEN_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "gen/artefact.h"

#if defined(__GNUC__)
#define GEN_API __attribute__((visibility("default")))
#else
#define GEN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define GEN_MAX_RANK 8

typedef struct gen_model gen_model;
typedef struct gen_session gen_session;
typedef struct gen_status gen_status;

/* ---- status ------------------------------------------------------------------------------------
 */

/* What kind of error a status is. Values are never reused. */
enum {
  GEN_OK = 0,
  GEN_INVALID_ARGUMENT = 1, /* a wrong name, dtype, rank, dimension, count or null pointer */
  GEN_NOT_FOUND = 2,        /* no such file, entry or variable */
  GEN_INCOMPATIBLE = 3,     /* a foreign or newer artefact, or one for another processor */
  GEN_CORRUPT = 4,          /* a file whose contents contradict themselves */
  GEN_IO = 5,               /* the operating system refused to read or write */
  GEN_OUT_OF_MEMORY = 6,
  GEN_BUSY = 7,    /* the session is in use by another thread */
  GEN_INTERNAL = 8 /* an error of the runtime itself */
};

/* The kind of an error; GEN_OK for null. */
GEN_API int gen_status_code(const gen_status *status);
/* The message, without a full stop or newline; lives as long as the status. "" for null. */
GEN_API const char *gen_status_message(const gen_status *status);
/* Releases a status; null is allowed. */
GEN_API void gen_status_release(gen_status *status);

/* The version of the runtime, "0.1.0". */
GEN_API const char *gen_runtime_version(void);

/* ---- tensors -----------------------------------------------------------------------------------
 */

/* A view of dense row-major data in host memory. `dtype` is GEN_F32, ... of gen/artefact.h; a
 * GEN_I1 element is one byte, 0 or 1. `data` needs the alignment of an element only, and may be
 * null if the tensor has no elements. */
typedef struct gen_tensor {
  void *data;
  uint32_t dtype;
  uint32_t rank;
  int64_t shape[GEN_MAX_RANK];
} gen_tensor;

/* A named tensor of a model's interface. Strings live as long as the model. */
typedef struct gen_tensor_spec {
  const char *name;
  uint32_t dtype;
  uint32_t rank;
  int64_t shape[GEN_MAX_RANK];         /* -1 where the size is known only at the call */
  const char *dimension[GEN_MAX_RANK]; /* name of the dimension symbol there, else null */
} gen_tensor_spec;

/* Bytes of one element; 0 for an unknown dtype. */
GEN_API size_t gen_dtype_size(uint32_t dtype);
/* "f32", "f64", "i1", "i8", "i32", "i64", "f16", "bf16"; "?" for an unknown dtype. Static. */
GEN_API const char *gen_dtype_name(uint32_t dtype);

/* ---- models ------------------------------------------------------------------------------------
 */

/* Opens a compiled model from a file written by `gencc`. The container is checked before it is
 * loaded, and a private copy is loaded: the file may be overwritten or removed afterwards, and a
 * file written anew is opened anew. An artefact is code: open your own only. The caller closes
 * *model with gen_model_close(). */
GEN_API gen_status *gen_model_open(const char *path, gen_model **model);

/* Makes a model of an artefact that is linked into the program (`gencc --emit=obj`) or was loaded
 * by other means. `artefact` must outlive the model and its sessions. */
GEN_API gen_status *gen_model_from_artefact(const gen_artefact_info *artefact, gen_model **model);

/* Closes a model; null is allowed. Sessions made from it keep what they need until they are closed.
 */
GEN_API void gen_model_close(gen_model *model);

/* Name of the model, of the compiler and of the target, as the compiler wrote them. */
GEN_API const char *gen_model_name(const gen_model *model);
GEN_API const char *gen_model_producer(const gen_model *model);
GEN_API const char *gen_model_target(const gen_model *model);

/* The entries (public functions), numbered from 0. A name is null for a number out of range. */
GEN_API size_t gen_model_entry_count(const gen_model *model);
GEN_API const char *gen_model_entry_name(const gen_model *model, size_t entry);
GEN_API gen_status *gen_model_find_entry(const gen_model *model, const char *name, size_t *entry);

/* Arguments and results of an entry; the counts are 0 for a number out of range. */
GEN_API size_t gen_model_argument_count(const gen_model *model, size_t entry);
GEN_API size_t gen_model_result_count(const gen_model *model, size_t entry);
GEN_API gen_status *gen_model_argument(const gen_model *model, size_t entry, size_t index,
                                       gen_tensor_spec *spec);
GEN_API gen_status *gen_model_result(const gen_model *model, size_t entry, size_t index,
                                     gen_tensor_spec *spec);

/* The variables (parameters, optimizer state, ...), numbered from 0. */
GEN_API size_t gen_model_variable_count(const gen_model *model);
GEN_API gen_status *gen_model_variable(const gen_model *model, size_t index, gen_tensor_spec *spec);

/* ---- sessions ----------------------------------------------------------------------------------
 */

/* Runs body(data, i) for every 0 <= i < count, on any threads in any order, and returns when all
 * are done. Must not throw. */
typedef void (*gen_parallel_for)(void *context, int64_t count,
                                 void (*body)(void *data, int64_t index), void *data);

enum {
  /* Keep denormal numbers. By default they count as zero while compiled code runs (x86: FTZ and
   * DAZ, set for the call only, on the calling thread as on the others): an optimizer's decaying
   * moments would otherwise slow a step manyfold. The caller's floating-point state is restored. */
  GEN_KEEP_DENORMALS = 1u << 0,
  /* Record a profile from the start (see gen_profile_start). */
  GEN_PROFILE = 1u << 1
};

/* How to make a session. Start from GEN_SESSION_OPTIONS_INIT. */
typedef struct gen_session_options {
  size_t size; /* sizeof(gen_session_options) */
  uint64_t
      seed; /* of everything random; the same seed gives the same bits for any number of threads */
  uint32_t threads; /* including the calling one; 0: one for each processor this process may use */
  uint32_t flags;   /* GEN_KEEP_DENORMALS | GEN_PROFILE */
  /* Runs parallel work instead of the session's own threads, if not null. */
  gen_parallel_for parallel_for;
  void *parallel_context;
  /* What entries run on: "cpu" (or null), "cuda", the first NVIDIA GPU, or "cuda:1", ... A GPU
   * needs its driver, and a model compiled with --target=cuda. The variables stay in its memory
   * between calls; arguments and results are copied, and so is, in every call, a variable whose
   * memory was handed out by gen_session_variable. */
  const char *device;
  /* Of a GPU: the stream (a CUstream of its primary context) on which all of the session happens,
   * in order. It must outlive the session, and must not be recorded by others during a call. Null:
   * one of the session's own. */
  void *stream;
} gen_session_options;

#define GEN_SESSION_OPTIONS_INIT {sizeof(gen_session_options), 0, 0, 0, NULL, NULL, NULL, NULL}

/* Makes a session: variables get their initial values, the variable `random.seed` (i64 scalar) the
 * seed, then the entry `init`, if there is one without arguments, is run. `options` may be null.
 * Threads are started by the first call that needs them and sleep when there is nothing to do. The
 * caller closes *session with gen_session_close(). */
GEN_API gen_status *gen_session_create(gen_model *model, const gen_session_options *options,
                                       gen_session **session);
/* Number of threads that work for a session, including the calling one. */
GEN_API uint32_t gen_session_thread_count(const gen_session *session);

/* Closes a session and ends its threads; null is allowed. Views of its tensors become invalid. */
GEN_API void gen_session_close(gen_session *session);

/* Calls an entry. `arguments` are read only, and may be views of this session's own tensors. If
 * `results` is not null, it receives `result_count` views (as many as the entry has) of memory that
 * the session owns; they stay valid until the next call of the same entry, or until the session is
 * closed. The second and later calls with equal shapes allocate no memory. */
GEN_API gen_status *gen_session_call(gen_session *session, const char *entry,
                                     const gen_tensor *arguments, size_t argument_count,
                                     gen_tensor *results, size_t result_count);

/* The same, with results written to the caller's buffers: each of `results` must have the dtype and
 * shape of the result and must not overlap another one. Buffers aligned to 64 bytes that overlap no
 * argument save a copy. The contents of the buffers are undefined after a failure. */
GEN_API gen_status *gen_session_call_into(gen_session *session, const char *entry,
                                          const gen_tensor *arguments, size_t argument_count,
                                          const gen_tensor *results, size_t result_count);

/* The shapes that the results of a call would have: writes `result_count` views with null data. */
GEN_API gen_status *gen_session_result_shapes(gen_session *session, const char *entry,
                                              const gen_tensor *arguments, size_t argument_count,
                                              gen_tensor *results, size_t result_count);

/* ---- the memory of a device --------------------------------------------------------------------
 */

/* Calls an entry with arguments in the memory of the session's device ("cpu": of the host), which
 * nothing may change before they are read. `results` receives views of memory there that the
 * session owns, as of gen_session_call(); a result may be an argument of the next call. On a GPU
 * nothing is copied, and the call does not wait: arguments are read and results written in order on
 * the session's stream. What goes wrong later is the error of gen_session_wait(), or of the next
 * call that waits. */
GEN_API gen_status *gen_session_call_on_device(gen_session *session, const char *entry,
                                               const gen_tensor *arguments, size_t argument_count,
                                               gen_tensor *results, size_t result_count);
/* Waits until all that was asked of a session is done. */
GEN_API gen_status *gen_session_wait(gen_session *session);
/* The stream of a session on a GPU, a CUstream: the one of its options, or its own. */
GEN_API gen_status *gen_session_stream(gen_session *session, void **stream);
/* What is asked of the session from now on happens after `event`, a CUevent that was recorded on
 * another stream. Does not wait. */
GEN_API gen_status *gen_session_wait_event(gen_session *session, void *event);
/* Records `event`, a CUevent: it happens when all that was asked of the session until now is done.
 */
GEN_API gen_status *gen_session_record_event(gen_session *session, void *event);

/* ---- variables and weights ---------------------------------------------------------------------
 */

/* A view of a variable's memory, valid for the life of the session; calls change the contents, and
 * so may the caller between calls. Therefore calls that read a weight in another order than it is
 * stored reorder it each time once it has a view; gen_session_set_variable costs that only once. */
GEN_API gen_status *gen_session_variable(gen_session *session, const char *name, gen_tensor *view);
/* Copies `value`, of the variable's dtype and shape, into a variable. */
GEN_API gen_status *gen_session_set_variable(gen_session *session, const char *name,
                                             const gen_tensor *value);

/* Writes all variables to a safetensors file, under their names. The file appears whole or not at
 * all: it is written beside `path`, synchronized and renamed; after a failure an old file is
 * untouched. */
GEN_API gen_status *gen_session_save(gen_session *session, const char *path);

enum {
  /* Tensors of the file that are no variable, and variables that the file lacks, are no errors. */
  GEN_LOAD_PARTIAL = 1u << 0
};

/* Reads variables from a safetensors file by name. The error names missing, unexpected and
 * mismatched tensors. All variables change, or none. The file's metadata become the session's. */
GEN_API gen_status *gen_session_load(gen_session *session, const char *path, uint32_t flags);

/* A name in a file for a variable's: of one tensor or, where both are empty or end in '.', of all
 * whose names begin so. {"", "vae."} adds the scope that PyTorch's state dict lacks. Of several
 * that fit the first counts. */
typedef struct gen_rename {
  const char *file, *variable;
} gen_rename;

/* As gen_session_save(), under the file's names, and only the variables that a rename fits; all if
 * there are no renames. */
GEN_API gen_status *gen_session_save_renamed(gen_session *session, const char *path,
                                             const gen_rename *renames, size_t count);
/* As gen_session_load(), under the variables' names; a name that no rename fits is a variable's. */
GEN_API gen_status *gen_session_load_renamed(gen_session *session, const char *path, uint32_t flags,
                                             const gen_rename *renames, size_t count);
/* What the last load has left out, being partial: a line "missing: NAME" for each variable that
 * the file lacks, then a line "unexpected: NAME" for each tensor that is no variable. "" if
 * everything has fitted; valid until the next load. */
GEN_API const char *gen_session_load_report(const gen_session *session);

/* Strings saved with the variables (`__metadata__` of safetensors). The value, or null if there is
 * none; valid until the metadata change. A null value removes the key. */
GEN_API const char *gen_session_metadata(const gen_session *session, const char *key);
GEN_API gen_status *gen_session_set_metadata(gen_session *session, const char *key,
                                             const char *value);

/* ---- profile -----------------------------------------------------------------------------------
 */

/* What a profile says about one kernel. Strings live as long as the model. */
typedef struct gen_kernel_profile {
  const char *name;
  const char *location; /* "file:line" of the model's source, or "" */
  uint64_t calls;
  double seconds;
  double flops; /* of all calls together */
  double bytes; /* of memory traffic, of all calls together */
} gen_kernel_profile;

/* Starts a profile afresh. While it runs, each launch costs two readings of the clock. */
GEN_API gen_status *gen_profile_start(gen_session *session);
/* Stops recording; what was recorded can be read until the next start. */
GEN_API gen_status *gen_profile_stop(gen_session *session);
/* The kernels that have run, the slowest first. */
GEN_API size_t gen_profile_kernel_count(const gen_session *session);
GEN_API gen_status *gen_profile_kernel(const gen_session *session, size_t index,
                                       gen_kernel_profile *profile);
/* Total floating-point operations recorded. */
GEN_API double gen_profile_flops(const gen_session *session);
/* The least time in which this machine could do what was recorded, with the session's threads: of
 * each launch the larger of its operations at the rate of f32 multiply-adds and its bytes at the
 * bandwidth of the cache, or memory, that holds as many. Both are measured by the first call of
 * this or the next function in a process, which takes some 0.1 s and 64 MiB; let nothing else run
 * then. 0 for a session on a GPU, whose limits are not measured. */
GEN_API gen_status *gen_profile_limit(gen_session *session, double *seconds);
/* Writes the launches as Chrome trace JSON (chrome://tracing, ui.perfetto.dev), with the sums of
 * each kernel under "kernels", time, operations, bytes and percent of the limit. At most 2^20
 * launches are kept; the sums count all. */
GEN_API gen_status *gen_profile_write(gen_session *session, const char *path);

/* ---- DLPack ------------------------------------------------------------------------------------
 */

struct DLManagedTensor; /* gen/dlpack.h */

/* A view of a DLPack tensor's data: host memory, one lane, dense row-major, a dtype known here. The
 * producer keeps ownership. */
GEN_API gen_status *gen_tensor_from_dlpack(const struct DLManagedTensor *managed,
                                           gen_tensor *tensor);
/* A DLPack view of a tensor. The consumer calls (*managed)->deleter; the data stay whose they are
 * and must live as long. */
GEN_API gen_status *gen_tensor_to_dlpack(const gen_tensor *tensor,
                                         struct DLManagedTensor **managed);
/* The same for memory of the session's device, for gen_session_call_on_device(): on a GPU, tensors
 * of device type kDLCUDA and its number. Their producers and consumers have to be on the session's
 * stream, or be ordered by events. */
GEN_API gen_status *gen_session_from_dlpack(const gen_session *session,
                                            const struct DLManagedTensor *managed,
                                            gen_tensor *tensor);
GEN_API gen_status *gen_session_to_dlpack(const gen_session *session, const gen_tensor *tensor,
                                          struct DLManagedTensor **managed);

#ifdef __cplusplus
}
#endif
#endif /* GEN_RUNTIME_H */
