// The confusion matrix as figures, table and picture.
#include "gen/confusion.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <stdexcept>

namespace gen {

void Confusion::add(int64_t truth, int64_t predicted) {
  constexpr int64_t kMost = 65535;
  int64_t largest = std::max(truth, predicted);
  if (std::min(truth, predicted) < 0 || largest > kMost)
    throw std::runtime_error(
        fmt::format("expected classes from 0 to {}, got {} and {}", kMost, truth, predicted));
  if (largest >= classes()) {
    counts.resize(static_cast<size_t>(largest + 1));
    for (std::vector<int64_t> &row : counts)
      row.resize(counts.size());
  }
  ++counts[static_cast<size_t>(truth)][static_cast<size_t>(predicted)];
}

int64_t Confusion::count(int64_t truth, int64_t predicted) const {
  return counts.at(static_cast<size_t>(truth)).at(static_cast<size_t>(predicted));
}

int64_t Confusion::rowSum(int64_t truth) const {
  const std::vector<int64_t> &row = counts.at(static_cast<size_t>(truth));
  return std::accumulate(row.begin(), row.end(), int64_t{0});
}

int64_t Confusion::columnSum(int64_t predicted) const {
  int64_t sum = 0;
  for (int64_t truth = 0; truth < classes(); ++truth)
    sum += count(truth, predicted);
  return sum;
}

static double quotient(double part, double whole) { return whole > 0 ? part / whole : 0; }

double Confusion::accuracy() const {
  int64_t right = 0, all = 0;
  for (int64_t label = 0; label < classes(); ++label) {
    right += count(label, label);
    all += rowSum(label);
  }
  return quotient(static_cast<double>(right), static_cast<double>(all));
}

double Confusion::precision(int64_t label) const {
  return quotient(static_cast<double>(count(label, label)), static_cast<double>(columnSum(label)));
}

double Confusion::recall(int64_t label) const {
  return quotient(static_cast<double>(count(label, label)), static_cast<double>(rowSum(label)));
}

double Confusion::f1(int64_t label) const {
  double p = precision(label), r = recall(label);
  return quotient(2 * p * r, p + r);
}

double macro(const Confusion &confusion, double (Confusion::*figure)(int64_t) const) {
  double sum = 0;
  for (int64_t label = 0; label < confusion.classes(); ++label)
    sum += (confusion.*figure)(label);
  return quotient(sum, static_cast<double>(confusion.classes()));
}

std::string Confusion::table() const {
  std::string text = fmt::format("{:>8} {:>9} {:>9} {:>9} {:>9}\n", "class", "examples",
                                 "precision", "recall", "f1");
  for (int64_t label = 0; label < classes(); ++label)
    text += fmt::format("{:>8} {:>9} {:>9.4f} {:>9.4f} {:>9.4f}\n", label, rowSum(label),
                        precision(label), recall(label), f1(label));
  return text + fmt::format("{:>8} {:>9} {:>9.4f} {:>9.4f} {:>9.4f}\n", "macro", "",
                            macro(*this, &Confusion::precision), macro(*this, &Confusion::recall),
                            macro(*this, &Confusion::f1));
}

std::string Confusion::svg() const {
  constexpr int kCell = 44, kMargin = 56;
  int64_t side = kMargin + kCell * classes();
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {0}\" width=\"{0}\" "
      "height=\"{0}\" font-family=\"sans-serif\" font-size=\"12\" text-anchor=\"middle\" "
      "fill=\"#374151\">\n<rect width=\"{0}\" height=\"{0}\" fill=\"white\"/>\n"
      "<text x=\"{1}\" y=\"16\">predicted</text>\n"
      "<text transform=\"translate(16 {1}) rotate(-90)\">class</text>\n",
      side, (kMargin + side) / 2);
  for (int64_t truth = 0; truth < classes(); ++truth) {
    int64_t y = kMargin + kCell * truth;
    svg += fmt::format("<text x=\"{0}\" y=\"{1}\">{2}</text><text x=\"{1}\" y=\"{0}\">{2}</text>\n",
                       kMargin - 14, y + kCell / 2 + 4, truth);
    for (int64_t predicted = 0; predicted < classes(); ++predicted) {
      double share = quotient(static_cast<double>(count(truth, predicted)),
                              static_cast<double>(rowSum(truth)));
      int64_t x = kMargin + kCell * predicted;
      svg += fmt::format("<rect x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{2}\" fill=\"#2563eb\" "
                         "fill-opacity=\"{3:.3f}\" stroke=\"#e5e7eb\"/>",
                         x, y, kCell, share);
      if (count(truth, predicted) > 0)
        svg += fmt::format("<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>", x + kCell / 2,
                           y + kCell / 2 + 4, share > 0.5 ? "white" : "#374151",
                           count(truth, predicted));
      svg += '\n';
    }
  }
  return svg + "</svg>\n";
}

} // namespace gen
