//===- Winograd.cpp - convolutions with fewer products --------------------===//
//
// A row of a matrix is a few columns with their coefficients. Which row an element needs is an
// index, the same for all lanes, so in a kernel columns and coefficients are chosen by it.
//
//===----------------------------------------------------------------------===//

#include "dialect/ops/Winograd.h"

#include "dialect/ops/Shape.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/Support/InterleavedRange.h"

using namespace mlir;
using namespace mlir::gen;

#define GET_OP_CLASSES
#include "dialect/ops/Winograd.cpp.inc"

/// The axis of images in the input of each op.
constexpr int64_t kSplitBatch = 0, kJoinBatch = 1;

namespace {
struct Matrix {
  ArrayRef<double> elements;
  int64_t rows, columns;

  double at(int64_t row, int64_t column) const { return elements[row * columns + column]; }
};
} // namespace

template <typename Op> static Matrix matrixOf(Op op) {
  ArrayRef<double> elements = op.getMatrix();
  auto rows = static_cast<int64_t>(op.getRows());
  return {elements, rows, static_cast<int64_t>(elements.size()) / rows};
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// (C1) and (C2). Images may be any number, along axis `batch`.
template <typename Op> static LogicalResult verifyOperands(Op op, int64_t rank, int64_t batch) {
  auto input = cast<RankedTensorType>(op.getInput().getType());
  auto result = cast<RankedTensorType>(op.getType());
  if (input.getRank() != rank || input.getNumDynamicDims() > input.isDynamicDim(batch) ||
      input.getElementType() != result.getElementType())
    return op.emitOpError("expected an input of rank ")
           << rank << ", of static shape except for the number of images, and of the result's "
           << "element type (C1), got " << input << " for " << result;
  auto rows = static_cast<int64_t>(op.getRows()), step = static_cast<int64_t>(op.getStep()),
       size = static_cast<int64_t>(op.getMatrix().size());
  if (rows < 1 || step < 1 || size == 0 || size % rows != 0)
    return op.emitOpError("expected positive rows and step, and a matrix of that many rows (C2), "
                          "got ")
           << rows << " rows, step " << step << " and a matrix of " << size << " elements";
  return success();
}

static LogicalResult verifyResult(Operation *op, ArrayRef<int64_t> expected) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (type.getShape() == expected)
    return success();
  return op->emitOpError("expected a result of shape ")
         << llvm::interleaved_array(expected) << " (C3), got " << type;
}

/// `batch` is the axis of images in the input.
template <typename Op>
static LogicalResult reify(Op op, int64_t batch, OpBuilder &b,
                           ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<Value> images;
  if (op.getInput().getType().isDynamicDim(batch))
    images.push_back(b.createOrFold<tensor::DimOp>(op.getLoc(), op.getInput(), batch));
  return reifyFromSizes(b, op.getType(), images, shapes);
}

LogicalResult WinogradSplitOp::verify() {
  if (failed(verifyOperands(*this, 4, kSplitBatch)))
    return failure();
  Matrix matrix = matrixOf(*this);
  ArrayRef<int64_t> x = getInput().getType().getShape();
  auto step = static_cast<int64_t>(getStep());
  auto isWhole = [&](int64_t size) {
    return size >= matrix.columns && (size - matrix.columns) % step == 0;
  };
  if (!isWhole(x[1]) || !isWhole(x[2]))
    return emitOpError("expected images of whole tiles of ")
           << matrix.columns << " pixels every " << step << " (C3), got " << getInput().getType();
  return verifyResult(*this, {matrix.rows * matrix.rows, x[0], (x[1] - matrix.columns) / step + 1,
                              (x[2] - matrix.columns) / step + 1, x[3]});
}

LogicalResult WinogradJoinOp::verify() {
  if (failed(verifyOperands(*this, 5, kJoinBatch)))
    return failure();
  Matrix matrix = matrixOf(*this);
  ArrayRef<int64_t> x = getInput().getType().getShape();
  if (getStep() != getRows())
    return emitOpError("expected a step of rows (C2), got step ")
           << getStep() << " and " << getRows() << " rows";
  if (x[0] != matrix.columns * matrix.columns)
    return emitOpError("expected ") << matrix.columns * matrix.columns
                                    << " elements of each tile (C1), got " << getInput().getType();
  return verifyResult(*this, {x[1], x[2] * matrix.rows, x[3] * matrix.rows, x[4]});
}

LogicalResult WinogradSplitOp::reifyResultShapes(OpBuilder &b,
                                                 ReifiedRankedShapedTypeDims &shapes) {
  return reify(*this, kSplitBatch, b, shapes);
}
LogicalResult WinogradJoinOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  return reify(*this, kJoinBatch, b, shapes);
}

StringRef WinogradSplitOp::whyNotDifferentiable() {
  return "it is made of a convolution, which is differentiated";
}
StringRef WinogradJoinOp::whyNotDifferentiable() {
  return "it is made of a convolution, which is differentiated";
}

//===----------------------------------------------------------------------===//
// Reference semantics
//===----------------------------------------------------------------------===//

LogicalResult WinogradSplitOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                        SmallVectorImpl<Array> &results) {
  const Array &x = operands[0];
  Matrix matrix = matrixOf(*this);
  auto step = static_cast<int64_t>(getStep());
  SmallVector<int64_t> shape(getType().getShape());
  shape[kJoinBatch] = x.shape[kSplitBatch];
  Array result(x.elementType, shape);
  int64_t position = 0;
  forEachIndex(result.shape, [&](ArrayRef<int64_t> at) {
    double &sum = result.floats[position++];
    for (int64_t a = 0; a < matrix.columns; ++a)
      for (int64_t b = 0; b < matrix.columns; ++b)
        sum += matrix.at(at[0] / matrix.rows, a) * matrix.at(at[0] % matrix.rows, b) *
               x.floats[linearize({at[1], at[2] * step + a, at[3] * step + b, at[4]}, x.shape)];
  });
  results.push_back(std::move(result));
  return success();
}

LogicalResult WinogradJoinOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                       SmallVectorImpl<Array> &results) {
  const Array &x = operands[0];
  Matrix matrix = matrixOf(*this);
  SmallVector<int64_t> shape(getType().getShape());
  shape[kSplitBatch] = x.shape[kJoinBatch];
  Array result(x.elementType, shape);
  int64_t position = 0, rows = matrix.rows;
  forEachIndex(result.shape, [&](ArrayRef<int64_t> at) {
    double &sum = result.floats[position++];
    for (int64_t i = 0; i < matrix.columns; ++i)
      for (int64_t j = 0; j < matrix.columns; ++j)
        sum += matrix.at(at[1] % rows, i) * matrix.at(at[2] % rows, j) *
               x.floats[linearize(
                   {i * matrix.columns + j, at[0], at[1] / rows, at[2] / rows, at[3]}, x.shape)];
  });
  results.push_back(std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

namespace {

/// A column of a matrix, chosen by the number of a row, and its coefficient.
struct Term {
  Index column;
  Value coefficient;
};

class TransformEmitter {
public:
  TransformEmitter(ElementEmitter &emitter, Matrix matrix, Type elementType)
      : emitter(emitter), b(emitter.b), matrix(matrix), elementType(elementType) {}

  /// As many terms for each row as the longest one has; those of others are 0 times a column.
  SmallVector<Term> terms(Index row) {
    SmallVector<SmallVector<int64_t>> columns(matrix.rows);
    size_t most = 0;
    for (int64_t i = 0; i < matrix.rows; ++i) {
      for (int64_t j = 0; j < matrix.columns; ++j)
        if (matrix.at(i, j) != 0)
          columns[i].push_back(j);
      most = std::max(most, columns[i].size());
    }
    for (SmallVector<int64_t> &used : columns)
      for (int64_t j = 0; used.size() < most; ++j)
        if (!llvm::is_contained(used, j))
          used.push_back(j);
    SmallVector<Term> result;
    for (size_t k = 0; k < most; ++k)
      result.push_back(term(row, k, columns));
    return result;
  }

  /// The sum over two rows' terms of the elements that `element` gives for their columns.
  Value sum(ArrayRef<Term> outer, ArrayRef<Term> inner,
            llvm::function_ref<Value(Index, Index)> element) {
    Value total = emitter.constant(elementType, 0.0);
    for (const Term &i : outer) {
      Value part = emitter.constant(elementType, 0.0);
      for (const Term &j : inner)
        part = math::FmaOp::create(b, element(i.column, j.column), j.coefficient, part);
      total = math::FmaOp::create(b, part, i.coefficient, total);
    }
    return total;
  }

private:
  Term term(Index row, size_t k, ArrayRef<SmallVector<int64_t>> columns) {
    bool isUniform = row.kind == Index::Uniform;
    Value number = isUniform ? row.value : emitter.laneValues(row), column, coefficient;
    for (int64_t i = 0; i < matrix.rows; ++i) {
      int64_t used = columns[i][k];
      Value place = emitter.i64(used);
      if (!isUniform)
        place = emitter.splat(place);
      Value factor = emitter.constant(elementType, matrix.at(i, used));
      if (i == 0) {
        column = place, coefficient = factor;
        continue;
      }
      Value wanted = emitter.i64(i);
      if (!isUniform)
        wanted = emitter.splat(wanted);
      Value isRow = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, number, wanted);
      column = arith::SelectOp::create(b, isRow, place, column);
      coefficient = arith::SelectOp::create(b, isRow, factor, coefficient);
    }
    return {{column, isUniform ? Index::Uniform : Index::PerLane}, coefficient};
  }

  ElementEmitter &emitter;
  ImplicitLocOpBuilder &b;
  Matrix matrix;
  Type elementType;
};

} // namespace

/// The sum over the columns of a row of its coefficients times what `element` gives. (Coefficients
/// that are 1 begin.)
static Value emitSum(ElementEmitter &emitter, Type type, Matrix matrix, int64_t row,
                     llvm::function_ref<Value(int64_t)> element) {
  Value sum;
  for (bool isOne : {true, false})
    for (int64_t column = 0; column < matrix.columns; ++column) {
      double coefficient = matrix.at(row, column);
      if (coefficient == 0 || (coefficient == 1) != isOne)
        continue;
      Value factor = emitter.constant(type, coefficient);
      if (!sum)
        sum = isOne ? element(column)
                    : arith::MulFOp::create(emitter.b, element(column), factor).getResult();
      else if (isOne)
        sum = arith::AddFOp::create(emitter.b, sum, element(column));
      else
        sum = math::FmaOp::create(emitter.b, element(column), factor, sum);
    }
  return sum ? sum : emitter.constant(type, 0.0);
}

/// The rows of a matrix in groups: none shares a column with another group's if that is possible,
/// and none is large.
static SmallVector<SmallVector<int64_t>> rowGroups(Matrix matrix) {
  constexpr int64_t kMost = 6;
  llvm::IntEqClasses sharing(matrix.rows);
  for (int64_t column = 0; column < matrix.columns; ++column)
    for (int64_t row = 0, before = -1; row < matrix.rows; ++row)
      if (matrix.at(row, column) != 0) {
        if (before >= 0)
          sharing.join(before, row);
        before = row;
      }
  sharing.compress();
  SmallVector<SmallVector<int64_t>> together(sharing.getNumClasses()), groups;
  for (int64_t row = 0; row < matrix.rows; ++row)
    together[sharing[row]].push_back(row);
  for (ArrayRef<int64_t> rows : together) {
    auto size = static_cast<int64_t>(rows.size()), parts = (size + kMost - 1) / kMost;
    for (int64_t part = 0; part < parts; ++part)
      groups.emplace_back(
          rows.slice(part * size / parts, (part + 1) * size / parts - part * size / parts));
  }
  return groups;
}

template <typename Op> static int64_t countParts(Op op) {
  auto groups = static_cast<int64_t>(rowGroups(matrixOf(op)).size());
  return groups * groups;
}

/// Part `part` of M x M^T, row by row, where `element` gives those of the square x.
static void emitProduct(ElementEmitter &emitter, Type type, Matrix matrix, int64_t part,
                        llvm::function_ref<Value(int64_t, int64_t)> element,
                        llvm::function_ref<void(int64_t, int64_t, Value)> take) {
  auto groups = rowGroups(matrix);
  auto count = static_cast<int64_t>(groups.size());
  ArrayRef<int64_t> rows = groups[part / count], columns = groups[part % count];
  SmallVector<Value> square(matrix.columns * matrix.columns);
  auto at = [&](int64_t a, int64_t b) {
    Value &value = square[a * matrix.columns + b];
    return value ? value : value = element(a, b);
  };
  for (int64_t i : rows) {
    SmallVector<Value> sums(matrix.columns);
    auto sumAt = [&](int64_t b) {
      Value &sum = sums[b];
      return sum ? sum
                 : sum = emitSum(emitter, type, matrix, i, [&](int64_t a) { return at(a, b); });
    };
    for (int64_t j : columns)
      take(i, j, emitSum(emitter, type, matrix, j, sumAt));
  }
}

bool WinogradSplitOp::isElementwise() { return false; }
bool WinogradJoinOp::isElementwise() { return false; }

/// Products of one element; more than what is computed twice for the sake of fusion.
template <typename Op> static int64_t costOf(Op op) {
  Matrix matrix = matrixOf(op);
  return 4 + matrix.columns * matrix.columns;
}
int64_t WinogradSplitOp::elementCost() { return costOf(*this); }
int64_t WinogradJoinOp::elementCost() { return costOf(*this); }

Value WinogradSplitOp::emitAt(ElementEmitter &emitter, Indices at) {
  Matrix matrix = matrixOf(*this);
  TransformEmitter transform(emitter, matrix, getType().getElementType());
  Value rows = emitter.i64(matrix.rows), step = emitter.i64(static_cast<int64_t>(getStep()));
  Index y = emitter.multiply(at[2], step), x = emitter.multiply(at[3], step);
  return transform.sum(transform.terms(emitter.divide(at[0], rows)),
                       transform.terms(emitter.remainder(at[0], rows)), [&](Index a, Index b) {
                         return emitter.elementAt(
                             getInput(), {at[1], emitter.add(y, a), emitter.add(x, b), at[4]});
                       });
}

Value WinogradJoinOp::emitAt(ElementEmitter &emitter, Indices at) {
  Matrix matrix = matrixOf(*this);
  TransformEmitter transform(emitter, matrix, getType().getElementType());
  Value rows = emitter.i64(matrix.rows), columns = emitter.i64(matrix.columns);
  Index p = emitter.divide(at[1], rows), q = emitter.divide(at[2], rows);
  return transform.sum(transform.terms(emitter.remainder(at[1], rows)),
                       transform.terms(emitter.remainder(at[2], rows)), [&](Index i, Index j) {
                         Index number = emitter.add(emitter.multiply(i, columns), j);
                         return emitter.elementAt(getInput(), {number, at[0], p, q, at[3]});
                       });
}

SmallVector<int64_t> WinogradSplitOp::tileShape() {
  auto rows = static_cast<int64_t>(getRows());
  return {rows * rows, 1, 1, 1, 1};
}
SmallVector<int64_t> WinogradJoinOp::tileShape() {
  auto rows = static_cast<int64_t>(getRows());
  return {1, rows, rows, 1};
}

int64_t WinogradSplitOp::tileParts() { return countParts(*this); }
int64_t WinogradJoinOp::tileParts() { return countParts(*this); }

void WinogradSplitOp::emitTile(ElementEmitter &emitter, const Indices &tile, int64_t part,
                               llvm::function_ref<void(ArrayRef<int64_t>, Value)> take) {
  Matrix matrix = matrixOf(*this);
  Value step = emitter.i64(static_cast<int64_t>(getStep()));
  Index y = emitter.multiply(tile[2], step), x = emitter.multiply(tile[3], step);
  emitProduct(
      emitter, getType().getElementType(), matrix, part,
      [&](int64_t a, int64_t b) {
        return emitter.elementAt(getInput(), {tile[1], emitter.add(y, emitter.i64(a)),
                                              emitter.add(x, emitter.i64(b)), tile[4]});
      },
      [&](int64_t i, int64_t j, Value element) {
        take({i * matrix.rows + j, 0, 0, 0, 0}, element);
      });
}

void WinogradJoinOp::emitTile(ElementEmitter &emitter, const Indices &tile, int64_t part,
                              llvm::function_ref<void(ArrayRef<int64_t>, Value)> take) {
  Matrix matrix = matrixOf(*this);
  emitProduct(
      emitter, getType().getElementType(), matrix, part,
      [&](int64_t i, int64_t j) {
        return emitter.elementAt(
            getInput(),
            {{emitter.i64(i * matrix.columns + j)}, tile[0], tile[1], tile[2], tile[3]});
      },
      [&](int64_t a, int64_t b, Value element) { take({0, a, b, 0}, element); });
}
