//===- gen/schedules.hpp - learning rates that change -----------*- C++ -*-===//
//
// A schedule is a factor on an optimizer's learning rate, as a function of the number of steps
// taken before: an f64 scalar to an f64 scalar, computed in the compiled step from the optimizer's
// own counter, so that a resumed training goes on exactly. One of your own is a lambda:
//
//   adam.minimize(loss, weights, {.schedule = schedule::warm_up(500, schedule::cosine(20000))});
//   sgd.minimize(loss, weights, {.schedule = [](const Tensor &t) { return 1.0 / (1.0 + t); }});
//
//===----------------------------------------------------------------------===//

#ifndef GEN_SCHEDULES_HPP
#define GEN_SCHEDULES_HPP

#include "gen/tensor.hpp"

#include <functional>

namespace gen {

using Schedule = std::function<Tensor(const Tensor &step)>;

namespace schedule {

// NOLINTBEGIN(readability-identifier-naming): the field's names

/// The same in every step.
Schedule constant(double factor = 1);
/// gamma times as much after every `period` steps (PyTorch's StepLR).
Schedule step(double period, double gamma = 0.1);
/// gamma^step (ExponentialLR).
Schedule exponential(double gamma);
/// From `start` to `end` in a straight line over `steps` steps, and then `end` (LinearLR).
Schedule linear(double steps, double start = 1.0 / 3, double end = 1);
/// From 1 to `lowest` over `steps` steps along half a wave of the cosine, and then `lowest`
/// (CosineAnnealingLR; Loshchilov, Hutter 2017, without restarts).
Schedule cosine(double steps, double lowest = 0);

struct OneCycleOptions {
  double pct_start = 0.3;        ///< the part of the steps in which it rises
  double div_factor = 25;        ///< the highest over the first
  double final_div_factor = 1e4; ///< the first over the last
};
/// Up to 1 and down to nearly 0, along half waves of the cosine (OneCycleLR; Smith, Topin 2017).
Schedule one_cycle(double steps, const OneCycleOptions &options = {});

/// 1 / steps, 2 / steps, ..., 1 in the first `steps` steps; from then on `after`, counted from
/// there.
Schedule warm_up(double steps, Schedule after = constant());
/// Rises as warm_up, then falls with the square root of the steps: 1 at its highest
/// (Vaswani et al. 2017, whose learning rate is (width * steps)^-0.5 there).
Schedule inverse_sqrt(double steps);

// NOLINTEND(readability-identifier-naming)

} // namespace schedule
} // namespace gen

#endif // GEN_SCHEDULES_HPP
