// Products of square matrices, four in a row, of operands that stay on the GPU: fill.sh makes other sizes of 4096.
gen.variable @a : tensor<4096x4096xf32> = dense<0.0> : tensor<4096x4096xf32>
gen.variable @b : tensor<4096x4096xf32> = dense<0.0> : tensor<4096x4096xf32>
gen.variable @c : tensor<4096x4096xf32> = dense<0.0> : tensor<4096x4096xf32>
func.func @init() {
  %key = gen.constant dense<0> : tensor<i64>
  %scale = gen.constant dense<0.015625> : tensor<4096x4096xf32>
  %a = gen.random_normal %key, %key stream 0 : tensor<4096x4096xf32>
  %0 = gen.random_normal %key, %key stream 1 : tensor<4096x4096xf32>
  %b = gen.mul %0, %scale : (tensor<4096x4096xf32>, tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  gen.assign @a, %a : tensor<4096x4096xf32>
  gen.assign @b, %b : tensor<4096x4096xf32>
  return
}
func.func @gemm() {
  %a = gen.read @a : tensor<4096x4096xf32>
  %b = gen.read @b : tensor<4096x4096xf32>
  %0 = gen.matmul %a, %b : (tensor<4096x4096xf32>, tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  %1 = gen.matmul %0, %b : (tensor<4096x4096xf32>, tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  %2 = gen.matmul %1, %b : (tensor<4096x4096xf32>, tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  %3 = gen.matmul %2, %b : (tensor<4096x4096xf32>, tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  gen.assign @c, %3 : tensor<4096x4096xf32>
  return
}
