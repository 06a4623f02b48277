// Attention and its gradient: of three sequences, and of the first two alone.
func.func @main() -> (tensor<2x70x2x20xf32> {gen.name = "q"}, tensor<2x130x2x20xf32> {gen.name = "k"}, tensor<2x130x2x20xf32> {gen.name = "v"}, tensor<2x70x2x20xf32> {gen.name = "q2"}, tensor<2x130x2x20xf32> {gen.name = "k2"},
                      tensor<2x130x2x20xf32> {gen.name = "v2"}) {
  %key = gen.constant dense<7> : tensor<i64>
  %q = gen.random_normal %key, %key stream 0 : tensor<3x70x2x20xf32>
  %k = gen.random_normal %key, %key stream 1 : tensor<3x130x2x20xf32>
  %v = gen.random_normal %key, %key stream 2 : tensor<3x130x2x20xf32>
  %d = gen.random_normal %key, %key stream 3 : tensor<3x70x2x20xf32>
  %z, %l = gen.attention %q, %k, %v causal scale 0.5 : (tensor<3x70x2x20xf32>, tensor<3x130x2x20xf32>, tensor<3x130x2x20xf32>) -> (tensor<3x70x2x20xf32>, tensor<3x2x70xf32>)
  %dq, %dk, %dv = gen.attention_gradient %q, %k, %v, %z, %l, %d causal scale 0.5
      : (tensor<3x70x2x20xf32>, tensor<3x130x2x20xf32>, tensor<3x130x2x20xf32>, tensor<3x70x2x20xf32>, tensor<3x2x70xf32>, tensor<3x70x2x20xf32>) -> (tensor<3x70x2x20xf32>, tensor<3x130x2x20xf32>, tensor<3x130x2x20xf32>)
  %q2 = gen.slice %q starts [0, 0, 0, 0] limits [2, 70, 2, 20] strides [1, 1, 1, 1] : tensor<3x70x2x20xf32> -> tensor<2x70x2x20xf32>
  %k2 = gen.slice %k starts [0, 0, 0, 0] limits [2, 130, 2, 20] strides [1, 1, 1, 1] : tensor<3x130x2x20xf32> -> tensor<2x130x2x20xf32>
  %v2 = gen.slice %v starts [0, 0, 0, 0] limits [2, 130, 2, 20] strides [1, 1, 1, 1] : tensor<3x130x2x20xf32> -> tensor<2x130x2x20xf32>
  %d2 = gen.slice %d starts [0, 0, 0, 0] limits [2, 70, 2, 20] strides [1, 1, 1, 1] : tensor<3x70x2x20xf32> -> tensor<2x70x2x20xf32>
  %z2, %l2 = gen.attention %q2, %k2, %v2 causal scale 0.5 : (tensor<2x70x2x20xf32>, tensor<2x130x2x20xf32>, tensor<2x130x2x20xf32>) -> (tensor<2x70x2x20xf32>, tensor<2x2x70xf32>)
  %dq2, %dk2, %dv2 = gen.attention_gradient %q2, %k2, %v2, %z2, %l2, %d2 causal scale 0.5
      : (tensor<2x70x2x20xf32>, tensor<2x130x2x20xf32>, tensor<2x130x2x20xf32>, tensor<2x70x2x20xf32>, tensor<2x2x70xf32>, tensor<2x70x2x20xf32>) -> (tensor<2x70x2x20xf32>, tensor<2x130x2x20xf32>, tensor<2x130x2x20xf32>)
  %dq3 = gen.slice %dq starts [0, 0, 0, 0] limits [2, 70, 2, 20] strides [1, 1, 1, 1] : tensor<3x70x2x20xf32> -> tensor<2x70x2x20xf32>
  %dk3 = gen.slice %dk starts [0, 0, 0, 0] limits [2, 130, 2, 20] strides [1, 1, 1, 1] : tensor<3x130x2x20xf32> -> tensor<2x130x2x20xf32>
  %dv3 = gen.slice %dv starts [0, 0, 0, 0] limits [2, 130, 2, 20] strides [1, 1, 1, 1] : tensor<3x130x2x20xf32> -> tensor<2x130x2x20xf32>
  return %dq3, %dk3, %dv3, %dq2, %dk2, %dv2 : tensor<2x70x2x20xf32>, tensor<2x130x2x20xf32>, tensor<2x130x2x20xf32>, tensor<2x70x2x20xf32>, tensor<2x130x2x20xf32>, tensor<2x130x2x20xf32>
}
