// Kernels alone, of operands that stay on the GPU: a linear layer with GELU (tanh), four times in a row; attention, four
// times in a row; elements, as many bytes read as written. fill.sh makes them small for the emulator.
gen.variable @x : tensor<4096x4096xf32> = dense<0.0> : tensor<4096x4096xf32>
gen.variable @w : tensor<4096x4096xf32> = dense<0.0> : tensor<4096x4096xf32>
gen.variable @b : tensor<4096xf32> = dense<0.5> : tensor<4096xf32>
gen.variable @y : tensor<4096x4096xf32> = dense<0.0> : tensor<4096x4096xf32>
gen.variable @q : tensor<8x2048x16x64xf32> = dense<0.0> : tensor<8x2048x16x64xf32>
gen.variable @k : tensor<8x2048x16x64xf32> = dense<0.0> : tensor<8x2048x16x64xf32>
gen.variable @v : tensor<8x2048x16x64xf32> = dense<0.0> : tensor<8x2048x16x64xf32>
gen.variable @o : tensor<8x2048x16x64xf32> = dense<0.0> : tensor<8x2048x16x64xf32>
gen.variable @from : tensor<67108864xf32> = dense<0.0> : tensor<67108864xf32>
gen.variable @to : tensor<67108864xf32> = dense<0.0> : tensor<67108864xf32>
func.func @init() {
  %key = gen.constant dense<0> : tensor<i64>
  %scale = gen.constant dense<0.015625> : tensor<f32>
  %x = gen.random_normal %key, %key stream 0 : tensor<4096x4096xf32>
  %0 = gen.random_normal %key, %key stream 1 : tensor<4096x4096xf32>
  %w = gen.mul %0, %scale : (tensor<4096x4096xf32>, tensor<f32>) -> tensor<4096x4096xf32>
  %q = gen.random_normal %key, %key stream 2 : tensor<8x2048x16x64xf32>
  %k = gen.random_normal %key, %key stream 3 : tensor<8x2048x16x64xf32>
  %v = gen.random_normal %key, %key stream 4 : tensor<8x2048x16x64xf32>
  gen.assign @x, %x : tensor<4096x4096xf32>
  gen.assign @w, %w : tensor<4096x4096xf32>
  gen.assign @q, %q : tensor<8x2048x16x64xf32>
  gen.assign @k, %k : tensor<8x2048x16x64xf32>
  gen.assign @v, %v : tensor<8x2048x16x64xf32>
  return
}
func.func private @layer(%x: tensor<4096x4096xf32>, %w: tensor<4096x4096xf32>, %b: tensor<4096xf32>) -> tensor<4096x4096xf32> {
  %half = gen.constant dense<0.5> : tensor<f32>
  %one = gen.constant dense<1.0> : tensor<f32>
  %slope = gen.constant dense<0.7978845608> : tensor<f32>
  %cubic = gen.constant dense<0.044715> : tensor<f32>
  %0 = gen.matmul %x, %w : (tensor<4096x4096xf32>, tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  %1 = gen.add %0, %b : (tensor<4096x4096xf32>, tensor<4096xf32>) -> tensor<4096x4096xf32>
  %2 = gen.mul %1, %1 : (tensor<4096x4096xf32>, tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  %3 = gen.mul %2, %cubic : (tensor<4096x4096xf32>, tensor<f32>) -> tensor<4096x4096xf32>
  %4 = gen.add %3, %one : (tensor<4096x4096xf32>, tensor<f32>) -> tensor<4096x4096xf32>
  %5 = gen.mul %1, %slope : (tensor<4096x4096xf32>, tensor<f32>) -> tensor<4096x4096xf32>
  %6 = gen.mul %5, %4 : (tensor<4096x4096xf32>, tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  %7 = gen.tanh %6 : tensor<4096x4096xf32>
  %8 = gen.add %7, %one : (tensor<4096x4096xf32>, tensor<f32>) -> tensor<4096x4096xf32>
  %9 = gen.mul %1, %half : (tensor<4096x4096xf32>, tensor<f32>) -> tensor<4096x4096xf32>
  %10 = gen.mul %9, %8 : (tensor<4096x4096xf32>, tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  return %10 : tensor<4096x4096xf32>
}
func.func @linear_gelu() {
  %x = gen.read @x : tensor<4096x4096xf32>
  %w = gen.read @w : tensor<4096x4096xf32>
  %b = gen.read @b : tensor<4096xf32>
  %0 = func.call @layer(%x, %w, %b) : (tensor<4096x4096xf32>, tensor<4096x4096xf32>, tensor<4096xf32>) -> tensor<4096x4096xf32>
  %1 = func.call @layer(%0, %w, %b) : (tensor<4096x4096xf32>, tensor<4096x4096xf32>, tensor<4096xf32>) -> tensor<4096x4096xf32>
  %2 = func.call @layer(%1, %w, %b) : (tensor<4096x4096xf32>, tensor<4096x4096xf32>, tensor<4096xf32>) -> tensor<4096x4096xf32>
  %3 = func.call @layer(%2, %w, %b) : (tensor<4096x4096xf32>, tensor<4096x4096xf32>, tensor<4096xf32>) -> tensor<4096x4096xf32>
  gen.assign @y, %3 : tensor<4096x4096xf32>
  return
}
func.func private @attend(%q: tensor<8x2048x16x64xf32>, %k: tensor<8x2048x16x64xf32>, %v: tensor<8x2048x16x64xf32>) -> tensor<8x2048x16x64xf32> {
  %o, %l = gen.attention %q, %k, %v causal scale 1.25e-01
      : (tensor<8x2048x16x64xf32>, tensor<8x2048x16x64xf32>, tensor<8x2048x16x64xf32>) -> (tensor<8x2048x16x64xf32>, tensor<8x16x2048xf32>)
  return %o : tensor<8x2048x16x64xf32>
}
func.func @attention() {
  %q = gen.read @q : tensor<8x2048x16x64xf32>
  %k = gen.read @k : tensor<8x2048x16x64xf32>
  %v = gen.read @v : tensor<8x2048x16x64xf32>
  %0 = func.call @attend(%q, %k, %v) : (tensor<8x2048x16x64xf32>, tensor<8x2048x16x64xf32>, tensor<8x2048x16x64xf32>) -> tensor<8x2048x16x64xf32>
  %1 = func.call @attend(%0, %k, %v) : (tensor<8x2048x16x64xf32>, tensor<8x2048x16x64xf32>, tensor<8x2048x16x64xf32>) -> tensor<8x2048x16x64xf32>
  %2 = func.call @attend(%1, %k, %v) : (tensor<8x2048x16x64xf32>, tensor<8x2048x16x64xf32>, tensor<8x2048x16x64xf32>) -> tensor<8x2048x16x64xf32>
  %3 = func.call @attend(%2, %k, %v) : (tensor<8x2048x16x64xf32>, tensor<8x2048x16x64xf32>, tensor<8x2048x16x64xf32>) -> tensor<8x2048x16x64xf32>
  gen.assign @o, %3 : tensor<8x2048x16x64xf32>
  return
}
func.func @elements() {
  %x = gen.read @from : tensor<67108864xf32>
  %slope = gen.constant dense<1.5> : tensor<f32>
  %y = gen.mul %x, %slope : (tensor<67108864xf32>, tensor<f32>) -> tensor<67108864xf32>
  gen.assign @to, %y : tensor<67108864xf32>
  return
}
