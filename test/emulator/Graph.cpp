#include "Graph.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <queue>
#include <set>
#include <string>
#include <tuple>

namespace emulator {
namespace {

using gen::runtime::CUgraphNode;

// The edges of a graph, by number: which nodes each one follows. Those have smaller numbers.
using Edges = std::vector<std::vector<size_t>>;

Edges edgesOf(const CUgraph_st &graph) {
  Edges edges;
  for (const CUgraphNode_st &node : graph.nodes) {
    edges.emplace_back();
    for (CUgraphNode followed : node.followed)
      edges.back().push_back(followed->number);
  }
  return edges;
}

struct Edge {
  size_t to, index; // of those of `to`
};

// Those that no path of others stands for.
std::vector<Edge> neededOf(const Edges &edges) {
  std::vector<std::vector<bool>> before; // by node: all that it follows, by others, too
  std::vector<Edge> needed;
  for (size_t to = 0; to < edges.size(); ++to) {
    std::vector<bool> byOthers(to);
    for (size_t from : edges[to])
      for (size_t node = 0; node < from; ++node)
        byOthers[node] = byOthers[node] || before[from][node];
    for (size_t index = 0; index < edges[to].size(); ++index)
      if (!byOthers[edges[to][index]])
        needed.push_back({to, index});
    for (size_t from : edges[to])
      byOthers[from] = true;
    before.push_back(std::move(byOthers));
  }
  return needed;
}

// `node` and all that it follows, by others, too.
std::vector<bool> allBefore(const Edges &edges, size_t node) {
  std::vector<bool> isBefore(edges.size());
  isBefore[node] = true;
  for (size_t to = node + 1; to-- > 0;)
    for (size_t from : edges[to])
      isBefore[from] = isBefore[from] || isBefore[to];
  return isBefore;
}

// Numbers of nodes in an order of Graph.h; `isFirst` come as soon as they may.
std::vector<size_t> sorted(const Edges &edges, const std::vector<bool> &isFirst, bool isForward) {
  Edges following(edges.size());
  std::vector<size_t> missing(edges.size()); // how many have not been done that a node follows
  std::priority_queue<std::tuple<bool, int64_t, size_t>> ready;
  int64_t turn = 0;
  auto add = [&](size_t node) {
    ready.emplace(isFirst[node], isForward ? --turn : int64_t(node), node);
  };
  for (size_t to = 0; to < edges.size(); ++to) {
    missing[to] = edges[to].size();
    for (size_t from : edges[to])
      following[from].push_back(to);
    if (missing[to] == 0)
      add(to);
  }
  std::vector<size_t> order;
  while (!ready.empty()) {
    size_t node = std::get<size_t>(ready.top());
    ready.pop();
    order.push_back(node);
    for (size_t to : following[node])
      if (--missing[to] == 0)
        add(to);
  }
  return order;
}

GraphShape shapeOf(const CUgraph_st &graph, const Edges &edges) {
  GraphShape shape;
  std::vector<int64_t> longest; // that ends in a node
  for (const CUgraphNode_st &node : graph.nodes) {
    int64_t path = 0;
    for (CUgraphNode followed : node.followed)
      path = std::max(path, longest[followed->number]);
    longest.push_back(path + node.isLaunch);
    shape.longestPath = std::max(shape.longestPath, longest.back());
    shape.launches += node.isLaunch;
    shape.edges += static_cast<int64_t>(edges[node.number].size());
  }
  shape.nodes = static_cast<int64_t>(edges.size());
  return shape;
}

// The last graph of which works were put in order.
struct Last {
  std::mutex mutex;
  GraphShape shape;
  Edges edges;
};
Last &last() {
  static Last last;
  return last;
}

void note(const CUgraph_st &graph, const Edges &edges) {
  Last &noted = last();
  std::lock_guard<std::mutex> lock(noted.mutex);
  noted.shape = shapeOf(graph, edges);
  noted.edges = edges;
  if (std::getenv("GEN_EMULATOR_GRAPHS"))
    std::fprintf(stderr,
                 "emulator: a graph of %lld launches, %lld on the longest path; %lld nodes, %lld "
                 "edges\n",
                 static_cast<long long>(noted.shape.launches),
                 static_cast<long long>(noted.shape.longestPath),
                 static_cast<long long>(noted.shape.nodes),
                 static_cast<long long>(noted.shape.edges));
}

} // namespace

void Capture::add(Work work, bool isLaunch) {
  graph->nodes.push_back({graph->nodes.size(), std::move(work), isLaunch, std::move(dependencies)});
  dependencies = {&graph->nodes.back()};
  own.insert(dependencies.front());
}

bool Capture::setDependencies(const CUgraphNode *nodes, size_t count, bool areAdded) {
  std::set<CUgraphNode> chosen;
  for (size_t i = 0; i < count; ++i)
    if (!own.count(nodes[i]) || !chosen.insert(nodes[i]).second)
      return false;
  if (areAdded)
    chosen.insert(dependencies.begin(), dependencies.end());
  dependencies.assign(chosen.begin(), chosen.end());
  return true;
}

std::vector<Work> inOrder(const CUgraph_st &graph) {
  Edges edges = edgesOf(graph);
  note(graph, edges);
  std::vector<bool> isFirst(edges.size());
  if (const char *dropped = std::getenv("GEN_EMULATOR_DROP_EDGE")) {
    std::vector<Edge> needed = neededOf(edges);
    if (size_t number = std::strtoul(dropped, nullptr, 10); number < needed.size()) {
      auto [to, index] = needed[number];
      edges[to].erase(edges[to].begin() + static_cast<ptrdiff_t>(index));
      isFirst = allBefore(edges, to);
    }
  }
  const char *order = std::getenv("GEN_EMULATOR_ORDER");
  std::vector<Work> works;
  for (size_t node : sorted(edges, isFirst, order && std::string(order) == "forward"))
    works.push_back(graph.nodes[node].work);
  return works;
}

} // namespace emulator

// For tests: the shape of the graph that was made executable last.
extern "C" __attribute__((visibility("default"))) void
emulatorLastGraph(emulator::GraphShape *shape) {
  emulator::Last &noted = emulator::last();
  std::lock_guard<std::mutex> lock(noted.mutex);
  *shape = noted.shape;
  shape->neededEdges = static_cast<int64_t>(emulator::neededOf(noted.edges).size());
}
