// Convolutions as graphs of cuDNN's. All tensors have their channels last.
#include "CudnnGraph.h"

#include <algorithm>
#include <utility>

namespace gen::runtime {

CudnnDescriptors::~CudnnDescriptors() {
  for (size_t i = made.size(); i-- > 0;)
    library.descriptorDestroy(made[i]);
}

Cudnn::Descriptor CudnnDescriptors::make(Cudnn::Kind kind) {
  Cudnn::Descriptor descriptor = nullptr;
  if (isFine)
    note(library.descriptorCreate(kind, &descriptor));
  if (descriptor)
    made.push_back(descriptor);
  return descriptor;
}

void CudnnDescriptors::set(Cudnn::Descriptor descriptor, int attribute, Cudnn::Type type,
                           int64_t count, const void *values) {
  if (isFine)
    note(library.descriptorSet(descriptor, attribute, type, count, values));
}

int64_t CudnnDescriptors::get(Cudnn::Descriptor descriptor, int attribute, Cudnn::Type type,
                              int64_t most, void *values) {
  int64_t count = 0;
  if (isFine)
    note(library.descriptorGet(descriptor, attribute, type, most, &count, values));
  return isFine ? count : 0;
}

void CudnnDescriptors::finalize(Cudnn::Descriptor descriptor) {
  if (isFine)
    note(library.descriptorFinalize(descriptor));
}

bool CudnnDescriptors::succeeded() { return std::exchange(isFine, true); }

namespace {

// cudnnDataType_t, cudnnConvolutionMode_t, cudnnPointwiseMode_t.
constexpr int kFloat = 0, kHalf = 2, kBrain = 9;
constexpr int kCrossCorrelation = 1, kIdentity = 21;
// cudnnBackendHeurMode_t: what is expected to be fast, and what computes anything.
constexpr int kModes[] = {3, 2};
constexpr int64_t kBetween = 4; // the id of a tensor that has no memory

// cudnnBackendNumericalNote_t: what an engine says that it does to numbers. The header has neither
// a compute type nor a note of tf32: a graph of f32 may be given engines that round what they
// multiply to tf32, and those are the ones on tensor cores, which multiply no f32 as it is.
enum Note : int {
  TensorCore = 0,
  DownConvertInputs = 1,
  ReducedPrecisionReduction = 2,
  Fft = 3,
  Nondeterministic = 4,
  Winograd = 5, // and 6 to 8, by tiles
  WinogradLast = 8,
  NoteCount = 32 // more than there are
};

int typeOf(uint32_t dtype) {
  return dtype == GEN_F16 ? kHalf : dtype == GEN_BF16 ? kBrain : kFloat;
}

// Which of input, weight and output a convolution makes.
int resultOf(const gen_device_convolution &convolution) {
  return convolution.kind == GEN_CONVOLUTION             ? 2
         : convolution.kind == GEN_CONVOLUTION_TRANSPOSE ? 0
                                                         : 1;
}

class Graph {
public:
  Graph(CudnnDescriptors &descriptors, Cudnn::Handle handle,
        const gen_device_convolution &convolution, int64_t alignment)
      : made(descriptors), handle(handle), convolution(convolution), alignment(alignment),
        result(resultOf(convolution)) {}

  // One operation; or two if the result has another type than the operands, which no convolution of
  // cuDNN's has: then it is f32 first, without memory.
  Cudnn::Descriptor make() {
    uint32_t operandType = convolution.dtypes[result == 0 ? 2 : 0];
    bool isConverted = convolution.dtypes[result] != operandType;
    Cudnn::Descriptor tensors[3];
    for (int i = 0; i < 3; ++i)
      tensors[i] = makeTensor(i, typeOf(convolution.dtypes[i]), /*isVirtual=*/false);
    Cudnn::Descriptor stored = tensors[result];
    if (isConverted)
      tensors[result] = makeTensor(result, kFloat, /*isVirtual=*/true);
    Cudnn::Descriptor operations[2] = {makeOperation(tensors)};
    if (isConverted)
      operations[1] = makeConversion(tensors[result], stored);
    Cudnn::Descriptor graph = made.make(Cudnn::OperationGraph);
    made.set(graph, Cudnn::GraphHandle, Cudnn::HandleType, handle);
    made.set(graph, Cudnn::GraphOperations, Cudnn::DescriptorType, isConverted ? 2 : 1, operations);
    made.finalize(graph);
    return graph;
  }

private:
  Cudnn::Descriptor makeTensor(int number, int type, bool isVirtual) {
    const int64_t *sizes = number == 0   ? convolution.input
                           : number == 1 ? convolution.weight
                                         : convolution.output;
    int64_t rank = int64_t(convolution.axes) + 2, strides[5] = {0, 1}, stride = sizes[1];
    for (int64_t axis = rank - 1; axis >= 2; --axis) {
      strides[axis] = stride;
      stride *= sizes[axis];
    }
    strides[0] = stride;
    Cudnn::Descriptor tensor = made.make(Cudnn::Tensor);
    made.set(tensor, Cudnn::TensorType, Cudnn::DataType, type);
    made.set(tensor, Cudnn::TensorSizes, Cudnn::Int64, rank, sizes);
    made.set(tensor, Cudnn::TensorStrides, Cudnn::Int64, rank, strides);
    made.set(tensor, Cudnn::TensorId, Cudnn::Int64, isVirtual ? kBetween : kCudnnTensors[number]);
    made.set(tensor, Cudnn::TensorAlignment, Cudnn::Int64, alignment);
    made.set(tensor, Cudnn::TensorIsVirtual, Cudnn::Boolean, isVirtual);
    made.finalize(tensor);
    return tensor;
  }

  Cudnn::Descriptor makeWindow() {
    int64_t axes = convolution.axes;
    Cudnn::Descriptor window = made.make(Cudnn::Convolution);
    made.set(window, Cudnn::ConvolutionSpatialAxes, Cudnn::Int64, axes);
    made.set(window, Cudnn::ConvolutionComputeType, Cudnn::DataType, kFloat);
    made.set(window, Cudnn::ConvolutionMode, Cudnn::ConvolutionModeType, kCrossCorrelation);
    made.set(window, Cudnn::ConvolutionStrides, Cudnn::Int64, axes, convolution.strides);
    made.set(window, Cudnn::ConvolutionPrePaddings, Cudnn::Int64, axes, convolution.low);
    made.set(window, Cudnn::ConvolutionPostPaddings, Cudnn::Int64, axes, convolution.high);
    made.set(window, Cudnn::ConvolutionDilations, Cudnn::Int64, axes, convolution.dilations);
    made.finalize(window);
    return window;
  }

  Cudnn::Descriptor makeOperation(const Cudnn::Descriptor (&tensors)[3]) {
    constexpr Cudnn::Kind kKinds[] = {Cudnn::ConvolutionForward, Cudnn::ConvolutionBackwardData,
                                      Cudnn::ConvolutionBackwardFilter};
    constexpr int kFirsts[] = {Cudnn::ForwardAlpha, Cudnn::BackwardDataAlpha,
                               Cudnn::BackwardFilterAlpha};
    Cudnn::Descriptor window = makeWindow(), operation = made.make(kKinds[convolution.kind]);
    int attribute = kFirsts[convolution.kind];
    made.set(operation, attribute++, Cudnn::Float, 1.0f);
    made.set(operation, attribute++, Cudnn::Float, 0.0f);
    made.set(operation, attribute++, Cudnn::DescriptorType, window);
    for (int number : {1, 0, 2})
      made.set(operation, attribute++, Cudnn::DescriptorType, tensors[number]);
    made.finalize(operation);
    return operation;
  }

  Cudnn::Descriptor makeConversion(Cudnn::Descriptor from, Cudnn::Descriptor to) {
    Cudnn::Descriptor identity = made.make(Cudnn::Pointwise);
    made.set(identity, Cudnn::PointwiseMode, Cudnn::PointwiseModeType, kIdentity);
    made.set(identity, Cudnn::PointwisePrecision, Cudnn::DataType, kFloat);
    made.finalize(identity);
    Cudnn::Descriptor operation = made.make(Cudnn::PointwiseOperation);
    made.set(operation, Cudnn::OperationPointwise, Cudnn::DescriptorType, identity);
    made.set(operation, Cudnn::OperationPointwiseX, Cudnn::DescriptorType, from);
    made.set(operation, Cudnn::OperationPointwiseY, Cudnn::DescriptorType, to);
    made.finalize(operation);
    return operation;
  }

  CudnnDescriptors &made;
  Cudnn::Handle handle;
  const gen_device_convolution &convolution;
  int64_t alignment;
  int result;
};

// The configurations of engines that the library proposes, the best first.
std::vector<Cudnn::Descriptor> findConfigs(CudnnDescriptors &made, Cudnn::Descriptor graph,
                                           int mode) {
  Cudnn::Descriptor heuristics = made.make(Cudnn::EngineHeuristics);
  made.set(heuristics, Cudnn::HeuristicsGraph, Cudnn::DescriptorType, graph);
  made.set(heuristics, Cudnn::HeuristicsMode, Cudnn::HeuristicsModeType, mode);
  made.finalize(heuristics);
  int64_t most = made.get(heuristics, Cudnn::HeuristicsResults, Cudnn::DescriptorType, 0, nullptr);
  std::vector<Cudnn::Descriptor> configs;
  for (int64_t i = 0; i < most; ++i)
    configs.push_back(made.make(Cudnn::EngineConfig));
  // Fewer than it said, if not all support the graph.
  int64_t count =
      made.get(heuristics, Cudnn::HeuristicsResults, Cudnn::DescriptorType, most, configs.data());
  configs.resize(made.succeeded() ? size_t(std::min(count, most)) : 0);
  return configs;
}

// f32 stays f32, sums are of f32 and in one order, and none of the terms is of another algorithm's
// intermediate numbers, which would be of 16 bits where operands are.
bool isAllowed(CudnnDescriptors &made, Cudnn::Descriptor config, bool isExact) {
  Cudnn::Descriptor engine = made.make(Cudnn::Engine);
  made.get(config, Cudnn::ConfigEngine, Cudnn::DescriptorType, 1, &engine);
  int notes[NoteCount];
  int64_t count =
      made.get(engine, Cudnn::EngineNumericalNotes, Cudnn::NumericalNote, NoteCount, notes);
  return made.succeeded() && count <= NoteCount && std::all_of(notes, notes + count, [&](int note) {
           return (note == TensorCore && !isExact) || note > WinogradLast;
         });
}

// Null if the engine cannot, or needs more memory.
Cudnn::Descriptor makePlan(CudnnDescriptors &made, Cudnn::Handle handle, Cudnn::Descriptor config,
                           size_t workspace) {
  Cudnn::Descriptor plan = made.make(Cudnn::Plan);
  made.set(plan, Cudnn::PlanHandle, Cudnn::HandleType, handle);
  made.set(plan, Cudnn::PlanConfig, Cudnn::DescriptorType, config);
  made.finalize(plan);
  int64_t bytes = 0;
  made.get(plan, Cudnn::PlanWorkspace, Cudnn::Int64, 1, &bytes);
  return made.succeeded() && bytes <= int64_t(workspace) ? plan : nullptr;
}

} // namespace

Cudnn::Descriptor planConvolution(CudnnDescriptors &descriptors, Cudnn::Handle handle,
                                  const gen_device_convolution &convolution, size_t workspace,
                                  int64_t alignment) {
  bool isExact = convolution.dtypes[0] == GEN_F32 && convolution.dtypes[2] == GEN_F32 &&
                 convolution.dtypes[1] == GEN_F32 && !convolution.tf32;
  Cudnn::Descriptor graph = Graph(descriptors, handle, convolution, alignment).make();
  if (!descriptors.succeeded())
    return nullptr;
  for (int mode : kModes)
    for (Cudnn::Descriptor config : findConfigs(descriptors, graph, mode))
      if (isAllowed(descriptors, config, isExact))
        if (Cudnn::Descriptor plan = makePlan(descriptors, handle, config, workspace))
          return plan;
  return nullptr;
}

} // namespace gen::runtime
