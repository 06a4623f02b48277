//===- Search.cpp - the likeliest sequence --------------------------------===//

#include "gen/search.hpp"
#include "Diagnostic.h"
#include "gen/loops.hpp"
#include "gen/norm.hpp"
#include "gen/sampling.hpp"

namespace gen {

static constexpr double kNever = -1e30, kTaken = -3e38;

/// The `count` largest numbers of x [n], and their places: [count] each.
static std::pair<Tensor, Tensor> largest(const Tensor &x, int64_t count) {
  Tensor all = iota(x.shape()), slots = iota({count});
  std::vector<Tensor> first = {x, zeros({count}), zeros({count}, i64)};
  auto next = [&](const Tensor &slot, const std::vector<Tensor> &values) {
    Tensor place = argmax(values[0]), here = equal(slots, slot);
    return std::vector<Tensor>{where(equal(all, place), kTaken, values[0]),
                               where(here, max(values[0]), values[1]),
                               where(here, place, values[2])};
  };
  std::vector<Tensor> last = repeat(count, first, next);
  return {last[1], last[2]};
}

/// What is added to the log-probabilities [words] of a sequence that goes on, and of one that has
/// ended, which only `pad` follows.
static std::pair<Tensor, Tensor> ruleOut(int64_t words, const BeamSearchOptions &options) {
  std::vector<double> open(static_cast<size_t>(words)), ended(open.size(), kNever);
  std::vector<int64_t> never = options.never;
  never.insert(never.end(), {options.first, options.pad});
  for (int64_t token : never)
    open.at(static_cast<size_t>(token)) = kNever;
  ended.at(static_cast<size_t>(options.pad)) = 0;
  return {constant(open, {1, words}), constant(ended, {1, words})};
}

Tensor beam_search(int64_t length, const std::vector<Tensor> &state, const BeamSearchStep &step,
                   const BeamSearchOptions &options, SourceLocation where) {
  SourceScope scope(where);
  const int64_t beams = options.beams;
  if (beams < 1 || length < 1)
    throw detail::Diagnostic(where, "beam_search",
                             "expected at least one beam and a length of at least 1, got " +
                                 std::to_string(beams) + " and " + std::to_string(length))
        .error();
  // All sequences begin alike: the first step takes them from the first.
  std::vector<double> scores(static_cast<size_t>(beams), kNever);
  scores.front() = 0;
  std::vector<Tensor> first = {full({beams}, static_cast<double>(options.first), i64),
                               constant(scores, {beams}),
                               full({beams, length}, static_cast<double>(options.pad), i64)};
  const auto kState = static_cast<std::ptrdiff_t>(first.size());
  first.insert(first.end(), state.begin(), state.end());
  Tensor places = iota({1, length});

  auto body = [&](const Tensor &position, const std::vector<Tensor> &values) {
    const Tensor &tokens = values[0], &before = values[1], &texts = values[2];
    std::vector<Tensor> next(values.begin() + kState, values.end());
    Tensor logits = step(position, tokens, next);
    int64_t words = logits.dimension(1).number();
    auto [open, ended] = ruleOut(words, options);
    Tensor hasEnded = equal(tokens, options.last) || equal(tokens, options.pad);
    Tensor added = gen::where(reshape(hasEnded, {beams, 1}), ended, log_softmax(logits, 1) + open);
    auto [now, chosen] = largest(reshape(reshape(before, {beams, 1}) + added, {-1}), beams);
    Tensor parents = chosen / words, written = chosen - parents * words;
    for (Tensor &part : next)
      part = gather(part, parents);
    Tensor text =
        gen::where(equal(places, position), reshape(written, {beams, 1}), gather(texts, parents));
    next.insert(next.begin(), {written, now, text});
    return next;
  };
  std::vector<Tensor> last = repeat(length, first, body, where);
  Tensor lengths = sum(cast(not_equal(last[2], options.pad), f32), {.axes = {1}});
  Tensor best = argmax(last[1] / pow((5.0 + lengths) / 6.0, options.length_penalty));
  return gather(last[2], best);
}

} // namespace gen
