// RUN: gen-opt %s | FileCheck %s
// RUN: gen-opt %s --mlir-print-op-generic | gen-opt | FileCheck %s
// RUN: gen-opt %s --gen-decompose | FileCheck %s --check-prefix=PARTS

// CHECK-LABEL: func.func @softmax
func.func @softmax(%x: tensor<?x10xf32>) -> (tensor<?x10xf32>, tensor<?x10xf32>) {
  // CHECK: gen.softmax %{{.*}} axis 1 : tensor<?x10xf32>
  // CHECK: gen.log_softmax %{{.*}} axis 0 : tensor<?x10xf32>
  %0 = gen.softmax %x axis 1 : tensor<?x10xf32>
  %1 = gen.log_softmax %x axis 0 : tensor<?x10xf32>
  return %0, %1 : tensor<?x10xf32>, tensor<?x10xf32>
}

// CHECK-LABEL: func.func @layers
// PARTS-LABEL: func.func @layers
// PARTS-COUNT-3: gen.reduce_sum %{{.*}} axes [1, 2]
func.func @layers(%x: tensor<8x?x16xf32>, %scale: tensor<?x16xf32>, %bias: tensor<?x16xf32>) -> (tensor<8x?x16xf32>, tensor<8x?x16xf32>) {
  // CHECK: gen.layer_norm %{{.*}}, %{{.*}}, %{{.*}} epsilon 1.000000e-05 : tensor<8x?x16xf32>, tensor<?x16xf32>
  // CHECK: gen.rms_norm %{{.*}}, %{{.*}} epsilon 0.000000e+00 : tensor<8x?x16xf32>, tensor<?x16xf32>
  %0 = gen.layer_norm %x, %scale, %bias epsilon 1.0e-05 : tensor<8x?x16xf32>, tensor<?x16xf32>
  %1 = gen.rms_norm %x, %scale epsilon 0.0 : tensor<8x?x16xf32>, tensor<?x16xf32>
  return %0, %1 : tensor<8x?x16xf32>, tensor<8x?x16xf32>
}

// Statistics of pixels first: those of groups are made of them.
// CHECK-LABEL: func.func @groups
// PARTS-LABEL: func.func @groups
// PARTS: gen.reduce_sum %{{.*}} axes [1] : tensor<?x64x16xf32> -> tensor<?x16xf32>
// PARTS: gen.reduce_sum %{{.*}} axes [1] : tensor<?x64x16xf32> -> tensor<?x16xf32>
// PARTS: gen.reduce_sum %{{.*}} axes [2] : tensor<?x4x4xf32> -> tensor<?x4xf32>
// PARTS: gen.reduce_sum %{{.*}} axes [2] : tensor<?x4x4xf32> -> tensor<?x4xf32>
// PARTS: %[[SCALED:.*]] = gen.mul %arg0
// PARTS: %[[Y:.*]] = gen.add %[[SCALED]]
// PARTS-NEXT: return %[[Y]]
func.func @groups(%x: tensor<?x64x16xf32>, %scale: tensor<16xf32>, %bias: tensor<16xf32>) -> tensor<?x64x16xf32> {
  // CHECK: gen.group_norm %{{.*}}, %{{.*}}, %{{.*}} groups 4 axis 2 epsilon 1.000000e-05 : tensor<?x64x16xf32>, tensor<16xf32>
  %0 = gen.group_norm %x, %scale, %bias groups 4 axis 2 epsilon 1.0e-05 : tensor<?x64x16xf32>, tensor<16xf32>
  return %0 : tensor<?x64x16xf32>
}

// CHECK-LABEL: func.func @batch
// PARTS-LABEL: func.func @batch
// PARTS: gen.reduce_sum %{{.*}} axes [1, 2] : tensor<8x4x4x16xf32> -> tensor<8x16xf32>
// PARTS: gen.reduce_sum %{{.*}} axes [1, 2] : tensor<8x4x4x16xf32> -> tensor<8x16xf32>
// PARTS: gen.reduce_sum %{{.*}} axes [0] : tensor<8x16xf32> -> tensor<16xf32>
// PARTS: gen.reduce_sum %{{.*}} axes [0] : tensor<8x16xf32> -> tensor<16xf32>
func.func @batch(%x: tensor<8x4x4x16xf32>, %scale: tensor<16xf32>, %bias: tensor<16xf32>) -> (tensor<8x4x4x16xf32>, tensor<16xf32>, tensor<16xf32>) {
  // CHECK: gen.batch_norm %{{.*}}, %{{.*}}, %{{.*}} axis 3 epsilon 1.000000e-05 : tensor<8x4x4x16xf32>, tensor<16xf32>
  %0, %mean, %variance = gen.batch_norm %x, %scale, %bias axis 3 epsilon 1.0e-05 : tensor<8x4x4x16xf32>, tensor<16xf32>
  return %0, %mean, %variance : tensor<8x4x4x16xf32>, tensor<16xf32>, tensor<16xf32>
}
