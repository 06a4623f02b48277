//===- ContractionWalk.cpp - Indices with digits --------------------------===//
//
// A row of a convolution's input is a number of digits (image, line, column), each with its own
// step in memory; so is a step of k (tap, channel).
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/ContractionTile.h"

namespace mlir::gen::kernels {
namespace {

/// True if a step of `outer` is all of `inner`, in one operand.
bool continues(Int outerStride, Int innerExtent, Int innerStride) {
  std::optional<int64_t> outer = outerStride.constant(),
                         whole = (innerExtent * innerStride).constant();
  return outer && whole && *outer == *whole;
}

bool join(const Step &outer, Step &inner) {
  if (!continues(outer.stride, inner.extent, inner.stride))
    return false;
  inner.extent = outer.extent * inner.extent;
  return true;
}

bool join(const DepthStep &outer, DepthStep &inner) {
  if (!continues(outer.lhsStride, inner.extent, inner.lhsStride) ||
      !continues(outer.rhsStride, inner.extent, inner.rhsStride))
    return false;
  inner.extent = outer.extent * inner.extent;
  return true;
}

template <typename Digits> void simplifyDigits(Digits &walk) {
  Digits kept;
  for (auto &digit : walk)
    if (!digit.extent.is(1))
      kept.push_back(digit);
  if (kept.empty())
    kept.push_back(walk.back());
  walk = {kept.back()};
  for (auto &digit : llvm::reverse(ArrayRef(kept).drop_back()))
    if (!join(digit, walk.front()))
      walk.insert(walk.begin(), digit);
}

template <typename Digits> Int product(ImplicitLocOpBuilder &b, const Digits &walk) {
  Int result(b, 1);
  for (auto &digit : walk)
    result = result * digit.extent;
  return result;
}

Int offsetOf(const Walk &walk, ArrayRef<Int> digits) {
  Int offset = digits[0] * walk[0].stride;
  for (size_t i = 1; i < walk.size(); ++i)
    offset = offset + digits[i] * walk[i].stride;
  return offset;
}

Int select(Value condition, Int x, Int y) {
  return {*x.b, x.b->createOrFold<arith::SelectOp>(condition, x.value, y.value)};
}

/// Counts up, one index at a time, with the offset that goes with it.
class Counter {
public:
  Counter(const Walk &walk, Int index)
      : walk(walk), digits(digitsOf(walk, index)), offset(offsetOf(walk, digits)) {
    // The step when digit i counts and all after it start again.
    Int back(*index.b, 0);
    for (size_t i = walk.size(); i-- > 0;) {
      steps.insert(steps.begin(), walk[i].stride - back);
      back = back + (walk[i].extent - 1) * walk[i].stride;
    }
  }

  Int position() const { return offset; }

  void next() {
    Int step = steps.back();
    Value carry;
    for (size_t i = walk.size(); i-- > 0;) {
      Int counted = carry ? select(carry, digits[i] + 1, digits[i]) : digits[i] + 1;
      if (i == 0) {
        digits[i] = counted;
        break;
      }
      Value full = counted == walk[i].extent;
      digits[i] = select(full, Int(*counted.b, 0), counted);
      step = select(full, steps[i - 1], step);
      carry = full;
    }
    offset = offset + step;
  }

private:
  const Walk &walk;
  SmallVector<Int> digits, steps;
  Int offset;
};

} // namespace

SmallVector<Int> digitsOf(const Walk &walk, Int index) {
  SmallVector<Int> digits(walk.size(), index);
  for (size_t i = walk.size(); i-- > 1;) {
    digits[i] = index % walk[i].extent;
    index = index / walk[i].extent;
  }
  digits[0] = index;
  return digits;
}

SmallVector<Range> rangesOf(const Walk &walk, Int first, Int last, int64_t count) {
  ImplicitLocOpBuilder &b = *first.b;
  SmallVector<Int> from = digitsOf(walk, first), to = from;
  if (walk.size() > 1 && isEven(walk, count))
    to.back() = from.back() + (last - first);
  else
    to = digitsOf(walk, last);
  SmallVector<Range> ranges;
  Value isSame = arith::ConstantIntOp::create(b, 1, 1); // all digits before
  for (auto [least, most, step] : llvm::zip_equal(from, to, walk)) {
    ranges.push_back({select(isSame, least, Int(b, 0)), select(isSame, most, step.extent - 1)});
    isSame = b.createOrFold<arith::AndIOp>(isSame, least == most);
  }
  return ranges;
}

Range stepsInside(const Margin &margin, const Range &rows) {
  ImplicitLocOpBuilder &b = *rows.first.b;
  Int origin(b, margin.origin), zero(b, 0);
  auto stepsTo = [&](Int line, Int row) {
    return roundedUpQuotient(max(line - origin - row * margin.rowStep, zero), margin.depthStep);
  };
  return {stepsTo(zero, rows.second), stepsTo(Int(b, margin.lines), rows.first)};
}

void simplify(Walk &walk) { simplifyDigits(walk); }
void simplify(DepthWalk &walk) { simplifyDigits(walk); }

Int extentOf(ImplicitLocOpBuilder &b, const Walk &walk) { return product(b, walk); }
Int extentOf(ImplicitLocOpBuilder &b, ArrayRef<DepthStep> walk) { return product(b, walk); }

Int offsetOf(const Walk &walk, Int index) { return offsetOf(walk, digitsOf(walk, index)); }

int64_t knownDivisor(const Walk &walk) {
  int64_t divisor = 1;
  for (const Step &step : walk)
    divisor *= step.extent.constant().value_or(1);
  return divisor;
}

bool isEven(const Walk &walk, int64_t count) {
  std::optional<int64_t> run = walk.back().extent.constant();
  return walk.size() == 1 || (run && *run % count == 0);
}

SmallVector<Value> walkPointers(ImplicitLocOpBuilder &b, Type element, Value base, const Walk &walk,
                                Int first, int64_t count, bool even, std::optional<Int> limit) {
  SmallVector<Value> pointers;
  if (even) {
    Value start = elementPointer(b, element, base, offsetOf(walk, first));
    for (int64_t i = 0; i < count; ++i) {
      Int index(b, i);
      if (limit)
        index = min(index, *limit - 1);
      pointers.push_back(elementPointer(b, element, start, index * walk.back().stride));
    }
    return pointers;
  }
  Counter counter(walk, first);
  Int offset = counter.position();
  for (int64_t i = 0; i < count; ++i) {
    if (i != 0) {
      counter.next();
      Int next = counter.position();
      offset = limit ? select(Int(b, i) < *limit, next, offset) : next;
    }
    pointers.push_back(elementPointer(b, element, base, offset));
  }
  return pointers;
}

} // namespace mlir::gen::kernels
