func.func @usual(%q: tensor<8x1024x12x64xf32>, %k: tensor<8x1024x12x64xf32>, %v: tensor<8x1024x12x64xf32>, %z: tensor<8x1024x12x64xf32>, %l: tensor<8x12x1024xf32>, %d: tensor<8x1024x12x64xf32>) -> (tensor<8x1024x12x64xf32>, tensor<8x1024x12x64xf32>, tensor<8x1024x12x64xf32>) {
  %a, %b, %c = gen.attention_gradient %q, %k, %v, %z, %l, %d causal scale 1.25e-01
      : (tensor<8x1024x12x64xf32>, tensor<8x1024x12x64xf32>, tensor<8x1024x12x64xf32>, tensor<8x1024x12x64xf32>, tensor<8x12x1024xf32>, tensor<8x1024x12x64xf32>) -> (tensor<8x1024x12x64xf32>, tensor<8x1024x12x64xf32>, tensor<8x1024x12x64xf32>)
  return %a, %b, %c : tensor<8x1024x12x64xf32>, tensor<8x1024x12x64xf32>, tensor<8x1024x12x64xf32>
}
func.func @wide(%q: tensor<?x?x8x128xf32> {gen.dims = ["b", "s", "", ""]}, %k: tensor<?x?x8x128xf32> {gen.dims = ["b", "t", "", ""]}, %v: tensor<?x?x8x128xf32> {gen.dims = ["b", "t", "", ""]}, %z: tensor<?x?x8x128xf32> {gen.dims = ["b", "s", "", ""]}, %l: tensor<?x8x?xf32> {gen.dims = ["b", "", "s"]}, %d: tensor<?x?x8x128xf32> {gen.dims = ["b", "s", "", ""]}, %m: tensor<?x1x?x?xf32> {gen.dims = ["b", "", "s", "t"]}) -> (tensor<?x?x8x128xf32>, tensor<?x?x8x128xf32>, tensor<?x?x8x128xf32>) {
  %a, %b, %c = gen.attention_gradient %q, %k, %v, %z, %l, %d mask %m causal scale 8.0e-02
      : (tensor<?x?x8x128xf32>, tensor<?x?x8x128xf32>, tensor<?x?x8x128xf32>, tensor<?x?x8x128xf32>, tensor<?x8x?xf32>, tensor<?x?x8x128xf32>, tensor<?x1x?x?xf32>) -> (tensor<?x?x8x128xf32>, tensor<?x?x8x128xf32>, tensor<?x?x8x128xf32>)
  return %a, %b, %c : tensor<?x?x8x128xf32>, tensor<?x?x8x128xf32>, tensor<?x?x8x128xf32>
}
func.func @narrow(%q: tensor<8x256x8x32xf32>, %k: tensor<8x200x8x32xf32>, %v: tensor<8x200x8x40xf32>, %z: tensor<8x256x8x40xf32>, %l: tensor<8x8x256xf32>, %d: tensor<8x256x8x40xf32>) -> (tensor<8x256x8x32xf32>, tensor<8x200x8x32xf32>, tensor<8x200x8x40xf32>) {
  %a, %b, %c = gen.attention_gradient %q, %k, %v, %z, %l, %d scale 1.75e-01
      : (tensor<8x256x8x32xf32>, tensor<8x200x8x32xf32>, tensor<8x200x8x40xf32>, tensor<8x256x8x40xf32>, tensor<8x8x256xf32>, tensor<8x256x8x40xf32>) -> (tensor<8x256x8x32xf32>, tensor<8x200x8x32xf32>, tensor<8x200x8x40xf32>)
  return %a, %b, %c : tensor<8x256x8x32xf32>, tensor<8x200x8x32xf32>, tensor<8x200x8x40xf32>
}
