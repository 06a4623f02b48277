//===- LaunchWork.h - operations and bytes of a launch ----------*- C++ -*-===//
//
// Work as a polynomial of the entry's dimension symbols, for reports.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_LAUNCHWORK_H
#define GEN_PASSES_LAUNCHWORK_H

#include "passes/EntryProgram.h"
#include "passes/FusionGroups.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <map>

namespace mlir::gen {

/// Text inside HTML.
inline std::string escaped(StringRef text) {
  std::string result;
  for (char c : text)
    result += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return result;
}

/// "3.14 M".
inline std::string scaled(double number) {
  static const char *const units[] = {"", " k", " M", " G", " T"};
  int unit = 0;
  for (; number >= 1000 && unit < 4; ++unit)
    number /= 1000;
  std::string text = llvm::formatv(unit == 0 || number >= 100 ? "{0:f0}" : "{0:f2}", number).str();
  return text + units[unit];
}

/// A sum of products of dimension symbols.
class Amount {
public:
  Amount(double number = 0) { // NOLINT(google-explicit-constructor): a number is an amount
    if (number != 0)
      terms[{}] = number;
  }
  static Amount symbol(const std::string &name) {
    Amount amount;
    amount.terms[{name}] = 1;
    return amount;
  }
  Amount operator*(const Amount &other) const {
    Amount product;
    for (const auto &[names, factor] : terms)
      for (const auto &[otherNames, otherFactor] : other.terms) {
        std::vector<std::string> all(names);
        llvm::append_range(all, otherNames);
        llvm::sort(all);
        product.terms[all] += factor * otherFactor;
      }
    return product;
  }
  Amount &operator+=(const Amount &other) {
    for (const auto &[names, factor] : other.terms)
      terms[names] += factor;
    return *this;
  }
  /// The number where every symbol is `value`.
  double at(double value) const {
    double sum = 0;
    for (const auto &[names, factor] : terms)
      sum += factor * std::pow(value, names.size());
    return sum;
  }
  std::string str() const {
    std::string text;
    for (const auto &[names, factor] : terms) {
      text += (text.empty() ? "" : " + ") + scaled(factor);
      for (const std::string &name : names)
        text += "&thinsp;&middot;&thinsp;" + escaped(name);
    }
    return text.empty() ? "0" : text;
  }

private:
  std::map<std::vector<std::string>, double> terms;
};

/// The work of one launch: sizes in the kernel's body, expressed by the entry's symbols.
class LaunchWork {
public:
  /// `group` is the launch of the kernel whose body `launch` is in, if it is in one.
  LaunchWork(LaunchOp launch, KernelOp kernel, const EntryProgram &program, LaunchOp group = {})
      : launch(launch), group(group), program(program), sizes(kernelSizes(kernel)) {
    for (Operation &op : kernel.getBody().front())
      addFlops(&op);
    for (Value argument : kernel.getBody().getArguments())
      bytes += bytesOf(argument);
    for (Value value : kernel.getBody().front().getTerminator()->getOperands()) {
      results.push_back(bytesOf(value));
      bytes += results.back();
    }
  }

  Amount flops, bytes;
  SmallVector<Amount> results; ///< bytes of each

private:
  Amount size(Value tensor, int64_t axis) {
    OpFoldResult size = sizes.get(tensor, axis);
    if (std::optional<int64_t> number = getConstantIntValue(size))
      return static_cast<double>(*number);
    auto argument = dyn_cast_if_present<BlockArgument>(dyn_cast_if_present<Value>(size));
    Value outside = argument ? launch.getArguments()[argument.getArgNumber()] : Value();
    if (auto ofGroup = dyn_cast_if_present<BlockArgument>(outside); ofGroup && group)
      outside = group.getArguments()[ofGroup.getArgNumber()];
    auto dim = outside ? outside.getDefiningOp<tensor::DimOp>() : tensor::DimOp();
    auto source = dim ? dyn_cast<BlockArgument>(dim.getSource()) : BlockArgument();
    if (!source)
      return Amount::symbol("?");
    int64_t number = program.argumentShape(source)[*dim.getConstantIndex()];
    return Amount::symbol(program.dimensions[-1 - number]);
  }

  Amount elements(Value tensor) {
    Amount product = 1;
    for (int64_t axis = 0; axis < cast<RankedTensorType>(tensor.getType()).getRank(); ++axis)
      product = product * size(tensor, axis);
    return product;
  }

  /// A multiply-add of a product is two operations, an elementwise op one, however costly.
  void addFlops(Operation *op) {
    if (auto part = dyn_cast<LaunchOp>(op)) {
      auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(part, part.getKernelAttr());
      flops += LaunchWork(part, kernel, program, launch).flops;
    } else if (auto work = dyn_cast<ProductsOpInterface>(op)) {
      SmallVector<std::pair<Value, int64_t>> factors;
      Amount products = static_cast<double>(work.countProducts(factors)) * 2;
      for (auto [tensor, axis] : factors)
        products = products * size(tensor, axis);
      flops += products;
    } else if (isa<ReductionOpInterface>(op)) {
      flops += elements(op->getOperand(0));
    } else if (isa<PointwiseOpInterface>(op) && !FusionGroups::isFree(op)) {
      flops += elements(op->getResult(0));
    }
  }

  Amount bytesOf(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type ? elements(value) * std::max(1u, type.getElementTypeBitWidth() / 8) : Amount();
  }

  LaunchOp launch, group;
  const EntryProgram &program;
  Sizes sizes;
};

} // namespace mlir::gen

#endif // GEN_PASSES_LAUNCHWORK_H
