//===- device-graphs.cpp - the order of recorded calls, on a GPU, emulated -===//
//
// Recorded calls are graphs in which works follow those that they depend on, no others: what is
// independent is so in the graph, and each edge is needed, since without it numbers are wrong.
//
//===----------------------------------------------------------------------===//

#include "Compiled.h"
#include "models/zoo.hpp"
#include "test/emulator/Graph.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace gen::runtime;
using emulator::GraphShape;

namespace {

/// A function of the emulated driver.
template <class Function> Function driver(const char *name) {
  static void *library = dlopen(GEN_CUDA_EMULATOR, RTLD_NOW);
  return reinterpret_cast<Function>(dlsym(library, name));
}

class DeviceGraphs : public testing::Test {
protected:
  void SetUp() override { setenv("GEN_CUDA_DRIVER", GEN_CUDA_EMULATOR, /*overwrite=*/1); }
  void TearDown() override {
    for (const char *variable :
         {"GEN_CUDA_GRAPH", "GEN_EMULATOR_DROP_EDGE", "GEN_EMULATOR_REFUSE_ORDER"})
      unsetenv(variable);
    std::filesystem::remove(path);
  }

  void compile(const std::string &text) const {
    mlir::gen::CompileOptions options;
    options.target = "cuda";
    options.deviceCode = mlir::gen::DeviceCode::Bitcode;
    optable::compileText(text, options, path);
  }

  gen::Session open() const {
    gen::SessionOptions options;
    options.device = "cuda";
    return gen::Session(gen::Model::open(path), options);
  }

  /// What three calls of an entry give, and the variables afterwards. Inputs are others each time,
  /// so that what comes too early sees others.
  std::vector<gen::Array> run(const std::string &entry) const {
    gen::Session session = open();
    std::vector<gen::Array> all;
    for (unsigned call = 0; call < 3; ++call) {
      std::vector<gen::Array> inputs = inputsOf(session.model(), entry, call);
      gen::Results results = session.call(entry, {inputs.begin(), inputs.end()});
      for (size_t i = 0; i < results.size(); ++i)
        all.emplace_back(results[i]);
    }
    for (const gen::TensorSpec &spec : session.model().variables())
      all.emplace_back(session.variable(spec.name));
    return all;
  }

  static GraphShape shapeOfLast() {
    GraphShape shape;
    driver<void (*)(GraphShape *)>("emulatorLastGraph")(&shape);
    return shape;
  }

  static std::vector<gen::Array> inputsOf(const gen::Model &model, const std::string &entry,
                                          unsigned seed) {
    std::vector<gen::Array> inputs;
    for (const gen::EntrySpec &spec : model.entries())
      if (spec.name == entry)
        for (const gen::TensorSpec &input : spec.inputs) {
          std::vector<int64_t> shape = input.shape;
          std::replace(shape.begin(), shape.end(), int64_t(-1), int64_t(4));
          gen::Array &array = inputs.emplace_back(GEN_F32, shape);
          for (size_t i = 0; i < array.size(); ++i)
            array.data<float>()[i] = float((i + ++seed) * 7919 % 1009) / 1009;
        }
    return inputs;
  }

  const std::string path = (std::filesystem::path(testing::TempDir()) /
                            (std::string("graphs-") +
                             testing::UnitTest::GetInstance()->current_test_info()->name() + ".so"))
                               .string();
};

const char *const kIndependent = R"(
func.func @main(%x: tensor<3x20xf32>, %y: tensor<4x30xf32>) -> (tensor<3x20xf32>, tensor<4x30xf32>) {
  %0 = gen.softmax %x axis 1 : tensor<3x20xf32>
  %1 = gen.relu %y : tensor<4x30xf32>
  return %0, %1 : tensor<3x20xf32>, tensor<4x30xf32>
})";

// Two branches, of an argument's copy, a launch, and a result's copy.
TEST_F(DeviceGraphs, IndependentLaunchesHaveNoEdge) {
  compile(kIndependent);
  run("main");
  GraphShape shape = shapeOfLast();
  EXPECT_EQ(shape.nodes, 6);
  EXPECT_EQ(shape.launches, 2);
  EXPECT_EQ(shape.edges, 4);
  EXPECT_EQ(shape.longestPath, 1);
}

TEST_F(DeviceGraphs, AreChainsIfOneSaysSo) {
  compile(kIndependent);
  setenv("GEN_CUDA_GRAPH", "chain", /*overwrite=*/1);
  run("main");
  GraphShape shape = shapeOfLast();
  EXPECT_EQ(shape.edges, 5);
  EXPECT_EQ(shape.longestPath, 2);
}

// The step of a network of two layers: five launches. The first layer's hidden values (1), the
// result's error (2), the error of the hidden values (3); then both weights' products.
const char *const kStep = R"(
gen.variable @w : tensor<8x16xf32> = dense<0.125> : tensor<8x16xf32>
gen.variable @v : tensor<16x6xf32> = dense<0.25> : tensor<16x6xf32>
func.func @train_step(%x: tensor<4x8xf32>, %t: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %w = gen.read @w : tensor<8x16xf32>
  %v = gen.read @v : tensor<16x6xf32>
  %p = gen.matmul %x, %w : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  %h = gen.sigmoid %p : tensor<4x16xf32>
  %y = gen.matmul %h, %v : (tensor<4x16xf32>, tensor<16x6xf32>) -> tensor<4x6xf32>
  %e = gen.sub %t, %y : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
  %b = gen.matmul %e, %v transposed : (tensor<4x6xf32>, tensor<16x6xf32>) -> tensor<4x16xf32>
  %d = gen.mul %b, %h : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %g = gen.matmul %h transposed, %e : (tensor<4x16xf32>, tensor<4x6xf32>) -> tensor<16x6xf32>
  %v1 = gen.add %v, %g : (tensor<16x6xf32>, tensor<16x6xf32>) -> tensor<16x6xf32>
  gen.assign @v, %v1 : tensor<16x6xf32>
  %f = gen.matmul %x transposed, %d : (tensor<4x8xf32>, tensor<4x16xf32>) -> tensor<8x16xf32>
  %w1 = gen.add %w, %f : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  gen.assign @w, %w1 : tensor<8x16xf32>
  return %e : tensor<4x6xf32>
})";

TEST_F(DeviceGraphs, LayersOfAStepAreBranches) {
  compile(kStep);
  run("train_step");
  GraphShape shape = shapeOfLast();
  EXPECT_EQ(shape.launches, 5);
  EXPECT_EQ(shape.longestPath, 4);
}

/// Without an edge, numbers are wrong; and there are none that a path of others stands for.
class DeviceEdges : public DeviceGraphs {
protected:
  void expectEachFound(const std::string &entry) const {
    setenv("GEN_CUDA_GRAPH", "chain", /*overwrite=*/1);
    std::vector<gen::Array> expected = run(entry);
    unsetenv("GEN_CUDA_GRAPH");
    EXPECT_TRUE(areSame(run(entry), expected));
    int64_t edges = shapeOfLast().neededEdges;
    EXPECT_EQ(shapeOfLast().edges, edges);
    for (int64_t number = 0; number <= edges; ++number) {
      setenv("GEN_EMULATOR_DROP_EDGE", std::to_string(number).c_str(), /*overwrite=*/1);
      EXPECT_EQ(areSame(run(entry), expected), number == edges)
          << "without edge " << number << " of " << edges;
    }
    unsetenv("GEN_EMULATOR_DROP_EDGE");
  }

private:
  static bool areSame(const std::vector<gen::Array> &one, const std::vector<gen::Array> &other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](const gen::Array &a, const gen::Array &b) {
                        return std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
                      });
  }
};

TEST_F(DeviceEdges, OfAStepAreNeeded) {
  compile(kStep);
  expectEachFound("train_step");
}

TEST_F(DeviceEdges, OfAModelAreNeeded) {
  const gen::zoo::ModelInfo *model = gen::zoo::find("vae");
  gen::Program program("vae");
  model->build(program, gen::zoo::settingsOf(*model, {"hidden=8"}));
  compile(program.str());
  expectEachFound("train_step");
  GraphShape shape = shapeOfLast();
  EXPECT_LT(shape.longestPath, shape.launches);
  EXPECT_GE(shape.neededEdges, shape.launches);
}

// A driver that refuses an order gets the chain.
TEST_F(DeviceGraphs, ChainsWhereAnOrderIsRefused) {
  compile(kIndependent);
  gen::Session session = open();
  auto call = [&] {
    std::vector<gen::Array> inputs = inputsOf(session.model(), "main", 0);
    gen::Results results = session.call("main", {inputs.begin(), inputs.end()});
    return results[0].values<float>();
  };
  std::vector<float> expected = call();
  setenv("GEN_EMULATOR_REFUSE_ORDER", "1", /*overwrite=*/1);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(call(), expected);
  EXPECT_EQ(shapeOfLast().nodes, 6);
  EXPECT_EQ(shapeOfLast().edges, 5);
}

/// The functions of the emulated driver, as those of real ones.
class DeviceCaptures : public testing::Test {
protected:
  enum { Success = 0, InvalidValue = 1, IllegalState = 401 };
  void SetUp() override {
    driver<CUresult (*)(CUstream *, unsigned)>("cuStreamCreate")(&stream, 1);
    driver<CUresult (*)(CUdeviceptr *, size_t)>("cuMemAlloc_v2")(&memory, 4);
  }
  void TearDown() override {
    driver<CUresult (*)(CUdeviceptr)>("cuMemFree_v2")(memory);
    driver<CUresult (*)(CUstream)>("cuStreamDestroy_v2")(stream);
  }

  void begin() const { driver<CUresult (*)(CUstream, int)>("cuStreamBeginCapture_v2")(stream, 1); }
  CUgraph end() const {
    CUgraph graph = nullptr;
    driver<CUresult (*)(CUstream, CUgraph *)>("cuStreamEndCapture")(stream, &graph);
    return graph;
  }
  static void destroy(CUgraph graph) { driver<CUresult (*)(CUgraph)>("cuGraphDestroy")(graph); }
  void copy() const {
    driver<CUresult (*)(CUdeviceptr, CUdeviceptr, size_t, CUstream)>("cuMemcpyDtoDAsync_v2")(
        memory, memory, 4, stream);
  }
  CUresult set(std::vector<CUgraphNode> nodes, unsigned flags = 1) const {
    nodes.reserve(1);
    return driver<CUresult (*)(CUstream, CUgraphNode *, size_t, unsigned)>(
        "cuStreamUpdateCaptureDependencies")(stream, nodes.data(), nodes.size(), flags);
  }
  std::vector<CUgraphNode> get(int expectedStatus = 1) const {
    int status = -1;
    const CUgraphNode *nodes = nullptr;
    size_t count = 0;
    auto function =
        driver<CUresult (*)(CUstream, int *, uint64_t *, CUgraph *, const CUgraphNode **,
                            size_t *)>("cuStreamGetCaptureInfo_v2");
    EXPECT_EQ(function(stream, &status, nullptr, nullptr, &nodes, &count), Success);
    EXPECT_EQ(function(stream, nullptr, nullptr, nullptr, &nodes, &count), InvalidValue);
    EXPECT_EQ(status, expectedStatus);
    return {nodes, nodes + count};
  }

  CUstream stream = nullptr;
  CUdeviceptr memory = 0;
};

TEST_F(DeviceCaptures, HaveDependencies) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  begin();
  EXPECT_THAT(get(), IsEmpty());
  copy();
  CUgraphNode first = get().at(0);
  EXPECT_EQ(set({}), Success);
  EXPECT_THAT(get(), IsEmpty());
  copy();
  CUgraphNode second = get().at(0);
  EXPECT_THAT(first->followed, IsEmpty());
  EXPECT_THAT(second->followed, IsEmpty());
  EXPECT_EQ(set({first}, /*add*/ 0), Success);
  copy();
  EXPECT_THAT(get().at(0)->followed, testing::UnorderedElementsAre(first, second));
  EXPECT_EQ(set({first}), Success);
  copy();
  EXPECT_THAT(get().at(0)->followed, ElementsAre(first));
  destroy(end());
}

TEST_F(DeviceCaptures, RefuseWhatIsWrong) {
  EXPECT_EQ(set({}), IllegalState);
  get(/*none*/ 0);
  begin();
  copy();
  CUgraphNode foreign = get().at(0);
  CUgraph graph = end();
  begin();
  copy();
  CUgraphNode own = get().at(0);
  EXPECT_EQ(set({foreign}), InvalidValue);
  EXPECT_EQ(set({own, own}), InvalidValue);
  EXPECT_EQ(set({nullptr}), InvalidValue);
  EXPECT_EQ(set({own}, 2), InvalidValue);
  EXPECT_THAT(get(), testing::ElementsAre(own));
  driver<CUresult (*)(CUstream)>("cuStreamSynchronize")(stream);
  get(/*invalidated*/ 2);
  EXPECT_NE(set({own}), Success);
  EXPECT_EQ(end(), nullptr);
  destroy(graph);
}

} // namespace
