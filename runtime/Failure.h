// Errors inside the runtime: a Failure is thrown where something is wrong and becomes a gen_status
// at the C ABI, where guard() stands in every fallible function. No exception leaves the library.
#pragma once

#include "gen/runtime.h"

#include <new>
#include <string>

namespace gen::runtime {

struct Failure {
  int code;
  std::string message;
};

// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string format(const char *pattern, ...);

// Throws a Failure with a printf-made message.
[[noreturn, gnu::format(printf, 2, 3)]] void fail(int code, const char *pattern, ...);

// Throws GEN_IO (GEN_NOT_FOUND for a missing file): "vae.so: cannot open: No such file or
// directory".
[[noreturn]] void failErrno(int error, const std::string &path, const char *action);

gen_status *makeStatus(int code, const char *message) noexcept;
gen_status *outOfMemory() noexcept;

// Runs `body` and makes a status of whatever it throws.
template <class Body> gen_status *guard(Body &&body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const Failure &failure) {
    return makeStatus(failure.code, failure.message.c_str());
  } catch (const std::bad_alloc &) {
    return outOfMemory();
  } catch (const std::exception &error) {
    return makeStatus(GEN_INTERNAL, error.what());
  } catch (...) {
    return makeStatus(GEN_INTERNAL, "unknown error");
  }
}

// Throws GEN_INVALID_ARGUMENT if a pointer of the caller is null.
void requireNonNull(const void *pointer, const char *function, const char *argument);

} // namespace gen::runtime
