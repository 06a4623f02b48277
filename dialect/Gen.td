//===- Gen.td - the gen dialect -------------------------------------------===//
//
// The dialect itself, the types its ops work on, and the base classes of the
// ops. The ops stand by family under ops/; what a pass may ask of an op stands
// in Interfaces.td.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TD
#define GEN_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/CommonAttrConstraints.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialect/Interfaces.td"

def Gen_Dialect : Dialect {
  let name = "gen";
  let cppNamespace = "::mlir::gen";
  let summary = "dataflow graphs of deep generative models";
  let description = [{
    Values are tensors of f32, f64, i1, i8, i32 and i64 with static or dynamic (`?`) dimensions, within a compiled model of
    bf16 and f16, too, which are stored, moved and converted only. A module is a model: its public functions are the model's
    entries, its `gen.variable`s the state that a session keeps between calls.

    An entry's argument carries its name in the attribute `gen.name` and the names of its dimensions in `gen.dims`
    (one string an axis, empty for a static one). Equal names within an entry are equal sizes. Results carry
    `gen.name` too.

    Sizes that are not known when compiling are `index` operands, made by `tensor.dim`.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasCanonicalizer = 1;
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

def Gen_Tensor : RankedTensorOf<[F32, F64, BF16, F16, I1, I8, I32, I64]>;
def Gen_FloatTensor : RankedTensorOf<[F32, F64]>;
def Gen_NumberTensor : RankedTensorOf<[F32, F64, I8, I32, I64]>;
def Gen_IntegerTensor : RankedTensorOf<[I8, I32, I64]>;
def Gen_IndexTensor : RankedTensorOf<[I32, I64]>;
def Gen_BoolTensor : RankedTensorOf<[I1]>;
def Gen_ScalarI64 : 0DTensorOf<[I64]>,
    BuildableType<"::mlir::RankedTensorType::get({}, $_builder.getI64Type())">;

//===----------------------------------------------------------------------===//
// Base classes
//===----------------------------------------------------------------------===//

class Gen_Op<string mnemonic, list<Trait> traits = []> : Op<Gen_Dialect, mnemonic, traits>;

/// An op on tensors without side effects: reference semantics and a derivative (or the reason why there is none).
class Gen_TensorOp<string mnemonic, list<Trait> traits = []>
    : Gen_Op<mnemonic, !listconcat([Pure, DeclareOpInterfaceMethods<Gen_ReferenceOpInterface>,
                                    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                                              ["reifyResultShapes"]>], traits)>;

/// An op of which any element of the result can be computed alone, from elements of the operands: elementwise ops, data
/// movement, random numbers. These fuse into any kernel.
class Gen_PointwiseOp<string mnemonic, list<Trait> traits = []>
    : Gen_TensorOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<Gen_PointwiseOpInterface>], traits)>;

#endif // GEN_TD
