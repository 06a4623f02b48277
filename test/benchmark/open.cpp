// Time from a file to the first result: opens a compiled model, makes a session, calls an entry
// without arguments once.
//   benchmark-open MODEL.so [ENTRY] [WEIGHTS.safetensors]     (each line: milliseconds since the
//   start)
#include "gen/runtime.hpp"

#include <chrono>
#include <cstdio>

int main(int argc, char **argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: benchmark-open MODEL.so [ENTRY] [WEIGHTS.safetensors]\n");
    return 2;
  }
  auto start = std::chrono::steady_clock::now();
  auto report = [&](const char *what) {
    std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    std::printf("%-14s %7.3f ms\n", what, time.count());
  };
  try {
    std::string entry = argc > 2 ? argv[2] : "sample";
    gen::Model model = gen::Model::open(argv[1]);
    report("opened");
    gen::Session session(model);
    report("session");
    if (argc > 3) {
      session.load(argv[3]);
      report("weights");
    }
    session.call(entry);
    report("first result");
    session.call(entry);
    report("second result");
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
