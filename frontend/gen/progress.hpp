// How far long work is: a bar on a terminal, plain lines elsewhere.
#ifndef GEN_PROGRESS_HPP
#define GEN_PROGRESS_HPP

#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>

namespace gen {

/// Shows the steps of long work, as training: step, loss, examples a second, time left. On a
/// terminal one line is redrawn, at most ten times a second; elsewhere a line is written every few
/// seconds, and at the end. Not for use from several threads at once.
class Progress {
public:
  struct Options {
    int64_t total = 0;                       ///< the last step
    int64_t first = 0;                       ///< steps done before, in a resumed run
    int64_t examplesPerStep = 0;             ///< 0: steps a second are shown instead
    std::FILE *file = stderr;                ///< where to write; not owned
    int terminal = -1;                       ///< 1: a terminal, 0: not one, -1: ask the file
    std::function<double()> clock = nullptr; ///< seconds from any start; empty: the steady clock
  };
  explicit Progress(const Options &options);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// Tells that `step` steps are done, the last with `loss`, if there is such a thing.
  void update(int64_t step, std::optional<double> loss = std::nullopt);
  /// Writes a line of its own, above the bar.
  void note(const std::string &text);
  /// Writes the last state and ends the line. Called by the destructor if it was not before.
  void finish();

private:
  std::string line(double now) const;
  void draw(double now);

  Options options;
  bool terminal, finished = false, dirty = false;
  double start, lastDraw;
  int64_t step;
  std::optional<double> loss;
};

} // namespace gen

#endif // GEN_PROGRESS_HPP
