// Convolutions by cuDNN.
#include "GpuConvolutions.h"
#include "CudnnGraph.h"

#include <utility>

namespace gen::runtime {

struct GpuConvolutions::Plan {
  Plan(const Cudnn &library, Cudnn::Handle handle, const gen_device_convolution &convolution)
      : descriptors(library),
        plan(planConvolution(descriptors, handle, convolution, GpuWorkspace::kBytes,
                             GpuWorkspace::kAlignment)) {
    size_t bytes = convolution.dtypes[1] == GEN_F32 ? 4 : 2;
    for (uint32_t axis = 0; axis < convolution.axes + 2; ++axis)
      bytes *= size_t(convolution.weight[axis]);
    if (plan)
      weight.reserve(bytes);
  }

  CudnnDescriptors descriptors;
  Cudnn::Descriptor plan; // null if there is none
  GpuBuffer weight;       // in the order that the library has
};

GpuConvolutions::GpuConvolutions(GpuWorkspace &workspace, CUstream stream)
    : library(Cudnn::get()), workspace(workspace) {
  if (library && (library->create(&handle) || library->setStream(handle, stream)))
    library = nullptr;
}

GpuConvolutions::~GpuConvolutions() {
  plans.clear();
  if (library)
    library->destroy(handle);
}

GpuConvolutions::Plan &GpuConvolutions::planOf(const gen_device_convolution &convolution) {
  std::unique_ptr<Plan> &plan = plans[&convolution];
  if (!plan) {
    workspace.reserve();
    plan = std::make_unique<Plan>(*library, handle, convolution);
  }
  return *plan;
}

void GpuConvolutions::check(Cudnn::Status status) const {
  if (status)
    fail(GEN_INTERNAL, "GPU: cuDNN cannot compute a convolution: %s",
         library->getErrorString(status));
}

void GpuConvolutions::execute(const Plan &plan, void *const (&memory)[3]) {
  CudnnDescriptors descriptors(*library);
  Cudnn::Descriptor pack = descriptors.make(Cudnn::VariantPack);
  descriptors.set(pack, Cudnn::PackIds, Cudnn::Int64, 3, kCudnnTensors);
  descriptors.set(pack, Cudnn::PackPointers, Cudnn::Pointer, 3, memory);
  descriptors.set(pack, Cudnn::PackWorkspace, Cudnn::Pointer, workspace.data());
  descriptors.finalize(pack);
  if (!descriptors.succeeded())
    fail(GEN_INTERNAL, "GPU: cuDNN does not take a convolution's memory");
  check(library->execute(handle, plan.plan, pack));
}

bool GpuConvolutions::launch(const gen_device_convolution &convolution, const uint64_t *frame,
                             const Launch &launchKernel) {
  void *memory[3];
  if (!library || !GpuWorkspace::findMemory(convolution.words, frame, memory))
    return false;
  Plan &plan = planOf(convolution);
  if (!plan.plan)
    return false;
  auto transpose = [&](const void *from, const void *to) {
    const uint64_t words[] = {reinterpret_cast<uint64_t>(from), reinterpret_cast<uint64_t>(to)};
    int64_t work[2];
    launchKernel(*convolution.transpose, convolution.transpose_tasks(words, work), words);
  };
  void *stored = std::exchange(memory[1], plan.weight.data());
  if (convolution.kind != GEN_CONVOLUTION_WEIGHT_GRADIENT)
    transpose(stored, memory[1]);
  execute(plan, memory);
  if (convolution.kind == GEN_CONVOLUTION_WEIGHT_GRADIENT)
    transpose(memory[1], stored);
  return true;
}

} // namespace gen::runtime
