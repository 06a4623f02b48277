// The stream's launches are recorded as they are: before each one the driver is told which nodes
// the next has to follow, in place of the last one.
#include "GpuCapture.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace gen::runtime {

GpuAccess accessOf(const gen_device_kernel_info &kernel, const uint64_t *frame) {
  std::vector<int64_t> bytes(kernel.words);
  kernel.bytes(frame, bytes.data());
  GpuAccess access;
  for (uint32_t word = 0; word < kernel.words; ++word) {
    bool isResult = word >= kernel.words - kernel.results;
    if (bytes[word] > 0)
      (isResult ? access.writes : access.reads)
          .push_back({frame[word], frame[word] + uint64_t(bytes[word])});
  }
  return access;
}

std::unique_ptr<GpuCapture> GpuCapture::make(const Cuda &cuda, CUstream stream) {
  const char *chosen = std::getenv("GEN_CUDA_GRAPH");
  bool isChain = chosen && std::strcmp(chosen, "chain") == 0;
  if (isChain || !cuda.streamGetCaptureInfo || !cuda.streamUpdateCaptureDependencies)
    return nullptr;
  return std::unique_ptr<GpuCapture>(new GpuCapture(cuda, stream));
}

void GpuCapture::check(CUresult result) {
  refused = refused || result != 0;
  cuda.check(result, "record a call's order");
}

void GpuCapture::begin(const GpuAccess &access) {
  constexpr unsigned kSet = 1; // CU_STREAM_SET_CAPTURE_DEPENDENCIES
  dependencies.clear();
  for (uint32_t work : order.add(access))
    dependencies.insert(dependencies.end(), nodes.begin() + ptrdiff_t(firsts[work]),
                        nodes.begin() + ptrdiff_t(firsts[work + 1]));
  // A work without nodes has those that it follows.
  std::sort(dependencies.begin(), dependencies.end());
  dependencies.erase(std::unique(dependencies.begin(), dependencies.end()), dependencies.end());
  check(
      cuda.streamUpdateCaptureDependencies(stream, dependencies.data(), dependencies.size(), kSet));
}

void GpuCapture::end() {
  int status = 0;
  const CUgraphNode *last = nullptr;
  size_t count = 0;
  check(cuda.streamGetCaptureInfo(stream, &status, nullptr, nullptr, &last, &count));
  nodes.insert(nodes.end(), last, last + count);
  firsts.push_back(nodes.size());
}

} // namespace gen::runtime
