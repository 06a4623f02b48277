//===- VectorMath.h - Elementary functions of scalars and vectors ---------===//
//
// Emits the code of elementary functions for the kernels' emitters. `x` is f32, f64, or a vector
// of them of any length; the result has the type of `x`.
//
// f32: polynomials of our own, without calls. At most 4 ulp from the true value over the whole
// range (test/unit/vector_math_test.cpp measures it), and the IEEE 754 / C99 Annex F results for
// infinities, NaN and signed zeros. Denormal arguments and results are exact to the same bound;
// in a thread that flushes denormals (FTZ/DAZ) they count as zeros.
//
// f64: ops of the `math` dialect, which scalarizeF64Math() turns into calls of libm.
//
// Determinism: only correctly rounded operations in a written order, no fast-math flags, and every
// fused multiply-add explicit. So the bits of an element depend on its argument alone: not on its
// lane, the vector length, the target or the optimization level (as long as the LLVM backend is
// not told to fuse or reassociate by itself).
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_VECTORMATH_H
#define GEN_PASSES_KERNELS_VECTORMATH_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <utility>

namespace mlir::gen::kernels {

/// e^x.
Value emitExp(ImplicitLocOpBuilder &b, Value x);
/// e^x - 1, with a small relative error near 0.
Value emitExpm1(ImplicitLocOpBuilder &b, Value x);
/// Natural logarithm; -inf for +-0 and NaN below.
Value emitLog(ImplicitLocOpBuilder &b, Value x);
/// log(1 + x), with a small relative error near 0.
Value emitLog1p(ImplicitLocOpBuilder &b, Value x);
/// Hyperbolic tangent.
Value emitTanh(ImplicitLocOpBuilder &b, Value x);
/// Logistic function 1 / (1 + e^-x), with a small relative error for very negative x too.
Value emitSigmoid(ImplicitLocOpBuilder &b, Value x);
/// Error function 2/sqrt(pi) * integral of e^(-t^2) over 0..x.
Value emitErf(ImplicitLocOpBuilder &b, Value x);
/// Square root, correctly rounded.
Value emitSqrt(ImplicitLocOpBuilder &b, Value x);
/// 1 / sqrt(x): both operations correctly rounded; +-inf for +-0.
Value emitRsqrt(ImplicitLocOpBuilder &b, Value x);
/// Sine and cosine of x radians, of any magnitude; NaN for infinities.
Value emitSin(ImplicitLocOpBuilder &b, Value x);
Value emitCos(ImplicitLocOpBuilder &b, Value x);
/// {sin x, cos x} with one argument reduction.
std::pair<Value, Value> emitSinCos(ImplicitLocOpBuilder &b, Value x);
/// x to the power y, with all special cases of C99's pow. Both operands have one type.
Value emitPow(ImplicitLocOpBuilder &b, Value x, Value y);

/// Turns the f64 ops of the `math` dialect in `module` that have no instruction (exp, log, sin,
/// ...) into calls of libm, one a lane. Run it before convert-math-to-llvm, which would expand some
/// of them inaccurately (log1p as log(1 + x)). Fails only if the conversion itself fails.
LogicalResult scalarizeF64Math(ModuleOp module);

/// The same ops as code: a few ulp. For devices, which have no libm.
void expandF64Math(Operation *root);

/// f32 as bf16 or f16, to nearest, ties to even, and back: by integers, for processors without the
/// instructions.
Value emitNarrowed(ImplicitLocOpBuilder &b, Value x, Type half);
Value emitWidened(ImplicitLocOpBuilder &b, Value half);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_VECTORMATH_H
