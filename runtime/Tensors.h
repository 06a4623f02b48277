// Dtypes, shapes and the memory behind tensors: sizes with overflow checks, the text "f32[batch,
// 784]", and aligned buffers that only grow.
#pragma once

#include "Failure.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace gen::runtime {

constexpr size_t kAlignment = 64;

// Number of elements; false if it overflows or a size is negative.
bool countElements(const int64_t *shape, uint32_t rank, int64_t *count);
// Bytes of a dense tensor of a known dtype; false if they overflow.
bool countBytes(uint32_t dtype, const int64_t *shape, uint32_t rank, int64_t *bytes);

// "f32[64, 784]".
std::string describe(uint32_t dtype, const int64_t *shape, uint32_t rank);
std::string describe(const gen_tensor &tensor);
// "f32[batch, 784]", with the names of an entry's dimension symbols.
std::string describe(const gen_tensor_info &info, const char *const *dimensions);

// A gen_tensor over `data` with the dtype and shape of a static `info`.
gen_tensor makeTensor(void *data, const gen_tensor_info &info);

// The public description of a tensor of the interface.
gen_tensor_spec makeSpec(const gen_tensor_info &info, const char *const *dimensions);

// Memory aligned to 64 bytes. Large buffers are aligned to and advised for huge pages: a step that
// walks hundreds of megabytes spends its time on page tables otherwise.
class Buffer {
public:
  Buffer() = default;
  Buffer(Buffer &&other) noexcept { swap(other); }
  Buffer &operator=(Buffer &&other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer();

  // Makes room for `bytes`; the contents are lost if it has to grow.
  void reserve(size_t bytes);
  // Gives the memory back to the system as far as it is whole pages; the address stays, the
  // contents are lost.
  void release();
  void *data() const { return memory; }
  size_t size() const { return capacity; }

private:
  void swap(Buffer &other) noexcept {
    std::swap(memory, other.memory);
    std::swap(capacity, other.capacity);
  }

  void *memory = nullptr;
  size_t capacity = 0;
};

} // namespace gen::runtime
