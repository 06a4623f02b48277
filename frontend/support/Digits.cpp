// The drawn digits: a table of strokes, a warp, a pen.
//
// Only + - * / and sqrt are used, in a fixed order, so that every machine draws the same pixels.
#include "gen/digits.hpp"
#include "CounterRandom.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#pragma STDC FP_CONTRACT OFF

namespace gen::data {
namespace {

struct Point {
  double x, y;
};
Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
Point operator*(double s, Point a) { return {s * a.x, s * a.y}; }

using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

// The ways of writing each digit. A way is a few strokes, parted by '|'; a stroke is a smooth curve
// through its points "x,y", in percent of the digit's box, y downwards. Where a pen would turn
// sharply, a new stroke begins at the same point.
constexpr std::array<std::array<const char *, 4>, 10> glyphTexts = {{
    // 0: an oval; one whose ends cross; a narrow one
    {{"52,0 22,12 10,50 22,88 50,100 78,88 90,50 78,12 52,0",
      "68,6 40,2 16,24 10,60 30,95 62,96 86,66 84,28 60,4 42,10",
      "55,0 30,14 20,50 30,88 50,100 70,86 80,50 72,14 55,0"}},
    // 1: a stroke; with a flag; a stroke again, for its share; with a flag and a foot
    {{"50,0 50,50 50,100", "30,22 42,12 52,0 | 52,0 52,50 52,100", "50,0 51,50 50,100",
      "30,24 42,13 52,0 | 52,0 52,50 52,100 | 28,100 52,100 78,100"}},
    // 2: a straight foot; a looped foot; a wavy foot
    {{"12,26 26,6 52,0 80,12 82,36 56,66 10,100 | 10,100 50,98 92,100",
      "14,22 34,3 66,4 80,26 66,56 36,86 16,96 10,84 26,78 50,92 76,100 94,92",
      "16,16 40,0 70,6 76,30 52,64 14,96 | 14,96 40,90 62,98 90,94"}},
    // 3: two bowls; a flat top; a small loop in the middle
    {{"16,12 40,0 70,6 76,26 62,42 40,47 | 40,47 70,52 86,70 76,92 46,100 14,90",
      "14,2 50,0 82,2 | 82,2 62,24 42,42 | 42,42 74,48 86,70 74,92 44,100 14,90",
      "18,14 42,0 72,8 74,30 54,44 42,48 50,52 76,60 82,80 60,98 34,100 12,86"}},
    // 4: open; closed; round with a long stem
    {{"20,2 14,30 16,50 | 16,50 50,53 86,50 | 76,0 74,50 70,100",
      "66,0 36,34 8,64 | 8,64 50,64 94,62 | 66,0 66,50 66,100",
      "24,0 12,24 16,44 44,50 74,38 | 78,2 74,40 66,100"}},
    // 5: a cap apart; one with a sharp corner; one with a round shoulder
    {{"24,2 50,2 84,0 | 24,2 22,22 20,44 | 20,44 50,36 80,50 84,76 60,98 30,100 10,88",
      "86,2 54,3 28,6 | 28,6 24,26 22,42 | 22,42 52,40 76,56 76,80 52,98 16,96",
      "80,0 52,2 30,4 | 30,4 20,30 36,42 66,50 76,72 58,94 20,98"}},
    // 6: a curved back; a straight back; a wide loop
    {{"70,0 42,14 22,44 16,76 34,98 64,98 82,78 70,56 44,54 20,72",
      "58,0 36,34 20,70 30,96 56,100 76,82 70,62 48,56 24,70",
      "84,4 50,6 20,34 10,70 30,98 66,98 88,74 70,50 40,50 14,68"}},
    // 7: plain; with a bar; with a hooked cap and a curved stem
    {{"10,4 50,3 88,0 | 88,0 64,44 44,100",
      "10,4 50,3 88,2 | 88,2 62,46 42,100 | 34,52 56,50 80,48",
      "10,18 14,6 44,8 74,2 86,8 72,36 54,66 50,100"}},
    // 8: one line; two rings; one line begun at the right
    {{"74,14 50,0 24,12 26,34 52,48 78,66 78,88 50,100 22,88 22,68 50,48 74,32 74,14",
      "52,0 28,10 26,34 50,46 74,34 74,10 52,0 | 50,46 22,60 18,86 50,100 82,86 78,60 50,46",
      "82,10 54,0 30,10 34,34 58,56 68,80 50,100 26,92 28,70 54,46 78,24 82,10"}},
    // 9: a straight stem; a curved stem; a hooked stem
    {{"78,16 52,0 22,10 14,36 36,54 66,44 80,14 | 80,14 76,54 72,100",
      "76,20 58,2 28,6 16,30 34,52 64,42 78,16 | 78,16 74,50 58,80 36,100",
      "80,22 60,0 26,6 14,34 40,52 70,38 80,12 | 80,12 82,56 68,92 42,100 16,90"}},
}};

Glyph parseGlyph(std::string_view text) {
  Glyph glyph(1);
  while (!text.empty()) {
    if (text.front() == ' ' || text.front() == '|') {
      if (text.front() == '|')
        glyph.emplace_back();
      text.remove_prefix(1);
      continue;
    }
    int x = 0, y = 0;
    const char *end = text.data() + text.size();
    const char *comma = std::from_chars(text.data(), end, x).ptr;
    const char *rest = std::from_chars(comma + 1, end, y).ptr;
    glyph.back().push_back({x / 100.0, y / 100.0});
    text = {rest, static_cast<size_t>(end - rest)};
  }
  return glyph;
}

const std::array<std::vector<Glyph>, 10> &glyphs() {
  static const std::array<std::vector<Glyph>, 10> table = [] {
    std::array<std::vector<Glyph>, 10> parsed;
    for (size_t digit = 0; digit < parsed.size(); ++digit)
      for (const char *text : glyphTexts[digit])
        if (text)
          parsed[digit].push_back(parseGlyph(text));
    return parsed;
  }();
  return table;
}

// A smooth field of displacements: random at the nodes of a grid over the box, bicubic-like
// between.
class Warp {
public:
  Warp(CounterRandom &random, double amount) {
    for (Point &node : nodes)
      node = {amount * random.normal(), amount * random.normal()};
  }
  Point at(Point p) const {
    double u = std::clamp(p.x, 0.0, 1.0) * (side - 1), v = std::clamp(p.y, 0.0, 1.0) * (side - 1);
    int i = std::min(static_cast<int>(u), side - 2), j = std::min(static_cast<int>(v), side - 2);
    double s = ease(u - i), t = ease(v - j);
    Point top = (1 - s) * nodes[j * side + i] + s * nodes[j * side + i + 1];
    Point bottom = (1 - s) * nodes[(j + 1) * side + i] + s * nodes[(j + 1) * side + i + 1];
    return (1 - t) * top + t * bottom;
  }

private:
  static constexpr int side = 4;
  static double ease(double t) { return t * t * (3 - 2 * t); }
  std::array<Point, static_cast<size_t>(side *side)> nodes;
};

// A turn, a slant and a scale. The angle comes as the tangent of its half, to need no sine.
struct Pose {
  double cosine, sine, slant, width, height;
  explicit Pose(CounterRandom &random) {
    double half = std::clamp(0.045 * random.normal(), -0.11, 0.11);
    cosine = (1 - half * half) / (1 + half * half);
    sine = 2 * half / (1 + half * half);
    slant = 0.1 + 0.17 * random.normal();
    width = 14.5 * (1 + 0.13 * random.normal());
    height = 19.0 * (1 + 0.06 * random.normal());
  }
  // From the unit box to pixels around the origin.
  Point operator()(Point p) const {
    double y = (p.y - 0.5) * height, x = (p.x - 0.5) * width - slant * y;
    return {cosine * x - sine * y, sine * x + cosine * y};
  }
};

// The curve of Catmull and Rom through the points, as short lines appended to `line`.
void appendCurve(std::span<const Point> points, std::vector<Point> &line) {
  constexpr int pieces = 6;
  auto last = static_cast<ptrdiff_t>(points.size()) - 1;
  for (ptrdiff_t i = 0; i < last; ++i) {
    Point p0 = points[std::max<ptrdiff_t>(i - 1, 0)], p1 = points[i], p2 = points[i + 1],
          p3 = points[std::min(i + 2, last)];
    for (int k = i == 0 ? 0 : 1; k <= pieces; ++k) {
      double t = static_cast<double>(k) / pieces;
      Point a = 2.0 * p1, b = p2 - p0, c = 2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3,
            d = 3.0 * (p1 - p2) + p3 - p0;
      line.push_back(0.5 * (a + t * (b + t * (c + t * d))));
    }
  }
}

double distanceSquared(Point p, Point a, Point b) {
  Point ab = b - a, ap = p - a;
  double length = ab.x * ab.x + ab.y * ab.y;
  double t = length > 0 ? std::clamp((ap.x * ab.x + ap.y * ab.y) / length, 0.0, 1.0) : 0.0;
  Point d = ap - t * ab;
  return d.x * d.x + d.y * d.y;
}

// The ink of a round pen along the lines: full inside, fading over one pixel at the edge.
using Ink = std::array<double, static_cast<size_t>(digitSize *digitSize)>;
void draw(const std::vector<Point> &line, double radius, Ink &ink) {
  double reach = radius + 0.7;
  auto clampPixel = [](double v) { return std::clamp(static_cast<int>(v), 0, digitSize - 1); };
  for (size_t i = 0; i + 1 < line.size(); ++i) {
    Point a = line[i], b = line[i + 1];
    for (int y = clampPixel(std::min(a.y, b.y) - reach);
         y <= clampPixel(std::max(a.y, b.y) + reach); ++y)
      for (int x = clampPixel(std::min(a.x, b.x) - reach);
           x <= clampPixel(std::max(a.x, b.x) + reach); ++x) {
        double distance = std::sqrt(distanceSquared({x + 0.5, y + 0.5}, a, b));
        double &pixel = ink[y * digitSize + x];
        pixel = std::max(pixel, std::clamp((radius + 0.7 - distance) / 1.4, 0.0, 1.0));
      }
  }
}

Point centreOfMass(const std::vector<std::vector<Point>> &lines) {
  Point sum{0, 0};
  double total = 0;
  for (const auto &line : lines)
    for (size_t i = 0; i + 1 < line.size(); ++i) {
      Point d = line[i + 1] - line[i];
      double length = std::sqrt(d.x * d.x + d.y * d.y);
      sum = sum + (0.5 * length) * (line[i] + line[i + 1]);
      total += length;
    }
  return total > 0 ? (1 / total) * sum : sum;
}

struct Box {
  Point low, high;
};

Box boundingBox(const std::vector<std::vector<Point>> &lines) {
  Box box{{1e9, 1e9}, {-1e9, -1e9}};
  for (const auto &line : lines)
    for (Point p : line)
      box = {{std::min(box.low.x, p.x), std::min(box.low.y, p.y)},
             {std::max(box.high.x, p.x), std::max(box.high.y, p.y)}};
  return box;
}

// Moves the lines so that their centre of mass is the middle, as far as all of the pen stays
// inside; what is too large is made smaller first.
void centre(std::vector<std::vector<Point>> &lines, double radius) {
  double margin = radius + 1.25,
         room = digitSize - 2 * margin; // the pen's reach, a pixel of background
  Box box = boundingBox(lines);
  Point mass = centreOfMass(lines);
  double scale = std::min(1.0, room / std::max(box.high.x - box.low.x, box.high.y - box.low.y));
  auto place = [&](double mass, double low, double high) {
    return std::clamp(0.5 * digitSize - scale * mass, margin - scale * low,
                      std::max(margin - scale * low, digitSize - margin - scale * high));
  };
  Point move{place(mass.x, box.low.x, box.high.x), place(mass.y, box.low.y, box.high.y)};
  for (auto &line : lines)
    for (Point &p : line)
      p = scale * p + move;
}

} // namespace

uint8_t drawDigit(uint64_t seed, int64_t index, uint8_t *pixels) {
  CounterRandom random(seed, static_cast<uint64_t>(index));
  auto digit = static_cast<uint8_t>(random.below(10));
  const std::vector<Glyph> &styles = glyphs()[digit];
  const Glyph &glyph = styles[random.below(static_cast<uint32_t>(styles.size()))];
  Warp warp(random, 0.05);
  Pose pose(random);
  if (digit == 1) // a leaning stroke is all the variety that a 1 has
    pose.slant += 0.12 * random.normal();
  double radius = std::clamp(1.15 + 0.28 * random.normal(), 0.65, 2.0);

  std::vector<std::vector<Point>> lines;
  for (const Stroke &stroke : glyph) {
    Stroke points = stroke;
    for (size_t i = 0; i < points.size(); ++i) {
      points[i] = points[i] + warp.at(points[i]);
      if (i > 0 && i + 1 < points.size()) // the ends stay where the next stroke begins
        points[i] = points[i] + Point{0.014 * random.normal(), 0.012 * random.normal()};
      points[i] = pose(points[i]);
    }
    appendCurve(points, lines.emplace_back());
  }
  centre(lines, radius);
  Ink ink{};
  for (const auto &line : lines)
    draw(line, radius, ink);
  std::transform(ink.begin(), ink.end(), pixels,
                 [](double v) { return static_cast<uint8_t>(std::lround(v * 255.0)); });
  return digit;
}

} // namespace gen::data
