// Failures, their messages, and the status objects of the C ABI.
#include "Failure.h"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

struct gen_status {
  int code;
  char message[1]; // allocated to the length of the message
};

namespace gen::runtime {

static std::string formatList(const char *pattern, va_list arguments) {
  va_list copy;
  va_copy(copy, arguments);
  int length = std::vsnprintf(nullptr, 0, pattern, copy);
  va_end(copy);
  if (length < 0)
    return pattern;
  std::string text(length, '\0');
  std::vsnprintf(text.data(), text.size() + 1, pattern, arguments);
  return text;
}

std::string format(const char *pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  std::string text = formatList(pattern, arguments);
  va_end(arguments);
  return text;
}

void fail(int code, const char *pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  std::string text = formatList(pattern, arguments);
  va_end(arguments);
  throw Failure{code, std::move(text)};
}

void failErrno(int error, const std::string &path, const char *action) {
  int code = error == ENOENT ? GEN_NOT_FOUND : error == ENOMEM ? GEN_OUT_OF_MEMORY : GEN_IO;
  fail(code, "%s: cannot %s: %s", path.c_str(), action, std::strerror(error));
}

void requireNonNull(const void *pointer, const char *function, const char *argument) {
  if (!pointer)
    fail(GEN_INVALID_ARGUMENT, "%s: '%s' must not be null", function, argument);
}

// An error about memory must not need memory.
static gen_status outOfMemoryStatus = {GEN_OUT_OF_MEMORY, {0}};

gen_status *outOfMemory() noexcept { return &outOfMemoryStatus; }

gen_status *makeStatus(int code, const char *message) noexcept {
  size_t length = std::strlen(message);
  auto *status = static_cast<gen_status *>(std::malloc(sizeof(gen_status) + length));
  if (!status)
    return outOfMemory();
  status->code = code;
  std::memcpy(status->message, message, length + 1);
  return status;
}

} // namespace gen::runtime

using namespace gen::runtime;

int gen_status_code(const gen_status *status) { return status ? status->code : GEN_OK; }

const char *gen_status_message(const gen_status *status) {
  if (!status)
    return "";
  return status == &outOfMemoryStatus ? "out of memory" : status->message;
}

void gen_status_release(gen_status *status) {
  if (status != &outOfMemoryStatus)
    std::free(status);
}

const char *gen_runtime_version(void) { return GEN_RUNTIME_VERSION; }
