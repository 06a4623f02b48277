// Tiles of 128 x 256, 128 x 128 and 64 x 128, operands along k and not, and an epilogue.
func.func @wide(%x: tensor<8192x1024xf32>, %w: tensor<1024x1024xf32>, %b: tensor<1024xf32>) -> tensor<8192x1024xf32> {
  %0 = gen.matmul %x, %w transposed : (tensor<8192x1024xf32>, tensor<1024x1024xf32>) -> tensor<8192x1024xf32>
  %1 = gen.add %0, %b : (tensor<8192x1024xf32>, tensor<1024xf32>) -> tensor<8192x1024xf32>
  %2 = gen.relu %1 : tensor<8192x1024xf32>
  return %2 : tensor<8192x1024xf32>
}
func.func @turned(%x: tensor<1024x2048xf32>, %w: tensor<1024x1024xf32>) -> tensor<2048x1024xf32> {
  %0 = gen.matmul %x transposed, %w : (tensor<1024x2048xf32>, tensor<1024x1024xf32>) -> tensor<2048x1024xf32>
  return %0 : tensor<2048x1024xf32>
}
func.func @unknown(%x: tensor<?x784xf32>, %w: tensor<784x1024xf32>) -> tensor<?x1024xf32> {
  %0 = gen.matmul %x, %w : (tensor<?x784xf32>, tensor<784x1024xf32>) -> tensor<?x1024xf32>
  %1 = gen.tanh %0 : tensor<?x1024xf32>
  return %1 : tensor<?x1024xf32>
}
// Of few steps, which the mid-end unrolls.
func.func @short(%x: tensor<8192x192xf32>, %w: tensor<1024x192xf32>) -> tensor<8192x1024xf32> {
  %0 = gen.matmul %x, %w transposed : (tensor<8192x192xf32>, tensor<1024x192xf32>) -> tensor<8192x1024xf32>
  %1 = gen.exp %0 : tensor<8192x1024xf32>
  return %1 : tensor<8192x1024xf32>
}
// In two parts.
func.func @gradient(%x: tensor<8192x512xf32>, %y: tensor<8192x1024xf32>) -> tensor<512x1024xf32> {
  %0 = gen.matmul %x transposed, %y : (tensor<8192x512xf32>, tensor<8192x1024xf32>) -> tensor<512x1024xf32>
  return %0 : tensor<512x1024xf32>
}
