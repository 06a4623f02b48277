//===- Indexing.td - rows chosen by numbers -------------------------------===//
//
// gen.gather and gen.scatter_add are the products with the matrix one_hot(indices) and with its transpose, without that
// matrix. So each is the other's derivative, and an index that names no row is a row of zeros of that matrix.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_INDEXING_TD
#define GEN_INDEXING_TD

include "dialect/Gen.td"

def Gen_GatherOp : Gen_PointwiseOp<"gather", [
    DeclareOpInterfaceMethods<Gen_PointwiseOpInterface, ["isElementwise"]>,
    DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>,
    DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "rows of a table, chosen by their numbers";
  let description = [{
        result[i..., j...] = table[indices[i...], j...]   if  0 <= indices[i...] < rows of the table, else 0

    Embeddings are looked up with it. An index that names no row reads zeros, and touches no memory of the table.
    Semantics: PyTorch embedding; ONNX Gather with axis 0, but for indices out of range (there negative ones count from
    the end, others are errors).

    (C1) The table has a rank of at least 1.
    (C2) The result has the shape of `indices`, then that of a row of the table, and the table's element type.

    ```mlir
    %x = gen.gather %weight, %ids : (tensor<8000x512xf32>, tensor<?x64xi64>) -> tensor<?x64x512xf32>
    ```
  }];
  let arguments = (ins Gen_Tensor:$table, Gen_IndexTensor:$indices);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$table `,` $indices attr-dict `:` `(` type($table) `,` type($indices) `)` `->` type($result)";
  let hasVerifier = 1;
}

def Gen_ScatterAddOp : Gen_TensorOp<"scatter_add", [
    DeclareOpInterfaceMethods<Gen_AnchorOpInterface, ["readsThroughIndices", "readsOnce"]>,
    DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "sums of rows that have the same number";
  let description = [{
        result[r, j...] = sum over all i... with indices[i...] = r of updates[i..., j...]

    Rows that no index names are zeros; an index that names no row adds nothing. The sum runs over the indices in
    row-major order, whatever the number of threads.
    Semantics: StableHLO scatter of rows with an addition, onto zeros; the gradient of PyTorch's embedding.

    (C1) There is one size for each dynamic dimension of the result.
    (C2) Updates have the shape of `indices`, then that of a row of the result.
    (C3) Updates and result have one element type.

    ```mlir
    %dweight = gen.scatter_add %ids, %dx : (tensor<?x64xi64>, tensor<?x64x512xf32>) -> tensor<8000x512xf32>
    ```
  }];
  let arguments = (ins Gen_IndexTensor:$indices, Gen_NumberTensor:$updates, Variadic<Index>:$sizes);
  let results = (outs Gen_NumberTensor:$result);
  let assemblyFormat = [{
    $indices `,` $updates (`sizes` `(` $sizes^ `)`)? attr-dict
    `:` `(` type($indices) `,` type($updates) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // GEN_INDEXING_TD
