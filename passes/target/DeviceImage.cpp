//===- DeviceImage.cpp - code of a GPU in an artefact ---------------------===//

#include "passes/target/DeviceImage.h"
#include "passes/target/Cubin.h"

#include "gen/artefact.h"
#include "llvm/Support/Alignment.h"

using namespace llvm;

namespace mlir::gen {

static constexpr uint32_t kAmpereFirst = 80, kAmpereLast = 89, kHopperOnly = 90;

std::vector<DeviceBinary> codeForAll(Capability capability, SmallString<0> code) {
  bool isHopper = capability == Capability::Hopper; // its instructions are no other GPU's
  std::vector<DeviceBinary> binaries;
  binaries.push_back({isHopper ? kHopperOnly : kAmpereFirst, isHopper ? kHopperOnly : UINT32_MAX,
                      std::move(code)});
  return binaries;
}

Expected<std::vector<DeviceBinary>> assembleForDevices(StringRef ptx, Capability capability) {
  struct Machine {
    uint32_t first, last;
    StringRef architecture;
  };
  SmallVector<Machine> machines = {{kHopperOnly, kHopperOnly, "sm_90a"}};
  if (capability == Capability::Ampere)
    machines.push_back({kAmpereFirst, kAmpereLast, "sm_80"});
  std::vector<DeviceBinary> binaries;
  for (const Machine &machine : machines) {
    auto code = assemblePtx(ptx, machine.architecture);
    if (!code)
      return code.takeError();
    binaries.push_back({machine.first, machine.last, std::move(*code)});
  }
  if (capability == Capability::Ampere)
    llvm::append_range(binaries, codeForAll(capability, SmallString<0>(ptx)));
  return binaries;
}

std::string packDeviceImage(ArrayRef<DeviceBinary> binaries) {
  size_t codesAt = offsetof(gen_device_image, codes);
  std::string bytes(codesAt + binaries.size() * sizeof(gen_device_code), '\0');
  auto put = [&](size_t at, const auto &record) {
    bytes.replace(at, sizeof record, reinterpret_cast<const char *>(&record), sizeof record);
  };
  put(0, static_cast<uint64_t>(binaries.size()));
  for (auto [i, binary] : llvm::enumerate(binaries)) {
    uint64_t size = binary.code.size() + 1; // with a terminator
    bytes.resize(alignTo(bytes.size() + sizeof size, GEN_DEVICE_CODE_ALIGNMENT));
    put(bytes.size() - sizeof size, size);
    put(codesAt + i * sizeof(gen_device_code),
        gen_device_code{binary.first, binary.last, bytes.size(), size});
    bytes.append(binary.code.str());
    bytes.push_back('\0');
  }
  return bytes;
}

} // namespace mlir::gen
