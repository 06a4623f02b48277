//===- models/flow.hpp - what flows share -----------------------*- C++ -*-===//
//
// A flow is an invertible network whose Jacobian's determinant is known: it tells how likely an
// image is, and turns noise into images. Flows of the zoo work on the logits of pixels, as RealNVP
// (Dinh, Sohl-Dickstein, Bengio, ICLR 2017, 4.1); what they tell is minus the base-2 logarithm of
// the likelihood of the image's bytes, a dimension.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_FLOW_HPP
#define GEN_MODELS_FLOW_HPP

#include "gen/ops.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

/// Images are rows of 28 x 28 values.
constexpr int64_t kFlowSide = 28, kFlowPixels = kFlowSide * kFlowSide;

/// Values, and log |det| of the map that made them, of each row.
struct Mapped {
  Tensor values, logDeterminant;
};

/// Logits [batch, 784] to noise of the same shape, and back.
struct Flow {
  std::function<Mapped(const Tensor &x)> forward;
  std::function<Tensor(const Tensor &z)> inverse;
};

/// How the noise is distributed, each value by itself.
enum class Prior { Normal, Logistic };

/// The entries of a flow with its variables under `scope`.
void addFlow(Program &program, const Scope &scope, const Settings &settings, const Flow &flow,
             Prior prior = Prior::Normal);
/// Draws samples; ends with images that went through the flow and back.
Recipe flowRecipe();

} // namespace gen::zoo

#endif // GEN_MODELS_FLOW_HPP
