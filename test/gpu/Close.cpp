#include "Close.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace gen::gpu {

double elementOf(const View &view, size_t position) {
  double value = 0;
  withType(view.dtype(), [&](auto *type) {
    value = static_cast<double>(view.data<std::remove_pointer_t<decltype(type)>>()[position]);
  });
  return value;
}

std::string differenceOf(const View &got, const View &expected, double ulps, double scale) {
  if (got.dtype() != expected.dtype() || got.shape() != expected.shape())
    return "expected " + expected.describe() + ", got " + got.describe();
  bool isSingle = expected.dtype() == GEN_F32, isFloat = isSingle || expected.dtype() == GEN_F64;
  constexpr double kMostScale = 1e6;
  double ulp = isSingle ? 0x1p-23 : 0x1p-52, largest = scale;
  for (size_t i = 0; i < expected.size(); ++i)
    if (double want = elementOf(expected, i); std::isfinite(want))
      largest = std::max(largest, std::fabs(want));
  for (size_t i = 0; i < expected.size(); ++i) {
    double value = elementOf(got, i), want = elementOf(expected, i);
    double room = isFloat && std::isfinite(want)
                      ? ulp * ulps * (std::fabs(want) + std::min(largest, kMostScale))
                      : 0;
    if (value == want || (std::isnan(value) && std::isnan(want)) || std::fabs(value - want) <= room)
      continue;
    char text[160];
    std::snprintf(text, sizeof text, "element %zu: expected %.17g, got %.17g, room is %.3g", i,
                  want, value, room);
    return text;
  }
  return "";
}

} // namespace gen::gpu
