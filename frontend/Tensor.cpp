//===- Tensor.cpp - handles to values -------------------------------------===//

#include "Diagnostic.h"
#include "Entry.h"

namespace gen {

const detail::Node &Tensor::get() const {
  if (!node)
    throw BuildError("a tensor that was never given a value is used", SourceLocation());
  return *node;
}

DType Tensor::dtype() const { return get().dtype; }
const Shape &Tensor::shape() const { return get().shape; }
std::string Tensor::text() const { return get().text; }
SourceLocation Tensor::where() const { return get().where; }

Dimension Tensor::dimension(int64_t axis) const {
  int64_t counted = axis < 0 ? axis + rank() : axis;
  if (counted < 0 || counted >= rank())
    throw BuildError("axis " + std::to_string(axis) + " of " + describe(dtype(), shape()), where());
  return shape()[static_cast<size_t>(counted)];
}

Tensor Tensor::named(std::string text) const {
  auto renamed = std::make_shared<detail::Node>(get());
  renamed->text = std::move(text);
  return Tensor(renamed);
}

} // namespace gen
