//===- Random.td - counter-based random numbers ---------------------------===//
//
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011). Every element is a
// function of (key, counter, stream, position), so it is equal on every target, for any number of threads, and for a
// sample in any batch:
//
//     block    = position / 4                    row-major position of the element
//     counter4 = (lo32(block), hi32(block), lo32(counter), stream)
//     key2     = (lo32(key), hi32(key))
//     word     = philox4x32_10(counter4, key2)[position % 4]
//
//===----------------------------------------------------------------------===//

#ifndef GEN_RANDOM_TD
#define GEN_RANDOM_TD

include "dialect/Gen.td"

class Gen_RandomOp<string mnemonic, Type type, list<Trait> traits = []>
    : Gen_PointwiseOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<Gen_PointwiseOpInterface, ["isElementwise", "elementCost"]>,
                                             DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>], traits)> {
  let arguments = (ins Gen_ScalarI64:$key, Gen_ScalarI64:$counter, Variadic<Index>:$sizes, I64Attr:$stream);
  let results = (outs type:$result);
  let assemblyFormat = "$key `,` $counter `stream` $stream (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}
def Gen_RandomBitsOp : Gen_RandomOp<"random_bits", RankedTensorOf<[I32]>> { let summary = "32 random bits an element"; }
def Gen_RandomUniformOp : Gen_RandomOp<"random_uniform", Gen_FloatTensor> {
  let summary = "uniform in [0, 1): (word >> 8) * 2^-24";
}
def Gen_RandomNormalOp : Gen_RandomOp<"random_normal", Gen_FloatTensor> {
  let summary = "standard normal by Box-Muller from two words of the element's block";
}
def Gen_RandomBernoulliOp : Gen_RandomOp<"random_bernoulli", Gen_BoolTensor> {
  let summary = "true with a probability";
  let arguments = (ins Gen_ScalarI64:$key, Gen_ScalarI64:$counter, Variadic<Index>:$sizes, I64Attr:$stream, F64Attr:$probability);
  let assemblyFormat = [{
    $key `,` $counter `stream` $stream `probability` $probability (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($result)
  }];
}

#endif // GEN_RANDOM_TD
