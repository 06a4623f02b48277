//===- Cubin.cpp - machine code of NVIDIA GPUs ----------------------------===//

#include "passes/target/Cubin.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"

using namespace llvm;

namespace mlir::gen {

/// In PATH, or where the CUDA toolkit is: CUDA_HOME, or its usual place.
static Expected<std::string> findPtxas() {
  std::string folder = sys::Process::GetEnv("CUDA_HOME").value_or("/usr/local/cuda") + "/bin";
  ErrorOr<std::string> ptxas = sys::findProgramByName("ptxas");
  if (!ptxas)
    ptxas = sys::findProgramByName("ptxas", {folder});
  if (!ptxas)
    return createStringError("no ptxas in PATH or " + folder +
                             ", which makes machine code for GPUs; hint: it is part of the CUDA "
                             "toolkit; --device-code=ptx needs none");
  return *ptxas;
}

/// A file of its own, removed in the end.
class TemporaryFile {
public:
  static Expected<std::unique_ptr<TemporaryFile>> create(StringRef suffix) {
    SmallString<128> path;
    if (std::error_code error = sys::fs::createTemporaryFile("gencc", suffix, path))
      return createStringError(error, "cannot create a temporary file");
    return std::make_unique<TemporaryFile>(path);
  }
  explicit TemporaryFile(StringRef path) : path(path), remover(path) {}

  Error write(StringRef contents) const {
    std::error_code error;
    raw_fd_ostream out(path, error);
    out << contents;
    out.close();
    if (error || out.has_error())
      return createStringError(error ? error : out.error(), "cannot write " + path);
    return Error::success();
  }
  Expected<SmallString<0>> read() const {
    auto buffer = MemoryBuffer::getFile(path);
    if (!buffer)
      return createStringError(buffer.getError(), "cannot read " + path);
    return SmallString<0>((*buffer)->getBuffer());
  }

  const std::string path;

private:
  FileRemover remover;
};

Expected<SmallString<0>> assemblePtx(StringRef ptx, StringRef architecture) {
  auto ptxas = findPtxas();
  if (!ptxas)
    return ptxas.takeError();
  std::unique_ptr<TemporaryFile> files[3];
  for (auto [file, suffix] : zip_equal(files, std::array{"ptx", "cubin", "txt"})) {
    auto made = TemporaryFile::create(suffix);
    if (!made)
      return made.takeError();
    file = std::move(*made);
  }
  auto &[source, code, said] = files;
  if (Error error = source->write(ptx))
    return error;
  std::string target = ("-arch=" + architecture).str(), failure;
  StringRef command[] = {*ptxas, target, source->path, "-o", code->path};
  std::optional<StringRef> outputs[] = {StringRef(), StringRef(said->path), StringRef(said->path)};
  if (sys::ExecuteAndWait(*ptxas, command, std::nullopt, outputs, /*SecondsToWait=*/0,
                          /*MemoryLimit=*/0, &failure) == 0)
    return code->read();
  auto text = said->read();
  if (!text)
    return text.takeError();
  return createStringError(*ptxas + " failed: " + failure + text->str());
}

} // namespace mlir::gen
