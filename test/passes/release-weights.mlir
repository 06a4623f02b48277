// RUN: gen-opt %s --gen-pack-weights --gen-release-weights | FileCheck %s

gen.variable @large : tensor<300x256xf32>
gen.variable @convolved : tensor<256x64x2x2xf32>
gen.variable @read : tensor<300x256xf32>
gen.variable @small : tensor<40x256xf32>
gen.variable @embedding : tensor<300x256xf32>

func.func @main(%x: tensor<8x256xf32>, %image: tensor<8x4x4x64xf32>)
    -> (tensor<8x300xf32>, tensor<8x300xf32>, tensor<8x40xf32>, tensor<8x3x3x256xf32>) {
  %large = gen.read @large : tensor<300x256xf32>
  %0 = gen.matmul %x, %large transposed : (tensor<8x256xf32>, tensor<300x256xf32>) -> tensor<8x300xf32>
  %read = gen.read @read : tensor<300x256xf32>
  %1 = gen.matmul %x, %read transposed : (tensor<8x256xf32>, tensor<300x256xf32>) -> tensor<8x300xf32>
  %small = gen.read @small : tensor<40x256xf32>
  %2 = gen.matmul %x, %small transposed : (tensor<8x256xf32>, tensor<40x256xf32>) -> tensor<8x40xf32>
  %convolved = gen.read @convolved : tensor<256x64x2x2xf32>
  %w = gen.transpose %convolved permutation [2, 3, 1, 0] : tensor<256x64x2x2xf32> -> tensor<2x2x64x256xf32>
  %3 = gen.convolution %image, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<8x4x4x64xf32>, tensor<2x2x64x256xf32>) -> tensor<8x3x3x256xf32>
  return %0, %1, %2, %3 : tensor<8x300xf32>, tensor<8x300xf32>, tensor<8x40xf32>, tensor<8x3x3x256xf32>
}

// Not what an entry reads as it is; who only writes does not matter.
func.func @norm(%scale: tensor<300x256xf32>) -> tensor<300xf32> {
  %read = gen.read @read : tensor<300x256xf32>
  %0 = gen.reduce_sum %read axes [1] : tensor<300x256xf32> -> tensor<300xf32>
  gen.assign @large, %scale : tensor<300x256xf32>
  return %0 : tensor<300xf32>
}

// The rows of an embedding that is also the last layer are found in the packed weight.
// CHECK-LABEL: func.func @tied
// CHECK: %[[P:.*]] = gen.read @embedding.packed
// CHECK: %[[R:.*]] = gen.reshape
// CHECK: %[[W:.*]] = gen.slice %[[R]]
// CHECK: gen.gather %[[W]], %arg0
// CHECK-NOT: gen.read @embedding :
func.func @tied(%ids: tensor<8xi64>) -> tensor<8x300xf32> {
  %embedding = gen.read @embedding : tensor<300x256xf32>
  %0 = gen.gather %embedding, %ids : (tensor<300x256xf32>, tensor<8xi64>) -> tensor<8x256xf32>
  %1 = gen.matmul %0, %embedding transposed : (tensor<8x256xf32>, tensor<300x256xf32>) -> tensor<8x300xf32>
  return %1 : tensor<8x300xf32>
}

// CHECK-NOT: func.func private @read.unpack
// CHECK-NOT: func.func private @small.unpack

// CHECK-LABEL: func.func private @large.pack()
// CHECK-LABEL: func.func private @large.unpack() attributes {gen.unpacks = @large.pack}
// CHECK-NEXT: %[[P:.*]] = gen.read @large.packed : tensor<19x256x16xf32>
// CHECK-NEXT: %[[T:.*]] = gen.transpose %[[P]] permutation [0, 2, 1] : tensor<19x256x16xf32> -> tensor<19x16x256xf32>
// CHECK-NEXT: %[[R:.*]] = gen.reshape %[[T]] : tensor<19x16x256xf32> -> tensor<304x256xf32>
// CHECK-NEXT: %[[W:.*]] = gen.slice %[[R]] starts [0, 0] limits [300, 256] strides [1, 1]
// CHECK-NEXT: gen.assign @large, %[[W]]

// CHECK-LABEL: func.func private @convolved.unpack()
// CHECK-NEXT: %[[P:.*]] = gen.read @convolved.packed
// CHECK-NEXT: %[[T:.*]] = gen.transpose %[[P]]
// CHECK-NEXT: %[[R:.*]] = gen.reshape %[[T]] : {{.*}} -> tensor<256x64x2x2xf32>
// CHECK-NEXT: gen.assign @convolved, %[[R]]

// CHECK-LABEL: func.func private @embedding.unpack()
