//===- Phases.h - which taps an input of a convolution meets ----*- C++ -*-===//
//
// The input's gradient, or a transposed convolution, falls into phases: positions s = q * stride +
// r of one residue r meet the same taps, every (stride / gcd(stride, dilation))th.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_PHASES_H
#define GEN_PASSES_KERNELS_PHASES_H

#include "dialect/ops/Convolution.h"

#include <numeric>

namespace mlir::gen::kernels {

/// What meets the input's positions of one residue along one axis, counted in the order of the
/// output's positions.
struct Phase {
  int64_t taps;     ///< How many.
  int64_t position; ///< The output's position that the first tap takes for the phase's first input.
  int64_t tap;      ///< The number of the first tap; they come down from there.
};

/// The phases along one axis, with the steps between two taps.
struct PhasedAxis {
  PhasedAxis(const ConvolutionWindow &window, int64_t i, int64_t kernel) {
    int64_t stride = window.strides[i], dilation = window.dilations[i];
    int64_t common = std::gcd(stride, dilation);
    tapStep = stride / common;
    positionStep = dilation / common;
    for (int64_t residue = 0; residue < stride; ++residue) {
      Phase phase{0, 0, 0};
      for (int64_t tap = 0; tap < kernel; ++tap) {
        int64_t distance = residue + window.low[i] - tap * dilation;
        if (distance % stride != 0)
          continue;
        ++phase.taps;
        phase.tap = tap;
        phase.position = distance / stride;
      }
      phases.push_back(phase);
    }
  }
  bool isUniform() const {
    return llvm::all_of(phases, [&](const Phase &p) { return p.taps == phases[0].taps; });
  }

  SmallVector<Phase> phases; ///< One a residue.
  int64_t tapStep, positionStep;
};

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_PHASES_H
