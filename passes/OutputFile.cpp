//===- OutputFile.cpp - files that appear whole or not at all -------------===//

#include "passes/OutputFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mlir::gen {

static Error cannotWrite(StringRef path, Error reason) {
  return createStringError("cannot write '" + path + "': " + toString(std::move(reason)));
}

static Error writeTo(raw_fd_ostream &stream, StringRef contents) {
  stream << contents;
  stream.flush();
  std::error_code error = stream.error();
  stream.clear_error();
  return errorCodeToError(error);
}

static Error replace(StringRef path, StringRef contents) {
  unsigned permissions = sys::fs::all_read | sys::fs::owner_write;
  SmallString<128> pattern(path);
  pattern += ".%%%%%%";
  Expected<sys::fs::TempFile> file = sys::fs::TempFile::create(pattern, permissions);
  if (!file)
    return file.takeError();
  raw_fd_ostream stream(file->FD, /*shouldClose=*/false);
  if (Error failed = writeTo(stream, contents)) {
    consumeError(file->discard());
    return failed;
  }
  Error kept = file->keep(path);
  if (!kept)
    return Error::success();
  // The rename failed, and with it the copy.
  if (std::error_code code = sys::fs::remove(file->TmpName))
    return joinErrors(std::move(kept), errorCodeToError(code));
  return kept;
}

Error writeFile(StringRef path, StringRef contents) {
  if (path == "-") {
    if (Error failed = writeTo(outs(), contents))
      return cannotWrite("stdout", std::move(failed));
    return Error::success();
  }
  sys::fs::file_status status;
  bool special = !sys::fs::status(path, status) && sys::fs::exists(status) &&
                 status.type() != sys::fs::file_type::regular_file &&
                 status.type() != sys::fs::file_type::directory_file;
  if (!special) {
    if (Error failed = replace(path, contents))
      return cannotWrite(path, std::move(failed));
    return Error::success();
  }
  std::error_code error; // a device or pipe, such as /dev/stdout, is written to, not replaced
  raw_fd_ostream stream(path, error);
  if (!error)
    if (Error failed = writeTo(stream, contents))
      return cannotWrite(path, std::move(failed));
  return error ? cannotWrite(path, errorCodeToError(error)) : Error::success();
}

} // namespace mlir::gen
