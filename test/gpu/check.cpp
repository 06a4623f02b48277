// gpu-check: compares models on this machine's GPU with the same on its CPU (Compare.h). A line for
// each model; the last one says how many are equal.
#include "Compare.h"

#include <chrono>
#include <cstdio>

static bool check(const char *path) {
  using Clock = std::chrono::steady_clock;
  auto begin = Clock::now();
  std::vector<std::string> problems;
  try {
    problems = gen::gpu::compareWithCpu(gen::Model::open(path), std::string(path) + ".safetensors");
  } catch (const gen::Error &error) {
    problems.emplace_back(error.what());
  }
  double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("%s %s (%.1f s)\n", problems.empty() ? "PASS" : "FAIL", path, seconds);
  for (const std::string &problem : problems)
    std::printf("  %s\n", problem.c_str());
  std::fflush(stdout);
  return problems.empty();
}

int main(int count, char **paths) {
  int equal = 0;
  for (int i = 1; i < count; ++i)
    equal += check(paths[i]);
  std::printf("%d of %d models are as on the CPU\n", equal, count - 1);
  return equal == count - 1 && count > 1 ? 0 : 1;
}
