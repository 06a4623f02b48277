// RUN: not gen-opt %s --interpret=nothing 2>&1 | FileCheck %s --check-prefix=ENTRY
// RUN: not gen-opt %s --interpret=main 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not gen-opt %s --interpret=main --input='dense<1.0> : tensor<4xf32>' --input='dense<1.0> : tensor<4xf32>' --input='dense<1.0> : tensor<4xf32>' 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not gen-opt %s --interpret=main --input='dense<1.0> : tensor<4xf64>' --input='dense<1.0> : tensor<4xf32>' 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not gen-opt %s --interpret=main --input='dense<1.0> : tensor<4xf32>' --input='dense<1.0> : tensor<5xf32>' 2>&1 | FileCheck %s --check-prefix=NAMES
// RUN: not gen-opt %s --interpret=main --input='dense<1.0> : tensor<5xf32>' --input='dense<1.0> : tensor<5xf32>' 2>&1 | FileCheck %s --check-prefix=RESHAPE
// RUN: not gen-opt %s --interpret=main --input=x=missing.npy --input='dense<1.0> : tensor<5xf32>' 2>&1 | FileCheck %s --check-prefix=FILE
// RUN: not gen-opt %s --interpret=main --input=z=missing.npy 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not gen-opt %s --interpret=main --input=17 2>&1 | FileCheck %s --check-prefix=TEXT
// RUN: not gen-opt %s --interpret=endless 2>&1 | FileCheck %s --check-prefix=ENDLESS
// RUN: not gen-opt %s --interpret=foreign 2>&1 | FileCheck %s --check-prefix=FOREIGN
// RUN: not gen-opt %s --interpret=foreign --variable=w 2>&1 | FileCheck %s --check-prefix=FOREIGN

// ENTRY: error: the model has no entry 'nothing'
// MISSING: error: main: argument 'x' is missing; give it with --input
// MANY: error: --input=dense<1.0> : tensor<4xf32>: 'main' has no such argument (it takes 2)
// TYPE: interpret-errors.mlir:[[#@LINE+9]]:1: error: main: argument 0: expected 'tensor<?xf32>', got 'tensor<4xf64>'
// NAMES: error: main: argument 1: expected "n" = 4, got 5
// RESHAPE: error: 'gen.reshape' op expected a result of 5 elements, as 'tensor<5xf32>', got 'tensor<2x2xf32>'
// FILE: error: missing.npy: cannot open: No such file or directory
// NAME: error: --input=z=missing.npy: 'main' has no such argument (it takes 2)
// TEXT: error: main: argument 'y' is missing; give it with --input
// ENDLESS: error: calls are nested more than 200 deep
// FOREIGN: error: 'vector.broadcast' op has no reference semantics for its operands

func.func @main(%x: tensor<?xf32> {gen.name = "x", gen.dims = ["n"]}, %y: tensor<?xf32> {gen.name = "y", gen.dims = ["n"]}) -> tensor<?x2xf32> {
  %n = arith.constant 2 : index
  %0 = gen.reshape %x sizes(%n) : tensor<?xf32> -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

func.func @endless() {
  func.call @endless() : () -> ()
  return
}

func.func @foreign() {
  %0 = arith.constant 1.0 : f32
  %1 = vector.broadcast %0 : f32 to vector<4xf32>
  return
}
