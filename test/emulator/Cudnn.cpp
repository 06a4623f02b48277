// cuDNN without a GPU: the functions that the runtime finds by name (GEN_CUDNN), for streams of the
// emulated driver. It computes convolutions from what their descriptors say, and takes nothing that
// is not as cuDNN's header wants it: attributes of a descriptor's kind, with their type and count,
// before it is finalized; and, of others, only what is final and not destroyed yet.
//
// GEN_EMULATOR_NO_ENGINE: it has no engine; GEN_EMULATOR_NO_LIBRARY: it cannot start.
#include "Cudnn.h"
#include "Numbers.h"
#include "Stream.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <vector>

using gen::runtime::Cudnn;
using gen::runtime::CUstream;
using Status = Cudnn::Status;
using Descriptor = Cudnn::Descriptor;

struct Cudnn::OpaqueHandle {
  CUstream stream = nullptr;
};

namespace {

constexpr Status kSuccess = 0, kNotInitialized = 1001, kBadParameter = 2000, kMisaligned = 2003,
                 kNotFinalized = 2004, kTypeMismatch = 2010, kNotSupported = 3000;
constexpr int kFloat = 0, kHalf = 2, kBrain = 9, kCrossCorrelation = 1, kIdentity = 21;
constexpr int64_t kRoom = int64_t(32) << 20; // of workspace

// How a configuration of an engine computes. Who takes one that is to be refused gets a wrong sum.
struct Way {
  int note; // cudnnBackendNumericalNote_t
  int64_t workspace;
  bool isSupported, isRight;
};
constexpr int kTensorCore = 0, kDownConvert = 1, kReducedSums = 2, kFft = 3, kNondeterministic = 4,
              kWinograd = 5, kWinogradTiles = 7, kStrictNan = 9;
const Way kWays[] = {{kStrictNan, 0, false, false},    {kNondeterministic, 0, true, false},
                     {kDownConvert, 0, true, false},   {kReducedSums, 0, true, false},
                     {kFft, 0, true, false},           {kWinograd, 0, true, false},
                     {kWinogradTiles, 0, true, false}, {kStrictNan, kRoom + 1, true, false},
                     {kTensorCore, kRoom, true, true}, {kStrictNan, kRoom, true, true}};
constexpr int64_t kWayCount = sizeof kWays / sizeof *kWays;

struct Rule {
  Cudnn::Type type;
  int64_t least = 1, most = 1; // values
  std::set<int> kinds = {};    // of a descriptor
};
using Rules = std::map<int, Rule>;
constexpr int64_t kAxes = 3;

// alpha, beta, the convolution, and three tensors.
Rules rulesOfOperation(int first) {
  Rules rules{{first, {Cudnn::Float}},
              {first + 1, {Cudnn::Float}},
              {first + 2, {Cudnn::DescriptorType, 1, 1, {Cudnn::Convolution}}}};
  for (int i = 3; i < 6; ++i)
    rules[first + i] = {Cudnn::DescriptorType, 1, 1, {Cudnn::Tensor}};
  return rules;
}

const std::set<int> kConvolutions = {Cudnn::ConvolutionForward, Cudnn::ConvolutionBackwardData,
                                     Cudnn::ConvolutionBackwardFilter};
const std::set<int> kOperations = {Cudnn::ConvolutionForward, Cudnn::ConvolutionBackwardData,
                                   Cudnn::ConvolutionBackwardFilter, Cudnn::PointwiseOperation};

// What has to be set on a descriptor before it is finalized.
const std::map<int, Rules> kRules = {
    {Cudnn::Pointwise,
     {{Cudnn::PointwiseMode, {Cudnn::PointwiseModeType}},
      {Cudnn::PointwisePrecision, {Cudnn::DataType}}}},
    {Cudnn::Convolution,
     {{Cudnn::ConvolutionComputeType, {Cudnn::DataType}},
      {Cudnn::ConvolutionMode, {Cudnn::ConvolutionModeType}},
      {Cudnn::ConvolutionDilations, {Cudnn::Int64, 2, kAxes}},
      {Cudnn::ConvolutionStrides, {Cudnn::Int64, 2, kAxes}},
      {Cudnn::ConvolutionPostPaddings, {Cudnn::Int64, 2, kAxes}},
      {Cudnn::ConvolutionPrePaddings, {Cudnn::Int64, 2, kAxes}},
      {Cudnn::ConvolutionSpatialAxes, {Cudnn::Int64}}}},
    {Cudnn::EngineHeuristics,
     {{Cudnn::HeuristicsMode, {Cudnn::HeuristicsModeType}},
      {Cudnn::HeuristicsGraph, {Cudnn::DescriptorType, 1, 1, {Cudnn::OperationGraph}}}}},
    {Cudnn::Plan,
     {{Cudnn::PlanHandle, {Cudnn::HandleType}},
      {Cudnn::PlanConfig, {Cudnn::DescriptorType, 1, 1, {Cudnn::EngineConfig}}}}},
    {Cudnn::ConvolutionForward, rulesOfOperation(Cudnn::ForwardAlpha)},
    {Cudnn::ConvolutionBackwardData, rulesOfOperation(Cudnn::BackwardDataAlpha)},
    {Cudnn::ConvolutionBackwardFilter, rulesOfOperation(Cudnn::BackwardFilterAlpha)},
    {Cudnn::PointwiseOperation,
     {{Cudnn::OperationPointwise, {Cudnn::DescriptorType, 1, 1, {Cudnn::Pointwise}}},
      {Cudnn::OperationPointwiseX, {Cudnn::DescriptorType, 1, 1, {Cudnn::Tensor}}},
      {Cudnn::OperationPointwiseY, {Cudnn::DescriptorType, 1, 1, {Cudnn::Tensor}}}}},
    {Cudnn::OperationGraph,
     {{Cudnn::GraphHandle, {Cudnn::HandleType}},
      {Cudnn::GraphOperations, {Cudnn::DescriptorType, 1, 2, kOperations}}}},
    {Cudnn::VariantPack,
     {{Cudnn::PackIds, {Cudnn::Int64, 1, 8}},
      {Cudnn::PackPointers, {Cudnn::Pointer, 1, 8}},
      {Cudnn::PackWorkspace, {Cudnn::Pointer}}}},
    {Cudnn::Tensor,
     {{Cudnn::TensorAlignment, {Cudnn::Int64}},
      {Cudnn::TensorType, {Cudnn::DataType}},
      {Cudnn::TensorSizes, {Cudnn::Int64, 4, kAxes + 2}},
      {Cudnn::TensorStrides, {Cudnn::Int64, 4, kAxes + 2}},
      {Cudnn::TensorId, {Cudnn::Int64}},
      {Cudnn::TensorIsVirtual, {Cudnn::Boolean}}}},
    {Cudnn::Engine, {}},
    {Cudnn::EngineConfig, {}}};

size_t bytesOf(int type) {
  if (type == Cudnn::Boolean)
    return 1;
  bool isWide = type == Cudnn::HandleType || type == Cudnn::Int64 || type == Cudnn::Pointer ||
                type == Cudnn::DescriptorType;
  return isWide ? 8 : 4; // enumerations, and float
}

std::set<Descriptor> alive;

} // namespace

struct Cudnn::OpaqueDescriptor {
  int kind;
  bool isFinal = false;
  std::map<int, std::vector<int64_t>> values = {}; // each in the first bytes of a number
  // Of a configuration, its engine and its plan.
  Descriptor graph = nullptr;
  const Way *way = nullptr;

  int64_t number(int attribute) const { return values.at(attribute)[0]; }
  Descriptor descriptor(int attribute, size_t i = 0) const {
    return reinterpret_cast<Descriptor>(values.at(attribute)[i]);
  }
};

namespace {

bool isFinal(Descriptor descriptor) { return alive.count(descriptor) && descriptor->isFinal; }

// What an operation has: a window, and tensors.
struct Convolution {
  Descriptor window, weight, input, output;
  int kind;

  explicit Convolution(const Cudnn::OpaqueDescriptor &operation) : kind(operation.kind) {
    int first = operation.values.begin()->first;
    window = operation.descriptor(first + 2);
    weight = operation.descriptor(first + 3);
    input = operation.descriptor(first + 4);
    output = operation.descriptor(first + 5);
  }
  Descriptor result() const {
    return kind == Cudnn::ConvolutionForward        ? output
           : kind == Cudnn::ConvolutionBackwardData ? input
                                                    : weight;
  }
  int64_t of(int attribute, size_t axis) const { return window->values.at(attribute)[axis]; }

  bool fits() const {
    const auto &x = input->values.at(Cudnn::TensorSizes),
               &w = weight->values.at(Cudnn::TensorSizes),
               &y = output->values.at(Cudnn::TensorSizes);
    size_t axes = size_t(window->number(Cudnn::ConvolutionSpatialAxes));
    if (x.size() != axes + 2 || w.size() != x.size() || y.size() != x.size() || x[0] != y[0] ||
        w[0] != y[1] || x[1] % w[1] != 0 || y[1] % (x[1] / w[1]) != 0)
      return false;
    for (size_t i = 0; i < axes; ++i) {
      int64_t padded = x[i + 2] + of(Cudnn::ConvolutionPrePaddings, i) +
                       of(Cudnn::ConvolutionPostPaddings, i),
              taken = (w[i + 2] - 1) * of(Cudnn::ConvolutionDilations, i) + 1;
      if (y[i + 2] != (padded - taken) / of(Cudnn::ConvolutionStrides, i) + 1)
        return false;
    }
    return true;
  }
};

Status finalizeTensor(const Cudnn::OpaqueDescriptor &tensor) {
  const auto &sizes = tensor.values.at(Cudnn::TensorSizes),
             &strides = tensor.values.at(Cudnn::TensorStrides);
  auto isPositive = [](int64_t number) { return number > 0; };
  bool fits = sizes.size() == strides.size() &&
              std::all_of(sizes.begin(), sizes.end(), isPositive) &&
              std::all_of(strides.begin(), strides.end(), isPositive);
  return fits ? kSuccess : kBadParameter;
}

Status finalizeWindow(const Cudnn::OpaqueDescriptor &window) {
  auto axes = size_t(window.number(Cudnn::ConvolutionSpatialAxes));
  for (const auto &[attribute, values] : window.values)
    if (kRules.at(Cudnn::Convolution).at(attribute).most == kAxes && values.size() != axes)
      return kBadParameter;
  bool isKnown = window.number(Cudnn::ConvolutionMode) == kCrossCorrelation &&
                 window.number(Cudnn::ConvolutionComputeType) == kFloat;
  return isKnown ? kSuccess : kNotSupported;
}

Status finalizeKind(const Cudnn::OpaqueDescriptor &descriptor) {
  if (descriptor.kind == Cudnn::Tensor)
    return finalizeTensor(descriptor);
  if (descriptor.kind == Cudnn::Convolution)
    return finalizeWindow(descriptor);
  if (kConvolutions.count(descriptor.kind))
    return Convolution(descriptor).fits() ? kSuccess : kBadParameter;
  if (descriptor.kind == Cudnn::Pointwise)
    return descriptor.number(Cudnn::PointwiseMode) == kIdentity ? kSuccess : kNotSupported;
  if (descriptor.kind == Cudnn::VariantPack)
    return descriptor.values.at(Cudnn::PackIds).size() ==
                   descriptor.values.at(Cudnn::PackPointers).size()
               ? kSuccess
               : kBadParameter;
  return kSuccess;
}

// One convolution whose tensors have their channels last and one type; or whose result has no
// memory, and is converted.
bool isSupported(const Cudnn::OpaqueDescriptor &graph) {
  const auto &operations = graph.values.at(Cudnn::GraphOperations);
  Descriptor first = graph.descriptor(Cudnn::GraphOperations);
  if (!kConvolutions.count(first->kind))
    return false;
  Convolution convolution(*first);
  bool isConverted = operations.size() == 2;
  int64_t type = 0;
  for (Descriptor tensor : {convolution.weight, convolution.input, convolution.output}) {
    bool isResult = tensor == convolution.result();
    if (tensor->values.at(Cudnn::TensorStrides)[1] != 1 ||
        (tensor->number(Cudnn::TensorIsVirtual) != 0) != (isResult && isConverted))
      return false;
    type = isResult ? type : tensor->number(Cudnn::TensorType);
  }
  if (!isConverted)
    return convolution.result()->number(Cudnn::TensorType) == type;
  Descriptor second = graph.descriptor(Cudnn::GraphOperations, 1);
  return second->kind == Cudnn::PointwiseOperation &&
         second->descriptor(Cudnn::OperationPointwiseX) == convolution.result() &&
         convolution.result()->number(Cudnn::TensorType) == kFloat;
}

// A tensor in memory; missing spatial axes are of one position.
struct Place {
  std::array<int64_t, 5> sizes = {1, 1, 1, 1, 1}, strides = {};
  emulator::Element element = emulator::Element::Float;
  char *data = nullptr;

  Place() = default;
  Place(const Cudnn::OpaqueDescriptor &tensor, const Cudnn::OpaqueDescriptor &pack) {
    const auto &given = tensor.values.at(Cudnn::TensorSizes),
               &steps = tensor.values.at(Cudnn::TensorStrides);
    std::copy(given.begin(), given.end(), sizes.begin());
    std::copy(steps.begin(), steps.end(), strides.begin());
    int64_t type = tensor.number(Cudnn::TensorType);
    element = type == kHalf    ? emulator::Element::Half
              : type == kBrain ? emulator::Element::Brain
                               : emulator::Element::Float;
    const auto &ids = pack.values.at(Cudnn::PackIds);
    auto found = std::find(ids.begin(), ids.end(), tensor.number(Cudnn::TensorId));
    if (found != ids.end())
      data = reinterpret_cast<char *>(pack.values.at(Cudnn::PackPointers)[found - ids.begin()]);
    if (reinterpret_cast<uintptr_t>(data) % uintptr_t(tensor.number(Cudnn::TensorAlignment)) != 0)
      data = nullptr;
  }
  int64_t position(const std::array<int64_t, 5> &index) const {
    int64_t at = 0;
    for (size_t axis = 0; axis < index.size(); ++axis)
      at += index[axis] * strides[axis];
    return at;
  }
  int64_t count() const {
    int64_t elements = 1;
    for (int64_t size : sizes)
      elements *= size;
    return elements;
  }
  // Of element i in row-major order.
  std::array<int64_t, 5> indexOf(int64_t i) const {
    std::array<int64_t, 5> index = {};
    for (size_t axis = 5; axis-- > 0; i /= sizes[axis])
      index[axis] = i % sizes[axis];
    return index;
  }
};

struct Work {
  Place input, weight, output, stored; // where the result is in memory
  int kind = 0;
  std::array<int64_t, 3> strides = {1, 1, 1}, low = {}, dilations = {1, 1, 1};
  char *workspace = nullptr;
  int64_t room = 0;
  bool isRight = true;

  void run() const {
    if (room)
      std::memset(workspace, 0xff, size_t(room)); // as long as it says
    const Place &result = kind == Cudnn::ConvolutionForward        ? output
                          : kind == Cudnn::ConvolutionBackwardData ? input
                                                                   : weight;
    std::map<int64_t, float> sums; // by where the result has them
    for (int64_t i = 0; i < output.count(); ++i)
      for (int64_t j = 0; j < weight.count() / weight.sizes[0]; ++j)
        addProduct(output.indexOf(i), weight.indexOf(j), sums);
    for (int64_t i = 0; i < result.count(); ++i) {
      int64_t at = result.position(result.indexOf(i));
      emulator::writeNumber(stored.element, stored.data, at, sums[at] + (isRight ? 0 : 1));
    }
  }

  // Of an element of the output, and a tap of an input channel.
  void addProduct(const std::array<int64_t, 5> &y, std::array<int64_t, 5> w,
                  std::map<int64_t, float> &sums) const {
    w[0] = y[1];
    int64_t outputsOfGroup = output.sizes[1] / (input.sizes[1] / weight.sizes[1]);
    std::array<int64_t, 5> x = {y[0], y[1] / outputsOfGroup * weight.sizes[1] + w[1]};
    for (size_t i = 0; i < 3; ++i) {
      x[i + 2] = y[i + 2] * strides[i] + w[i + 2] * dilations[i] - low[i];
      if (x[i + 2] < 0 || x[i + 2] >= input.sizes[i + 2])
        return;
    }
    auto number = [](const Place &place, int64_t at) {
      return emulator::readNumber(place.element, place.data, at);
    };
    int64_t atX = input.position(x), atW = weight.position(w), atY = output.position(y);
    if (kind == Cudnn::ConvolutionForward)
      sums[atY] += number(input, atX) * number(weight, atW);
    else if (kind == Cudnn::ConvolutionBackwardData)
      sums[atX] += number(output, atY) * number(weight, atW);
    else
      sums[atW] += number(input, atX) * number(output, atY);
  }
};

// False if the pack lacks memory, or it is not aligned.
bool describe(const Cudnn::OpaqueDescriptor &plan, const Cudnn::OpaqueDescriptor &pack,
              Work &work) {
  Convolution convolution(*plan.graph->descriptor(Cudnn::GraphOperations));
  bool isConverted = plan.graph->values.at(Cudnn::GraphOperations).size() == 2;
  Descriptor stored = isConverted ? plan.graph->descriptor(Cudnn::GraphOperations, 1)
                                        ->descriptor(Cudnn::OperationPointwiseY)
                                  : convolution.result();
  work.input = Place(*convolution.input, pack);
  work.weight = Place(*convolution.weight, pack);
  work.output = Place(*convolution.output, pack);
  work.stored = Place(*stored, pack);
  work.kind = convolution.kind;
  work.isRight = plan.way->isRight;
  work.room = plan.way->workspace;
  work.workspace = reinterpret_cast<char *>(pack.number(Cudnn::PackWorkspace));
  for (size_t i = 0; i < size_t(convolution.window->number(Cudnn::ConvolutionSpatialAxes)); ++i) {
    work.strides[i] = convolution.of(Cudnn::ConvolutionStrides, i);
    work.low[i] = convolution.of(Cudnn::ConvolutionPrePaddings, i);
    work.dilations[i] = convolution.of(Cudnn::ConvolutionDilations, i);
  }
  int present =
      (work.input.data != nullptr) + (work.weight.data != nullptr) + (work.output.data != nullptr);
  return work.stored.data && present == (isConverted ? 2 : 3) && (!work.room || work.workspace);
}

} // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED Status cudnnCreate(Cudnn::Handle *handle) {
  if (std::getenv("GEN_EMULATOR_NO_LIBRARY"))
    return kNotInitialized;
  *handle = new Cudnn::OpaqueHandle;
  return kSuccess;
}
EXPORTED Status cudnnDestroy(Cudnn::Handle handle) {
  delete handle;
  return kSuccess;
}
EXPORTED Status cudnnSetStream(Cudnn::Handle handle, CUstream stream) {
  handle->stream = stream;
  return kSuccess;
}
EXPORTED const char *cudnnGetErrorString(Status status) {
  return status == kMisaligned     ? "CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER"
         : status == kNotFinalized ? "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED"
                                   : "CUDNN_STATUS_BAD_PARAM";
}
EXPORTED Status cudnnBackendCreateDescriptor(int kind, Descriptor *descriptor) {
  if (!kRules.count(kind))
    return kNotSupported;
  *descriptor = new Cudnn::OpaqueDescriptor{kind};
  alive.insert(*descriptor);
  return kSuccess;
}
EXPORTED Status cudnnBackendDestroyDescriptor(Descriptor descriptor) {
  if (!alive.erase(descriptor))
    return kBadParameter;
  delete descriptor;
  return kSuccess;
}
EXPORTED Status cudnnBackendSetAttribute(Descriptor descriptor, int attribute, int type,
                                         int64_t count, const void *values) {
  if (!alive.count(descriptor) || descriptor->isFinal)
    return kBadParameter;
  const Rules &rules = kRules.at(descriptor->kind);
  auto rule = rules.find(attribute);
  if (rule == rules.end() || count < rule->second.least || count > rule->second.most)
    return kBadParameter;
  if (type != rule->second.type)
    return kTypeMismatch;
  std::vector<int64_t> &kept = descriptor->values[attribute];
  kept.assign(size_t(count), 0);
  for (size_t i = 0; i < kept.size(); ++i)
    std::memcpy(&kept[i], static_cast<const char *>(values) + i * bytesOf(type), bytesOf(type));
  const std::set<int> &kinds = rule->second.kinds;
  for (int64_t value : kept)
    if (auto other = reinterpret_cast<Descriptor>(value); !kinds.empty())
      if (!isFinal(other) || !kinds.count(other->kind))
        return kNotFinalized;
  return kSuccess;
}
EXPORTED Status cudnnBackendFinalize(Descriptor descriptor) {
  if (!alive.count(descriptor) || descriptor->isFinal)
    return kBadParameter;
  for (const auto &[attribute, rule] : kRules.at(descriptor->kind))
    if (!descriptor->values.count(attribute))
      return kBadParameter;
  if (Status status = finalizeKind(*descriptor))
    return status;
  if (descriptor->kind == Cudnn::Plan) {
    Descriptor config = descriptor->descriptor(Cudnn::PlanConfig);
    descriptor->graph = config->graph;
    descriptor->way = config->way;
    if (!config->way->isSupported)
      return kNotSupported;
  }
  descriptor->isFinal = true;
  return kSuccess;
}

// Of engines' configurations: it says more than there are.
static Status getResults(const Cudnn::OpaqueDescriptor &heuristics, int64_t most, int64_t *count,
                         Descriptor *results) {
  Descriptor graph = heuristics.descriptor(Cudnn::HeuristicsGraph);
  bool isNone = std::getenv("GEN_EMULATOR_NO_ENGINE") || !isSupported(*graph);
  *count = most == 0 ? kWayCount + 3 : isNone ? 0 : std::min(most, kWayCount);
  for (int64_t i = 0; most != 0 && i < *count; ++i) {
    if (!alive.count(results[i]) || results[i]->kind != Cudnn::EngineConfig)
      return kBadParameter;
    results[i]->graph = graph;
    results[i]->way = &kWays[i];
    results[i]->isFinal = true;
  }
  return kSuccess;
}

EXPORTED Status cudnnBackendGetAttribute(Descriptor descriptor, int attribute, int type,
                                         int64_t most, int64_t *count, void *values) {
  if (!isFinal(descriptor))
    return kNotFinalized;
  *count = 1;
  if (attribute == Cudnn::HeuristicsResults && descriptor->kind == Cudnn::EngineHeuristics &&
      type == Cudnn::DescriptorType)
    return getResults(*descriptor, most, count, static_cast<Descriptor *>(values));
  if (most < 1)
    return kBadParameter;
  if (attribute == Cudnn::ConfigEngine && descriptor->kind == Cudnn::EngineConfig &&
      type == Cudnn::DescriptorType) {
    Descriptor engine = *static_cast<Descriptor *>(values);
    if (!alive.count(engine) || engine->kind != Cudnn::Engine)
      return kBadParameter;
    engine->way = descriptor->way;
    engine->isFinal = true;
    return kSuccess;
  }
  if (attribute == Cudnn::EngineNumericalNotes && descriptor->kind == Cudnn::Engine &&
      type == Cudnn::NumericalNote) {
    *static_cast<int *>(values) = descriptor->way->note;
    return kSuccess;
  }
  if (attribute == Cudnn::PlanWorkspace && descriptor->kind == Cudnn::Plan &&
      type == Cudnn::Int64) {
    *static_cast<int64_t *>(values) = descriptor->way->workspace;
    return kSuccess;
  }
  return kBadParameter;
}

EXPORTED Status cudnnBackendExecute(Cudnn::Handle handle, Descriptor plan, Descriptor pack) {
  if (!isFinal(plan) || plan->kind != Cudnn::Plan || !isFinal(pack) ||
      pack->kind != Cudnn::VariantPack || !isFinal(plan->graph))
    return kNotFinalized;
  Work work;
  if (!describe(*plan, *pack, work))
    return kMisaligned;
  if (plan->way->note == kTensorCore)
    emulator::addWork(handle->stream, "cudnnOnTensorCores", [] {});
  emulator::addWork(handle->stream, "cudnnBackendExecute", [work] { work.run(); });
  return kSuccess;
}
