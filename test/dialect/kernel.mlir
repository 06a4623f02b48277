// RUN: gen-opt %s | gen-opt | FileCheck %s

// CHECK: gen.kernel @scale(%[[X:.*]]: tensor<?x4xf32>, %{{.*}}: index) -> tensor<?x4xf32> family "pointwise" schedule {lanes = 16 : i64} attributes {note = "kept"} {
// CHECK:   %[[Y:.*]] = gen.add %[[X]], %[[X]]
// CHECK:   gen.yield %[[Y]] : tensor<?x4xf32>
gen.kernel @scale(%x: tensor<?x4xf32>, %n: index) -> (tensor<?x4xf32>) family "pointwise" schedule {lanes = 16 : i64} attributes {note = "kept"} {
  %y = gen.add %x, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  gen.yield %y : tensor<?x4xf32>
}

// CHECK: gen.kernel @several(%{{.*}}: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) family "reduction" {
gen.kernel @several(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) family "reduction" {
  gen.yield %x, %x : tensor<2xf32>, tensor<2xf32>
}

// CHECK: gen.kernel @nothing() family "contraction" {
gen.kernel @nothing() family "contraction" {
}

// CHECK-LABEL: @launch
func.func @launch(%x: tensor<?x4xf32>, %n: index) -> tensor<?x4xf32> {
  // CHECK: gen.launch @scale(%{{.*}}, %{{.*}}) : (tensor<?x4xf32>, index) -> tensor<?x4xf32>
  %y = gen.launch @scale(%x, %n) : (tensor<?x4xf32>, index) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
