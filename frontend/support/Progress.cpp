// The progress line and when to write it.
#include "gen/progress.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <unistd.h>

namespace gen {
namespace {

constexpr double redrawSeconds = 0.1, plainSeconds = 5.0;
constexpr int barWidth = 24;

double steadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// 0:07, 12:30, 1:02:03
std::string duration(double seconds) {
  auto whole = static_cast<int64_t>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  int64_t hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, rest)
                   : fmt::format("{}:{:02}", minutes, rest);
}

} // namespace

Progress::Progress(const Options &given) : options(given), step(given.first) {
  if (!options.clock)
    options.clock = steadySeconds;
  terminal = options.terminal >= 0 ? options.terminal == 1 : isatty(fileno(options.file)) == 1;
  start = options.clock();
  lastDraw = terminal ? start - redrawSeconds : start;
}

Progress::~Progress() { finish(); }

std::string Progress::line(double now) const {
  double done = static_cast<double>(step - options.first), seconds = std::max(now - start, 1e-9);
  double rate = done / seconds;
  std::string text;
  if (terminal) {
    double share =
        options.total > 0 ? static_cast<double>(step) / static_cast<double>(options.total) : 0;
    int filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * barWidth);
    text = fmt::format("[{}{}] ", std::string(filled, '#'), std::string(barWidth - filled, '.'));
  }
  auto digits = static_cast<int>(fmt::formatted_size("{}", options.total));
  text += fmt::format("step {:>{}}/{}", step, digits, options.total);
  if (loss)
    text += fmt::format("  loss {:.4g}", *loss);
  if (options.examplesPerStep > 0)
    text += fmt::format("  {:.0f} examples/s", rate * static_cast<double>(options.examplesPerStep));
  else
    text += fmt::format("  {:.1f} steps/s", rate);
  if (step < options.total && rate > 0)
    text += fmt::format("  {} left", duration(static_cast<double>(options.total - step) / rate));
  else
    text += fmt::format("  {}", duration(seconds));
  return text;
}

void Progress::draw(double now) {
  std::string text = line(now);
  if (terminal)
    fmt::print(options.file, "\r{}\x1b[K", text);
  else
    fmt::print(options.file, "{}\n", text);
  std::fflush(options.file);
  lastDraw = now;
  dirty = false;
}

void Progress::update(int64_t newStep, std::optional<double> newLoss) {
  step = newStep;
  loss = newLoss;
  dirty = true;
  double now = options.clock();
  if (now - lastDraw >= (terminal ? redrawSeconds : plainSeconds))
    draw(now);
}

void Progress::note(const std::string &text) {
  fmt::print(options.file, "{}{}{}\n", terminal ? "\r" : "", text, terminal ? "\x1b[K" : "");
  std::fflush(options.file);
  if (terminal && step > options.first)
    draw(options.clock());
}

void Progress::finish() {
  if (finished)
    return;
  finished = true;
  if (dirty)
    draw(options.clock());
  if (terminal && step > options.first) {
    fmt::print(options.file, "\n");
    std::fflush(options.file);
  }
}

} // namespace gen
