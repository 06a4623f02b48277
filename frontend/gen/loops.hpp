//===- gen/loops.hpp - loops that are ops -----------------------*- C++ -*-===//
//
// `repeat` and `scan` record their body once and run it for every step, however many a call asks
// for; the C++ `for` records its body once for each step, and their number is fixed in the program.
//
// In the body variables are read and assigned as elsewhere: a step sees what the one before has
// assigned. Gradients go through. Random numbers differ from step to step: a loop has a key of its
// own, drawn where it stands, and counts its steps in place of calls, so that a resumed session
// goes on with the same numbers.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_LOOPS_HPP
#define GEN_LOOPS_HPP

#include "gen/tensor.hpp"

#include <functional>
#include <vector>

namespace gen {

/// One step of `repeat`: the values after it, given its number, an i64 scalar, and those before.
/// They keep their dtypes and shapes.
using RepeatBody =
    std::function<std::vector<Tensor>(const Tensor &step, const std::vector<Tensor> &values)>;

/// The values after `steps` steps that start with `first`.
std::vector<Tensor> repeat(const Dimension &steps, const std::vector<Tensor> &first,
                           const RepeatBody &body,
                           SourceLocation where = SourceLocation::current());
/// The same for one value: repeat(100, x, [&](Tensor step, Tensor x) { return x + 1.0; }).
Tensor repeat(const Dimension &steps, const Tensor &first,
              const std::function<Tensor(const Tensor &step, const Tensor &value)> &body,
              SourceLocation where = SourceLocation::current());

/// The same for a number of steps that is computed: a scalar of i64. Such a loop has no gradient.
std::vector<Tensor> repeat(const Tensor &steps, const std::vector<Tensor> &first,
                           const RepeatBody &body,
                           SourceLocation where = SourceLocation::current());

/// What a branch of `cond` gives; it may use all values from before.
using Branch = std::function<std::vector<Tensor>()>;

/// What `then` gives where `condition`, a scalar, holds, else what `otherwise` gives (JAX's
/// lax.cond). Only the branch taken is computed, and assigns. Both give the same dtypes and shapes.
std::vector<Tensor> cond(const Tensor &condition, const Branch &then, const Branch &otherwise,
                         SourceLocation where = SourceLocation::current());

/// What a step of `scan` gives: the values for the next step, and elements of the outputs.
struct ScanStep {
  std::vector<Tensor> values;
  std::vector<Tensor> outputs;
};
/// One step of `scan`, given the values and the element of each sequence.
using ScanBody =
    std::function<ScanStep(const std::vector<Tensor> &values, const std::vector<Tensor> &elements)>;

struct ScanOptions {
  bool reverse = false; ///< from the last element to the first
};

/// Goes along the first axis of `sequences`, which have one length there: an element is without
/// that axis. Returns the last values, and the outputs of all steps as sequences (JAX's lax.scan).
ScanStep scan(const std::vector<Tensor> &first, const std::vector<Tensor> &sequences,
              const ScanBody &body, const ScanOptions &options = {},
              SourceLocation where = SourceLocation::current());

} // namespace gen

#endif // GEN_LOOPS_HPP
