//===- Random.cpp - counter-based random numbers --------------------------===//
//
// An op says how it makes an element of the words of its block, on numbers (sample) and on lanes
// (emitSample); the block follows from the position, in the same way for all of them.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gen.h"
#include "dialect/Philox.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include <cmath>
#include <numbers>

using namespace mlir;
using namespace mlir::gen;

namespace {
/// Arithmetic on lanes of i32.
struct PhiloxLanes {
  using Word = Value;
  ElementEmitter &emitter;

  Value constant(uint32_t number) {
    return emitter.constant(emitter.b.getI32IntegerAttr(static_cast<int32_t>(number)));
  }
  Value low(Value wide) {
    return arith::TruncIOp::create(emitter.b, emitter.laneType(emitter.b.getI32Type()), wide);
  }
  Value high(Value wide) {
    Value bits = emitter.constant(emitter.b.getI64IntegerAttr(32));
    return low(arith::ShRUIOp::create(emitter.b, wide, bits));
  }
  // Written as a product of widened words, which is one instruction on x86 vectors (vpmuludq).
  std::pair<Value, Value> multiply(uint32_t factor, Value word) {
    Value wide = arith::ExtUIOp::create(emitter.b, emitter.laneType(emitter.b.getI64Type()), word);
    Value wideFactor = emitter.constant(emitter.b.getI64IntegerAttr(factor));
    Value product = arith::MulIOp::create(emitter.b, wide, wideFactor);
    return {high(product), low(product)};
  }
  Value exclusiveOr(Value x, Value y) { return arith::XOrIOp::create(emitter.b, x, y); }
  Value add(Value word, uint32_t number) {
    return arith::AddIOp::create(emitter.b, word, constant(number));
  }
};
} // namespace

template <typename Op> static LogicalResult verifyRandom(Op op) {
  RankedTensorType type = op.getType();
  int64_t stream = op.getStream();
  if (op.getSizes().size() != type.getNumDynamicDims())
    return op.emitOpError("expected ")
           << type.getNumDynamicDims() << " sizes, one for each dynamic dimension of the result "
           << type << " (C1), got " << op.getSizes().size();
  if (!llvm::isUInt<32>(stream))
    return op.emitOpError("expected a stream of at least 0 and less than 2^32 (C2), got ")
           << stream;
  if constexpr (std::is_same_v<Op, RandomBernoulliOp>) {
    double probability = op.getProbability().convertToDouble();
    if (!(probability >= 0 && probability <= 1))
      return op.emitOpError("expected a probability of at least 0 and at most 1 (C3), got ")
             << probability;
  }
  return success();
}

template <typename Op> static Array evaluateRandom(Op op, ArrayRef<Array> operands) {
  auto low = [](int64_t wide) { return static_cast<uint32_t>(wide); };
  auto high = [](int64_t wide) { return static_cast<uint32_t>(static_cast<uint64_t>(wide) >> 32); };
  SmallVector<int64_t> sizes;
  for (const Array &size : operands.drop_front(2))
    sizes.push_back(size.integers[0]);
  Array result(op.getType().getElementType(), EvaluationContext::resolveShape(op.getType(), sizes));
  int64_t key = operands[0].integers[0], counter = operands[1].integers[0];
  for (int64_t position = 0, size = result.size(); position < size; ++position) {
    int64_t block = position / 4;
    std::array<uint32_t, 4> words =
        philox4x32(PhiloxNumbers(), {low(block), high(block), low(counter), low(op.getStream())},
                   {low(key), high(key)});
    result.setNumber(position, op.sample(words, position % 4));
  }
  return result;
}

template <typename Op> static Value emitRandom(Op op, ElementEmitter &emitter, const Indices &at) {
  ImplicitLocOpBuilder &b = emitter.b;
  PhiloxLanes a{emitter};
  Value key = emitter.elementAt(op.getKey(), {}), counter = emitter.elementAt(op.getCounter(), {});
  Value position = emitter.laneValues(emitter.position(op.getResult(), at));
  Value two = emitter.constant(b.getI64IntegerAttr(2));
  Value block = arith::ShRUIOp::create(b, position, two);
  std::array<Value, 4> words =
      philox4x32(a, {a.low(block), a.high(block), a.low(counter), a.constant(op.getStream())},
                 {a.low(key), a.high(key)});
  Value number = arith::AndIOp::create(b, a.low(position), a.constant(3));
  return op.emitSample(emitter, words, number);
}

#define GET_OP_CLASSES
#include "dialect/ops/Random.cpp.inc"

//===----------------------------------------------------------------------===//
// Parts of formulas
//===----------------------------------------------------------------------===//

static Value isOdd(ElementEmitter &emitter, Value number, uint32_t bit) {
  PhiloxLanes a{emitter};
  Value masked = arith::AndIOp::create(emitter.b, number, a.constant(bit));
  return arith::CmpIOp::create(emitter.b, arith::CmpIPredicate::ne, masked, a.constant(0));
}

/// words[number].
static Value chosenWord(ElementEmitter &emitter, const std::array<Value, 4> &words, Value number) {
  ImplicitLocOpBuilder &b = emitter.b;
  Value bit0 = isOdd(emitter, number, 1), bit1 = isOdd(emitter, number, 2);
  Value low = arith::SelectOp::create(b, bit0, words[1], words[0]);
  Value high = arith::SelectOp::create(b, bit0, words[3], words[2]);
  return arith::SelectOp::create(b, bit1, high, low);
}

/// word >> 8.
static Value mantissa(ElementEmitter &emitter, Value word) {
  return arith::ShRUIOp::create(emitter.b, word, PhiloxLanes{emitter}.constant(8));
}

/// mantissa * 2^-24, exact in f32.
static Value unitInterval(ElementEmitter &emitter, Type elementType, Value mantissa) {
  ImplicitLocOpBuilder &b = emitter.b;
  Value number = arith::SIToFPOp::create(b, emitter.laneType(elementType), mantissa);
  return arith::MulFOp::create(b, number, emitter.constant(elementType, 0x1p-24));
}

//===----------------------------------------------------------------------===//
// Samples
//===----------------------------------------------------------------------===//

double RandomBitsOp::sample(const std::array<uint32_t, 4> &words, int64_t number) {
  return static_cast<int32_t>(words[number]);
}

Value RandomBitsOp::emitSample(ElementEmitter &emitter, const std::array<Value, 4> &words,
                               Value number) {
  return chosenWord(emitter, words, number);
}

double RandomUniformOp::sample(const std::array<uint32_t, 4> &words, int64_t number) {
  return (words[number] >> 8) * 0x1p-24;
}

Value RandomUniformOp::emitSample(ElementEmitter &emitter, const std::array<Value, 4> &words,
                                  Value number) {
  Value word = chosenWord(emitter, words, number);
  return unitInterval(emitter, getType().getElementType(), mantissa(emitter, word));
}

double RandomNormalOp::sample(const std::array<uint32_t, 4> &words, int64_t number) {
  int64_t pair = number & ~1;
  double u1 = ((words[pair] >> 8) + 1) * 0x1p-24, u2 = (words[pair + 1] >> 8) * 0x1p-24;
  double angle = 2 * std::numbers::pi * u2;
  return std::sqrt(-2 * std::log(u1)) * (number % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

// One cosine serves both elements of a pair: sin(2 pi u) = cos(2 pi (u - 1/4)), and u - 1/4 is
// exact.
Value RandomNormalOp::emitSample(ElementEmitter &emitter, const std::array<Value, 4> &words,
                                 Value number) {
  ImplicitLocOpBuilder &b = emitter.b;
  Type type = getType().getElementType();
  Value secondPair = isOdd(emitter, number, 2);
  Value first = arith::SelectOp::create(b, secondPair, words[2], words[0]);
  Value second = arith::SelectOp::create(b, secondPair, words[3], words[1]);
  Value one = PhiloxLanes{emitter}.constant(1);
  Value u1 = unitInterval(emitter, type, arith::AddIOp::create(b, mantissa(emitter, first), one));
  Value u2 = unitInterval(emitter, type, mantissa(emitter, second));
  Value shift = arith::SelectOp::create(b, isOdd(emitter, number, 1), emitter.constant(type, 0.25),
                                        emitter.constant(type, 0.0));
  Value turn = arith::SubFOp::create(b, u2, shift);
  Value angle = arith::MulFOp::create(b, turn, emitter.constant(type, 2 * std::numbers::pi));
  Value logarithm = math::LogOp::create(b, u1);
  Value radius =
      math::SqrtOp::create(b, arith::MulFOp::create(b, logarithm, emitter.constant(type, -2.0)));
  return arith::MulFOp::create(b, radius, math::CosOp::create(b, angle));
}

double RandomBernoulliOp::sample(const std::array<uint32_t, 4> &words, int64_t number) {
  return (words[number] >> 8) * 0x1p-24 < getProbability().convertToDouble();
}

// Compared as integers, so that the probability is not rounded.
Value RandomBernoulliOp::emitSample(ElementEmitter &emitter, const std::array<Value, 4> &words,
                                    Value number) {
  double bound = std::ceil(getProbability().convertToDouble() * 0x1p24);
  Value word = mantissa(emitter, chosenWord(emitter, words, number));
  return arith::CmpIOp::create(emitter.b, arith::CmpIPredicate::ult, word,
                               PhiloxLanes{emitter}.constant(static_cast<uint32_t>(bound)));
}
