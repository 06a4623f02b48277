// RUN: gen-opt %s --gen-pack-weights | FileCheck %s
// RUN: gencc %s --emit=kernels -o - | FileCheck %s --check-prefix=KERNELS

gen.variable @w : tensor<20x8x3x3xf32>

// A convolution's weight is packed as it is stored: one movement of its elements.
// CHECK-LABEL: func.func @images
// CHECK-NEXT: call @w.pack()
// CHECK-NEXT: %[[P:.*]] = gen.read @w.packed : tensor<2x3x3x8x16xf32>
// CHECK: %[[T:.*]] = gen.transpose %[[P]] permutation [1, 2, 3, 0, 4]
// CHECK: %[[R:.*]] = gen.reshape %[[T]] : tensor<3x3x8x2x16xf32> -> tensor<3x3x8x32xf32>
// CHECK: %[[W:.*]] = gen.slice %[[R]]
// CHECK: gen.convolution %arg0, %[[W]]
func.func @images(%x: tensor<2x18x18x8xf32>) -> tensor<2x16x16x20xf32> {
  %w = gen.read @w : tensor<20x8x3x3xf32>
  %t = gen.transpose %w permutation [2, 3, 1, 0] : tensor<20x8x3x3xf32> -> tensor<3x3x8x20xf32>
  %y = gen.convolution %x, %t strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<2x18x18x8xf32>, tensor<3x3x8x20xf32>) -> tensor<2x16x16x20xf32>
  return %y : tensor<2x16x16x20xf32>
}

// Few rows are not worth packing for, but the weight has to be moved anyway: once, not in every call.
// CHECK-LABEL: func.func @few_rows
// CHECK: call @w.pack()
// CHECK: %[[F:.*]] = gen.slice
// CHECK: gen.convolution %arg0, %[[F]]
// KERNELS-LABEL: func.func @few_rows
// KERNELS: %[[P:.*]] = gen.read @w.packed
// KERNELS-NEXT: gen.launch @convolution{{.*}}(%arg0, %[[P]])
func.func @few_rows(%x: tensor<1x4x4x8xf32>) -> tensor<1x2x2x20xf32> {
  %w = gen.read @w : tensor<20x8x3x3xf32>
  %t = gen.transpose %w permutation [2, 3, 1, 0] : tensor<20x8x3x3xf32> -> tensor<3x3x8x20xf32>
  %y = gen.convolution %x, %t strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x4x4x8xf32>, tensor<3x3x8x20xf32>) -> tensor<1x2x2x20xf32>
  return %y : tensor<1x2x2x20xf32>
}

// In a step that changes the weight, what is transposed anyway goes to the packed order; its lanes are the channels of the
// result.
// CHECK-LABEL: func.func @step
// CHECK: %[[V:.*]] = gen.reshape %{{.*}} : tensor<20x16x3x3xf32> -> tensor<20x1x16x3x3xf32>
// CHECK: %[[P:.*]] = gen.transpose %[[V]] permutation [1, 3, 4, 0, 2] : tensor<20x1x16x3x3xf32> -> tensor<1x3x3x20x16xf32>
// CHECK: %[[T:.*]] = gen.transpose %[[P]] permutation [1, 2, 0, 4, 3] : tensor<1x3x3x20x16xf32> -> tensor<3x3x1x16x20xf32>
// CHECK: gen.convolution_transpose
// KERNELS-LABEL: func.func @step
// KERNELS: %[[P:.*]] = gen.launch @pad_transpose
// KERNELS: gen.launch @convolution_transpose(%{{.*}}, %[[P]])
func.func @step(%y: tensor<2x18x18x20xf32>, %new: tensor<20x8x3x3xf32>) -> tensor<2x16x16x8xf32> {
  %w = gen.read @w : tensor<20x8x3x3xf32>
  %t = gen.transpose %w permutation [2, 3, 1, 0] : tensor<20x8x3x3xf32> -> tensor<3x3x8x20xf32>
  %x = gen.convolution_transpose %y, %t strides [1, 1] low [2, 2] high [2, 2] dilations [1, 1] channels_last
      : (tensor<2x18x18x20xf32>, tensor<3x3x8x20xf32>) -> tensor<2x16x16x8xf32>
  gen.assign @w, %new : tensor<20x8x3x3xf32>
  return %x : tensor<2x16x16x8xf32>
}

// Tied weights: each way of reading a variable has a copy of its own.
// CHECK-LABEL: func.func @tied
// CHECK-DAG: call @tied_weight.pack()
// CHECK-DAG: call @tied_weight.pack_{{[0-9]+}}()
// CHECK-DAG: gen.read @tied_weight.packed :
// CHECK-DAG: gen.read @tied_weight.packed_{{[0-9]+}} :
gen.variable @tied_weight : tensor<32x32x3x3xf32>
func.func @tied(%x: tensor<1x8x8x32xf32>) -> (tensor<1x6x6x32xf32>, tensor<1x6x6x32xf32>) {
  %w = gen.read @tied_weight : tensor<32x32x3x3xf32>
  %t = gen.transpose %w permutation [2, 3, 1, 0] : tensor<32x32x3x3xf32> -> tensor<3x3x32x32xf32>
  %s = gen.transpose %w permutation [2, 3, 0, 1] : tensor<32x32x3x3xf32> -> tensor<3x3x32x32xf32>
  %y = gen.convolution %x, %t strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x8x8x32xf32>, tensor<3x3x32x32xf32>) -> tensor<1x6x6x32xf32>
  %z = gen.convolution %x, %s strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x8x8x32xf32>, tensor<3x3x32x32xf32>) -> tensor<1x6x6x32xf32>
  return %y, %z : tensor<1x6x6x32xf32>, tensor<1x6x6x32xf32>
}

// CHECK-LABEL: func.func private @w.pack() attributes {gen.packs = @w}
// CHECK-NEXT: %[[W:.*]] = gen.read @w
// CHECK-NEXT: %[[T:.*]] = gen.transpose %[[W]]
// CHECK-NEXT: %[[PADDED:.*]] = gen.pad %[[W]] value 0.000000e+00 : f32 low [0, 0, 0, 0] high [12, 0, 0, 0]
// CHECK-NEXT: %[[V:.*]] = gen.reshape %[[PADDED]] : tensor<32x8x3x3xf32> -> tensor<2x16x8x3x3xf32>
// CHECK-NEXT: %[[P:.*]] = gen.transpose %[[V]] permutation [0, 3, 4, 2, 1]
// CHECK-NEXT: gen.assign @w.packed, %[[P]]
