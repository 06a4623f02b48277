// The C interface of profiles and of DLPack.
#include "Session.h"

#include "gen/dlpack.h"

#include <algorithm>

using namespace gen::runtime;

gen_status *gen_profile_start(gen_session *session) {
  return guard([&] {
    SessionUse use(session, "gen_profile_start");
    session->profile.start();
  });
}

gen_status *gen_profile_stop(gen_session *session) {
  return guard([&] {
    SessionUse use(session, "gen_profile_stop");
    session->profile.stop();
  });
}

size_t gen_profile_kernel_count(const gen_session *session) {
  return session ? session->profile.kernelCount() : 0;
}

gen_status *gen_profile_kernel(const gen_session *session, size_t index,
                               gen_kernel_profile *profile) {
  return guard([&] {
    requireNonNull(session, "gen_profile_kernel", "session");
    requireNonNull(profile, "gen_profile_kernel", "profile");
    *profile = {};
    if (index >= session->profile.kernelCount())
      fail(GEN_INVALID_ARGUMENT, "gen_profile_kernel: number %zu of %zu", index,
           session->profile.kernelCount());
    *profile = session->profile.kernel(index);
  });
}

double gen_profile_flops(const gen_session *session) {
  return session ? session->profile.flops() : 0;
}

// Those of a GPU are not measured.
static const Limits &limitsOf(const gen_session &session) {
  static const Limits unknown = {0, {}};
  return session.gpu ? unknown : limitsOf(session.threads);
}

gen_status *gen_profile_write(gen_session *session, const char *path) {
  return guard([&] {
    requireNonNull(path, "gen_profile_write", "path");
    SessionUse use(session, "gen_profile_write");
    session->profile.write(path, limitsOf(*session));
  });
}

gen_status *gen_profile_limit(gen_session *session, double *seconds) {
  return guard([&] {
    requireNonNull(seconds, "gen_profile_limit", "seconds");
    *seconds = 0;
    SessionUse use(session, "gen_profile_limit");
    *seconds = session->profile.limitSeconds(limitsOf(*session));
  });
}

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

gen_tensor viewOf(const DLTensor &source) {
  if (source.device.device_type != kDLCPU && source.device.device_type != kDLCUDAHost)
    fail(GEN_INVALID_ARGUMENT,
         "DLPack tensor: expected host memory (device type 1), got device type %d",
         int(source.device.device_type));
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

} // namespace

gen_status *gen_tensor_from_dlpack(const DLManagedTensor *managed, gen_tensor *tensor) {
  return guard([&] {
    requireNonNull(tensor, "gen_tensor_from_dlpack", "tensor");
    *tensor = {};
    requireNonNull(managed, "gen_tensor_from_dlpack", "managed");
    *tensor = viewOf(managed->dl_tensor);
  });
}

gen_status *gen_tensor_to_dlpack(const gen_tensor *tensor, DLManagedTensor **managed) {
  return guard([&] {
    requireNonNull(managed, "gen_tensor_to_dlpack", "managed");
    *managed = nullptr;
    requireNonNull(tensor, "gen_tensor_to_dlpack", "tensor");
    if (tensor->dtype >= std::size(kDTypes) || tensor->rank > GEN_MAX_RANK)
      fail(GEN_INVALID_ARGUMENT, "gen_tensor_to_dlpack: unknown dtype %u or rank %u", tensor->dtype,
           tensor->rank);
    const DType &type = kDTypes[tensor->dtype];
    auto *exported = new Exported{};
    std::copy_n(tensor->shape, tensor->rank, exported->shape);
    exported->managed.dl_tensor = {tensor->data,
                                   {kDLCPU, 0},
                                   int32_t(tensor->rank),
                                   {type.code, type.bits, 1},
                                   exported->shape,
                                   nullptr,
                                   0};
    exported->managed.manager_ctx = exported;
    exported->managed.deleter = [](DLManagedTensor *self) {
      delete static_cast<Exported *>(self->manager_ctx);
    };
    *managed = &exported->managed;
  });
}
