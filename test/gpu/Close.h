// Results beside what they have to be, up to rounding: what tests of compiled ops and the check on
// a machine with a GPU share. Needs the runtime only.
#pragma once

#include "gen/runtime.hpp"

#include <string>

namespace gen::gpu {

/// Calls `body` with a null pointer of the C++ type of a dtype.
template <typename F> void withType(uint32_t dtype, F body) {
  switch (dtype) {
  case GEN_F32:
    return body(static_cast<float *>(nullptr));
  case GEN_F64:
    return body(static_cast<double *>(nullptr));
  case GEN_I1:
    return body(static_cast<bool *>(nullptr));
  case GEN_I8:
    return body(static_cast<int8_t *>(nullptr));
  case GEN_I32:
    return body(static_cast<int32_t *>(nullptr));
  default:
    return body(static_cast<int64_t *>(nullptr));
  }
}

/// An element, whatever its type.
double elementOf(const View &view, size_t position);

/// What is wrong with `got`, or "": dtype, shape, and each element up to `ulps` units in the last
/// place of it and of the largest one, or of `scale` if that is larger. Integers, infinities and
/// NaN have to be equal.
std::string differenceOf(const View &got, const View &expected, double ulps, double scale = 0);

} // namespace gen::gpu
