// Maps of tensors: the driver makes of sizes and addresses what GPUs read.
#include "GpuTensors.h"

#include <cstring>

namespace gen::runtime {
namespace {

// A line of a box is 128 bytes, whose pieces of 16 change places as products want them; what lies
// beyond the end is zero.
bool encode(const Cuda &cuda, const gen_device_tensor &tensor, TensorMap &map) {
  // Of CU_TENSOR_MAP_: DATA_TYPE_UINT16, INTERLEAVE_NONE, SWIZZLE_128B, L2_PROMOTION_L2_256B,
  // FLOAT_OOB_FILL_NONE.
  constexpr int kTwoBytes = 1, kNoInterleave = 0, kSwizzle128 = 3, kPromotion256 = 3, kZeros = 0;
  constexpr uint64_t kBytes = 2;
  const uint64_t strides[] = {tensor.sizes[0] * kBytes, tensor.sizes[0] * tensor.sizes[1] * kBytes};
  const uint32_t box[] = {uint32_t(tensor.box[0]), uint32_t(tensor.box[1]), 1}, steps[] = {1, 1, 1};
  return cuda.tensorMapEncodeTiled(
             &map, kTwoBytes, /*rank=*/3, reinterpret_cast<void *>(tensor.address), tensor.sizes,
             strides, box, steps, kNoInterleave, kSwizzle128, kPromotion256, kZeros) == 0;
}

} // namespace

bool addTensors(const Cuda &cuda, const gen_device_hopper_info &kernel, const uint64_t *frame,
                std::vector<uint64_t> &words) {
  if (!kernel.tensors)
    return true;
  if (!cuda.tensorMapEncodeTiled)
    return false;
  gen_device_tensor tensors[GEN_DEVICE_TENSORS];
  TensorMap maps[GEN_DEVICE_TENSORS];
  kernel.tensors(frame, tensors);
  for (int i = 0; i < GEN_DEVICE_TENSORS; ++i)
    if (!encode(cuda, tensors[i], maps[i]))
      return false;
  constexpr size_t kWord = sizeof(uint64_t), kWords = alignof(TensorMap) / kWord;
  size_t first = (words.size() + kWords - 1) / kWords * kWords;
  words.resize(first + GEN_DEVICE_TENSORS * (sizeof(TensorMap) / kWord));
  std::memcpy(words.data() + first, maps, sizeof maps);
  return true;
}

} // namespace gen::runtime
