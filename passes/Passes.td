//===- Passes.td - the passes, in the order of the pipeline ---------------===//
//
// One pass, one file, one name: `--gen-fuse-kernels` is FuseKernels in FuseKernels.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_TD
#define GEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def CheckModel : Pass<"gen-check-model", "::mlir::ModuleOp"> {
  let summary = "refuse models that cannot be compiled";
  let description = [{
    An error at the model's line for ops of other dialects, types without code, several blocks, recursion, missing
    bodies, names given twice, tensors beyond any memory. The other passes rely on it.
  }];
}

def Differentiate : Pass<"gen-differentiate", "::mlir::ModuleOp"> {
  let summary = "expand gen.gradient into gen ops (reverse mode)";
  let description = [{
    Walks the ops between the inputs and the output backwards and asks each for its derivative; gradients that meet are
    added. Gradients are expanded in program order, so those of gradients need nothing more. Ops that stop gradients are
    not passed; an op without a derivative on the way is an error. What the output does not depend on has gradient zero.
    A loop is gone back step by step by a second one; the first keeps what derivatives use of each step.

    ```mlir
    %1 = gen.exp %x : tensor<f32>
    %2 = gen.gradient %1 wrt %x : tensor<f32>, tensor<f32> -> tensor<f32>
    ```
    becomes, simplified, `%1 = gen.exp %x : tensor<f32>`, and `%1` is its own gradient.
  }];
}

def Decompose : Pass<"gen-decompose", "::mlir::ModuleOp"> {
  let summary = "open ops that are compositions of others";
  let description = [{
    Losses, means and the like stay whole until they are differentiated, since the derivative of the whole is often better
    than that of its parts. `gen.stop_gradient` has done its work by then and goes.
  }];
  let options = [Option<"device", "device", "bool", "false", "what has no kernel for GPUs, instead of for CPUs">];
}

def BatchLast : Pass<"gen-batch-last", "::mlir::func::FuncOp"> {
  let summary = "compute convolutions of few channels, and what is between them, with the batch as the last axis";
  let description = [{
    f32, channels first. Such a convolution, or pooling, becomes one of a single image whose last spatial axis is the batch, in
    which the weight is one long: the lanes of its kernel are images. Its transposes move as those of gen-channels-last. The
    batch is a multiple of 16; or it is not known, and weights are trained. Padding becomes a `gen.pad`, except that of
    transposed convolutions.
  }];
}

def ChannelsLast : Pass<"gen-channels-last", "::mlir::func::FuncOp"> {
  let summary = "compute convolutions, and what is between them, with channels as the last axis";
  let description = [{
    Every convolution but those of gen-batch-last is done with `channels_last`, between transposes. Those on results move down through elementwise ops,
    pooling, reductions, padding and the like (PermutableOpInterface) until they meet their inverse. Padding becomes a
    `gen.pad`, except that of transposed convolutions.
  }];
}

def SinkReshapes : Pass<"gen-sink-reshapes", "::mlir::func::FuncOp"> {
  let summary = "move reshapes of rows behind the ops that do not mind";
  let description = [{
    A linear layer of a sequence is a product of matrices between two reshapes. Elementwise ops, reductions and broadcasts
    behind it take the product's shape, and the reshape moves down to that of the next layer, where both vanish.

    ```mlir
    %1 = gen.reshape %p : tensor<512x768xf32> -> tensor<8x64x768xf32>
    %2 = gen.tanh %1 : tensor<8x64x768xf32>
    ```
    becomes

    ```mlir
    %1 = gen.tanh %p : tensor<512x768xf32>
    %2 = gen.reshape %1 : tensor<512x768xf32> -> tensor<8x64x768xf32>
    ```
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect"];
}

def ForwardVariables : Pass<"gen-forward-variables", "::mlir::func::FuncOp"> {
  let summary = "within an entry, read what was assigned; read first and assign last";
  let description = "A loop carries the values of the variables that it assigns.";
}

def HoistInvariants : Pass<"gen-hoist-invariants", "::mlir::func::FuncOp"> {
  let summary = "before a loop, compute what is the same in all of its steps";
  let description = "Nothing leaves a branch, a loop of one step or none.";
}

def ReducePrecision : Pass<"gen-reduce-precision", "::mlir::func::FuncOp"> {
  let summary = "multiply numbers of fewer bits (--precision)";
  let description = [{
    `int8w`: in entries that do not assign a weight, a product reads it as i8 and multiplies its result by the scales of the
    columns. Sums are f32 as before. `int8`: its other operand becomes i8, too, with a scale for each row of a matrix or each
    image, unless sums are too short to gain or too long for i32; sums of i8 times i8 are exact. `bf16`, `f16`: both operands of
    each product are rounded to it, where they are made; all else, and the sums, stay f32. `tf32`: each product is marked (`gen.products`)
    to round its operands itself, as a GPU's tensor cores do.
  }];
  let options = [Option<"precision", "precision", "std::string", "\"f32\"", "f32 (nothing changes), tf32, bf16, f16, int8 or int8w">];
}

def ResolveDimensions : Pass<"gen-resolve-dimensions", "::mlir::func::FuncOp"> {
  let summary = "express every dynamic size by the entry's dimension symbols";
  let description = [{
    After this pass each `tensor.dim` reads an argument of the entry, and there is one for each dimension symbol
    (`gen.dims`): two sizes are equal if they are the same value. Ops on which different symbols meet are errors, and so
    are sizes that change from step to step of a loop.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect"];
}

def SplitReductions : Pass<"gen-split-reductions", "::mlir::func::FuncOp"> {
  let summary = "reduce large tensors to a scalar or a few columns in two steps, so that the first one is parallel";
  let description = [{
    `reduce_sum axes [0, 1] : tensor<128x784xf32> -> tensor<f32>` becomes a reduction of the last axis and one of the
    rest; `reduce_sum axes [0, 1] : tensor<32x1024x64xf32> -> tensor<64xf32>` one of the axes behind the first, and one of
    the first. The order of the sum thus depends on the shape alone, never on the number of threads.
  }];
}

def SplitProducts : Pass<"gen-split-products", "::mlir::func::FuncOp"> {
  let summary = "long sums of products with few results in parts, so that they are parallel on a GPU";
  let description = [{
    A result of static shape that has fewer tiles than a GPU has room for, of sums that are at least 1024 long, becomes partial sums,
    one for each block that shares a tile, and a reduction of them. A dynamic size counts as 64. The order of the sum depends on the
    shape alone.
  }];
}

def WidenConvolutions : Pass<"gen-widen-convolutions", "::mlir::func::FuncOp"> {
  let summary = "runs of pixels of few channels as one pixel of more, so that the lanes of products are used";
  let description = [{
    Channels last, and 5 to 15 channels of the result. The weight gets the taps of each pixel of a run, among zeros; a weight's
    gradient is summed from that of the wide weight. Elementwise ops that follow compute the wide pixels.
  }];
}

def FoldStrides : Pass<"gen-fold-strides", "::mlir::func::FuncOp"> {
  let summary = "convolutions of 4 x 4 taps every two pixels as ones of 2 x 2 taps of four times as many channels";
  let description = [{
    Channels last, where Winograd's algorithm pays for the convolution, or its weight's gradient, that comes of it.
  }];
}

def TransformConvolutions : Pass<"gen-transform-convolutions", "::mlir::func::FuncOp"> {
  let summary = "convolutions of 3 x 3, 2 x 2 or, transposed, 4 x 4 taps by Winograd's algorithm: 9 products where there were 36";
  let description = [{
    Channels last, with many channels and pixels; convolutions, and their gradients. Tiles of 6 x 6 pixels (5 x 5 for 2 x 2
    taps) are transformed, multiplied, and transformed to 4 x 4 pixels; small images have tiles of 2 x 2 pixels. A weight that
    the entry does not assign is transformed once. For the gradient of a weight, these tiles and the output's are transformed
    and multiplied, and the sum over tiles is transformed to taps. A transposed convolution of 4 x 4 taps with a stride of 2 is
    two convolutions of 2 taps along each axis, of tiles that begin one pixel apart.

    Source: Lavin, Gray: Fast Algorithms for Convolutional Neural Networks, CVPR 2016.
  }];
}

def OrderVariables : Pass<"gen-order-variables", "::mlir::ModuleOp"> {
  let summary = "keep weights and their moments in the order of the gradients";
  let description = [{
    A variable of 256 kB or more whose new value is computed elementwise from a product that is transposed (the gradient of
    a convolution's weight) has a copy `NAME.ordered` in the order of the product. Entries read and assign the copy; private
    functions make it from the variable (`NAME.order`, attribute `gen.packs`) and the variable from it (`NAME.restore`, attribute `gen.unpacks`). An entry
    calls one before it reads and the other after it has assigned; the runtime leaves both out until someone else changes
    the variable or looks at it.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def PrepareConvolutions : Pass<"gen-prepare-convolutions", "::mlir::func::FuncOp"> {
  let summary = "pad what transposed convolutions read beyond, as kernels read inside of their operands only";
  let description = [{
    Channels last. A transposed convolution of a single position becomes a matrix product.
  }];
}

def PackWeights : Pass<"gen-pack-weights", "::mlir::ModuleOp"> {
  let summary = "keep weights in the order that products read them, beside the variables";
  let description = [{
    In entries that do not assign a weight, a product reads a packed copy of it: a variable `NAME.packed` that a private
    function `NAME.pack` fills (attribute `gen.packs`). The runtime calls it when the weight has changed since the last
    time, so inference packs once. What a loop multiplies with in every step is packed before it. What else reduces a weight
    alone, such as the scales of its columns, is kept likewise (`NAME.reduced`).
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def ReleaseWeights : Pass<"gen-release-weights", "::mlir::ModuleOp"> {
  let summary = "how to make a weight from its packed copy, where entries read only that";
  let description = [{
    A large variable whose only reader is one packing function, which moves its elements and nothing else, gets a private
    function `NAME.unpack` (attribute `gen.unpacks`). The runtime gives the variable's memory back once it is packed, and
    calls the function before anyone looks at the variable: a model that only computes results holds each weight once.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def FuseKernels : Pass<"gen-fuse-kernels", "::mlir::ModuleOp"> {
  let summary = "group ops into kernels and launch them";
  let description = [{
    Every op on tensors ends up in the body of a `gen.kernel`. A matmul takes the elementwise ops on its result into
    its epilogue; a reduction takes in the ops that make its input and those on its result, and other reductions of the same
    rows: softmax is one kernel, which reads a row once. Chains and fans of elementwise
    ops of one shape become one kernel with several results. Data movement is recomputed wherever it is
    read, since it only changes indices. Loops stay, each around launches of its own.
  }];
  let options = [Option<"frames", "frames", "bool", "true", "a contraction stores its result with the padding that the next one reads">,
                 Option<"partialSums", "partial-sums", "bool", "false", "a contraction stores partial sums, each of some of its products">];
}

def DeduplicateKernels : Pass<"gen-deduplicate-kernels", "::mlir::ModuleOp"> {
  let summary = "keep one of several equal kernels";
}

def ScheduleKernels : Pass<"gen-schedule-kernels", "::mlir::ModuleOp"> {
  let summary = "choose tiles and the size of a parallel task for each kernel";
  let description = [{
    By rules; where `schedules` is given, products that this file knows (`gencc --tune`) take its numbers. A kernel that has
    a schedule keeps it. Kernels of a GPU, whose emitters have rules of their own, have one only if that file knows them;
    a convolution that it leaves to a library gets a kernel that transposes its weight.
  }];
  let options = [Option<"schedules", "schedules", "std::string", "", "file of measured schedules">];
}

def Rematerialize : Pass<"gen-rematerialize", "::mlir::ModuleOp"> {
  let summary = "compute values again rather than keep them, until an entry fits into a memory budget";
  let description = [{
    The variables and the values that are alive at once have to fit into `budget` bytes; otherwise the error names the
    peak. A launch whose results wait while most memory is in use is repeated before the next use, cheapest first.
  }];
  let options = [Option<"budget", "budget", "int64_t", "-1", "bytes; negative: no limit">];
}

def MergeLaunches : Pass<"gen-merge-launches", "::mlir::ModuleOp"> {
  let summary = "kernels that do not depend on each other as one launch, for a GPU";
  let description = [{
    Launches of one block, of kernels whose blocks are alike (family, threads), become the launch of a kernel of the family
    "group", whose body launches them; they move down to the last one of them. A kernel stays alone if its schedule leaves it to a library, if it has code
    of its own for compute capability 9.0, or if another one of the group would overwrite a variable that it reads.
  }];
}

def PlanMemory : Pass<"gen-plan-memory", "::mlir::func::FuncOp"> {
  let summary = "give every launch's results a place: a variable, a result, or an offset in the arena";
}

def EmitKernels : Pass<"gen-emit-kernels", "::mlir::ModuleOp"> {
  let summary = "turn kernels into loop nests on bare pointers";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::mlir::math::MathDialect", "::mlir::arith::ArithDialect"];
}

def EmitDeviceKernels : Pass<"gen-emit-device-kernels", "::mlir::ModuleOp"> {
  let summary = "turn kernels into functions for the threads of a GPU";
  let description = [{
    The functions are in a module of their own, `gen.device`. Beside it, for the CPU, are those that say how many blocks of
    threads a launch has. A kernel of more arguments than a launch can pass is an error.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
                           "::mlir::math::MathDialect", "::mlir::arith::ArithDialect"];
}

def EmitProgram : Pass<"gen-emit-program", "::mlir::ModuleOp"> {
  let summary = "turn entries into launch programs and write the artefact's tables";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

def ExpandMath : Pass<"gen-expand-math", "::mlir::ModuleOp"> {
  let summary = "expand elementary functions into polynomials, and conversions of bf16 and f16";
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def ExpandFma : Pass<"gen-expand-fma", "::mlir::ModuleOp"> {
  let summary = "replace fused multiply-adds where the processor has no instruction for them";
  let description = [{
    For x86-64-v2 (`gen.features` says so). Elementary functions have f32 computed in f64: the product is exact, the sum is
    rounded to odd, so the rounding to f32 is that of the exact result (Boldo, Melquiond: Emulation of FMA and correctly
    rounded sums, 2008). Matrix products (`fastmath<contract>`) get a product and a sum, rounded each.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

#endif // GEN_PASSES_TD
