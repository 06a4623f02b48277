//===- PoolingElements.cpp - pooling in kernels ---------------------------===//
//
// One element of a pooling op, on scalars or lanes. Windows are unrolled; positions that may be out
// of the image are tested, the others are not. Channels last, the lanes run along channels and
// every position is one number.
//
//===----------------------------------------------------------------------===//

#include "dialect/Bounds.h"
#include "dialect/ops/Pooling.h"

#include <limits>

using namespace mlir;
using namespace mlir::gen;

namespace {

class WindowEmitter {
public:
  template <typename Op>
  WindowEmitter(Op op, ElementEmitter &emitter)
      : windows(windowsOf(op)), emitter(emitter), b(emitter.b), zero(emitter.i64(0)) {}

  /// Calls `visit` for the positions of window `at`, in row-major order: the number of the
  /// position, its index in the image, and where it is in bounds.
  void forEachPosition(Value image, const Indices &at,
                       llvm::function_ref<void(int64_t, const Indices &, Bounds &)> visit);

  /// Calls `visit` for each window that may hold position `at` of the image: the window's index,
  /// the number of the position in it, and where there is such a window.
  void forEachWindow(Value image, Value pooled, const Indices &at,
                     llvm::function_ref<void(const Indices &, Index, Bounds &)> visit);

  struct Maximum {
    Value element, choice;
  };
  /// The first maximum of window `at` of `image`, and what `choice` gives for its position.
  Maximum firstMaximum(
      Value image, const Indices &at,
      llvm::function_ref<Value(int64_t number, const Indices &index, Bounds &bounds)> choice);

private:
  /// Requires `position` of the window to be in the image, where that is not certain.
  void requireInside(Bounds &bounds, Value image, int64_t i, int64_t position, Index index) {
    bool mayBeBefore = position < windows.low[i];
    bool mayBeAfter = position >= windows.window[i] - windows.high[i];
    bounds.require(index, mayBeBefore ? zero : Value(),
                   mayBeAfter ? emitter.size(image, windows.axis(i)) : Value());
  }

  PoolingWindows windows;
  ElementEmitter &emitter;
  ImplicitLocOpBuilder &b;
  Value zero;
};

} // namespace

void WindowEmitter::forEachPosition(
    Value image, const Indices &at,
    llvm::function_ref<void(int64_t, const Indices &, Bounds &)> visit) {
  Indices base = at;
  for (int64_t i = 0; i < windows.spatialRank(); ++i) {
    Index &index = base[windows.axis(i)];
    index = emitter.multiply(index, emitter.i64(windows.strides[i]));
  }
  int64_t number = 0;
  forEachIndex(windows.window, [&](ArrayRef<int64_t> k) {
    Indices index = base;
    Bounds bounds(emitter);
    for (int64_t i = 0; i < windows.spatialRank(); ++i) {
      Index &position = index[windows.axis(i)];
      position = emitter.add(position, emitter.i64(k[i] - windows.low[i]));
      requireInside(bounds, image, i, k[i], position);
    }
    visit(number++, index, bounds);
  });
}

void WindowEmitter::forEachWindow(
    Value image, Value pooled, const Indices &at,
    llvm::function_ref<void(const Indices &, Index, Bounds &)> visit) {
  // Along an axis, position s is at offset r + t * stride of window q - t, for t = 0, 1, ...
  Indices quotients, remainders;
  SmallVector<int64_t> most;
  for (int64_t i = 0; i < windows.spatialRank(); ++i) {
    Value stride = emitter.i64(windows.strides[i]);
    Index padded = emitter.add(at[windows.axis(i)], emitter.i64(windows.low[i]));
    quotients.push_back(emitter.divide(padded, stride));
    remainders.push_back(emitter.remainder(padded, stride));
    most.push_back(llvm::divideCeil(windows.window[i], windows.strides[i]));
  }
  ArrayRef<int64_t> imageShape = cast<RankedTensorType>(image.getType()).getShape();
  ArrayRef<int64_t> pooledShape = cast<RankedTensorType>(pooled.getType()).getShape();
  forEachIndex(most, [&](ArrayRef<int64_t> t) {
    Indices window = at;
    Index number{zero};
    Bounds bounds(emitter);
    for (int64_t i = 0; i < windows.spatialRank(); ++i) {
      int64_t axis = windows.axis(i), stride = windows.strides[i], size = windows.window[i];
      window[axis] = emitter.add(quotients[i], emitter.i64(-t[i]));
      Index offset = emitter.add(remainders[i], emitter.i64(t[i] * stride));
      number = emitter.add(emitter.multiply(number, emitter.i64(size)), offset);
      if ((t[i] + 1) * stride > size)
        bounds.require(offset, Value(), emitter.i64(size));
      bool isKnown =
          !ShapedType::isDynamic(imageShape[axis]) && !ShapedType::isDynamic(pooledShape[axis]);
      bool mayBeAfter =
          !isKnown || (imageShape[axis] - 1 + windows.low[i]) / stride - t[i] >= pooledShape[axis];
      bounds.require(window[axis], t[i] > 0 ? zero : Value(),
                     mayBeAfter ? emitter.size(pooled, axis) : Value());
    }
    visit(window, number, bounds);
  });
}

WindowEmitter::Maximum WindowEmitter::firstMaximum(
    Value image, const Indices &at,
    llvm::function_ref<Value(int64_t number, const Indices &index, Bounds &bounds)> choice) {
  Type elementType = getElementTypeOrSelf(image.getType());
  Maximum best;
  Value found; // lanes that have one; null for all
  forEachPosition(image, at, [&](int64_t number, const Indices &index, Bounds &bounds) {
    Value none = emitter.constant(elementType, -std::numeric_limits<double>::infinity());
    Value element = bounds.guarded(
        index, none, [&](const Indices &inside) { return emitter.elementAt(image, inside); });
    Value chosen = choice(number, index, bounds);
    if (!best.element) {
      best = {element, chosen};
      found = bounds.mask;
      return;
    }
    // Larger, or NaN; but a NaN stays.
    Value take = arith::AndIOp::create(
        b, arith::CmpFOp::create(b, arith::CmpFPredicate::UGT, element, best.element),
        arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, best.element, best.element));
    if (found) {
      Value ones = emitter.constant(b.getBoolAttr(true));
      Value isFirst = arith::XOrIOp::create(b, found, ones);
      take = arith::OrIOp::create(b, take, isFirst);
      found = bounds.mask ? Value(arith::OrIOp::create(b, found, bounds.mask)) : Value();
    }
    if (bounds.mask)
      take = arith::AndIOp::create(b, take, bounds.mask);
    best.element = arith::SelectOp::create(b, take, element, best.element);
    best.choice = arith::SelectOp::create(b, take, chosen, best.choice);
  });
  return best;
}

Value MaxPoolOp::emitAt(ElementEmitter &emitter, Indices at) {
  Type elementType = getType().getElementType();
  Value best;
  WindowEmitter(*this, emitter)
      .forEachPosition(getInput(), at, [&](int64_t, const Indices &index, Bounds &bounds) {
        Value none = emitter.constant(elementType, -std::numeric_limits<double>::infinity());
        Value element = bounds.guarded(index, none, [&](const Indices &inside) {
          return emitter.elementAt(getInput(), inside);
        });
        best = best ? arith::MaximumFOp::create(emitter.b, best, element) : element;
      });
  return best;
}

Value MaxPoolSelectOp::emitAt(ElementEmitter &emitter, Indices at) {
  Value none = emitter.constant(getType().getElementType(), 0.0);
  auto value = [&](int64_t, const Indices &index, Bounds &bounds) {
    return bounds.guarded(
        index, none, [&](const Indices &inside) { return emitter.elementAt(getValues(), inside); });
  };
  return WindowEmitter(*this, emitter).firstMaximum(getInput(), at, value).choice;
}

bool MaxPoolGradientOp::isElementwise() { return false; }
int64_t MaxPoolGradientOp::elementCost() { return 2 * windowsOf(*this).elements(); }

/// The number of a window's first maximum among its positions.
static Value firstMaximumOf(MaxPoolGradientOp op, ElementEmitter &emitter, const Indices &window) {
  auto numberOf = [&](int64_t number, const Indices &, Bounds &) {
    return emitter.constant(emitter.b.getI32IntegerAttr(static_cast<int32_t>(number)));
  };
  return WindowEmitter(op, emitter).firstMaximum(op.getInput(), window, numberOf).choice;
}

/// What position `number` of a window gets of its gradient.
static Value partOf(MaxPoolGradientOp op, ElementEmitter &emitter, Value first, Value number,
                    Value gradient) {
  Value isFirst = arith::CmpIOp::create(emitter.b, arith::CmpIPredicate::eq, first, number);
  Value none = emitter.constant(op.getType().getElementType(), 0.0);
  return arith::SelectOp::create(emitter.b, isFirst, gradient, none);
}

Value MaxPoolGradientOp::emitAt(ElementEmitter &emitter, Indices at) {
  ImplicitLocOpBuilder &b = emitter.b;
  Value none = emitter.constant(getType().getElementType(), 0.0), sum;
  WindowEmitter(*this, emitter)
      .forEachWindow(
          getInput(), getGradient(), at, [&](const Indices &window, Index number, Bounds &bounds) {
            Value part = bounds.guarded(window, none, [&](const Indices &inside) -> Value {
              Value first = firstMaximumOf(*this, emitter, inside);
              Value own = arith::TruncIOp::create(b, emitter.laneType(b.getI32Type()),
                                                  emitter.laneValues(number));
              return partOf(*this, emitter, first, own, emitter.elementAt(getGradient(), inside));
            });
            sum = sum ? arith::AddFOp::create(b, sum, part) : part;
          });
  return sum;
}

/// Where windows lie side by side, and cover the image, they are the tiles.
SmallVector<int64_t> MaxPoolGradientOp::tileShape() {
  PoolingWindows windows = windowsOf(*this);
  ArrayRef<int64_t> shape = getType().getShape();
  SmallVector<int64_t> ones(shape.size(), 1), tile = ones;
  for (int64_t i = 0; i < windows.spatialRank(); ++i) {
    int64_t size = shape[windows.axis(i)], window = windows.window[i];
    bool isCovered = window == 1 || (!ShapedType::isDynamic(size) && size % window == 0);
    bool isTiled =
        windows.strides[i] == window && windows.low[i] == 0 && windows.high[i] == 0 && isCovered;
    if (!isTiled)
      return ones;
    tile[windows.axis(i)] = window;
  }
  return tile.back() == 1 ? tile : ones; // lanes are along the last axis
}

int64_t MaxPoolGradientOp::tileParts() { return 1; }

void MaxPoolGradientOp::emitTile(ElementEmitter &emitter, const Indices &tile, int64_t,
                                 llvm::function_ref<void(ArrayRef<int64_t>, Value)> take) {
  PoolingWindows windows = windowsOf(*this);
  Value first = firstMaximumOf(*this, emitter, tile);
  Value gradient = emitter.elementAt(getGradient(), tile);
  int32_t number = 0;
  forEachIndex(windows.window, [&](ArrayRef<int64_t> position) {
    SmallVector<int64_t> place(tile.size(), 0);
    for (auto [i, offset] : llvm::enumerate(position))
      place[windows.axis(static_cast<int64_t>(i))] = offset;
    Value own = emitter.constant(emitter.b.getI32IntegerAttr(number++));
    take(place, partOf(*this, emitter, first, own, gradient));
  });
}

Value SumPoolOp::emitAt(ElementEmitter &emitter, Indices at) {
  Value none = emitter.constant(getType().getElementType(), 0.0), sum;
  WindowEmitter(*this, emitter)
      .forEachPosition(getInput(), at, [&](int64_t, const Indices &index, Bounds &bounds) {
        Value element = bounds.guarded(index, none, [&](const Indices &inside) {
          return emitter.elementAt(getInput(), inside);
        });
        sum = sum ? arith::AddFOp::create(emitter.b, sum, element) : element;
      });
  return sum;
}

bool SumPoolTransposeOp::isElementwise() { return false; }
int64_t SumPoolTransposeOp::elementCost() { return windowsOf(*this).elements(); }

Value SumPoolTransposeOp::emitAt(ElementEmitter &emitter, Indices at) {
  Value none = emitter.constant(getType().getElementType(), 0.0), sum;
  WindowEmitter(*this, emitter)
      .forEachWindow(getResult(), getInput(), at,
                     [&](const Indices &window, Index, Bounds &bounds) {
                       Value part = bounds.guarded(window, none, [&](const Indices &inside) {
                         return emitter.elementAt(getInput(), inside);
                       });
                       sum = sum ? arith::AddFOp::create(emitter.b, sum, part) : part;
                     });
  return sum;
}
