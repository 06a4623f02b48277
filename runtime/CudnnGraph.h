// A convolution as a graph of cuDNN's, and how the library computes it.
#pragma once

#include "Cudnn.h"
#include "gen/artefact.h"

#include <vector>

namespace gen::runtime {

// Descriptors, which live as long as this: cuDNN does not say which of them it copies. What goes
// wrong with one is asked for in the end.
class CudnnDescriptors {
public:
  explicit CudnnDescriptors(const Cudnn &library) : library(library) {}
  CudnnDescriptors(const CudnnDescriptors &) = delete;
  CudnnDescriptors &operator=(const CudnnDescriptors &) = delete;
  ~CudnnDescriptors();

  Cudnn::Descriptor make(Cudnn::Kind kind);
  void set(Cudnn::Descriptor descriptor, int attribute, Cudnn::Type type, int64_t count,
           const void *values);
  template <class T>
  void set(Cudnn::Descriptor descriptor, int attribute, Cudnn::Type type, const T &value) {
    set(descriptor, attribute, type, 1, &value);
  }
  // How many values there are, of which at most so many are written.
  int64_t get(Cudnn::Descriptor descriptor, int attribute, Cudnn::Type type, int64_t most,
              void *values);
  void finalize(Cudnn::Descriptor descriptor);
  // Whether all went well since this was asked last; if not, nothing was done after the failure.
  bool succeeded();

private:
  void note(Cudnn::Status status) { isFine &= status == 0; }

  const Cudnn &library;
  std::vector<Cudnn::Descriptor> made;
  bool isFine = true;
};

// Unique ids of the tensors in memory, in the order of a description.
inline constexpr int64_t kCudnnTensors[] = {1, 2, 3};

// An execution plan, which needs at most so many bytes of workspace; null if the library has no
// engine that computes what the description says.
Cudnn::Descriptor planConvolution(CudnnDescriptors &descriptors, Cudnn::Handle handle,
                                  const gen_device_convolution &convolution, size_t workspace,
                                  int64_t alignment);

} // namespace gen::runtime
