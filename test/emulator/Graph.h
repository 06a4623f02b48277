// Graphs of the emulated driver: works, each of which follows some of those before it. They are
// done in an order that is allowed, and as far from the one in which they were recorded as
// possible, so that what does not follow what it should comes too early.
#pragma once

#include "Cuda.h"

#include <deque>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

namespace emulator {

using Work = std::function<gen::runtime::CUresult()>;

// What tests ask of a graph (emulatorLastGraph).
struct GraphShape {
  int64_t nodes = 0, launches = 0;
  int64_t longestPath = 0; // how many launches are on it
  int64_t edges = 0;
  int64_t neededEdges = 0; // those that no path of others stands for
};

} // namespace emulator

struct CUgraphNode_st {
  size_t number; // as recorded, from 0
  emulator::Work work;
  bool isLaunch; // of a kernel, or of what a library does in place of one
  std::vector<gen::runtime::CUgraphNode> followed;
};
struct CUgraph_st {
  std::deque<CUgraphNode_st> nodes; // stay where they are
};

namespace emulator {

// What is recorded of a stream.
class Capture {
public:
  // Adds a node that follows the stream's dependencies, and becomes their only one.
  void add(Work work, bool isLaunch);
  // Replaces the dependencies, or adds to them. False if `nodes` are not distinct ones of the
  // graph.
  bool setDependencies(const gen::runtime::CUgraphNode *nodes, size_t count, bool areAdded);
  const std::vector<gen::runtime::CUgraphNode> &dependenciesOf() const { return dependencies; }
  gen::runtime::CUgraph graphOf() const { return graph.get(); }
  std::unique_ptr<CUgraph_st> finish() { return std::move(graph); }

private:
  std::unique_ptr<CUgraph_st> graph = std::make_unique<CUgraph_st>();
  std::unordered_set<gen::runtime::CUgraphNode> own; // nodes of the graph
  std::vector<gen::runtime::CUgraphNode> dependencies;
};

// The works of a graph in the order in which they are done: of those that may be, the one that was
// recorded last; if GEN_EMULATOR_ORDER is "forward", the one that may be for the longest time, so
// that branches take turns. With GEN_EMULATOR_DROP_EDGE=N one of the needed edges is left out, and
// the work that it led to is done as early as possible. With GEN_EMULATOR_GRAPHS says what shape
// the graph has.
std::vector<Work> inOrder(const CUgraph_st &graph);

} // namespace emulator
