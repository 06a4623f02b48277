// RUN: gen-opt %s --pass-pipeline='builtin.module(func.func(gen-quantize-weights{enable=true}))' | FileCheck %s
// RUN: gen-opt %s --pass-pipeline='builtin.module(func.func(gen-quantize-weights))' | FileCheck %s --check-prefix=OFF
// RUN: gencc %s --precision=int8w --emit=kernels -o - | FileCheck %s --check-prefix=KERNELS

gen.variable @w : tensor<40x64xf32>
gen.variable @few : tensor<2x64xf32>

// OFF-NOT: xi8
// CHECK-LABEL: func.func @layer
// CHECK: %[[W:.*]] = gen.read @w
// CHECK: %[[A:.*]] = gen.abs %[[W]]
// CHECK: gen.reduce_max %[[A]] axes [1] : tensor<40x64xf32> -> tensor<40xf32>
// CHECK: %[[S:.*]] = gen.select
// CHECK: %[[Q:.*]] = gen.cast %{{.*}} : tensor<40x64xf32> -> tensor<40x64xi8>
// CHECK: %[[F:.*]] = gen.cast %[[Q]] : tensor<40x64xi8> -> tensor<40x64xf32>
// CHECK: %[[Y:.*]] = gen.matmul %arg0, %[[F]] transposed
// CHECK: %[[B:.*]] = gen.broadcast %[[S]]
// CHECK: %[[Z:.*]] = gen.mul %[[Y]], %[[B]]
// CHECK: gen.relu %[[Z]]

// Numbers and scales are kept beside the variable; one kernel reads them.
// KERNELS-LABEL: func.func @layer
// KERNELS-DAG: call @w.pack()
// KERNELS-DAG: call @w.reduce()
// KERNELS-DAG: %[[P:.*]] = gen.read @w.packed : tensor<3x64x16xi8>
// KERNELS-DAG: %[[S:.*]] = gen.read @w.reduced : tensor<40xf32>
// KERNELS: gen.launch @{{.*}}(%arg0, %[[P]], %[[S]], %{{.*}})
// KERNELS-NOT: gen.launch
// KERNELS: return
func.func @layer(%x: tensor<?x64xf32> {gen.dims = ["batch", ""]}) -> tensor<?x40xf32> {
  %w = gen.read @w : tensor<40x64xf32>
  %0 = gen.matmul %x, %w transposed : (tensor<?x64xf32>, tensor<40x64xf32>) -> tensor<?x40xf32>
  %1 = gen.relu %0 : tensor<?x40xf32>
  return %1 : tensor<?x40xf32>
}

// A weight that the entry changes, and one with too few columns to be packed, stay as they are.
// CHECK-LABEL: func.func @update
// CHECK-NOT: xi8
func.func @update(%x: tensor<32x64xf32>, %new: tensor<40x64xf32>) -> (tensor<32x40xf32>, tensor<32x2xf32>) {
  %w = gen.read @w : tensor<40x64xf32>
  %few = gen.read @few : tensor<2x64xf32>
  %0 = gen.matmul %x, %w transposed : (tensor<32x64xf32>, tensor<40x64xf32>) -> tensor<32x40xf32>
  %1 = gen.matmul %x, %few transposed : (tensor<32x64xf32>, tensor<2x64xf32>) -> tensor<32x2xf32>
  gen.assign @w, %new : tensor<40x64xf32>
  return %0, %1 : tensor<32x40xf32>, tensor<32x2xf32>
}
