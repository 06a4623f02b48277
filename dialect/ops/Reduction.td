//===- Reduction.td - folds along axes ------------------------------------===//

#ifndef GEN_REDUCTION_TD
#define GEN_REDUCTION_TD

include "dialect/Gen.td"

/// The result lacks the reduced axes.
class Gen_ReduceOp<string mnemonic, Type type, list<Trait> traits = []>
    : Gen_TensorOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>,
                                          DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>,
                                          DeclareOpInterfaceMethods<Gen_PermutableOpInterface>], traits)> {
  let arguments = (ins type:$input, DenseI64ArrayAttr:$axes);
  let results = (outs type:$result);
  let assemblyFormat = "$input `axes` $axes attr-dict `:` type($input) `->` type($result)";
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location> location, ::mlir::ValueRange operands,
        ::mlir::DictionaryAttr attributes, ::mlir::OpaqueProperties properties, ::mlir::RegionRange regions,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      Adaptor adaptor(operands, attributes, properties, regions);
      return inferReduction(getOperationName(), location, adaptor.getInput(), adaptor.getAxes(), types);
    }
    // The verifier compares the types, with a better message.
    ::llvm::LogicalResult $cppClass::refineReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location>, ::mlir::ValueRange, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties, ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &) {
      return ::mlir::success();
    }
    ::llvm::LogicalResult $cppClass::verify() { return verifyReduction(*this, getAxes()); }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(::mlir::OpBuilder &b,
                                                       ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return reifyReduction(*this, getAxes(), b, shapes);
    }
    ::mlir::Value $cppClass::emitPermuted(GenBuilder &b, ::llvm::ArrayRef<int64_t> permutation,
                                          ::llvm::SmallVectorImpl<int64_t> &order) {
      return permutedReduction(*this, getAxes(), b, permutation, order);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor adaptor) {
      return foldReduction(*this, getAxes(), adaptor.getInput());
    }
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}
/// A reduction that kernels know, by a fold of two elements.
class Gen_FoldOp<string mnemonic> : Gen_ReduceOp<mnemonic, Gen_NumberTensor,
    [DeclareOpInterfaceMethods<Gen_ReductionOpInterface>]>;

def Gen_ReduceSumOp : Gen_FoldOp<"reduce_sum"> {
  let summary = "sum along axes";
  let description = [{
        result[i] = sum over j of input[i, j], j running over `axes`

    0 along an axis of size 0. Integers wrap. The order of the sum is the schedule's, the same for any number of threads.
    Semantics: StableHLO reduce with add; ONNX ReduceSum.

    (C1) `axes` are axes of the input, ascending.
    (C2) The result has the input's type without those axes.

    ```mlir
    %z = gen.reduce_sum %x axes [1] : tensor<4x8xf32> -> tensor<4xf32>
    ```
  }];
}

def Gen_ReduceMaxOp : Gen_FoldOp<"reduce_max"> {
  let summary = "largest element along axes";
  let description = [{
        result[i] = max over j of input[i, j], j running over `axes`

    NaN if one element is NaN; -infinity or the least integer along an axis of size 0. Elements that tie share the gradient
    equally.
    Semantics: StableHLO reduce with maximum; PyTorch amax.

    (C1) `axes` are axes of the input, ascending.
    (C2) The result has the input's type without those axes.

    ```mlir
    %z = gen.reduce_max %x axes [1] : tensor<4x8xf32> -> tensor<4xf32>
    ```
  }];
}

def Gen_ReduceMinOp : Gen_FoldOp<"reduce_min"> {
  let summary = "smallest element along axes";
  let description = [{
        result[i] = min over j of input[i, j], j running over `axes`

    NaN if one element is NaN; infinity or the greatest integer along an axis of size 0. Elements that tie share the gradient
    equally.
    Semantics: StableHLO reduce with minimum; PyTorch amin.

    (C1) `axes` are axes of the input, ascending.
    (C2) The result has the input's type without those axes.

    ```mlir
    %z = gen.reduce_min %x axes [1] : tensor<4x8xf32> -> tensor<4xf32>
    ```
  }];
}

def Gen_ReduceMeanOp : Gen_ReduceOp<"reduce_mean", Gen_FloatTensor, [DeclareOpInterfaceMethods<Gen_DecomposableOpInterface>]> {
  let summary = "arithmetic mean along axes";
  let description = [{
        result[i] = 1 / n * sum over j of input[i, j], j running over the n positions of `axes`

    NaN along an axis of size 0.
    Semantics: PyTorch mean; ONNX ReduceMean.

    (C1) `axes` are axes of the input, ascending.
    (C2) The result has the input's type without those axes.

    ```mlir
    %z = gen.reduce_mean %x axes [1] : tensor<4x8xf32> -> tensor<4xf32>
    ```
  }];
}

#endif // GEN_REDUCTION_TD
