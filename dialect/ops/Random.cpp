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
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <cmath>
#include <numbers>

using namespace mlir;
using namespace mlir::gen;

namespace {
/// Arithmetic on `lanes` words of i32: scalars for one lane, else vectors.
struct PhiloxLanes {
  using Word = Value;
  ImplicitLocOpBuilder &b;
  int64_t lanes;

  Type typeOf(Type element) { return lanes == 1 ? element : VectorType::get(lanes, element); }
  Value constant(TypedAttr number) {
    if (lanes != 1)
      number =
          DenseElementsAttr::get(cast<ShapedType>(typeOf(number.getType())), Attribute(number));
    return arith::ConstantOp::create(b, number);
  }
  Value constant(uint32_t number) {
    return constant(b.getI32IntegerAttr(static_cast<int32_t>(number)));
  }
  Value low(Value wide) { return arith::TruncIOp::create(b, typeOf(b.getI32Type()), wide); }
  Value high(Value wide) {
    return low(arith::ShRUIOp::create(b, wide, constant(b.getI64IntegerAttr(32))));
  }
  // Written as a product of widened words, which is one instruction on x86 vectors (vpmuludq).
  std::pair<Value, Value> multiply(uint32_t factor, Value word) {
    Value wide = arith::ExtUIOp::create(b, typeOf(b.getI64Type()), word);
    Value product = arith::MulIOp::create(b, wide, constant(b.getI64IntegerAttr(factor)));
    return {high(product), low(product)};
  }
  Value exclusiveOr(Value x, Value y) { return arith::XOrIOp::create(b, x, y); }
  Value add(Value word, uint32_t number) {
    return arith::AddIOp::create(b, word, constant(number));
  }
  Value isOdd(Value number, uint32_t bit) {
    Value masked = arith::AndIOp::create(b, number, constant(uint32_t{1} << bit));
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, masked, constant(0u));
  }
  Value shuffle(Value x, Value y, ArrayRef<int64_t> positions) {
    return vector::ShuffleOp::create(b, x, y, positions);
  }
};

/// What the elements of some lanes are made of.
struct LaneWords {
  Value word;
  std::array<Value, 2> pair; ///< words 2 i and 2 i + 1 of the block, of which `word` is one
  Value isSecond;
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
  for (const Array &size : operands.slice(2, op.getSizes().size()))
    sizes.push_back(size.integers[0]);
  int64_t stream =
      static_cast<int64_t>(op.getStream()) + (op.getShift() ? operands.back().integers[0] : 0);
  Array result(op.getType().getElementType(), EvaluationContext::resolveShape(op.getType(), sizes));
  int64_t key = operands[0].integers[0], counter = operands[1].integers[0];
  for (int64_t position = 0, size = result.size(); position < size; ++position) {
    int64_t block = position / 4;
    std::array<uint32_t, 4> words =
        philox4x32(PhiloxNumbers(), {low(block), high(block), low(counter), low(stream)},
                   {low(key), high(key)});
    result.setNumber(position, op.sample(words, position % 4));
  }
  return result;
}

/// The words of `block` (i64 lanes), of `stream` (an i32).
static std::array<Value, 4> emitBlock(PhiloxLanes a, Value key, Value counter, Value stream,
                                      Value block) {
  if (a.lanes != 1)
    stream = vector::BroadcastOp::create(a.b, a.typeOf(stream.getType()), stream);
  return philox4x32(a, {a.low(block), a.high(block), a.low(counter), stream},
                    {a.low(key), a.high(key)});
}

/// Each lane computes the block of its own position.
static LaneWords wordsAt(PhiloxLanes a, Value key, Value counter, Value stream, Value position) {
  Value block = arith::ShRUIOp::create(a.b, position, a.constant(a.b.getI64IntegerAttr(2)));
  std::array<Value, 4> words = emitBlock(a, key, counter, stream, block);
  Value number = a.low(position), secondPair = a.isOdd(number, 1), isSecond = a.isOdd(number, 0);
  Value first = arith::SelectOp::create(a.b, secondPair, words[2], words[0]);
  Value second = arith::SelectOp::create(a.b, secondPair, words[3], words[1]);
  return {arith::SelectOp::create(a.b, isSecond, second, first), {first, second}, isSecond};
}

static constexpr int64_t kWideLanes = 16;

template <typename T> static Value countedLanes(ImplicitLocOpBuilder &b, int64_t count) {
  auto type = VectorType::get(count, b.getIntegerType(8 * sizeof(T)));
  SmallVector<T> numbers = llvm::to_vector(llvm::seq<T>(0, count));
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<T>(numbers)));
}

namespace {
/// Sixteen consecutive positions lie in five blocks, which are computed once, in eight lanes.
struct ConsecutiveBlocks {
  ConsecutiveBlocks(ImplicitLocOpBuilder &b, Value key, Value counter, Value stream, Value first)
      : b(b), a{b, kBlocks}, shift(arith::TruncIOp::create(b, b.getI32Type(), first)) {
    Value two = arith::ConstantIntOp::create(b, b.getI64Type(), 2);
    Value counted = countedLanes<int64_t>(b, kBlocks);
    Value base = vector::BroadcastOp::create(b, counted.getType(),
                                             arith::ShRUIOp::create(b, first, two).getResult());
    auto narrow = [&](Value splat) {
      return a.shuffle(splat, splat, llvm::to_vector(llvm::seq<int64_t>(0, kBlocks)));
    };
    words =
        emitBlock(a, narrow(key), narrow(counter), stream, arith::AddIOp::create(b, base, counted));
  }

  /// Lane l gets element(first % 4 + l) of the words one after another: one of four shuffles.
  Value inOrder(llvm::function_ref<int64_t(int64_t)> element) {
    PhiloxLanes scalar{b, 1};
    auto from = [&](int64_t by) {
      return shuffled([&](int64_t lane) { return element(lane + by); });
    };
    Value isOdd = scalar.isOdd(shift, 0);
    Value low = arith::SelectOp::create(b, isOdd, from(1), from(0));
    Value high = arith::SelectOp::create(b, isOdd, from(3), from(2));
    return arith::SelectOp::create(b, scalar.isOdd(shift, 1), high, low);
  }

  LaneWords laneWords() {
    Value lanes = countedLanes<int32_t>(b, kWideLanes);
    Value number = arith::AddIOp::create(
        b, lanes, vector::BroadcastOp::create(b, lanes.getType(), shift).getResult());
    return {inOrder([](int64_t position) { return position; }),
            {inOrder([](int64_t position) { return position / 2 * 2; }),
             inOrder([](int64_t position) { return position / 2 * 2 + 1; })},
            PhiloxLanes{b, kWideLanes}.isOdd(number, 0)};
  }

private:
  static constexpr int64_t kBlocks = 8;

  /// Lane l gets element(l), where element 4 i + j is word j of block i.
  Value shuffled(llvm::function_ref<int64_t(int64_t)> element) {
    SmallVector<int64_t> ofPair, ofBoth;
    for (int64_t lane = 0; lane < kWideLanes; ++lane) {
      int64_t block = element(lane) / 4, word = element(lane) % 4;
      ofPair.push_back(block + (word % 2) * kBlocks);
      ofBoth.push_back(lane + (word / 2) * kWideLanes);
    }
    return a.shuffle(a.shuffle(words[0], words[1], ofPair), a.shuffle(words[2], words[3], ofPair),
                     ofBoth);
  }

  ImplicitLocOpBuilder &b;
  PhiloxLanes a;
  Value shift;
  std::array<Value, 4> words;
};
} // namespace

template <typename Op> static Value emitRandom(Op op, ElementEmitter &emitter, const Indices &at) {
  PhiloxLanes a{emitter.b, emitter.lanes()};
  Value key = emitter.elementAt(op.getKey(), {}), counter = emitter.elementAt(op.getCounter(), {});
  Index position = emitter.position(op.getResult(), at);
  PhiloxLanes one{emitter.b, 1};
  Value stream = one.constant(static_cast<uint32_t>(op.getStream()));
  if (op.getShift())
    stream = arith::AddIOp::create(one.b, stream, one.low(emitter.sizeValue(op.getShift())));
  LaneWords words =
      position.kind == Index::Consecutive && emitter.lanes() == kWideLanes
          ? ConsecutiveBlocks(emitter.b, key, counter, stream, position.value).laneWords()
          : wordsAt(a, key, counter, stream, emitter.laneValues(position));
  return op.emitSample(emitter, words.word, words.pair, words.isSecond);
}

#define GET_OP_CLASSES
#include "dialect/ops/Random.cpp.inc"

//===----------------------------------------------------------------------===//
// Parts of formulas
//===----------------------------------------------------------------------===//

static PhiloxLanes lanesOf(ElementEmitter &emitter) { return {emitter.b, emitter.lanes()}; }

/// word >> 8.
static Value mantissa(ElementEmitter &emitter, Value word) {
  return arith::ShRUIOp::create(emitter.b, word, lanesOf(emitter).constant(8u));
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

Value RandomBitsOp::emitSample(ElementEmitter &, Value word, const std::array<Value, 2> &, Value) {
  return word;
}

double RandomUniformOp::sample(const std::array<uint32_t, 4> &words, int64_t number) {
  return (words[number] >> 8) * 0x1p-24;
}

Value RandomUniformOp::emitSample(ElementEmitter &emitter, Value word, const std::array<Value, 2> &,
                                  Value) {
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
Value RandomNormalOp::emitSample(ElementEmitter &emitter, Value, const std::array<Value, 2> &pair,
                                 Value isSecond) {
  ImplicitLocOpBuilder &b = emitter.b;
  Type type = getType().getElementType();
  Value one = lanesOf(emitter).constant(1u);
  Value u1 = unitInterval(emitter, type, arith::AddIOp::create(b, mantissa(emitter, pair[0]), one));
  Value u2 = unitInterval(emitter, type, mantissa(emitter, pair[1]));
  Value shift = arith::SelectOp::create(b, isSecond, emitter.constant(type, 0.25),
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
Value RandomBernoulliOp::emitSample(ElementEmitter &emitter, Value word,
                                    const std::array<Value, 2> &, Value) {
  double bound = std::ceil(getProbability().convertToDouble() * 0x1p24);
  return arith::CmpIOp::create(emitter.b, arith::CmpIPredicate::ult, mantissa(emitter, word),
                               lanesOf(emitter).constant(static_cast<uint32_t>(bound)));
}
