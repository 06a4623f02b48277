// Elements that libraries read and write in memory: f32, f16 or bf16.
#pragma once

#include "llvm/ADT/APFloat.h"

#include <cstdint>

namespace emulator {

enum class Element : char { Float, Half, Brain };

inline const llvm::fltSemantics &narrowOf(Element element) {
  return element == Element::Half ? llvm::APFloat::IEEEhalf() : llvm::APFloat::BFloat();
}

inline float readNumber(Element element, const char *data, int64_t at) {
  if (element == Element::Float)
    return reinterpret_cast<const float *>(data)[at];
  llvm::APInt bits(16, reinterpret_cast<const uint16_t *>(data)[at]);
  return llvm::APFloat(narrowOf(element), bits).convertToFloat();
}

inline void writeNumber(Element element, char *data, int64_t at, float value) {
  if (element == Element::Float) {
    reinterpret_cast<float *>(data)[at] = value;
    return;
  }
  llvm::APFloat rounded(value);
  bool isInexact = false;
  rounded.convert(narrowOf(element), llvm::APFloat::rmNearestTiesToEven, &isInexact);
  reinterpret_cast<uint16_t *>(data)[at] = uint16_t(rounded.bitcastToAPInt().getZExtValue());
}

} // namespace emulator
