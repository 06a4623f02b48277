// cuDNN's graph interface (version 9), as far as the runtime uses it. It is looked for when an
// artefact has convolutions that `gencc --tune` found faster by it; nothing else needs the library.
#pragma once

#include "Cuda.h"

namespace gen::runtime {

// As cudnn_graph_v9.h has them, numbers too.
struct Cudnn {
  using Status = int;
  struct OpaqueHandle;
  struct OpaqueDescriptor;
  using Handle = OpaqueHandle *;
  using Descriptor = OpaqueDescriptor *;

  // cudnnBackendDescriptorType_t
  enum Kind : int {
    Pointwise = 0,
    Convolution = 1,
    Engine = 2,
    EngineConfig = 3,
    EngineHeuristics = 4,
    Plan = 5,
    ConvolutionForward = 10,
    ConvolutionBackwardFilter = 11,
    ConvolutionBackwardData = 12,
    PointwiseOperation = 13,
    OperationGraph = 15,
    VariantPack = 16,
    Tensor = 17
  };
  // cudnnBackendAttributeName_t
  enum Attribute : int {
    PointwiseMode = 0,
    PointwisePrecision = 1,
    ConvolutionComputeType = 100,
    ConvolutionMode = 101,
    ConvolutionDilations = 102,
    ConvolutionStrides = 103,
    ConvolutionPostPaddings = 104,
    ConvolutionPrePaddings = 105,
    ConvolutionSpatialAxes = 106,
    HeuristicsMode = 200,
    HeuristicsGraph = 201,
    HeuristicsResults = 202,
    ConfigEngine = 300,
    PlanHandle = 400, // deprecated, but versions before 9.8 want it, and GraphHandle
    PlanConfig = 401,
    PlanWorkspace = 402,
    ForwardAlpha = 700,        // and, in this order: beta, the convolution, w, x, y
    BackwardDataAlpha = 706,   // beta, the convolution, w, dx, dy
    BackwardFilterAlpha = 712, // beta, the convolution, dw, x, dy
    OperationPointwise = 750,
    OperationPointwiseX = 751,
    OperationPointwiseY = 753,
    GraphHandle = 800,
    GraphOperations = 801,
    TensorAlignment = 900,
    TensorType = 901,
    TensorSizes = 902,
    TensorStrides = 903,
    TensorId = 906,
    TensorIsVirtual = 907,
    PackIds = 1000,
    PackPointers = 1001,
    PackWorkspace = 1003,
    EngineNumericalNotes = 1303
  };
  // cudnnBackendAttributeType_t
  enum Type : int {
    HandleType = 0,
    DataType = 1,
    Boolean = 2,
    Int64 = 3,
    Float = 4,
    Pointer = 6,
    ConvolutionModeType = 7,
    HeuristicsModeType = 8,
    NumericalNote = 11,
    PointwiseModeType = 14,
    DescriptorType = 15
  };

  Status (*create)(Handle *);
  Status (*destroy)(Handle);
  Status (*setStream)(Handle, CUstream);
  Status (*descriptorCreate)(int kind, Descriptor *);
  Status (*descriptorDestroy)(Descriptor);
  Status (*descriptorSet)(Descriptor, int attribute, int type, int64_t count, const void *values);
  Status (*descriptorGet)(Descriptor, int attribute, int type, int64_t most, int64_t *count,
                          void *values);
  Status (*descriptorFinalize)(Descriptor);
  Status (*execute)(Handle, Descriptor plan, Descriptor variantPack);
  const char *(*getErrorString)(Status);

  // The library of this process: libcudnn.so.9, or the one that the environment variable GEN_CUDNN
  // names. Looked for once; null if there is none. Throws a Failure, every time, if the one that is
  // named cannot be used.
  static const Cudnn *get();
};

} // namespace gen::runtime
