// The library from outside: what it exports, what it needs, how large it is, and that failing
// memory never ends the program.
#include "fixtures/Runtime.h"

#include <cstdio>
#include <new>
#include <set>
#include <sstream>

namespace {

#if !__has_feature(thread_sanitizer)
// Number of allocations of this thread that still succeed; negative: all.
thread_local long allocationsLeft = -1;

bool isAllowed() {
  if (allocationsLeft < 0)
    return true;
  return allocationsLeft-- > 0;
}
#endif

// The output of a command, and its exit status.
std::string outputOf(const std::string &command, int *status = nullptr) {
  FILE *pipe = popen((command + " 2>&1").c_str(), "r");
  std::string text;
  char buffer[4096];
  while (size_t got = std::fread(buffer, 1, sizeof buffer, pipe))
    text.append(buffer, got);
  int result = pclose(pipe);
  if (status)
    *status = result;
  return text;
}

bool hasTool(const std::string &name) {
  return std::system(("command -v " + name + " >/dev/null").c_str()) == 0;
}

} // namespace

#if !__has_feature(thread_sanitizer) // it has its own
void *operator new(size_t size) {
  void *memory = isAllowed() ? std::malloc(size ? size : 1) : nullptr;
  if (!memory) {
    allocationsLeft = -1; // one failure; what handles it may allocate again
    throw std::bad_alloc();
  }
  return memory;
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }
#endif

TEST(Abi, ExportsTheHeadersFunctionsOnly) {
  if (!hasTool("nm"))
    GTEST_SKIP() << "nm is not installed";
  std::istringstream lines(outputOf("nm -D --defined-only " GEN_RUNTIME_LIBRARY));
  std::set<std::string> exported;
  for (std::string address, kind, name; lines >> address >> kind >> name;)
    exported.insert(name);
  std::string header = test::readFile(GEN_SOURCE_DIR "/runtime/gen/runtime.h");
  EXPECT_GT(exported.size(), 30u);
  for (const std::string &name : exported) {
    EXPECT_EQ(name.rfind("gen_", 0), 0u) << name;
    EXPECT_NE(header.find(name + "("), std::string::npos) << name << " is not in runtime.h";
  }
  for (size_t at = 0; (at = header.find("GEN_API ", at)) != std::string::npos; ++at) {
    size_t end = header.find('(', at), begin = header.find_last_of(" *", end) + 1;
    std::string name = header.substr(begin, end - begin);
    if (name.rfind("gen_", 0) == 0)
      EXPECT_TRUE(exported.count(name)) << name << " is not exported";
  }
}

TEST(Abi, NeedsNoLlvmAndNoCxxLibrary) {
  std::string libraries = outputOf("ldd " GEN_RUNTIME_LIBRARY);
  EXPECT_NE(libraries.find("libc.so"), std::string::npos) << libraries;
  EXPECT_EQ(libraries.find("LLVM"), std::string::npos) << libraries;
  EXPECT_EQ(libraries.find("MLIR"), std::string::npos) << libraries;
#if !__has_feature(address_sanitizer)
  EXPECT_EQ(libraries.find("libstdc++"), std::string::npos) << libraries;
#endif
}

#if !__has_feature(address_sanitizer) && defined(NDEBUG)
TEST(Abi, IsSmall) {
  if (!hasTool("strip"))
    GTEST_SKIP() << "strip is not installed";
  test::TempDir dir;
  ASSERT_EQ(std::system(("strip -o " + (dir / "stripped.so") + " " GEN_RUNTIME_LIBRARY).c_str()),
            0);
  EXPECT_LT(std::filesystem::file_size(dir / "stripped.so"), 500000u);
}
#endif

TEST(Abi, HeadersAreCAndCxx17) {
  std::string include = "-I" GEN_SOURCE_DIR "/runtime -Wall -Wextra -Werror -fsyntax-only -x ";
  for (const char *compiler : {"clang-22", "gcc"}) {
    if (!hasTool(compiler))
      continue;
    for (const char *header : {"artefact.h", "runtime.h", "dlpack.h"}) {
      std::string output = outputOf(std::string(compiler) + " -std=c11 -pedantic " + include +
                                    "c " + GEN_SOURCE_DIR "/runtime/gen/" + header);
      EXPECT_EQ(output, "") << compiler << " " << header;
    }
    std::string output = outputOf(std::string(compiler) + " -std=c++17 -pedantic " + include +
                                  "c++ " GEN_SOURCE_DIR "/runtime/gen/runtime.hpp");
    EXPECT_EQ(output.find("error"), std::string::npos) << compiler << "\n" << output;
  }
}

TEST(Abi, StatusesOfNothing) {
  EXPECT_EQ(gen_status_code(nullptr), GEN_OK);
  EXPECT_STREQ(gen_status_message(nullptr), "");
  EXPECT_STREQ(gen_dtype_name(GEN_F32), "f32");
  EXPECT_STREQ(gen_dtype_name(1000), "?");
  EXPECT_EQ(gen_dtype_size(1000), 0u);
  EXPECT_STREQ(gen_runtime_version(), "0.1.0");
}

#if !__has_feature(thread_sanitizer)
// Makes the n-th allocation fail, for all n: every function reports it, and works the next time.
TEST(Abi, EveryAllocationMayFail) {
  test::TempDir dir;
  std::string path = dir / "w";
  float data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  gen_tensor x = {data, GEN_F32, 2, {2, 4}}, y;
  int failures = 0;
  bool finished = false;
  for (long allowed = 0; !finished && allowed < 10000; ++allowed) {
    gen_model *model = nullptr;
    gen_session *session = nullptr;
    gen_session_options options = GEN_SESSION_OPTIONS_INIT;
    options.threads = 2;
    options.flags = GEN_PROFILE;
    allocationsLeft = allowed;
    gen_status *status = gen_model_open(GEN_TOY_MODEL, &model);
    if (!status)
      status = gen_session_create(model, &options, &session);
    if (!status)
      status = gen_session_call(session, "scale", &x, 1, &y, 1);
    if (!status)
      status = gen_session_save(session, path.c_str());
    if (!status)
      status = gen_session_load(session, path.c_str(), 0);
    if (!status)
      status = gen_profile_write(session, path.c_str());
    finished = allocationsLeft >= 0;
    allocationsLeft = -1;
    if (status) {
      ++failures;
      EXPECT_EQ(gen_status_code(status), GEN_OUT_OF_MEMORY) << gen_status_message(status);
      EXPECT_STREQ(gen_status_message(status), "out of memory");
    }
    gen_status_release(status);
    gen_session_close(session);
    gen_model_close(model);
  }
  EXPECT_TRUE(finished);
  EXPECT_GT(failures, 20);
}
#endif
