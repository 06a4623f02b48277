//===- Reduction.td - folds along axes ------------------------------------===//

#ifndef GEN_REDUCTION_TD
#define GEN_REDUCTION_TD

include "dialect/Gen.td"

/// The result lacks the reduced axes.
class Gen_ReduceOp<string mnemonic, Type type, list<Trait> traits = []>
    : Gen_TensorOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>,
                                          DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>], traits)> {
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
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor adaptor) {
      return foldReduction(*this, getAxes(), adaptor.getInput());
    }
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}
/// A reduction that the kernels know: by a fold of two elements.
class Gen_FoldOp<string mnemonic> : Gen_ReduceOp<mnemonic, Gen_NumberTensor,
    [DeclareOpInterfaceMethods<Gen_ReductionOpInterface>]> {
}
def Gen_ReduceSumOp : Gen_FoldOp<"reduce_sum"> {
  let summary = "sum along axes";
}
def Gen_ReduceMaxOp : Gen_FoldOp<"reduce_max"> {
  let summary = "largest element along axes";
}
def Gen_ReduceMinOp : Gen_FoldOp<"reduce_min"> {
  let summary = "smallest element along axes";
}
def Gen_ReduceMeanOp : Gen_ReduceOp<"reduce_mean", Gen_FloatTensor, [DeclareOpInterfaceMethods<Gen_DecomposableOpInterface>]> {
  let summary = "arithmetic mean along axes";
}

#endif // GEN_REDUCTION_TD
