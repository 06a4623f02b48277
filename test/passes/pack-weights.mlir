// RUN: gen-opt %s --split-input-file --gen-pack-weights | FileCheck %s
// RUN: gencc %s --emit=kernels -o - | FileCheck %s --check-prefix=KERNELS

gen.variable @w : tensor<40x64xf32>
gen.variable @few : tensor<2x64xf32>

// CHECK-LABEL: func.func @layer
// CHECK-NEXT: call @w.pack()
// CHECK-NEXT: %[[P:.*]] = gen.read @w.packed : tensor<3x64x16xf32>
// CHECK: %[[T:.*]] = gen.transpose %[[P]] permutation [0, 2, 1] : tensor<3x64x16xf32> -> tensor<3x16x64xf32>
// CHECK: %[[R:.*]] = gen.reshape %[[T]] : tensor<3x16x64xf32> -> tensor<48x64xf32>
// CHECK: %[[W:.*]] = gen.slice %[[R]] starts [0, 0] limits [40, 64] strides [1, 1]
// CHECK: gen.matmul %arg0, %[[W]] transposed

// The product reads the packed copy itself.
// KERNELS-LABEL: func.func @layer
// KERNELS: call @w.pack()
// KERNELS: %[[P:.*]] = gen.read @w.packed
// KERNELS: gen.launch @matmul_relu(%arg0, %[[P]], %{{.*}})
func.func @layer(%x: tensor<?x64xf32> {gen.dims = ["batch", ""]}) -> tensor<?x40xf32> {
  %w = gen.read @w : tensor<40x64xf32>
  %0 = gen.matmul %x, %w transposed : (tensor<?x64xf32>, tensor<40x64xf32>) -> tensor<?x40xf32>
  %1 = gen.relu %0 : tensor<?x40xf32>
  return %1 : tensor<?x40xf32>
}

// Only the packed weight is taken apart by the product; its other operand has rows in memory.
// KERNELS-LABEL: func.func @half
// KERNELS: %[[P:.*]] = gen.read @w.packed
// KERNELS: %[[X:.*]] = gen.launch @slice(%arg0)
// KERNELS: gen.launch @matmul(%[[X]], %[[P]])
func.func @half(%x: tensor<32x128xf32>) -> tensor<32x40xf32> {
  %w = gen.read @w : tensor<40x64xf32>
  %0 = gen.slice %x starts [0, 0] limits [32, 128] strides [1, 2] : tensor<32x128xf32> -> tensor<32x64xf32>
  %1 = gen.matmul %0, %w transposed : (tensor<32x64xf32>, tensor<40x64xf32>) -> tensor<32x40xf32>
  return %1 : tensor<32x40xf32>
}

// An entry that assigns the weight would pack it in every call; few columns are not packed at all.
// CHECK-LABEL: func.func @update
// CHECK-NOT: packed
// CHECK: return
func.func @update(%x: tensor<32x64xf32>, %new: tensor<40x64xf32>) -> (tensor<32x40xf32>, tensor<32x2xf32>) {
  %w = gen.read @w : tensor<40x64xf32>
  %few = gen.read @few : tensor<2x64xf32>
  %0 = gen.matmul %x, %w transposed : (tensor<32x64xf32>, tensor<40x64xf32>) -> tensor<32x40xf32>
  %1 = gen.matmul %x, %few transposed : (tensor<32x64xf32>, tensor<2x64xf32>) -> tensor<32x2xf32>
  gen.assign @w, %new : tensor<40x64xf32>
  return %0, %1 : tensor<32x40xf32>, tensor<32x2xf32>
}

// What a loop multiplies with in every step is packed before it, however it is stored.
// CHECK-LABEL: func.func @loop
// CHECK: %[[COLUMNS:.*]] = gen.reshape %{{.*}} : tensor<64x64xf32> -> tensor<64x4x16xf32>
// CHECK: %[[P:.*]] = gen.transpose %[[COLUMNS]] permutation [1, 0, 2]
// CHECK: scf.for
// CHECK: gen.transpose %[[P]]
// CHECK: gen.matmul %{{.*}}, %{{.*}} transposed
// KERNELS-LABEL: func.func @loop
// KERNELS: %[[P:.*]] = gen.launch @transpose
// KERNELS: scf.for
// KERNELS: gen.launch @matmul{{.*}}(%{{.*}}, %[[P]])
func.func @loop(%x: tensor<32x64xf32>, %w: tensor<64x64xf32>) -> tensor<32x64xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %0 = scf.for %i = %c0 to %c8 step %c1 iter_args(%s = %x) -> tensor<32x64xf32> {
    %1 = gen.matmul %s, %w : (tensor<32x64xf32>, tensor<64x64xf32>) -> tensor<32x64xf32>
    scf.yield %1 : tensor<32x64xf32>
  }
  return %0 : tensor<32x64xf32>
}

// CHECK: gen.variable @w.packed : tensor<3x64x16xf32>
// CHECK-LABEL: func.func private @w.pack() attributes {gen.packs = @w}
// CHECK-NEXT: %[[W:.*]] = gen.read @w : tensor<40x64xf32>
// CHECK-NEXT: %[[PADDED:.*]] = gen.pad %[[W]] value 0.000000e+00 : f32 low [0, 0] high [8, 0] interior [0, 0]
// CHECK-NEXT: %[[V:.*]] = gen.reshape %[[PADDED]] : tensor<48x64xf32> -> tensor<3x16x64xf32>
// CHECK-NEXT: %[[P:.*]] = gen.transpose %[[V]] permutation [0, 2, 1] : tensor<3x16x64xf32> -> tensor<3x64x16xf32>
// CHECK-NEXT: gen.assign @w.packed, %[[P]]
