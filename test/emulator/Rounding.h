#pragma once

namespace llvm {
class Module;
}

namespace emulator {

// Replaces conversions to bf16: to the nearest, of two the even one, and denormal numbers, too (PTX
// ISA, "cvt"). Machines like this one have none, or make such numbers zeros.
void roundToBF16(llvm::Module &module);

} // namespace emulator
