// Dtypes, shapes and aligned memory.
#include "Tensors.h"

#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace {
struct DType {
  const char *name;
  size_t size;
};
constexpr DType kDTypes[] = {{"f32", 4}, {"f64", 8}, {"i1", 1},  {"i8", 1},
                             {"i32", 4}, {"i64", 8}, {"f16", 2}, {"bf16", 2}};
constexpr size_t kHugePage = size_t(2) << 20;
constexpr size_t kAddressSpace = size_t(1) << 47;
} // namespace

size_t gen_dtype_size(uint32_t dtype) {
  return dtype < std::size(kDTypes) ? kDTypes[dtype].size : 0;
}

const char *gen_dtype_name(uint32_t dtype) {
  return dtype < std::size(kDTypes) ? kDTypes[dtype].name : "?";
}

namespace gen::runtime {

bool countElements(const int64_t *shape, uint32_t rank, int64_t *count) {
  *count = 1;
  bool fits = true, empty = false;
  for (uint32_t axis = 0; axis < rank; ++axis) {
    if (shape[axis] < 0)
      return false;
    empty |= shape[axis] == 0;
    fits &= !__builtin_mul_overflow(*count, shape[axis], count);
  }
  if (empty)
    *count = 0;
  return fits || empty;
}

bool countBytes(uint32_t dtype, const int64_t *shape, uint32_t rank, int64_t *bytes) {
  int64_t count;
  return countElements(shape, rank, &count) &&
         !__builtin_mul_overflow(count, int64_t(gen_dtype_size(dtype)), bytes);
}

// Calls `axisText` for each axis between the brackets.
template <class AxisText>
static std::string describeWith(uint32_t dtype, uint32_t rank, AxisText &&axisText) {
  std::string text = gen_dtype_name(dtype);
  text += '[';
  for (uint32_t axis = 0; axis < rank; ++axis) {
    if (axis)
      text += ", ";
    text += axisText(axis);
  }
  return text + ']';
}

std::string describe(uint32_t dtype, const int64_t *shape, uint32_t rank) {
  return describeWith(dtype, rank, [&](uint32_t axis) { return std::to_string(shape[axis]); });
}

std::string describe(const gen_tensor &tensor) {
  return describe(tensor.dtype, tensor.shape, tensor.rank);
}

std::string describe(const gen_tensor_info &info, const char *const *dimensions) {
  return describeWith(info.dtype, info.rank, [&](uint32_t axis) -> std::string {
    int64_t size = info.shape[axis];
    if (size >= 0)
      return std::to_string(size);
    return size == INT64_MIN ? "?" : dimensions[-(size + 1)];
  });
}

gen_tensor makeTensor(void *data, const gen_tensor_info &info) {
  gen_tensor tensor = {data, info.dtype, info.rank, {}};
  for (uint32_t axis = 0; axis < info.rank; ++axis)
    tensor.shape[axis] = info.shape[axis];
  return tensor;
}

gen_tensor_spec makeSpec(const gen_tensor_info &info, const char *const *dimensions) {
  gen_tensor_spec spec = {info.name, info.dtype, info.rank, {}, {}};
  for (uint32_t axis = 0; axis < info.rank; ++axis) {
    int64_t size = info.shape[axis];
    spec.shape[axis] = size >= 0 ? size : -1;
    if (size < 0 && size != INT64_MIN)
      spec.dimension[axis] = dimensions[-(size + 1)];
  }
  return spec;
}

Buffer::~Buffer() { std::free(memory); }

void Buffer::reserve(size_t bytes) {
  if (bytes <= capacity && memory)
    return;
  size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kAlignment;
  if (bytes > kAddressSpace)
    throw std::bad_alloc();
  size_t rounded = bytes ? (bytes + alignment - 1) / alignment * alignment : alignment;
  std::free(std::exchange(memory, nullptr));
  capacity = 0;
  memory = std::aligned_alloc(alignment, rounded);
  if (!memory)
    throw std::bad_alloc();
  capacity = rounded;
  if (alignment == kHugePage)
    madvise(memory, rounded, MADV_HUGEPAGE); // advice only
}

void Buffer::release() {
  auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  auto begin = reinterpret_cast<uintptr_t>(memory);
  uintptr_t first = (begin + page - 1) / page * page, last = (begin + capacity) / page * page;
  if (first < last)
    madvise(reinterpret_cast<void *>(first), last - first, MADV_DONTNEED);
}

} // namespace gen::runtime
