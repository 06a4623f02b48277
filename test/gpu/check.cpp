// gpu-check: compares artefacts on this machine's GPU with the results that are stored beside them
// (StoredCalls.h), or else with the same on its CPU (Compare.h). A line for each artefact; the last
// one says how many are as expected.
#include "Compare.h"
#include "StoredCalls.h"

#include <chrono>
#include <cstdio>
#include <filesystem>

static std::vector<std::string> compare(const char *path) {
  gen::Model model = gen::Model::open(path);
  std::string stored = std::filesystem::path(path).replace_extension("calls").string();
  return std::filesystem::exists(stored)
             ? gen::gpu::compareWithStored(model, gen::gpu::readCalls(stored))
             : gen::gpu::compareWithCpu(model, std::string(path) + ".safetensors");
}

static bool check(const char *path) {
  using Clock = std::chrono::steady_clock;
  auto begin = Clock::now();
  std::vector<std::string> problems;
  try {
    problems = compare(path);
  } catch (const std::exception &error) {
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
  std::printf("%d of %d are as expected\n", equal, count - 1);
  return equal == count - 1 && count > 1 ? 0 : 1;
}
