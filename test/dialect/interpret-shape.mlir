// RUN: gen-opt %s --interpret=moved --input='dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi32>' | FileCheck %s --check-prefix=MOVED
// RUN: gen-opt %s --interpret=made | FileCheck %s --check-prefix=MADE
// RUN: gen-opt %s --interpret=dynamic --input='dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>' --input='2 : index' | FileCheck %s --check-prefix=DYNAMIC

// MOVED: 0: tensor<3x2xi32> {{\[\[}}1, 2], [3, 4], [5, 6]]
// MOVED: 1: tensor<3x2xi32> {{\[\[}}1, 4], [2, 5], [3, 6]]
// MOVED: 2: tensor<2x2x3xi32> {{\[\[\[}}1, 2, 3], [1, 2, 3]], {{\[\[}}4, 5, 6], [4, 5, 6]]]
// MOVED: 3: tensor<1x2xi32> {{\[\[}}4, 6]]
// MOVED: 4: tensor<3x6xi32> {{\[\[}}7, 1, 7, 2, 7, 3], [7, 4, 7, 5, 7, 6], [7, 7, 7, 7, 7, 7]]
// MOVED: 5: tensor<2x5xi32> {{\[\[}}1, 2, 3, 1, 3], [4, 5, 6, 4, 6]]
// MOVED: 6: tensor<2x1xi32> {{\[\[}}2], [5]]
func.func @moved(%x: tensor<2x3xi32>) -> (tensor<3x2xi32>, tensor<3x2xi32>, tensor<2x2x3xi32>, tensor<1x2xi32>,
                                          tensor<3x6xi32>, tensor<2x5xi32>, tensor<2x1xi32>) {
  %0 = gen.reshape %x : tensor<2x3xi32> -> tensor<3x2xi32>
  %1 = gen.transpose %x permutation [1, 0] : tensor<2x3xi32> -> tensor<3x2xi32>
  %2 = gen.broadcast %x axes [0, 2] : tensor<2x3xi32> -> tensor<2x2x3xi32>
  %3 = gen.slice %x starts [1, 0] limits [2, 3] strides [1, 2] : tensor<2x3xi32> -> tensor<1x2xi32>
  %4 = gen.pad %x value 7 : i32 low [0, 1] high [1, 0] interior [0, 1] : tensor<2x3xi32> -> tensor<3x6xi32>
  %s = gen.slice %x starts [0, 0] limits [0, 0] strides [1, 2] : tensor<2x3xi32> -> tensor<2x2xi32>
  %5 = gen.concat %x, %s axis 1 : (tensor<2x3xi32>, tensor<2x2xi32>) -> tensor<2x5xi32>
  %6 = gen.slice %x starts [0, 1] limits [0, -1] strides [1, 1] : tensor<2x3xi32> -> tensor<2x1xi32>
  return %0, %1, %2, %3, %4, %5, %6 : tensor<3x2xi32>, tensor<3x2xi32>, tensor<2x2x3xi32>, tensor<1x2xi32>,
                                      tensor<3x6xi32>, tensor<2x5xi32>, tensor<2x1xi32>
}

// MADE: 0: tensor<2x3xf32> {{\[\[}}0, 1, 2], [0, 1, 2]]
// MADE: 1: tensor<2xf32> [0.5, -2]
// MADE: 2: tensor<3xi1> [1, 0, 1]
// MADE: 3: tensor<2xi8> [-1, 127]
func.func @made() -> (tensor<2x3xf32>, tensor<2xf32>, tensor<3xi1>, tensor<2xi8>) {
  %0 = gen.iota axis 1 : tensor<2x3xf32>
  %1 = gen.constant dense_resource<blob> : tensor<2xf32>
  %2 = gen.constant dense<[true, false, true]> : tensor<3xi1>
  %3 = gen.constant dense<[-1, 127]> : tensor<2xi8>
  return %0, %1, %2, %3 : tensor<2x3xf32>, tensor<2xf32>, tensor<3xi1>, tensor<2xi8>
}

// DYNAMIC: 0: tensor<2x2xf32> {{\[\[}}1, 2], [3, 4]]
// DYNAMIC: 1: tensor<2x4xf32> {{\[\[}}1, 2, 3, 4], [1, 2, 3, 4]]
// DYNAMIC: 2: tensor<2xf32> [2, 3]
// DYNAMIC: 3: tensor<7xf32> [0, 1, 2, 3, 4, 0, 0]
// DYNAMIC: 4: tensor<index> 6
func.func @dynamic(%x: tensor<?xf32>, %n: index) -> (tensor<?x2xf32>, tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>, index) {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?xf32>
  %0 = gen.reshape %x sizes(%n) : tensor<?xf32> -> tensor<?x2xf32>
  %1 = gen.broadcast %x axes [1] sizes(%n, %m) : tensor<?xf32> -> tensor<?x?xf32>
  %2 = gen.slice %x starts [1] limits [-1] strides [1] : tensor<?xf32> -> tensor<?xf32>
  %3 = gen.pad %x value 0.0 : f32 low [1] high [2] interior [0] : tensor<?xf32> -> tensor<?xf32>
  %4 = arith.addi %m, %n : index
  return %0, %1, %2, %3, %4 : tensor<?x2xf32>, tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>, index
}

{-#
  dialect_resources: {
    builtin: {
      blob: "0x040000000000003F000000C0"
    }
  }
#-}
