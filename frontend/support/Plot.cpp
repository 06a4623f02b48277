// The loss curve as SVG: a frame, ticks at round numbers, lines.
#include "gen/plot.hpp"
#include "gen/files.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <iterator>

namespace gen {
namespace {

constexpr double width = 720, height = 400, left = 72, right = 20, top = 44, bottom = 52;
constexpr size_t maxPoints = 400;
constexpr std::array<const char *, 4> colours = {"#2563eb", "#dc2626", "#059669", "#7c3aed"};

struct Range {
  double low, high;
  double span() const { return high - low; }
};

// Averages neighbours until at most maxPoints are left; drops what is not finite.
Series reduce(const Series &series) {
  Series finite{series.name, {}};
  std::copy_if(series.points.begin(), series.points.end(), std::back_inserter(finite.points),
               [](auto p) { return std::isfinite(p.first) && std::isfinite(p.second); });
  size_t bucket = (finite.points.size() + maxPoints - 1) / maxPoints;
  if (bucket <= 1)
    return finite;
  Series reduced{series.name, {}};
  for (size_t i = 0; i < finite.points.size(); i += bucket) {
    size_t end = std::min(i + bucket, finite.points.size());
    double x = 0, y = 0;
    for (size_t k = i; k < end; ++k) {
      x += finite.points[k].first / static_cast<double>(end - i);
      y += finite.points[k].second / static_cast<double>(end - i);
    }
    reduced.points.emplace_back(x, y);
  }
  return reduced;
}

// The step of a readable scale (1, 2 or 5 times a power of ten) with about `count` ticks.
double tickStep(double span, int count) {
  double raw = span / count, power = std::pow(10.0, std::floor(std::log10(raw))),
         lead = raw / power;
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

std::vector<double> ticks(Range range, int count) {
  double step = tickStep(range.span(), count), first = std::ceil(range.low / step);
  std::vector<double> values;
  for (int k = 0; k < 3 * count && (first + k) * step <= range.high; ++k)
    values.push_back((first + k) * step + 0.0); // + 0.0: no negative zero
  return values;
}

Range widen(Range range) {
  double room = std::max({range.span() * 0.05, std::abs(range.high) * 1e-3, 1e-6});
  return {range.low - room, range.high + room};
}

Range xRange(const std::vector<Series> &series) {
  Range range{0, 1};
  for (const Series &s : series)
    for (auto [x, y] : s.points)
      range = {std::min(range.low, x), std::max(range.high, x)};
  return range;
}

// All of the values but the few far above the others.
Range yRange(const std::vector<Series> &series) {
  std::vector<double> values;
  for (const Series &s : series)
    for (auto [x, y] : s.points)
      values.push_back(y);
  if (values.empty())
    return {0, 1};
  std::sort(values.begin(), values.end());
  double low = values.front(), usual = values[(values.size() - 1) * 97 / 100];
  return widen({low, std::min(values.back(), usual + 0.35 * (usual - low))});
}

std::string escape(const std::string &text) {
  std::string out;
  for (char c : text) {
    switch (c) {
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '&':
      out += "&amp;";
      break;
    default:
      out += c;
    }
  }
  return out;
}

// Maps values to the frame and writes its parts.
class Frame {
public:
  Frame(Range x, Range y) : x(x), y(y) {}
  double px(double v) const { return left + (v - x.low) / x.span() * (width - left - right); }
  double py(double v) const {
    return height - bottom - (v - y.low) / y.span() * (height - top - bottom);
  }

  void grid(std::string &svg) const {
    auto out = std::back_inserter(svg);
    for (double value : ticks(y, 6)) {
      double at = py(value);
      fmt::format_to(out, "<path d=\"M{:.1f} {:.1f}H{:.1f}\" stroke=\"#e5e7eb\"/>\n", left, at,
                     width - right);
      fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{:.6g}</text>\n",
                     left - 8, at + 4, value);
    }
    for (double value : ticks(x, 8)) {
      double at = px(value);
      fmt::format_to(out, "<path d=\"M{:.1f} {:.1f}v5\" stroke=\"#374151\"/>\n", at,
                     height - bottom);
      fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:.6g}</text>\n",
                     at, height - bottom + 20, value);
    }
    fmt::format_to(
        out, "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}H{3:.1f}\" fill=\"none\" stroke=\"#374151\"/>\n",
        left, top, height - bottom, width - right);
  }

  void curve(std::string &svg, const Series &series, const char *colour) const {
    auto out = std::back_inserter(svg);
    fmt::format_to(
        out,
        "<path clip-path=\"url(#frame)\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\" d=\"",
        colour);
    for (size_t i = 0; i < series.points.size(); ++i)
      fmt::format_to(out, "{}{:.1f} {:.1f}", i == 0 ? "M" : "L", px(series.points[i].first),
                     py(series.points[i].second));
    svg += "\"/>\n";
    if (series.points.size() <= 40) // few enough to be seen one by one
      for (auto [vx, vy] : series.points)
        fmt::format_to(
            out,
            "<circle clip-path=\"url(#frame)\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n",
            px(vx), py(vy), colour);
  }

private:
  Range x, y;
};

} // namespace

std::string plotSvg(const std::string &title, const std::string &xLabel, const std::string &yLabel,
                    const std::vector<Series> &series) {
  std::vector<Series> reduced;
  std::transform(series.begin(), series.end(), std::back_inserter(reduced), reduce);
  Frame frame(xRange(reduced), yRange(reduced));
  std::string svg =
      fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
                  "height=\"{1}\" "
                  "font-family=\"sans-serif\" font-size=\"12\" fill=\"#374151\">\n"
                  "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n"
                  "<clipPath id=\"frame\"><rect x=\"{2}\" y=\"{3}\" width=\"{4}\" "
                  "height=\"{5}\"/></clipPath>\n",
                  width, height, left, top, width - left - right, height - top - bottom);
  auto out = std::back_inserter(svg);
  fmt::format_to(out, "<text x=\"{}\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{}</text>\n",
                 left, escape(title));
  frame.grid(svg);
  for (size_t i = 0; i < reduced.size(); ++i)
    frame.curve(svg, reduced[i], colours[i % colours.size()]);
  for (size_t i = 0; i < reduced.size(); ++i) { // the legend, in the title's line
    double x = width - right - 110 * static_cast<double>(reduced.size() - i);
    fmt::format_to(out, "<path d=\"M{:.1f} 20h22\" stroke=\"{}\" stroke-width=\"3\"/>\n", x,
                   colours[i % colours.size()]);
    fmt::format_to(out, "<text x=\"{:.1f}\" y=\"24\">{}</text>\n", x + 30, escape(reduced[i].name));
  }
  fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                 (left + width - right) / 2, height - 12, escape(xLabel));
  fmt::format_to(out,
                 "<text transform=\"translate(18 {:.1f}) rotate(-90)\" "
                 "text-anchor=\"middle\">{}</text>\n</svg>\n",
                 (top + height - bottom) / 2, escape(yLabel));
  return svg;
}

void writePlot(const std::string &path, const std::string &title, const std::string &xLabel,
               const std::string &yLabel, const std::vector<Series> &series) {
  writeFileAtomically(path, plotSvg(title, xLabel, yLabel, series));
}

} // namespace gen
