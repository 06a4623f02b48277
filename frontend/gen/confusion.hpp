// How well classes are told apart: counts of pairs, and what follows from them.
#ifndef GEN_CONFUSION_HPP
#define GEN_CONFUSION_HPP

#include <cstdint>
#include <string>
#include <vector>

namespace gen {

/// Counts of (true class, predicted class) pairs.
class Confusion {
public:
  /// Classes are numbers from 0; there are as many as the largest that was seen tells.
  /// Throws std::runtime_error for a negative one or one beyond 65535.
  void add(int64_t truth, int64_t predicted);

  int64_t classes() const { return static_cast<int64_t>(counts.size()); }
  int64_t count(int64_t truth, int64_t predicted) const;

  /// The part of all examples whose class was predicted; 0 without examples.
  double accuracy() const;
  /// Of those predicted as the class, the part that is of it; 0 if none was predicted.
  double precision(int64_t label) const;
  /// Of those of the class, the part that was predicted; 0 if there is none.
  double recall(int64_t label) const;
  /// The harmonic mean of both; 0 if both are.
  double f1(int64_t label) const;

  /// A table: a line for each class, and the means over classes (macro).
  std::string table() const;
  /// The matrix as an SVG document, true classes as rows; the darker, the larger a row's part.
  std::string svg() const;

private:
  int64_t rowSum(int64_t truth) const;
  int64_t columnSum(int64_t predicted) const;
  std::vector<std::vector<int64_t>> counts; ///< [truth][predicted], a square
};

/// The mean over all classes of precision, recall or f1.
double macro(const Confusion &confusion, double (Confusion::*figure)(int64_t) const);

} // namespace gen

#endif // GEN_CONFUSION_HPP
