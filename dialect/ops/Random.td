//===- Random.td - counter-based random numbers ---------------------------===//
//
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011). Every element is a
// function of (key, counter, stream, position), so it is equal on every target, for any number of threads, and for a
// sample in any batch:
//
//     block    = position / 4                    row-major position of the element
//     counter4 = (lo32(block), hi32(block), lo32(counter), lo32(stream + shift))
//     key2     = (lo32(key), hi32(key))
//     words    = philox4x32_10(counter4, key2)
//     word     = words[position % 4]
//
//===----------------------------------------------------------------------===//

#ifndef GEN_RANDOM_TD
#define GEN_RANDOM_TD

include "dialect/Gen.td"

class Gen_RandomOp<string mnemonic, Type type, int cost, list<Trait> traits = []>
    : Gen_PointwiseOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<Gen_PointwiseOpInterface, ["isElementwise", "isPositional", "elementCost"]>,
                                             DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>,
                                             AttrSizedOperandSegments], traits)> {
  let arguments = (ins Gen_ScalarI64:$key, Gen_ScalarI64:$counter, Variadic<Index>:$sizes, Optional<Index>:$shift,
                       I64Attr:$stream);
  let results = (outs type:$result);
  let assemblyFormat = "$key `,` $counter `stream` $stream (`+` $shift^)? (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($result)";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Type":$type, "::mlir::Value":$key, "::mlir::Value":$counter,
                                "::mlir::ValueRange":$sizes, "uint64_t":$stream), [{
    build($_builder, $_state, type, key, counter, sizes, /*shift=*/::mlir::Value(), stream);
  }]>];
  let extraClassDeclaration = [{
    /// The element made of word `number` of a block.
    double sample(const std::array<uint32_t, 4> &words, int64_t number);
    /// The same on lanes, of each lane's word (i32), the pair of words of its block that holds it, and whether it is the
    /// second of them (i1).
    ::mlir::Value emitSample(ElementEmitter &emitter, ::mlir::Value word, const std::array<::mlir::Value, 2> &pair,
                             ::mlir::Value isSecond);
  }];
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::evaluate(EvaluationContext &, ::llvm::ArrayRef<Array> operands,
                                              ::llvm::SmallVectorImpl<Array> &results) {
      results.push_back(evaluateRandom(*this, operands));
      return ::mlir::success();
    }
    ::mlir::Value $cppClass::emitAt(ElementEmitter &emitter, Indices at) { return emitRandom(*this, emitter, at); }
    bool $cppClass::isElementwise() { return true; }
    bool $cppClass::isPositional() { return true; }
    int64_t $cppClass::elementCost() { return }] # cost # [{; }
    ::llvm::StringRef $cppClass::whyNotDifferentiable() { return "random numbers depend on no value"; }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(::mlir::OpBuilder &b,
                                                       ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      shapes.push_back(::mlir::getMixedValues(getType().getShape(), getSizes(), b.getContext()));
      return ::mlir::success();
    }
    ::llvm::LogicalResult $cppClass::verify() { return verifyRandom(*this); }
  }];
}

def Gen_RandomBitsOp : Gen_RandomOp<"random_bits", RankedTensorOf<[I32]>, 60> {
  let summary = "32 random bits an element";
  let description = [{
        result = word

    of Philox4x32-10 at the element's position, as the head of `dialect/ops/Random.td` says. Ops of one function take
    different streams. `shift` is added to the stream, so that one kernel makes the numbers of several streams.

    Source: Salmon et al. 2011.
    (C1) There is one size for each dynamic dimension of the result.
    (C2) `stream` is at least 0 and less than 2^32.

    ```mlir
    %bits = gen.random_bits %key, %counter stream 0 : tensor<4xi32>
    ```
  }];
}
def Gen_RandomUniformOp : Gen_RandomOp<"random_uniform", Gen_FloatTensor, 60> {
  let summary = "uniform in [0, 1)";
  let description = [{
        result = (word >> 8) * 2^-24

    with the word of `gen.random_bits`.

    Semantics: PyTorch rand.
    (C1) There is one size for each dynamic dimension of the result.
    (C2) `stream` is at least 0 and less than 2^32.

    ```mlir
    %noise = gen.random_uniform %key, %counter stream 1 sizes(%batch) : tensor<?x100xf32>
    ```
  }];
}
def Gen_RandomNormalOp : Gen_RandomOp<"random_normal", Gen_FloatTensor, 110> {
  let summary = "normal of mean 0 and variance 1";
  let description = [{
    By the method of Box and Muller (1958): the words 2k and 2k + 1 of a block make the elements 2k and 2k + 1 of it,

        u1 = ((words[2k] >> 8) + 1) * 2^-24        in (0, 1]
        u2 = (words[2k + 1] >> 8) * 2^-24          in [0, 1)
        result = sqrt(-2 log(u1)) * cos(2 pi u2)   for element 2k, sin in place of cos for element 2k + 1

    Semantics: PyTorch randn.
    (C1) There is one size for each dynamic dimension of the result.
    (C2) `stream` is at least 0 and less than 2^32.

    ```mlir
    %noise = gen.random_normal %key, %counter stream 2 : tensor<128x20xf32>
    ```
  }];
}
def Gen_RandomBernoulliOp : Gen_RandomOp<"random_bernoulli", Gen_BoolTensor, 60> {
  let summary = "true with a probability";
  let description = [{
        result = (word >> 8) * 2^-24 < probability

    with the word of `gen.random_bits`.

    Semantics: PyTorch bernoulli.
    (C1) There is one size for each dynamic dimension of the result.
    (C2) `stream` is at least 0 and less than 2^32.
    (C3) `probability` is at least 0 and at most 1.

    ```mlir
    %keep = gen.random_bernoulli %key, %counter stream 3 probability 0.9 : tensor<128x400xi1>
    ```
  }];
  let builders = [OpBuilder<(ins "::mlir::Type":$type, "::mlir::Value":$key, "::mlir::Value":$counter,
                                "::mlir::ValueRange":$sizes, "uint64_t":$stream, "::llvm::APFloat":$probability), [{
    build($_builder, $_state, type, key, counter, sizes, /*shift=*/::mlir::Value(), stream, probability);
  }]>];
  let arguments = (ins Gen_ScalarI64:$key, Gen_ScalarI64:$counter, Variadic<Index>:$sizes, Optional<Index>:$shift,
                       I64Attr:$stream, F64Attr:$probability);
  let assemblyFormat = [{
    $key `,` $counter `stream` $stream (`+` $shift^)? `probability` $probability (`sizes` `(` $sizes^ `)`)? attr-dict
    `:` type($result)
  }];
}

#endif // GEN_RANDOM_TD
