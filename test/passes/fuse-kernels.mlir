// RUN: gen-opt %s --split-input-file --gen-fuse-kernels | FileCheck %s

// Bias and activation are the matmul's epilogue.
// CHECK-LABEL: func.func @linear_relu
// CHECK-NEXT: %[[H:.*]] = gen.launch @matmul_add_relu(%arg0, %arg1, %arg2)
// CHECK-NEXT: return %[[H]]
// CHECK: gen.kernel @matmul_add_relu
// CHECK-SAME: family "contraction"
// CHECK-NEXT: gen.matmul
// CHECK-NEXT: gen.add
// CHECK-NEXT: gen.relu
// CHECK-NEXT: gen.yield
func.func @linear_relu(%x: tensor<128x784xf32>, %w: tensor<400x784xf32>, %b: tensor<400xf32>) -> tensor<128x400xf32> {
  %0 = gen.matmul %x, %w transposed : (tensor<128x784xf32>, tensor<400x784xf32>) -> tensor<128x400xf32>
  %1 = gen.add %0, %b : (tensor<128x400xf32>, tensor<400xf32>) -> tensor<128x400xf32>
  %2 = gen.relu %1 : tensor<128x400xf32>
  return %2 : tensor<128x400xf32>
}

// -----

// An elementwise chain and what it is reduced to are one loop nest; so is what follows on the result.
// CHECK-LABEL: func.func @reduce_chain
// CHECK-NEXT: gen.launch
// CHECK-NEXT: return
// CHECK: gen.kernel
// CHECK-SAME: family "reduction"
// CHECK-NEXT: gen.mul
// CHECK-NEXT: gen.reduce_sum
// CHECK-NEXT: gen.sqrt
func.func @reduce_chain(%x: tensor<128x784xf32>) -> tensor<128xf32> {
  %0 = gen.mul %x, %x : (tensor<128x784xf32>, tensor<128x784xf32>) -> tensor<128x784xf32>
  %1 = gen.reduce_sum %0 axes [1] : tensor<128x784xf32> -> tensor<128xf32>
  %2 = gen.sqrt %1 : tensor<128xf32>
  return %2 : tensor<128xf32>
}

// -----

gen.variable @w : tensor<400x784xf32>
gen.variable @m : tensor<400x784xf32>

// The update of a weight is applied as its gradient is finished: the gradient itself is never stored.
// CHECK-LABEL: func.func @update_in_epilogue
// CHECK: %[[NEW:.*]]:2 = gen.launch @[[K:.*]](%arg0, %arg1
// CHECK-NEXT: gen.assign @m, %[[NEW]]#0
// CHECK-NEXT: gen.assign @w, %[[NEW]]#1
// CHECK: gen.kernel @[[K]]
// CHECK-SAME: family "contraction"
func.func @update_in_epilogue(%dy: tensor<128x400xf32>, %x: tensor<128x784xf32>) {
  %w = gen.read @w : tensor<400x784xf32>
  %m = gen.read @m : tensor<400x784xf32>
  %c = gen.constant dense<0.9> : tensor<f32>
  %g = gen.matmul %dy transposed, %x : (tensor<128x400xf32>, tensor<128x784xf32>) -> tensor<400x784xf32>
  %0 = gen.mul %m, %c : (tensor<400x784xf32>, tensor<f32>) -> tensor<400x784xf32>
  %1 = gen.add %0, %g : (tensor<400x784xf32>, tensor<400x784xf32>) -> tensor<400x784xf32>
  %2 = gen.sub %w, %1 : (tensor<400x784xf32>, tensor<400x784xf32>) -> tensor<400x784xf32>
  gen.assign @m, %1 : tensor<400x784xf32>
  gen.assign @w, %2 : tensor<400x784xf32>
  return
}

// -----

gen.variable @w : tensor<8x4xf32>

// The reader of the old weight goes before the kernel that updates it, though it stands behind it.
// CHECK-LABEL: func.func @readers_first
// CHECK: %[[W:.*]] = gen.read @w
// CHECK: gen.launch @matmul(%arg0, %[[W]])
// CHECK: gen.launch @add(%[[W]])
func.func @readers_first(%x: tensor<2x8xf32>) -> tensor<2x4xf32> {
  %w = gen.read @w : tensor<8x4xf32>
  %0 = gen.add %w, %w : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  gen.assign @w, %0 : tensor<8x4xf32>
  %1 = gen.matmul %x, %w : (tensor<2x8xf32>, tensor<8x4xf32>) -> tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}

// -----

// What is broadcast is not computed once an element.
// CHECK-LABEL: func.func @expensive_row
// CHECK: %[[E:.*]] = gen.launch @exp(%arg0)
// CHECK: gen.launch @mul(%arg1, %[[E]])
func.func @expensive_row(%r: tensor<784xf32>, %x: tensor<128x784xf32>) -> tensor<128x784xf32> {
  %0 = gen.exp %r : tensor<784xf32>
  %1 = gen.mul %x, %0 : (tensor<128x784xf32>, tensor<784xf32>) -> tensor<128x784xf32>
  return %1 : tensor<128x784xf32>
}

// -----

// Sizes travel as arguments of the kernel.
// CHECK-LABEL: func.func @dynamic
// CHECK: %[[N:.*]] = tensor.dim %arg0
// CHECK: gen.launch @exp_add(%arg0, %arg1, %[[N]])
// CHECK: gen.kernel @exp_add(%{{.*}}: tensor<?x4xf32>, %{{.*}}: tensor<4xf32>, %{{.*}}: index)
func.func @dynamic(%x: tensor<?x4xf32> {gen.dims = ["batch", ""]}, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %0 = gen.exp %x : tensor<?x4xf32>
  %1 = gen.add %0, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}

// -----

// A convolution stores its result with the frame that the next one reads, and beside it what others read.
// CHECK-LABEL: func.func @frames
// CHECK: %[[Y:.*]]:2 = gen.launch @[[FIRST:convolution_relu_pad]](%arg0, %arg1)
// CHECK: gen.launch @convolution_add(%[[Y]]#1, %arg2, %[[Y]]#0)
// CHECK: gen.kernel @[[FIRST]]{{.*}} family "contraction"
func.func @frames(%x: tensor<2x10x10x4xf32>, %w: tensor<3x3x4x4xf32>, %v: tensor<3x3x4x4xf32>) -> tensor<2x8x8x4xf32> {
  %0 = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last : (tensor<2x10x10x4xf32>, tensor<3x3x4x4xf32>) -> tensor<2x8x8x4xf32>
  %1 = gen.relu %0 : tensor<2x8x8x4xf32>
  %2 = gen.pad %1 value 0.0 : f32 low [0, 1, 1, 0] high [0, 1, 1, 0] interior [0, 0, 0, 0] : tensor<2x8x8x4xf32> -> tensor<2x10x10x4xf32>
  %3 = gen.convolution %2, %v strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last : (tensor<2x10x10x4xf32>, tensor<3x3x4x4xf32>) -> tensor<2x8x8x4xf32>
  %4 = gen.add %3, %1 : (tensor<2x8x8x4xf32>, tensor<2x8x8x4xf32>) -> tensor<2x8x8x4xf32>
  return %4 : tensor<2x8x8x4xf32>
}

// -----

// Padding reads an element once, however long it takes to compute.
// CHECK-LABEL: func.func @padded
// CHECK: gen.launch @exp_pad(%arg0)
func.func @padded(%x: tensor<2x8x8x4xf32>, %w: tensor<3x3x4x4xf32>) -> tensor<2x8x8x4xf32> {
  %0 = gen.exp %x : tensor<2x8x8x4xf32>
  %1 = gen.pad %0 value 0.0 : f32 low [0, 1, 1, 0] high [0, 1, 1, 0] interior [0, 0, 0, 0] : tensor<2x8x8x4xf32> -> tensor<2x10x10x4xf32>
  %2 = gen.convolution %1, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last : (tensor<2x10x10x4xf32>, tensor<3x3x4x4xf32>) -> tensor<2x8x8x4xf32>
  return %2 : tensor<2x8x8x4xf32>
}

// -----

// A loop's body is fused by itself: a bias from outside is an argument, a scale moves in. Slices in one piece
// are views; a sequence that is written as a whole is not filled before.
// CHECK-LABEL: func.func @loop
// CHECK-NOT: gen.launch
// CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<8x4xf32>
// CHECK: scf.for %[[I:.*]] = {{.*}} iter_args(%[[S:.*]] = %{{.*}}, %[[Y:.*]] = %[[EMPTY]])
// CHECK-NEXT: %[[X:.*]] = gen.dynamic_slice %{{.*}} at %[[I]]
// CHECK-NEXT: %[[N:.*]] = gen.launch @{{.*}}(%[[S]], %[[X]], %{{.*}})
// CHECK-NEXT: gen.dynamic_update_slice %[[Y]] with %[[N]] at %[[I]]
// CHECK-NEXT: scf.yield
// CHECK: gen.kernel
// CHECK: gen.constant dense<2.000000e+00>
func.func @loop(%x: tensor<8x4xf32>, %h: tensor<1x4xf32>, %b: tensor<4xf32>) -> tensor<8x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zeros = gen.constant dense<0.0> : tensor<8x4xf32>
  %two = gen.constant dense<2.0> : tensor<f32>
  %0:2 = scf.for %i = %c0 to %c8 step %c1 iter_args(%s = %h, %y = %zeros) -> (tensor<1x4xf32>, tensor<8x4xf32>) {
    %xi = gen.dynamic_slice %x at %i axis 0 length 1 : tensor<8x4xf32> -> tensor<1x4xf32>
    %a = gen.mul %s, %two : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
    %c = gen.add %a, %xi : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
    %n = gen.add %c, %b : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
    %y1 = gen.dynamic_update_slice %y with %n at %i axis 0 : tensor<8x4xf32>, tensor<1x4xf32>
    scf.yield %n, %y1 : tensor<1x4xf32>, tensor<8x4xf32>
  }
  return %0#1 : tensor<8x4xf32>
}

// -----

// Reshapes of reshapes are views only where somebody reads memory.
// CHECK-LABEL: func.func @reshapes
// CHECK-NEXT: %[[R:.*]] = gen.launch @{{.*}}(%arg0)
// CHECK-NEXT: return %[[R]]
func.func @reshapes(%x: tensor<4x6xf32>) -> tensor<3x8xf32> {
  %0 = gen.reshape %x : tensor<4x6xf32> -> tensor<24xf32>
  %1 = gen.reshape %0 : tensor<24xf32> -> tensor<3x8xf32>
  %2 = gen.relu %1 : tensor<3x8xf32>
  return %2 : tensor<3x8xf32>
}

// -----

// What is computed of the groups of channels is stored for the channels of all pixels, not divided and gathered for each.
// CHECK-LABEL: func.func @groups
// CHECK: %[[F:.*]] = gen.launch @{{.*}}(%arg1) {{.*}} -> tensor<4x2xf32>
// CHECK: gen.launch @{{.*}}(%arg0, %[[F]])
func.func @groups(%x: tensor<64x8xf32>, %scale: tensor<4x2xf32>) -> tensor<64x8xf32> {
  %f = gen.neg %scale : tensor<4x2xf32>
  %c = gen.reshape %f : tensor<4x2xf32> -> tensor<8xf32>
  %b = gen.broadcast %c axes [1] : tensor<8xf32> -> tensor<64x8xf32>
  %y = gen.mul %x, %b : (tensor<64x8xf32>, tensor<64x8xf32>) -> tensor<64x8xf32>
  return %y : tensor<64x8xf32>
}

// -----

// Parts of one type are one kernel with what makes them, and with what reads the same elements. Here a product reads
// all of them; what it makes is cut and joined again in its epilogue.
// CHECK-LABEL: func.func @parts
// CHECK-NEXT: %[[Z:.*]]:2 = gen.launch @[[PARTS:exp_mul_concat_neg]](%arg0, %arg1)
// CHECK-NEXT: %[[Y:.*]] = gen.launch @[[PRODUCT:matmul_sigmoid_tanh_concat]](%[[Z]]#0, %arg2)
// CHECK-NEXT: return %[[Y]], %[[Z]]#1
// CHECK: gen.kernel @[[PARTS]]{{.*}} family "pointwise"
// CHECK: gen.kernel @[[PRODUCT]]{{.*}} family "contraction"
func.func @parts(%x: tensor<32x512xf32>, %y: tensor<32x512xf32>, %w: tensor<1024x256xf32>) -> (tensor<32x512xf32>, tensor<32x512xf32>) {
  %0 = gen.exp %x : tensor<32x512xf32>
  %1 = gen.mul %0, %y : (tensor<32x512xf32>, tensor<32x512xf32>) -> tensor<32x512xf32>
  %2 = gen.concat %0, %1 axis 1 : (tensor<32x512xf32>, tensor<32x512xf32>) -> tensor<32x1024xf32>
  %3 = gen.neg %1 : tensor<32x512xf32>
  %4 = gen.matmul %2, %w : (tensor<32x1024xf32>, tensor<1024x256xf32>) -> tensor<32x256xf32>
  %5 = gen.sigmoid %4 : tensor<32x256xf32>
  %6 = gen.tanh %4 : tensor<32x256xf32>
  %7 = gen.concat %5, %6 axis 1 : (tensor<32x256xf32>, tensor<32x256xf32>) -> tensor<32x512xf32>
  return %7, %3 : tensor<32x512xf32>, tensor<32x512xf32>
}

// -----

// What is joined to be read element by element is not stored for that.
// CHECK-LABEL: func.func @read_by_element
// CHECK-NEXT: gen.launch @concat_mul(%arg0, %arg1)
// CHECK-NEXT: return
func.func @read_by_element(%x: tensor<32x512xf32>, %y: tensor<32x1024xf32>) -> tensor<32x1024xf32> {
  %0 = gen.concat %x, %x axis 1 : (tensor<32x512xf32>, tensor<32x512xf32>) -> tensor<32x1024xf32>
  %1 = gen.mul %0, %y : (tensor<32x1024xf32>, tensor<32x1024xf32>) -> tensor<32x1024xf32>
  return %1 : tensor<32x1024xf32>
}

// -----

// What is put together of several elements is stored, and then put into another order: a kernel that only transposes
// turns squares in registers. An update that reads it is another.
// CHECK-LABEL: func.func @ordered
// CHECK-NEXT: gen.launch @max_pool(%arg0)
// CHECK-NEXT: gen.launch @transpose
// CHECK-NEXT: gen.launch @exp
// CHECK-NEXT: return
func.func @ordered(%x: tensor<8x10x10x16xf32>) -> tensor<8x16x5x5xf32> {
  %0 = gen.max_pool %x window [2, 2] strides [2, 2] low [0, 0] high [0, 0] channels_last : tensor<8x10x10x16xf32> -> tensor<8x5x5x16xf32>
  %1 = gen.transpose %0 permutation [0, 3, 1, 2] : tensor<8x5x5x16xf32> -> tensor<8x16x5x5xf32>
  %2 = gen.exp %1 : tensor<8x16x5x5xf32>
  return %2 : tensor<8x16x5x5xf32>
}
