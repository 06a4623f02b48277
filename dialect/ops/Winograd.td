//===- Winograd.td - convolutions with fewer products ---------------------===//
//
// A convolution of few taps takes fewer products when tiles of the image are transformed first: y = A^T [(G w G^T) *
// (B^T x B)] A, with * element by element, for each tile (Winograd 1980; Lavin, Gray 2016). Summed over channels, the
// products are one matrix product for each element of a transformed tile. The compiler makes these ops; they are the
// three transformations, by the same matrix along both axes of an image.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_WINOGRAD_TD
#define GEN_WINOGRAD_TD

include "dialect/Gen.td"

class Gen_WinogradOp<string mnemonic>
    : Gen_PointwiseOp<mnemonic, [DeclareOpInterfaceMethods<Gen_PointwiseOpInterface, ["isElementwise", "elementCost"]>,
                                 DeclareOpInterfaceMethods<Gen_TileOpInterface>,
                                 DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let arguments = (ins Gen_FloatTensor:$input, DenseF64ArrayAttr:$matrix, I64Attr:$rows, I64Attr:$step);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = [{
    $input `matrix` $matrix `rows` $rows `step` $step attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Gen_WinogradSplitOp : Gen_WinogradOp<"winograd_split"> {
  let summary = "overlapping tiles of images, transformed";
  let description = [{
    For a matrix M of `rows` rows and s columns, row-major, and tiles p, q of s x s pixels that begin every `step` pixels:

        result[i rows + j, n, p, q, c] = sum over a, b < s of M[i, a] M[j, b] input[n, p step + a, q step + b, c]

    Source: Lavin, Gray: Fast Algorithms for Convolutional Neural Networks, CVPR 2016.
    (C1) The input is [n, h, w, c], static except for n; it and the result have one element type.
    (C2) `rows` and `step` are positive, and `rows` divides the size of the matrix, which is not 0.
    (C3) The result is [rows * rows, n, (h - s) / step + 1, (w - s) / step + 1, c]; h - s and w - s are multiples of `step`.

    ```mlir
    %t = gen.winograd_split %x matrix [1.0, 0.0, -1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 1.0, 0.0, -1.0]
           rows 4 step 2 : tensor<8x18x18x64xf32> -> tensor<16x8x8x8x64xf32>
    ```
  }];
}

def Gen_WinogradJoinOp : Gen_WinogradOp<"winograd_join"> {
  let summary = "images of transformed tiles";
  let description = [{
    For a matrix M of `rows` rows and s columns, row-major, with tiles of `rows` x `rows` pixels side by side, a, b < `rows`:

        result[n, p rows + a, q rows + b, c] = sum over i, j < s of M[a, i] M[b, j] input[i s + j, n, p, q, c]

    Source: Lavin, Gray: Fast Algorithms for Convolutional Neural Networks, CVPR 2016.
    (C1) The input is [s * s, n, p, q, c], static except for n; it and the result have one element type.
    (C2) `rows` is positive, `step` is `rows`, and `rows` divides the size of the matrix, which is not 0.
    (C3) The result is [n, p * rows, q * rows, c].

    ```mlir
    %y = gen.winograd_join %t matrix [1.0, 1.0, 1.0, 0.0, 0.0, 1.0, -1.0, -1.0] rows 2 step 2
           : tensor<16x8x8x8x64xf32> -> tensor<8x16x16x64xf32>
    ```
  }];
}

#endif // GEN_WINOGRAD_TD
