/* gen/artefact.h - the binary interface between a compiled model and the runtime that runs it.
 *
 * `gencc` writes a shared object (or an object file) that defines one data symbol, `gen_artefact`,
 * of type `gen_artefact_info`. Everything in it is constant data and code; it calls nothing by
 * name. What it needs at run time (threads) it gets through `gen_services`, so that an embedder can
 * replace it.
 *
 * The section `.gen.header` of the file starts with a `gen_artefact_header`. The runtime reads it
 * from the file's bytes and refuses a foreign, newer, truncated or unsuitable artefact before it is
 * loaded.
 *
 * This header is C11 and stands alone. Tables only grow: a field is never moved or removed within a
 * version, and `size` says how much of a table exists.
 */
#ifndef GEN_ARTEFACT_H
#define GEN_ARTEFACT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GEN_ARTEFACT_MAGIC "gencc\r\n\x1a" /* 8 bytes, no terminator */
#define GEN_ARTEFACT_VERSION 9
#define GEN_ARTEFACT_SECTION ".gen.header"
#define GEN_ARTEFACT_SYMBOL "gen_artefact"

/* Element types. The values are part of the format. */
enum {
  GEN_F32 = 0, /* IEEE binary32 */
  GEN_F64 = 1, /* IEEE binary64 */
  GEN_I1 = 2,  /* one byte an element, 0 or 1 */
  GEN_I8 = 3,
  GEN_I32 = 4,
  GEN_I64 = 5,
  GEN_F16 = 6, /* IEEE binary16; of variables that no one sees, like the next */
  GEN_BF16 = 7 /* the upper half of binary32 */
};

/* Instruction sets the code of an artefact needs, as bits of `gen_artefact_header.features`. */
enum {
  GEN_X86_64_V2 = 1 << 0,
  GEN_X86_64_V3 = 1 << 1, /* AVX2, FMA, F16C */
  GEN_X86_64_V4 = 1 << 2, /* AVX-512 F, BW, CD, DQ, VL */
  GEN_AVX512_VNNI = 1 << 3,
  GEN_AARCH64 = 1 << 8,
  GEN_CUDA = 1 << 16 /* kernels are code for NVIDIA GPUs: see gen_device_artefact_info */
};

/* First bytes of the section `.gen.header`. */
typedef struct gen_artefact_header {
  char magic[8];     /* GEN_ARTEFACT_MAGIC */
  uint32_t version;  /* GEN_ARTEFACT_VERSION */
  uint32_t features; /* instruction sets that must exist */
} gen_artefact_header;

/* One kernel: the code of a task and what a profile says about it. */
typedef struct gen_kernel_info {
  const char *name;     /* unique in the artefact */
  const char *location; /* "file:line" of the model's source, or "" */
  /* Runs task `index` of a launch. `frame` is the launch's array of 8-byte words: pointers, then
   * sizes. */
  void (*task)(const uint64_t *frame, int64_t index);
} gen_kernel_info;

/* What the runtime offers to compiled code. */
typedef struct gen_services {
  uint32_t version; /* GEN_ARTEFACT_VERSION */
  uint32_t size;    /* sizeof(gen_services) of the runtime */
  void *context;    /* handed back in every call */
  /* Runs kernel->task(frame, i) for every 0 <= i < count, on any threads in any order, and returns
   * when all are done. Results must not (and do not) depend on who runs which task. `flops` and
   * `bytes` are the work of the whole launch, for the profile. */
  void (*launch)(void *context, const gen_kernel_info *kernel, int64_t count, const uint64_t *frame,
                 int64_t flops, int64_t bytes);
  /* Of devices: null where the code is the CPU's. Memory is the device's, and all happens in order.
   * `copy` copies; `exchange` lets two places change their contents; `constant` gives the device's
   * copy of constant data of the artefact. */
  void (*copy)(void *context, void *to, const void *from, int64_t bytes);
  void (*exchange)(void *context, void *one, void *other, int64_t bytes);
  const void *(*constant)(void *context, const void *data, int64_t bytes);
} gen_services;

/* A dense tensor of elements of 16 bits, of which blocks of threads copy boxes. Axes are counted
 * from the one whose elements lie side by side. */
typedef struct gen_device_tensor {
  uint64_t address;
  uint64_t sizes[3];
  uint64_t box[2]; /* of the first two axes; 1 of the third */
} gen_device_tensor;

#define GEN_DEVICE_TENSORS 2 /* of a kernel that copies boxes */

/* Code of a kernel for compute capability 9.0, in place of the other. */
typedef struct gen_device_hopper_info {
  int64_t (*blocks)(const uint64_t *frame); /* of a launch */
  uint32_t threads;                         /* of a block */
  uint32_t shared;                          /* bytes of shared memory that a launch asks for */
  /* Fills an array of GEN_DEVICE_TENSORS, of which maps follow the words of a launch's parameters,
   * each at a multiple of 64 bytes. Null if the kernel takes none. */
  void (*tensors)(const uint64_t *frame, gen_device_tensor *tensors);
} gen_device_hopper_info;

/* A product that cuBLASLt may compute in place of a kernel's code: result[b, m, n] is the sum over
 * k of lhs[b, m, k] * rhs[b, k, n], of dense row-major matrices; sums are in f32. */
typedef struct gen_device_product {
  int64_t count, rows, columns, depth; /* of b, m, n, k; none is 0 */
  uint32_t words[3];                   /* of the frame: the addresses of lhs, rhs, result */
  uint32_t dtypes[3];                  /* GEN_F32, GEN_F16 or GEN_BF16; of lhs and rhs the same */
  uint32_t transposed[2];              /* 1: lhs is stored as [b, k, m], rhs as [b, n, k] */
  uint32_t tf32;                       /* 1: products of f32 may be of ten bits of mantissa */
  uint32_t reserved;
} gen_device_product;

typedef struct gen_device_convolution gen_device_convolution;

/* A kernel of a device. `kernel.task` is null; a task of a launch is a block of threads. */
typedef struct gen_device_kernel_info {
  gen_kernel_info kernel;
  const char *function; /* its name in the image */
  uint32_t words;       /* of the frame: they are the function's parameters */
  uint32_t threads;     /* of a block */
  uint32_t shared;      /* bytes of shared memory that a launch asks for */
  uint32_t results;     /* the last words: addresses of what is written; all else is read */
  const gen_device_hopper_info *hopper; /* null if it has no code of its own */
  /* Both null if only its code computes it. */
  const gen_device_product *product;
  const gen_device_convolution *convolution;
  /* Writes for each word of the frame how many bytes the address is of; 0 where it is a size. */
  void (*bytes)(const uint64_t *frame, int64_t *bytes);
} gen_device_kernel_info;

/* What a convolution computes: output, input (of output and weight, as the gradient does), or
 * weight (its gradient, of input and output). */
enum { GEN_CONVOLUTION = 0, GEN_CONVOLUTION_TRANSPOSE = 1, GEN_CONVOLUTION_WEIGHT_GRADIENT = 2 };

/* A convolution that cuDNN may compute in place of a kernel's code:
 *
 *   output[n, o, p] = sum over c, k of
 *       input[n, c, p * strides + k * dilations - low] * weight[o, c, k]
 *
 * for c and o of one group; sums are in f32. Sizes are in this order; in memory, input and output
 * are dense [n, spatial..., channels], and the weight is [spatial..., c, o]. */
struct gen_device_convolution {
  uint32_t kind;
  uint32_t axes; /* spatial ones, 2 or 3: one alone is the second of two */

  int64_t input[5], weight[5], output[5]; /* [n, c, spatial...], [o, c / groups, spatial...], ... */
  int64_t strides[3], low[3], high[3], dilations[3];
  uint32_t words[3];  /* of the frame: the addresses of input, weight, output */
  uint32_t dtypes[3]; /* GEN_F32, GEN_F16 or GEN_BF16; of both operands the same */
  uint32_t tf32;      /* 1: products of f32 may be of ten bits of mantissa */
  uint32_t reserved;
  /* cuDNN has the weight as [o, spatial..., c]. A kernel of two words, the addresses of a matrix
   * and of its transpose: from the stored order to this one, or from a gradient's to the stored
   * one. */
  const gen_device_kernel_info *transpose;
  int64_t (*transpose_tasks)(const uint64_t *frame, int64_t work[2]); /* how many it has */
};

/* A named tensor of the interface. */
typedef struct gen_tensor_info {
  const char *name;
  uint32_t dtype;
  uint32_t rank;
  /* Per axis: the size if >= 0; else -(1 + i), where i numbers a dimension symbol of the entry
   * (`gen_entry_info.dimensions`). A result's size that is an expression of symbols is INT64_MIN
   * and known only from `plan`. */
  const int64_t *shape;
} gen_tensor_info;

/* A variable: state that lives in a session. */
typedef struct gen_variable_info {
  gen_tensor_info tensor; /* static shape */
  const void
      *initial; /* dense row-major data, or null for zeros; the entry "init" may set it anew */
} gen_variable_info;

/* A public function of the model. */
typedef struct gen_entry_info {
  const char *name;
  uint32_t argument_count;
  uint32_t result_count;
  uint32_t dimension_count;
  uint32_t reserved;
  const gen_tensor_info *arguments;
  const gen_tensor_info *results;
  const char *const *dimensions; /* names of the dimension symbols */
  /* Sizes of one call. `dimensions` holds the symbols' values. Writes the shapes of all results,
   * one after another, to `result_shapes`, and returns the bytes of arena the call needs (a
   * multiple of 64), or a negative number if a size overflows. */
  int64_t (*plan)(const int64_t *dimensions, int64_t *result_shapes);
  /* Runs the entry. All tensors are dense and row-major. `arena` is 64-byte aligned, and so are the
   * variables and results; arguments need only the alignment of their elements. No two may overlap.
   * `variables` has one pointer per `gen_artefact_info.variables`, then one per
   * `gen_artefact_info.packed`, in that order. */
  void (*run)(const gen_services *services, void *arena, void *const *variables,
              const void *const *arguments, void *const *results, const int64_t *dimensions);
  uint32_t written_count;  /* variables that `run` changes */
  uint32_t packed_count;   /* packed copies that it reads */
  const uint32_t *written; /* their numbers in `gen_artefact_info.variables` */
  const uint32_t *packed; /* their numbers in `gen_artefact_info.packed`; up to date before `run` */
} gen_entry_info;

/* A copy of a variable in the order that kernels read it. It follows the variables in the pointers
 * that `run` gets, and belongs to the runtime: 64-byte aligned, never saved, made when it is first
 * needed and again when its variable has changed. */
typedef struct gen_packed_info {
  uint32_t variable; /* the number of its source */
  uint32_t reserved;
  int64_t bytes;
  /* Fills the copy. As `run` of an entry without dimensions whose argument is the variable and
   * whose result is the copy. It may read other copies among the variables, those that precede this
   * one in the `packed` of an entry. */
  void (*pack)(const gen_services *services, void *arena, void *const *variables,
               const void *const *arguments, void *const *results, const int64_t *dimensions);
  /* The inverse: its argument is the copy, its result the variable. Null where entries read the
   * variable itself; if not, none does, and its memory may be given back while the copy is up to
   * date. An entry that has such a copy in `packed` and its variable in `written` changes the copy,
   * not the variable.
   */
  void (*unpack)(const gen_services *services, void *arena, void *const *variables,
                 const void *const *arguments, void *const *results, const int64_t *dimensions);
  int64_t arena_bytes; /* what `pack` and `unpack` need there */
} gen_packed_info;

/* The root of an artefact: the type of the symbol `gen_artefact`. */
typedef struct gen_artefact_info {
  gen_artefact_header header;
  uint32_t size; /* sizeof(gen_artefact_info) when compiled */
  uint32_t entry_count;
  uint32_t variable_count;
  uint32_t packed_count;
  const char *name;     /* of the model */
  const char *producer; /* "gencc 0.1" */
  const char *target;   /* "x86-64-v4" */
  const gen_entry_info *entries;
  const gen_variable_info *variables;
  const gen_packed_info *packed;
  uint32_t variant_count;
  uint32_t reserved;
  /* The same model for higher instruction sets, lowest first; entries and variables are equal.
   * The runtime takes the last one that the processor can run, else this one. One may be for a
   * device. */
  const struct gen_artefact_info *const *variants;
} gen_artefact_info;

/* Code for the same kernels, for GPUs of some compute capabilities: ten times the major number, and
 * the minor one. Machine code (ELF), or PTX with a terminator, which the driver compiles. */
typedef struct gen_device_code {
  uint32_t first, last; /* capabilities */
  uint64_t offset; /* of the code, from the image's begin; how many bytes it has stands before */
  uint64_t bytes;
} gen_device_code;

/* All of a device's code, the best first; the first byte has GEN_DEVICE_CODE_ALIGNMENT, and so have
 * codes. */
typedef struct gen_device_image {
  uint64_t count;
  gen_device_code codes[1]; /* the first of them */
} gen_device_image;
#define GEN_DEVICE_CODE_ALIGNMENT 16

/* The type of a variant, or root, whose features have GEN_CUDA: its entries launch
 * gen_device_kernel_info, and `run` gets addresses of the device's memory. */
typedef struct gen_device_artefact_info {
  gen_artefact_info artefact;
  const gen_device_image *image;        /* of all kernels, from compute capability 8.0 on */
  const gen_device_image *hopper_image; /* of those that have code for 9.0; null if none has */
} gen_device_artefact_info;

#ifdef __cplusplus
}
#endif
#endif /* GEN_ARTEFACT_H */
