// Curves of a training run as an SVG file.
#ifndef GEN_PLOT_HPP
#define GEN_PLOT_HPP

#include <string>
#include <utility>
#include <vector>

namespace gen {

/// A named curve: (step, value) pairs in the order of the steps.
struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

/// The curves in one frame with axes, ticks, names and a legend, as the text of an SVG document.
/// Long curves are averaged to what can be seen. The vertical axis leaves out what lies far above
/// the rest (the first steps of a run); values that are not finite are left out.
std::string plotSvg(const std::string &title, const std::string &xLabel, const std::string &yLabel,
                    const std::vector<Series> &series);

/// Writes plotSvg's text atomically. Throws std::runtime_error if the file cannot be written.
void writePlot(const std::string &path, const std::string &title, const std::string &xLabel,
               const std::string &yLabel, const std::vector<Series> &series);

} // namespace gen

#endif // GEN_PLOT_HPP
