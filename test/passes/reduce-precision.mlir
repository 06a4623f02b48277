// RUN: gen-opt %s --pass-pipeline='builtin.module(func.func(gen-reduce-precision{precision=int8w}))' | FileCheck %s
// RUN: gen-opt %s --pass-pipeline='builtin.module(func.func(gen-reduce-precision))' | FileCheck %s --check-prefix=OFF
// RUN: gen-opt %s --pass-pipeline='builtin.module(func.func(gen-reduce-precision{precision=int8}))' | FileCheck %s --check-prefix=INT8
// RUN: gen-opt %s --pass-pipeline='builtin.module(func.func(gen-reduce-precision{precision=bf16}))' | FileCheck %s --check-prefix=BF16
// RUN: gen-opt %s --pass-pipeline='builtin.module(func.func(gen-reduce-precision{precision=tf32}))' | FileCheck %s --check-prefix=TF32
// RUN: gencc %s --precision=int8w --emit=kernels -o - | FileCheck %s --check-prefix=KERNELS
// RUN: gencc %s --precision=int8 --emit=kernels -o - | FileCheck %s --check-prefix=BYTES
// RUN: gencc %s --precision=f16 --emit=kernels -o - | FileCheck %s --check-prefix=HALVES

gen.variable @w : tensor<40x64xf32>
gen.variable @few : tensor<2x64xf32>
gen.variable @short : tensor<40x12xf32>
gen.variable @long : tensor<40x140000xf32>
gen.variable @filter : tensor<3x3x32x48xf32>

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

// INT8-LABEL: func.func @layer
// INT8-DAG: %[[A:.*]] = gen.reduce_max %{{.*}} axes [1] : tensor<?x64xf32> -> tensor<?xf32>
// INT8-DAG: %[[P:.*]] = gen.cast %{{.*}} : tensor<?x64xf32> -> tensor<?x64xi8>
// INT8-DAG: %[[Q:.*]] = gen.cast %{{.*}} : tensor<40x64xf32> -> tensor<40x64xi8>
// INT8-DAG: %[[F:.*]] = gen.cast %[[Q]] : tensor<40x64xi8> -> tensor<40x64xf32>
// INT8-DAG: %[[G:.*]] = gen.cast %[[P]] : tensor<?x64xi8> -> tensor<?x64xf32>
// INT8: %[[Y:.*]] = gen.matmul %[[G]], %[[F]] transposed
// INT8: %[[R:.*]] = gen.broadcast %{{.*}} axes [0]
// INT8: %[[Z:.*]] = gen.mul %[[Y]], %[[R]]
// INT8: %[[C:.*]] = gen.broadcast %{{.*}} axes [1]
// INT8: %[[V:.*]] = gen.mul %[[Z]], %[[C]]
// INT8: gen.relu %[[V]]

// One kernel for the scales and numbers of the rows, and the product, which reads fours of numbers.
// BYTES-LABEL: func.func @layer
// BYTES-DAG: %[[P:.*]] = gen.read @w.packed : tensor<3x16x16x4xi8>
// BYTES-DAG: %[[S:.*]] = gen.read @w.reduced : tensor<40xf32>
// BYTES: %[[X:.*]]:2 = gen.launch @{{.*}}(%arg0, %{{.*}}) {{.*}} -> (tensor<?xf32>, tensor<?x64xi8>)
// BYTES: gen.launch @{{.*}}(%[[X]]#1, %[[P]], %[[X]]#0, %[[S]], %{{.*}})
// BYTES-NOT: gen.launch
// BYTES: return

// Both operands in 16 bits; the weight is rounded when it is packed.
// BF16-LABEL: func.func @layer
// BF16-DAG: %[[X:.*]] = gen.cast %arg0 : tensor<?x64xf32> -> tensor<?x64xbf16>
// BF16-DAG: %[[W:.*]] = gen.cast %{{.*}} : tensor<40x64xf32> -> tensor<40x64xbf16>
// BF16-DAG: %[[F:.*]] = gen.cast %[[X]] : tensor<?x64xbf16> -> tensor<?x64xf32>
// BF16-DAG: %[[G:.*]] = gen.cast %[[W]] : tensor<40x64xbf16> -> tensor<40x64xf32>
// BF16: gen.matmul %[[F]], %[[G]] transposed
// Both stay f32, and the product rounds them.
// TF32-LABEL: func.func @layer
// TF32-NOT: gen.cast
// TF32: gen.matmul %arg0, %{{.*}} transposed {gen.products = tf32}
// TF32-LABEL: func.func @images
// TF32: gen.convolution {{.*}} {gen.products = tf32}
// HALVES-LABEL: func.func @layer
// HALVES: %[[P:.*]] = gen.read @w.packed : tensor<3x64x16xf16>
// HALVES: %[[X:.*]] = gen.launch @{{.*}}(%arg0, %{{.*}}) {{.*}} -> tensor<?x64xf16>
// HALVES: gen.launch @{{.*}}(%[[X]], %[[P]], %{{.*}})
// HALVES-NOT: gen.launch
// HALVES: return

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

// Sums that are too short to gain by bytes, or too long for their sum to fit i32.
// CHECK-LABEL: func.func @lengths
// INT8-LABEL: func.func @lengths
// INT8-NOT: xi8
func.func @lengths(%x: tensor<32x12xf32>, %y: tensor<32x140000xf32>) -> (tensor<32x40xf32>, tensor<32x40xf32>) {
  %short = gen.read @short : tensor<40x12xf32>
  %long = gen.read @long : tensor<40x140000xf32>
  %0 = gen.matmul %x, %short transposed : (tensor<32x12xf32>, tensor<40x12xf32>) -> tensor<32x40xf32>
  %1 = gen.matmul %y, %long transposed : (tensor<32x140000xf32>, tensor<40x140000xf32>) -> tensor<32x40xf32>
  return %0, %1 : tensor<32x40xf32>, tensor<32x40xf32>
}

// One scale an image, and the frame of zeros around the numbers.
// INT8-LABEL: func.func @images
// INT8: gen.reduce_max %{{.*}} axes [1, 2, 3] : tensor<4x8x8x32xf32> -> tensor<4xf32>
// INT8: gen.pad %{{.*}} : tensor<4x8x8x32xi8> -> tensor<4x10x10x32xi8>
// INT8: gen.convolution
// BF16-LABEL: func.func @images
// BF16: %[[X:.*]] = gen.cast %arg0 : tensor<4x8x8x32xf32> -> tensor<4x8x8x32xbf16>
// BF16: gen.pad %[[X]]
func.func @images(%x: tensor<4x8x8x32xf32>) -> tensor<4x8x8x48xf32> {
  %w = gen.read @filter : tensor<3x3x32x48xf32>
  %0 = gen.pad %x value 0.0 : f32 low [0, 1, 1, 0] high [0, 1, 1, 0] interior [0, 0, 0, 0] : tensor<4x8x8x32xf32> -> tensor<4x10x10x32xf32>
  %1 = gen.convolution %0, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<4x10x10x32xf32>, tensor<3x3x32x48xf32>) -> tensor<4x8x8x48xf32>
  return %1 : tensor<4x8x8x48xf32>
}
