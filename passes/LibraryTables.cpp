//===- LibraryTables.cpp - what libraries are told of kernels -------------===//

#include "passes/LibraryTables.h"
#include "dialect/ops/Convolution.h"
#include "passes/DType.h"
#include "passes/DeviceCode.h"

#include "gen/artefact.h"

using namespace mlir;
using namespace mlir::gen;

static Field dtype(Type element) { return Field::u32(dtypeOf(element)); }

std::string mlir::gen::libraryProductTable(KernelOp kernel, ArtefactTables &tables) {
  std::optional<LibraryProduct> product = libraryProductOf(kernel);
  if (!product || !isLeftToLibrary(kernel))
    return "";
  auto [lhs, rhs] = product->operands;
  MatmulOp op = product->op;
  return tables.records(
      (kernel.getSymName() + ".product").str(),
      {{Field::i64(product->count), Field::i64(product->rows), Field::i64(product->columns),
        Field::i64(product->depth), Field::u32(lhs.getArgNumber()), Field::u32(rhs.getArgNumber()),
        Field::u32(kernel.getBody().getNumArguments()), dtype(product->operandType),
        dtype(product->operandType), dtype(product->resultType), Field::u32(op.getTransposeLhs()),
        Field::u32(op.getTransposeRhs()), Field::u32(product->isTf32), Field::u32(0)}});
}

/// A number for each of three spatial axes: one alone is the second, and the others have `none`.
static void addAxes(Record &record, ArrayRef<int64_t> numbers, int64_t none) {
  SmallVector<int64_t> all(numbers);
  if (all.size() == 1)
    all.insert(all.begin(), none);
  all.resize(3, none);
  for (int64_t number : all)
    record.push_back(Field::i64(number));
}

static void addSizes(Record &record, int64_t first, int64_t channels, ArrayRef<int64_t> spatial) {
  record.append({Field::i64(first), Field::i64(channels)});
  addAxes(record, spatial, 1);
}

static uint32_t kindOf(Operation *op) {
  return isa<ConvolutionOp>(op)            ? GEN_CONVOLUTION
         : isa<ConvolutionTransposeOp>(op) ? GEN_CONVOLUTION_TRANSPOSE
                                           : GEN_CONVOLUTION_WEIGHT_GRADIENT;
}

std::string mlir::gen::libraryConvolutionTable(KernelOp kernel, ArtefactTables &tables) {
  std::optional<LibraryConvolution> convolution = libraryConvolutionOf(kernel);
  if (!convolution || !isLeftToLibrary(kernel))
    return "";
  ConvolutionOpInterface op = convolution->op;
  ConvolutionWindow window = ConvolutionWindow::of(op);
  ArrayRef<int64_t> input = op.getInput().getType().getShape(),
                    weight = op.getWeight().getType().getShape(),
                    output = op.getOutput().getType().getShape();
  Record record{Field::u32(kindOf(op)), Field::u32(std::max<size_t>(window.strides.size(), 2))};
  addSizes(record, input.front(), input.back(), input.drop_front().drop_back());
  addSizes(record, weight.back(), weight[weight.size() - 2], weight.drop_back(2));
  addSizes(record, output.front(), output.back(), output.drop_front().drop_back());
  addAxes(record, window.strides, 1);
  addAxes(record, window.low, 0);
  addAxes(record, window.high, 0);
  addAxes(record, window.dilations, 1);
  for (unsigned word : convolution->words)
    record.push_back(Field::u32(word));
  for (Type type : convolution->types)
    record.push_back(dtype(type));
  StringRef transpose = kernel->getAttrOfType<FlatSymbolRefAttr>(kTransposeAttr).getValue();
  record.append({Field::u32(convolution->isTf32), Field::u32(0),
                 Field::address((transpose + ".info").str()),
                 Field::address((transpose + kAmpere.blocks).str())});
  return tables.records((kernel.getSymName() + ".convolution").str(), {record});
}
