//===- Attention.cpp - weighted means of values ---------------------------===//
//
// Vaswani et al.: Attention is all you need, 2017. The derivative is that of Dao et al.:
// FlashAttention, 2022, appendix B: the softmax is had again from `logsumexp`, element by element,
// so what follows a product of matrices is computed from its elements, without another look at
// rows. It is an op of its own, gen.attention_gradient, unless the gradient of `logsumexp` or of
// the mask is asked for.
//
//===----------------------------------------------------------------------===//

#include "dialect/StridedView.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <array>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::gen;

#define GET_OP_CLASSES
#include "dialect/ops/Attention.cpp.inc"

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static constexpr int64_t kRank = 4;

static bool agree(int64_t lhs, int64_t rhs) {
  return lhs == rhs || ShapedType::isDynamic(lhs) || ShapedType::isDynamic(rhs);
}

/// The violated constraint, or null.
static const char *findMistake(ArrayRef<RankedTensorType> types) {
  for (RankedTensorType type : types)
    if (type.getRank() != kRank || type.getElementType() != types[0].getElementType())
      return "expected operands of rank 4 and one element type (C1)";
  auto size = [&](int operand, int64_t axis) { return types[operand].getDimSize(axis); };
  bool fits = agree(size(0, 3), size(1, 3)) && agree(size(1, 1), size(2, 1));
  for (int operand : {1, 2})
    for (int64_t axis : {0, 2})
      fits &= agree(size(0, axis), size(operand, axis));
  if (types.size() > 3) {
    const int64_t scores[] = {size(0, 0), size(0, 2), size(0, 1), size(1, 1)};
    for (int64_t axis = 0; axis < kRank; ++axis)
      fits &= size(3, axis) == 1 || agree(size(3, axis), scores[axis]);
  }
  return fits ? nullptr
              : "expected query [b, s, h, d], key [b, t, h, d], value [b, t, h, e] and mask "
                "[b, h, s, t] (C2)";
}

static SmallVector<RankedTensorType> typesOf(ValueRange operands) {
  return llvm::map_to_vector(operands, [](Value x) { return cast<RankedTensorType>(x.getType()); });
}

/// Types of the results.
static SmallVector<Type> resultTypes(ArrayRef<RankedTensorType> types) {
  ArrayRef<int64_t> q = types[0].getShape();
  Type element = types[0].getElementType();
  return {RankedTensorType::get({q[0], q[1], q[2], types[2].getDimSize(3)}, element),
          RankedTensorType::get({q[0], q[2], q[1]}, element)};
}

/// True if types differ only where a size is dynamic.
static bool agree(TypeRange expected, TypeRange got) {
  return llvm::all_of(llvm::zip_equal(expected, got), [](auto pair) {
    auto [lhs, rhs] = pair;
    return getElementTypeOrSelf(lhs) == getElementTypeOrSelf(rhs) &&
           succeeded(verifyCompatibleShape(lhs, rhs));
  });
}

/// Query, key, value and mask of either op.
template <typename Op> static SmallVector<Value> operandsOf(Op op) {
  SmallVector<Value> operands = {op.getQuery(), op.getKey(), op.getValue()};
  if (op.getMask())
    operands.push_back(op.getMask());
  return operands;
}

LogicalResult AttentionOp::verify() {
  SmallVector<RankedTensorType> types = typesOf(getOperands());
  if (const char *mistake = findMistake(types))
    return emitOpError(mistake) << ", got " << getOperandTypes();
  SmallVector<Type> expected = resultTypes(types);
  if (!agree(expected, getResultTypes()))
    return emitOpError("expected results of ") << expected << " (C3), got " << getResultTypes();
  return success();
}

LogicalResult AttentionGradientOp::verify() {
  SmallVector<Value> operands = operandsOf(*this);
  if (const char *mistake = findMistake(typesOf(operands)))
    return emitOpError(mistake) << ", got " << TypeRange(operands);
  SmallVector<Type> expected = resultTypes(typesOf(operands));
  expected.push_back(expected[0]);
  SmallVector<Value> results = {getOutput(), getLogsumexp(), getOutputGradient()};
  if (!agree(expected, TypeRange(results)))
    return emitOpError("expected output, logsumexp and output_gradient of ")
           << expected << " (C3), got " << TypeRange(results);
  SmallVector<Type> differentiated(TypeRange(operands).take_front(3));
  if (!agree(differentiated, getResultTypes()))
    return emitOpError("expected results of ")
           << differentiated << " (C4), got " << getResultTypes();
  return success();
}

LogicalResult AttentionOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                            ValueRange operands, DictionaryAttr, OpaqueProperties,
                                            RegionRange, SmallVectorImpl<Type> &types) {
  SmallVector<RankedTensorType> operandTypes = typesOf(operands);
  if (const char *mistake = findMistake(operandTypes))
    return emitOptionalError(location, "'gen.attention' op ", mistake, ", got ",
                             TypeRange(operands));
  llvm::append_range(types, resultTypes(operandTypes));
  return success();
}

LogicalResult AttentionOp::refineReturnTypes(MLIRContext *, std::optional<Location>, ValueRange,
                                             DictionaryAttr, OpaqueProperties, RegionRange,
                                             SmallVectorImpl<Type> &) {
  return success(); // the verifier compares the types, with a better message
}

LogicalResult AttentionGradientOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                                    ValueRange operands, DictionaryAttr,
                                                    OpaqueProperties, RegionRange,
                                                    SmallVectorImpl<Type> &types) {
  llvm::append_range(types, operands.take_front(3).getTypes());
  return success();
}

LogicalResult AttentionGradientOp::refineReturnTypes(MLIRContext *, std::optional<Location>,
                                                     ValueRange, DictionaryAttr, OpaqueProperties,
                                                     RegionRange, SmallVectorImpl<Type> &) {
  return success();
}

static OpFoldResult sizeOf(OpBuilder &b, Location loc, Value x, int64_t axis) {
  auto type = cast<RankedTensorType>(x.getType());
  if (!type.isDynamicDim(axis))
    return b.getIndexAttr(type.getDimSize(axis));
  return b.createOrFold<tensor::DimOp>(loc, x, axis);
}

LogicalResult AttentionOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  auto size = [&](Value x, int64_t axis) { return sizeOf(b, getLoc(), x, axis); };
  Value q = getQuery();
  shapes.push_back({size(q, 0), size(q, 1), size(q, 2), size(getValue(), 3)});
  shapes.push_back({size(q, 0), size(q, 2), size(q, 1)});
  return success();
}

LogicalResult AttentionGradientOp::reifyResultShapes(OpBuilder &b,
                                                     ReifiedRankedShapedTypeDims &shapes) {
  for (Value operand : getOperands().take_front(3)) {
    SmallVector<OpFoldResult> &shape = shapes.emplace_back();
    for (int64_t axis = 0; axis < kRank; ++axis)
      shape.push_back(sizeOf(b, getLoc(), operand, axis));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Reference
//===----------------------------------------------------------------------===//

/// Element [n, position, head, c] of queries, keys, values and what has their shape.
static double &at(Array &x, int64_t n, int64_t position, int64_t head, int64_t c) {
  return x.floats[linearize({n, position, head, c}, x.shape)];
}
static double at(const Array &x, int64_t n, int64_t position, int64_t head, int64_t c) {
  return x.floats[linearize({n, position, head, c}, x.shape)];
}

namespace {
/// The scores of attention, one by one.
struct Scores {
  const Array &query, &key;
  const Array *mask;
  bool causal;
  double scale;

  bool isSeen(int64_t i, int64_t j) const {
    return !causal || j <= i + key.shape[1] - query.shape[1];
  }
  double operator()(int64_t n, int64_t h, int64_t i, int64_t j) const {
    if (!isSeen(i, j))
      return -std::numeric_limits<double>::infinity();
    double product = 0;
    for (int64_t c = 0; c < query.shape[3]; ++c)
      product += at(query, n, i, h, c) * at(key, n, j, h, c);
    double score = scale * product;
    if (!mask)
      return score;
    SmallVector<int64_t> where = {n, h, i, j};
    for (auto [number, size] : llvm::zip_equal(where, mask->shape))
      number = size == 1 ? 0 : number;
    return score + mask->floats[linearize(where, mask->shape)];
  }
};
} // namespace

LogicalResult AttentionOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                    SmallVectorImpl<Array> &results) {
  const Array &q = operands[0], &k = operands[1], &v = operands[2];
  auto types = llvm::map_to_vector(operands, [](const Array &x) { return x.type(); });
  if (const char *mistake = findMistake(types))
    return emitOpError(mistake) << ", got " << types;
  int64_t keys = k.shape[1], width = v.shape[3];
  Scores score{q, k, operands.size() > 3 ? &operands[3] : nullptr, getCausal(),
               getScale().convertToDouble()};
  SmallVector<Type> expected = resultTypes(types);
  Array result(q.elementType, cast<RankedTensorType>(expected[0]).getShape());
  Array sums(q.elementType, cast<RankedTensorType>(expected[1]).getShape());
  std::vector<double> scores(keys);
  forEachIndex(sums.shape, [&](ArrayRef<int64_t> index) {
    int64_t n = index[0], h = index[1], i = index[2];
    double largest = std::numeric_limits<double>::lowest(), sum = 0; // less is left to be -infinity
    for (int64_t j = 0; j < keys; ++j) {
      scores[j] = score(n, h, i, j);
      largest = std::max(largest, scores[j]);
    }
    for (double score : scores)
      sum += std::exp(score - largest);
    double logarithm = std::log(sum) + largest;
    sums.floats[linearize(index, sums.shape)] = logarithm;
    for (int64_t c = 0; c < width; ++c) {
      double mean = 0;
      for (int64_t j = 0; j < keys; ++j)
        mean += std::exp(scores[j] - logarithm) * at(v, n, j, h, c);
      at(result, n, i, h, c) = mean;
    }
  });
  results.push_back(std::move(result));
  results.push_back(std::move(sums));
  return success();
}

LogicalResult AttentionGradientOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                            SmallVectorImpl<Array> &results) {
  const Array &q = operands[0], &k = operands[1], &v = operands[2];
  const Array &z = operands[3], &sums = operands[4], &dz = operands[5];
  SmallVector<RankedTensorType> types = {q.type(), k.type(), v.type()};
  if (operands.size() > 6)
    types.push_back(operands[6].type());
  const char *mistake = findMistake(types);
  if (mistake || !agree(resultTypes(types), {z.type(), sums.type()}) || z.shape != dz.shape)
    return emitOpError(mistake ? mistake
                               : "expected output, logsumexp and output_gradient of the "
                                 "forward op's types (C3)");
  double scale = getScale().convertToDouble();
  Scores score{q, k, operands.size() > 6 ? &operands[6] : nullptr, getCausal(), scale};
  Array dq(q.elementType, q.shape), dk(q.elementType, k.shape), dv(q.elementType, v.shape);
  forEachIndex({q.shape[0], q.shape[2], q.shape[1], k.shape[1]}, [&](ArrayRef<int64_t> index) {
    int64_t n = index[0], h = index[1], i = index[2], j = index[3];
    if (!score.isSeen(i, j))
      return;
    double slope = 0,
           p = std::exp(score(n, h, i, j) - sums.floats[linearize({n, h, i}, sums.shape)]);
    for (int64_t c = 0; c < v.shape[3]; ++c) {
      slope += at(dz, n, i, h, c) * (at(v, n, j, h, c) - at(z, n, i, h, c));
      at(dv, n, j, h, c) += p * at(dz, n, i, h, c);
    }
    for (int64_t c = 0; c < q.shape[3]; ++c) {
      at(dq, n, i, h, c) += scale * p * slope * at(k, n, j, h, c);
      at(dk, n, j, h, c) += scale * p * slope * at(q, n, i, h, c);
    }
  });
  results.push_back(std::move(dq));
  results.push_back(std::move(dk));
  results.push_back(std::move(dv));
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

StringRef AttentionOp::kernelFamily() { return "attention"; }
StringRef AttentionGradientOp::kernelFamily() { return "attention"; }

/// A task holds the keys of a head and the scores of a few queries on its stack.
static bool fitsInTask(RankedTensorType k, RankedTensorType v) {
  constexpr int64_t kMostWidth = 256, kMostBytes = 1 << 19;
  int64_t keys = k.getDimSize(1), depth = k.getDimSize(3), width = v.getDimSize(3);
  for (int64_t size : {keys, depth, width})
    if (ShapedType::isDynamic(size) || size == 0)
      return false;
  return depth <= kMostWidth && width <= kMostWidth &&
         keys * std::max<int64_t>(depth, 16) * k.getElementTypeBitWidth() / 8 <= kMostBytes;
}

/// A thread of a GPU has registers for so many elements of a row. A single query leaves most
/// threads without work: as products, its keys are shared among more.
static bool fitsInThreads(RankedTensorType q, RankedTensorType v) {
  constexpr int64_t kMostWidth = 128;
  auto fits = [](int64_t size) {
    return !ShapedType::isDynamic(size) && size > 0 && size <= kMostWidth;
  };
  return q.getElementType().isF32() && q.getDimSize(1) != 1 && fits(q.getDimSize(3)) &&
         fits(v.getDimSize(3));
}

template <typename Op> static bool hasEmission(Op op, bool onDevice) {
  return onDevice ? fitsInThreads(op.getQuery().getType(), op.getValue().getType())
                  : fitsInTask(op.getKey().getType(), op.getValue().getType());
}

bool AttentionOp::isEmitted(bool onDevice) { return hasEmission(*this, onDevice); }
bool AttentionGradientOp::isEmitted(bool onDevice) { return hasEmission(*this, onDevice); }

/// Pairs of a query and a key times `ofPair`: all, or with a causal mask and as many of both about
/// half.
static int64_t countPairs(TypedValue<RankedTensorType> query, Value key, bool isCausal,
                          int64_t ofPair, SmallVectorImpl<std::pair<Value, int64_t>> &sizes) {
  for (int64_t axis = 0; axis + 1 < kRank; ++axis)
    sizes.push_back({query, axis});
  sizes.push_back({key, 1});
  int64_t keys = cast<RankedTensorType>(key.getType()).getDimSize(1);
  return isCausal && query.getType().getDimSize(1) == keys ? ofPair / 2 : ofPair;
}

static int64_t columns(TypedValue<RankedTensorType> tensor) {
  return tensor.getType().getDimSize(kRank - 1);
}

int64_t AttentionOp::countProducts(SmallVectorImpl<std::pair<Value, int64_t>> &sizes) {
  int64_t ofPair = columns(getKey()) + columns(getValue());
  return countPairs(getQuery(), getKey(), getCausal(), ofPair, sizes);
}

/// Scores again; gradients of the queries, keys; of the probabilities, values.
int64_t AttentionGradientOp::countProducts(SmallVectorImpl<std::pair<Value, int64_t>> &sizes) {
  int64_t ofPair = 3 * columns(getKey()) + 2 * columns(getValue());
  return countPairs(getQuery(), getKey(), getCausal(), ofPair, sizes);
}

/// Operands by number; the mask is asked for single elements.
enum : unsigned { kQuery, kKey, kValue, kMask };

bool AttentionOp::readsThroughIndices(unsigned number) {
  return number == kMask || isStridedView(getOperand(number));
}

bool AttentionGradientOp::readsThroughIndices(unsigned number) {
  return getOperand(number) == getMask() || isStridedView(getOperand(number));
}

bool AttentionGradientOp::storesThroughIndices() { return true; }

// Keys and values may be read from several places, of whole vectors of keys each but for the last.
bool AttentionOp::readsOnce(unsigned number) {
  constexpr int64_t kLanes = 16;
  auto concat = getOperand(number).getDefiningOp<ConcatOp>();
  if ((number != kKey && number != kValue) || !concat || concat.getAxis() != 1)
    return false;
  auto isWhole = [](Value part) {
    int64_t count = cast<RankedTensorType>(part.getType()).getDimSize(1);
    return !ShapedType::isDynamic(count) && count % kLanes == 0;
  };
  return llvm::all_of(concat.getInputs(), isStridedView) &&
         llvm::all_of(concat.getInputs().drop_back(), isWhole);
}

//===----------------------------------------------------------------------===//
// Formulas
//===----------------------------------------------------------------------===//

/// [b, s, h, d] as [b, h, s, d], and back.
static Value swapHeads(GenBuilder &b, Value x) { return b.transpose(x, {0, 2, 1, 3}); }

/// The positions along `axis` of the scores.
static Value positions(GenBuilder &b, Value scores, int64_t axis) {
  auto type = cast<RankedTensorType>(scores.getType()).clone(b.getI32Type());
  return b.make<IotaOp>(type, b.dynamicSizes(scores), axis);
}

/// The scores [b, h, s, t] of queries and keys [b, h, ...], seen or not.
template <typename Op> static Value scoresOf(GenBuilder &b, Op op, Value q, Value k) {
  Value product = b.matmul(q, k, false, true);
  Value scores = b.mul(product, b.scalar(op.getScale().convertToDouble(), product));
  return op.getMask() ? b.add(scores, op.getMask()) : scores;
}

/// `elements` of the scores' shape, but `hidden` where a query does not see a key.
template <typename Op> static Value whereSeen(GenBuilder &b, Op op, Value elements, double hidden) {
  if (!op.getCausal())
    return elements;
  // Key j is seen by query i if j - i <= t - s.
  auto size = [&](Value x) {
    return b.cast(b.make<SizeOp>(b.createOrFold<tensor::DimOp>(x, 1)), b.getI32Type());
  };
  Value ahead = b.sub(positions(b, elements, 3), positions(b, elements, 2));
  Value isSeen =
      b.compare(ComparePredicate::le, ahead, b.sub(size(op.getKey()), size(op.getQuery())));
  return b.select(isSeen, elements, b.scalar(hidden, elements));
}

/// Repeats one number a query along the keys.
static Value alongKeys(GenBuilder &b, Value x, Value scores) {
  return b.broadcastLike(x, {0, 1, 2}, scores);
}

// The sum is divided by after the product with the values, which has fewer elements.
SmallVector<Value> AttentionOp::decompose(GenBuilder &b) {
  Value scores = scoresOf(b, *this, swapHeads(b, getQuery()), swapHeads(b, getKey()));
  scores = whereSeen(b, *this, scores, -std::numeric_limits<double>::infinity());
  // Where all keys are hidden, the differences are -infinity, not NaN.
  Value least =
      b.scalar(getElementTypeOrSelf(scores).isF32() ? std::numeric_limits<float>::lowest()
                                                    : std::numeric_limits<double>::lowest(),
               scores);
  Value largest = b.max(b.make<ReduceMaxOp>(scores, ArrayRef<int64_t>(3)), least);
  Value weights = b.exp(b.sub(scores, alongKeys(b, largest, scores)));
  Value sum = b.sum(weights, {3});
  Value mixed = b.matmul(weights, swapHeads(b, getValue()), false, false);
  Value result = b.div(mixed, b.broadcastLike(sum, {0, 1, 2}, mixed));
  return {swapHeads(b, result), b.add(b.log(sum), largest)};
}

/// The gradients of queries, keys, values and mask from those of the results: `dz` of `z`, and `dl`
/// of the logsumexp `l`, either null. With P = softmax(S), O = P V, L = logsumexp(S):
///   dV = P^T dO    dS = P (dO V^T - rowsum(dO O) + dL)    dq = scale dS k    dk = scale dS^T q
template <typename Op>
static std::array<Value, 4> openedGradients(GenBuilder &b, Op op, Value z, Value l, Value dz,
                                            Value dl) {
  Value q = swapHeads(b, op.getQuery()), k = swapHeads(b, op.getKey()),
        v = swapHeads(b, op.getValue());
  Value scores = scoresOf(b, op, q, k);
  Value p = whereSeen(b, op, b.exp(b.sub(scores, alongKeys(b, l, scores))), 0);
  std::array<Value, 4> result;
  Value slope = dl ? alongKeys(b, dl, scores) : Value();
  if (dz) {
    Value rows = b.sum(b.mul(dz, z), {3});
    Value subtracted = alongKeys(b, b.transpose(rows, {0, 2, 1}), scores);
    dz = swapHeads(b, dz);
    Value dp = b.sub(b.matmul(dz, v, false, true), subtracted);
    slope = slope ? b.add(dp, slope) : dp;
    result[2] = swapHeads(b, b.matmul(p, dz, true, false));
  }
  if (!slope)
    return result;
  Value ds = whereSeen(b, op, b.mul(p, slope), 0);
  Value scaled = b.mul(ds, b.scalar(op.getScale().convertToDouble(), ds));
  result[0] = swapHeads(b, b.matmul(scaled, k, false, false));
  result[1] = swapHeads(b, b.matmul(scaled, q, true, false));
  if (op.getMask())
    result[3] = b.sumTo(ds, op.getMask());
  return result;
}

SmallVector<Value> AttentionOp::derivative(GenBuilder &b, ValueRange gradients) {
  Value dz = gradients[0], dl = gradients[1];
  SmallVector<Value> result;
  if (!dz || dl || getMask())
    llvm::append_range(result, openedGradients(b, *this, getResult(), getLogsumexp(), dz, dl));
  result.resize(getNumOperands());
  if (!dz || dl)
    return result;
  auto gradient =
      AttentionGradientOp::create(b, getQuery(), getKey(), getValue(), getResult(), getLogsumexp(),
                                  dz, getMask(), getCausal(), getScale());
  llvm::copy(gradient.getResults(), result.begin());
  return result;
}

SmallVector<Value> AttentionGradientOp::decompose(GenBuilder &b) {
  auto [dq, dk, dv, dmask] =
      openedGradients(b, *this, getOutput(), getLogsumexp(), getOutputGradient(), {});
  return {dq, dk, dv};
}
