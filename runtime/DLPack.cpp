// DLPack: tensors of other libraries seen, and the session's shown, without a copy.
#include "Session.h"

#include "gen/dlpack.h"

#include <algorithm>

using namespace gen::runtime;

namespace {

struct DType {
  uint32_t dtype;
  uint8_t code, bits;
};
constexpr DType kDTypes[] = {{GEN_F32, kDLFloat, 32}, {GEN_F64, kDLFloat, 64},
                             {GEN_I1, kDLBool, 8},    {GEN_I8, kDLInt, 8},
                             {GEN_I32, kDLInt, 32},   {GEN_I64, kDLInt, 64}};

uint32_t dtypeOf(const DLDataType &type) {
  for (const DType &known : kDTypes)
    if (known.code == type.code && known.bits == type.bits && type.lanes == 1)
      return known.dtype;
  fail(GEN_INVALID_ARGUMENT,
       "DLPack tensor: dtype with code %u, %u bits, %u lanes is not supported; hint: convert it to "
       "f32, f64, bool, i8, i32 or i64",
       type.code, type.bits, type.lanes);
}

// Axes of size 1 may have any stride.
void checkDense(const DLTensor &tensor) {
  int64_t expected = 1;
  for (int32_t axis = tensor.ndim - 1; axis >= 0; --axis) {
    if (tensor.shape[axis] == 0)
      return;
    if (tensor.shape[axis] != 1 && tensor.strides[axis] != expected)
      fail(GEN_INVALID_ARGUMENT,
           "DLPack tensor: expected dense row-major data, got stride %lld for axis %d (dense: "
           "%lld); hint: make it contiguous",
           (long long)tensor.strides[axis], axis, (long long)expected);
    expected *= tensor.shape[axis];
  }
}

// `expected`: the memory that it has to be in.
gen_tensor viewOf(const DLTensor &source, DLDevice expected) {
  DLDevice got = source.device;
  bool isHost = got.device_type == kDLCPU || got.device_type == kDLCUDAHost;
  if (expected.device_type == kDLCPU && !isHost)
    fail(GEN_INVALID_ARGUMENT,
         "DLPack tensor: expected host memory (device type 1), got device type %d",
         int(got.device_type));
  if (expected.device_type != kDLCPU &&
      (got.device_type != expected.device_type || got.device_id != expected.device_id))
    fail(GEN_INVALID_ARGUMENT,
         "DLPack tensor: expected memory of GPU %d (device type 2), got device type %d, number %d",
         expected.device_id, int(got.device_type), got.device_id);
  if (source.ndim < 0 || source.ndim > GEN_MAX_RANK || (source.ndim && !source.shape))
    fail(GEN_INVALID_ARGUMENT, "DLPack tensor: expected rank 0 to %d, got %d", GEN_MAX_RANK,
         source.ndim);
  gen_tensor tensor = {nullptr, dtypeOf(source.dtype), uint32_t(source.ndim), {}};
  std::copy_n(source.shape, source.ndim, tensor.shape);
  int64_t bytes;
  if (!countBytes(tensor.dtype, tensor.shape, tensor.rank, &bytes))
    fail(GEN_INVALID_ARGUMENT, "DLPack tensor: impossible shape %s", describe(tensor).c_str());
  if (source.strides)
    checkDense(source);
  if (bytes && !source.data)
    fail(GEN_INVALID_ARGUMENT, "DLPack tensor: no data");
  if (source.data)
    tensor.data = static_cast<char *>(source.data) + source.byte_offset;
  return tensor;
}

// The exported structure and the shape it points to, freed together.
struct Exported {
  DLManagedTensor managed;
  int64_t shape[GEN_MAX_RANK];
};

DLManagedTensor *exportTensor(const gen_tensor &tensor, DLDevice device, const char *function) {
  if (tensor.dtype >= std::size(kDTypes) || tensor.rank > GEN_MAX_RANK)
    fail(GEN_INVALID_ARGUMENT, "%s: unknown dtype %u or rank %u", function, tensor.dtype,
         tensor.rank);
  const DType &type = kDTypes[tensor.dtype];
  auto *exported = new Exported{};
  std::copy_n(tensor.shape, tensor.rank, exported->shape);
  exported->managed.dl_tensor = {
      tensor.data, device, int32_t(tensor.rank), {type.code, type.bits, 1}, exported->shape,
      nullptr,     0};
  exported->managed.manager_ctx = exported;
  exported->managed.deleter = [](DLManagedTensor *self) {
    delete static_cast<Exported *>(self->manager_ctx);
  };
  return &exported->managed;
}

constexpr DLDevice kHost = {kDLCPU, 0};

DLDevice deviceOf(const gen_session &session) {
  return session.gpu ? DLDevice{kDLCUDA, session.gpu->gpu.ordinalOf()} : kHost;
}

} // namespace

gen_status *gen_tensor_from_dlpack(const DLManagedTensor *managed, gen_tensor *tensor) {
  return guard([&] {
    requireNonNull(tensor, "gen_tensor_from_dlpack", "tensor");
    *tensor = {};
    requireNonNull(managed, "gen_tensor_from_dlpack", "managed");
    *tensor = viewOf(managed->dl_tensor, kHost);
  });
}

gen_status *gen_tensor_to_dlpack(const gen_tensor *tensor, DLManagedTensor **managed) {
  return guard([&] {
    requireNonNull(managed, "gen_tensor_to_dlpack", "managed");
    *managed = nullptr;
    requireNonNull(tensor, "gen_tensor_to_dlpack", "tensor");
    *managed = exportTensor(*tensor, kHost, "gen_tensor_to_dlpack");
  });
}

gen_status *gen_session_from_dlpack(const gen_session *session, const DLManagedTensor *managed,
                                    gen_tensor *tensor) {
  return guard([&] {
    requireNonNull(tensor, "gen_session_from_dlpack", "tensor");
    *tensor = {};
    requireNonNull(session, "gen_session_from_dlpack", "session");
    requireNonNull(managed, "gen_session_from_dlpack", "managed");
    *tensor = viewOf(managed->dl_tensor, deviceOf(*session));
  });
}

gen_status *gen_session_to_dlpack(const gen_session *session, const gen_tensor *tensor,
                                  DLManagedTensor **managed) {
  return guard([&] {
    requireNonNull(managed, "gen_session_to_dlpack", "managed");
    *managed = nullptr;
    requireNonNull(session, "gen_session_to_dlpack", "session");
    requireNonNull(tensor, "gen_session_to_dlpack", "tensor");
    *managed = exportTensor(*tensor, deviceOf(*session), "gen_session_to_dlpack");
  });
}
