//===- Array.cpp - values of the reference interpreter --------------------===//

#include "dialect/Array.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>
#include <numeric>

namespace mlir::gen {

Array::Array(Type elementType, ArrayRef<int64_t> shape) : elementType(elementType), shape(shape) {
  if (isFloat())
    floats.resize(size());
  else
    integers.resize(size());
}

Array Array::scalar(Type elementType, int64_t value) {
  Array array(elementType, {});
  array.setInteger(0, value);
  return array;
}

/// Constants that are kept as a blob are read as what they stand for; null if the blob is gone.
static DenseElementsAttr withElements(ElementsAttr attribute) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    bool isSplat;
    if (!blob || !DenseElementsAttr::isValidRawBuffer(resource.getType(), blob->getData(), isSplat))
      return {};
    return DenseElementsAttr::getFromRawBuffer(resource.getType(), blob->getData());
  }
  return dyn_cast<DenseElementsAttr>(attribute);
}

Array Array::fromAttribute(ElementsAttr attribute) {
  Array array(attribute.getElementType(), attribute.getShapedType().getShape());
  DenseElementsAttr elements = withElements(attribute);
  if (!elements)
    return array;
  int64_t position = 0;
  if (array.isFloat()) {
    for (APFloat value : elements.getValues<APFloat>()) {
      bool lost;
      value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
      array.floats[position++] = value.convertToDouble();
    }
    return array;
  }
  for (const APInt &value : elements.getValues<APInt>())
    array.setInteger(position++,
                     value.getBitWidth() == 1 ? value.getZExtValue() : value.getSExtValue());
  return array;
}

int64_t Array::size() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

void Array::setNumber(int64_t position, double value) {
  if (isFloat())
    floats[position] = value;
  else
    setInteger(position, static_cast<int64_t>(value));
}

void Array::setInteger(int64_t position, int64_t value) {
  if (isFloat()) {
    floats[position] = static_cast<double>(value);
    return;
  }
  auto type = dyn_cast<IntegerType>(elementType);
  unsigned width = type ? type.getWidth() : 64;
  if (width == 1)
    integers[position] = value & 1;
  else
    integers[position] = llvm::SignExtend64(static_cast<uint64_t>(value), width);
}

void forEachIndex(ArrayRef<int64_t> shape, llvm::function_ref<void(ArrayRef<int64_t>)> body) {
  if (llvm::is_contained(shape, 0))
    return;
  SmallVector<int64_t> index(shape.size(), 0);
  while (true) {
    body(index);
    int64_t axis = static_cast<int64_t>(shape.size()) - 1;
    while (axis >= 0 && ++index[axis] == shape[axis])
      index[axis--] = 0;
    if (axis < 0)
      return;
  }
}

int64_t linearize(ArrayRef<int64_t> index, ArrayRef<int64_t> shape) {
  int64_t position = 0;
  for (auto [i, size] : llvm::zip_equal(index, shape))
    position = position * size + i;
  return position;
}

SmallVector<int64_t> EvaluationContext::resolveShape(ShapedType type, ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> shape(type.getShape());
  const int64_t *next = sizes.begin();
  for (int64_t &size : shape)
    if (ShapedType::isDynamic(size))
      size = *next++;
  return shape;
}

} // namespace mlir::gen
