//===- gen/recipe.hpp - how a model is trained ------------------*- C++ -*-===//

#ifndef GEN_RECIPE_HPP
#define GEN_RECIPE_HPP

#include <cstdint>
#include <string>
#include <vector>

namespace gen {

/// How a model is trained on images: by calls of its entry `train_step` with a batch of them. The
/// entry `sample` gives images as its result `x`.
struct Recipe {
  std::string input;               ///< train_step's argument, f32 [batch, pixels]
  double low = 0, high = 1;        ///< values of black and white
  std::vector<std::string> losses; ///< train_step's results, f32 scalars; the first is shown
  std::string stepVariable;        ///< i64 scalar: steps taken
  int64_t steps = 0;               ///< by default
  bool evaluates = false;          ///< has `evaluate`: input as train_step's, result `loss`, a mean
  bool reconstructs = false;       ///< has `reconstruct`: input as train_step's, result `x`
};

} // namespace gen

#endif // GEN_RECIPE_HPP
