//===- Interfaces.td - what a pass may ask of an op -----------------------===//
//
// A pass never switches on op names: everything it needs is a method here.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_INTERFACES_TD
#define GEN_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Gen_ReferenceOpInterface : OpInterface<"ReferenceOpInterface"> {
  let cppNamespace = "::mlir::gen";
  let description = "Reference semantics: what the op computes, slowly and plainly, floating point in f64.";
  let methods = [
    InterfaceMethod<[{
      Computes the results from the operands' values (index operands are i64 arrays of rank 0). State is read and
      written through `context`. On failure says why through `context`.
    }], "::llvm::LogicalResult", "evaluate",
      (ins "::mlir::gen::EvaluationContext &":$context, "::llvm::ArrayRef<::mlir::gen::Array>":$operands,
           "::llvm::SmallVectorImpl<::mlir::gen::Array> &":$results)>,
  ];
}

def Gen_DifferentiableOpInterface : OpInterface<"DifferentiableOpInterface"> {
  let cppNamespace = "::mlir::gen";
  let description = "The op has a reverse-mode derivative, made of gen ops only, so that gradients of gradients work.";
  let methods = [
    InterfaceMethod<[{
      Given the gradient of a scalar with respect to each result (null where it does not depend on it), returns the gradient
      with respect to each operand, in the operands' types (null for none: integer operands, sizes).
    }], "::llvm::SmallVector<::mlir::Value>", "derivative",
      (ins "::mlir::gen::GenBuilder &":$b, "::mlir::ValueRange":$gradients)>,
  ];
}

def Gen_NotDifferentiableOpInterface : OpInterface<"NotDifferentiableOpInterface"> {
  let cppNamespace = "::mlir::gen";
  let description = "The op stops gradients, for a stated reason.";
  let methods = [
    StaticInterfaceMethod<"Why the op has no derivative: one clause.", "::llvm::StringRef", "whyNotDifferentiable", (ins)>,
  ];
}

def Gen_DecomposableOpInterface : OpInterface<"DecomposableOpInterface"> {
  let cppNamespace = "::mlir::gen";
  let description = "The op is composed of others; it is opened after differentiation, before fusion.";
  let methods = [
    InterfaceMethod<"Emits the composition and returns the values that replace the results.",
      "::llvm::SmallVector<::mlir::Value>", "decompose", (ins "::mlir::gen::GenBuilder &":$b)>,
  ];
}

def Gen_PointwiseOpInterface : OpInterface<"PointwiseOpInterface"> {
  let cppNamespace = "::mlir::gen";
  let description = [{
    Any element of the one result can be computed alone. Emission pulls: a kernel asks for the elements it stores, and
    ops ask for the elements of their operands that these need (dialect/ElementEmitter.h).
  }];
  let methods = [
    InterfaceMethod<[{
      Emits the element of the result at `at` (one lane or a vector of lanes, as `at` says) and returns it.
    }], "::mlir::Value", "emitAt", (ins "::mlir::gen::ElementEmitter &":$emitter, "::mlir::gen::Indices":$at)>,
    InterfaceMethod<[{
      True if the element at an index needs operand elements at that same index only (up to broadcasting).
    }], "bool", "isElementwise", (ins), "", "return true;">,
    InterfaceMethod<[{
      True if the element depends only on its row-major position in the result, whatever the shape (constants, random numbers).
    }], "bool", "isPositional", (ins), "", "return false;">,
    InterfaceMethod<"Rough cost of one element: 0 for index arithmetic only, 1 for an addition, 20 for an exponential.", "int64_t", "elementCost",
      (ins), "", "return 1;">,
  ];
}

def Gen_TileOpInterface : OpInterface<"TileOpInterface"> {
  let cppNamespace = "::mlir::gen";
  let description = [{
    A pointwise op whose elements share work within a tile of the result: a kernel computes it, and what follows elementwise, tile by
    tile (passes/kernels/Tiles.cpp).
  }];
  let methods = [
    InterfaceMethod<[{
      Elements of a tile along each axis of the result: divisors of its sizes, 1 along the last axis. Ones only: this op's share none.
    }], "::llvm::SmallVector<int64_t>", "tileShape", (ins)>,
    InterfaceMethod<[{
      Parts of a tile that are computed one after the other: fewer lines of memory at once, which may share the sets of a cache.
    }], "int64_t", "tileParts", (ins)>,
    InterfaceMethod<[{
      Emits the elements of a part of the tile with that number along each axis, and hands each to `take`, with its place in the
      tile. The last index may run along the lanes of a vector.
    }], "void", "emitTile",
      (ins "::mlir::gen::ElementEmitter &":$emitter, "const ::mlir::gen::Indices &":$tile, "int64_t":$part,
           "::llvm::function_ref<void(::llvm::ArrayRef<int64_t>, ::mlir::Value)>":$take)>,
  ];
}

def Gen_ReductionOpInterface : OpInterface<"ReductionOpInterface"> {
  let cppNamespace = "::mlir::gen";
  let description = [{
    The op folds its one operand along axes. The order of the fold is the schedule's, so `combine` has to be associative
    and commutative up to rounding.
  }];
  let methods = [
    InterfaceMethod<"The reduced axes, ascending.", "::llvm::ArrayRef<int64_t>", "reductionAxes", (ins)>,
    InterfaceMethod<"The value a fold starts with, of the operand's element type.", "::mlir::TypedAttr", "identity", (ins)>,
    InterfaceMethod<"Emits the fold of two scalars or vectors.", "::mlir::Value", "combine",
      (ins "::mlir::ImplicitLocOpBuilder &":$b, "::mlir::Value":$lhs, "::mlir::Value":$rhs)>,
  ];
}

def Gen_ProductsOpInterface : OpInterface<"ProductsOpInterface"> {
  let cppNamespace = "::mlir::gen";
  let description = "What the op costs is the products that it adds.";
  let methods = [
    InterfaceMethod<[{
      How many products there are: the number returned times the sizes put in `sizes`, each an axis of a tensor.
    }], "int64_t", "countProducts", (ins "::llvm::SmallVectorImpl<std::pair<::mlir::Value, int64_t>> &":$sizes)>,
  ];
}

def Gen_ContractionOpInterface : OpInterface<"ContractionOpInterface"> {
  let cppNamespace = "::mlir::gen";
  let description = [{
    The op adds products of elements of operand 0, lhs, and operand 1, rhs. A matrix product is
    result[b..., m, n] = sum over k of lhs[b..., m, k] * rhs[b..., k, n]; a convolution (ConvolutionOpInterface) is one, too, with
    its own way through the operands.
  }];
  let methods = [
    InterfaceMethod<"True if lhs is stored as [b..., k, m].", "bool", "isLhsTransposed", (ins), "", "return false;">,
    InterfaceMethod<"True if rhs is stored as [b..., n, k].", "bool", "isRhsTransposed", (ins), "", "return false;">,
    InterfaceMethod<"How many products at most are added one by one before the sums of so many are; 0: all.", "int64_t", "longestChain",
      (ins), "", "return 0;">,
  ];
}

def Gen_ConvolutionOpInterface : OpInterface<"ConvolutionOpInterface"> {
  let cppNamespace = "::mlir::gen";
  let description = [{
    The op is one of three that share one sum of products (dialect/ops/Convolution.td): a convolution's `input`, `weight` and
    `output` are named so in all three; two of them are operands, the third is the result.
  }];
  let methods = [
    InterfaceMethod<"[n, c, s...], channels last [n, s..., c].", "::mlir::TypedValue<::mlir::RankedTensorType>", "getInput", (ins)>,
    InterfaceMethod<"[o, c / groups, k...], channels last [k..., c / groups, o]; of static shape.",
      "::mlir::TypedValue<::mlir::RankedTensorType>", "getWeight", (ins)>,
    InterfaceMethod<"[n, o, p...], channels last [n, p..., o].", "::mlir::TypedValue<::mlir::RankedTensorType>", "getOutput", (ins)>,
    InterfaceMethod<"Step of the output in the input, one number a spatial axis.", "::llvm::ArrayRef<int64_t>", "getStrides", (ins)>,
    InterfaceMethod<"Zeros before the input.", "::llvm::ArrayRef<int64_t>", "getLow", (ins)>,
    InterfaceMethod<"Zeros after the input.", "::llvm::ArrayRef<int64_t>", "getHigh", (ins)>,
    InterfaceMethod<"Step of the weight in the input.", "::llvm::ArrayRef<int64_t>", "getDilations", (ins)>,
    InterfaceMethod<"Groups of channels that do not meet.", "uint64_t", "getGroups", (ins)>,
    InterfaceMethod<"True if channels are the last axis.", "bool", "getChannelsLast", (ins)>,
  ];
}

def Gen_PermutableOpInterface : OpInterface<"PermutableOpInterface"> {
  let cppNamespace = "::mlir::gen";
  let description = [{
    The op can be computed with the axes of its operands in another order (dialect/Permutation.h): a transpose of an operand
    can move to the result.
  }];
  let methods = [
    InterfaceMethod<[{
      Emits the op on operands transposed by `permutation`: those of so many axes. Axis i of the returned value is axis order[i] of
      the op's result. Null, with nothing emitted, if that is not possible.
    }], "::mlir::Value", "emitPermuted",
      (ins "::mlir::gen::GenBuilder &":$b, "::llvm::ArrayRef<int64_t>":$permutation,
           "::llvm::SmallVectorImpl<int64_t> &":$order)>,
  ];
}

def Gen_AnchorOpInterface : OpInterface<"AnchorOpInterface"> {
  let cppNamespace = "::mlir::gen";
  let description = "A kernel of a family of its own is built around the op: passes/kernels/ has an emitter for that family.";
  let methods = [
    InterfaceMethod<"The family's name.", "::llvm::StringRef", "kernelFamily", (ins)>,
    InterfaceMethod<[{
      False if this op has to be decomposed, since the family's emitter, of a CPU or of a GPU, does not take its types or
      attributes.
    }], "bool", "isEmitted", (ins "bool":$onDevice), "", "return true;">,
    InterfaceMethod<[{
      True if the kernel reads operand `number` wherever it lies, so that ops between memory and it that only compute
      indices belong to the kernel.
    }], "bool", "readsThroughIndices", (ins "unsigned":$number), "", "return false;">,
    InterfaceMethod<[{
      True if, besides, it asks for each element of operand `number` once at most, so that what computes them may belong
      to the kernel.
    }], "bool", "readsOnce", (ins "unsigned":$number), "", "return false;">,
    InterfaceMethod<[{
      True if the kernel stores its results where reshapes that join axes, and a concatenation, have them. No other op
      follows on them in the kernel.
    }], "bool", "storesThroughIndices", (ins), "", "return false;">,
  ];
}

#endif // GEN_INTERFACES_TD
