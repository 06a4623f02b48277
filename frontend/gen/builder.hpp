//===- gen/builder.hpp - models in C++ --------------------------*- C++ -*-===//
//
// The builder: programs, tensors, and the functions on them.
//
//   gen::Program program("scale");
//   gen::Dimension batch = program.dimension("batch");
//   gen::Variable factor = (program / "scale").variable("factor", gen::f32, {}, {});
//   program.entry("main", {gen::input("x", gen::f32, {batch, 8})},
//                 [&](gen::Tensor x) { return gen::result("y", factor * x); });
//   program.write("scale.mlir");
//
// Layers: gen/nn.hpp; losses: gen/losses.hpp; optimizers: gen/optimizers.hpp.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_BUILDER_HPP
#define GEN_BUILDER_HPP

#include "gen/ops.hpp"
#include "gen/program.hpp"
#include "gen/shape.hpp"
#include "gen/tensor.hpp"

#endif // GEN_BUILDER_HPP
