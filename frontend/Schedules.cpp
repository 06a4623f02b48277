//===- Schedules.cpp - learning rates that change -------------------------===//

#include "gen/schedules.hpp"
#include "Diagnostic.h"
#include "gen/ops.hpp"

#include <cmath>
#include <numbers>

namespace gen::schedule {

/// Throws unless `number` is above `limit`: a schedule over no steps would divide by 0.
static double above(const char *name, const char *what, double number, double limit = 0) {
  if (number > limit)
    return number;
  throw detail::Diagnostic(SourceLocation::current(), std::string("schedule::") + name,
                           std::string("expected ") + what + " above " + std::to_string(limit) +
                               ", got " + std::to_string(number))
      .error();
}

/// Half a wave of the cosine: `from` where `part` is 0, `to` where it is 1.
static Tensor halfWave(double from, double to, const Tensor &part) {
  return to + (0.5 * (from - to)) * (1.0 + cos(std::numbers::pi * part));
}

Schedule constant(double factor) {
  return [=](const Tensor &) { return full({}, factor, f64); };
}

Schedule step(double period, double gamma) {
  above("step", "a period", period);
  return [=](const Tensor &t) { return pow(gamma, cast(cast(t / period, i64), f64)); };
}

Schedule exponential(double gamma) {
  return [=](const Tensor &t) { return pow(gamma, t); };
}

Schedule linear(double steps, double start, double end) {
  above("linear", "a number of steps", steps);
  return [=](const Tensor &t) { return start + (end - start) * minimum(t / steps, 1.0); };
}

Schedule cosine(double steps, double lowest) {
  above("cosine", "a number of steps", steps);
  return [=](const Tensor &t) { return halfWave(1, lowest, minimum(t / steps, 1.0)); };
}

Schedule one_cycle(double steps, const OneCycleOptions &options) {
  const double highest = options.pct_start * steps - 1, last = steps - 1;
  above("one_cycle", "a step of the highest rate", highest);
  above("one_cycle", "a last step", last, highest);
  const double first = 1 / options.div_factor, final = first / options.final_div_factor;
  return [=](const Tensor &t) {
    Tensor up = halfWave(first, 1, t / highest);
    Tensor down = halfWave(1, final, minimum((t - highest) / (last - highest), 1.0));
    return where(t < highest, up, down);
  };
}

Schedule warm_up(double steps, Schedule after) {
  above("warm_up", "a number of steps", steps);
  return [=, after = std::move(after)](const Tensor &t) {
    return where(t < steps, (t + 1.0) / steps, after(maximum(t - steps, 0.0)));
  };
}

Schedule inverse_sqrt(double steps) {
  above("inverse_sqrt", "a number of steps", steps);
  return [=](const Tensor &t) {
    return minimum((t + 1.0) / steps, std::sqrt(steps) * rsqrt(t + 1.0));
  };
}

} // namespace gen::schedule
