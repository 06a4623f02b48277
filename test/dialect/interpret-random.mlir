// RUN: gen-opt %s --interpret=zeros | FileCheck %s --check-prefix=ZEROS
// RUN: gen-opt %s --interpret=ones | FileCheck %s --check-prefix=ONES
// RUN: gen-opt %s --interpret=pi | FileCheck %s --check-prefix=PI
// RUN: gen-opt %s --interpret=samples --input='dense<11> : tensor<i64>' | FileCheck %s --check-prefix=SAMPLES
// RUN: gen-opt %s --interpret=moments | FileCheck %s --check-prefix=MOMENTS

// The words are Random123's known answer for zeros (kat_vectors: 6627e8d5 e169c58d bc57ac4c 9b00dbd8); the others
// were computed by a program of its own from the formulas in Random.td. test/unit/random.cpp has all known answers.

// ZEROS: 0: tensor<4xi32> [1713891541, -513161843, -1135104948, -1694442536]
func.func @zeros() -> tensor<4xi32> {
  %0 = gen.constant dense<0> : tensor<i64>
  %1 = gen.random_bits %0, %0 stream 0 : tensor<4xi32>
  return %1 : tensor<4xi32>
}

// Five elements: two blocks. The shape does not matter, only the position.
// ONES: 0: tensor<5x1xi32> {{\[\[}}1027334919], [1902740438], [1879657453], [918802321], [-1825143608]]
func.func @ones() -> tensor<5x1xi32> {
  %0 = gen.constant dense<-1> : tensor<i64>
  %1 = gen.random_bits %0, %0 stream 4294967295 : tensor<5x1xi32>
  return %1 : tensor<5x1xi32>
}

// PI: 0: tensor<2x3xi32> {{\[\[}}-1240841970, 1639806848, -1522583208], [1028778815, 827185995, 179844391]]
func.func @pi() -> tensor<2x3xi32> {
  %key = gen.constant dense<0x299f31d0a4093822> : tensor<i64>
  %counter = gen.constant dense<0x13198a2e> : tensor<i64>
  %n = arith.constant 3 : index
  %0 = gen.random_bits %key, %counter stream 57701185 + %n sizes(%n) : tensor<2x?xi32>
  %1 = tensor.cast %0 : tensor<2x?xi32> to tensor<2x3xi32>
  return %1 : tensor<2x3xi32>
}

// SAMPLES: 0: tensor<6xf32> [0.524454951, 0.0417739749, 0.614494205, 0.365783334, 0.716125369, 0.0661437511]
// SAMPLES: 1: tensor<6xf32> [1.09721875, 0.294791921, -0.65626402, 0.73704064, 0.747628468, 0.329926612]
// SAMPLES: 2: tensor<6xi1> [0, 1, 0, 1, 0, 1]
// SAMPLES: 3: tensor<6xi1> [0, 0, 0, 0, 0, 0]
// SAMPLES: 4: tensor<6xi1> [1, 1, 1, 1, 1, 1]
func.func @samples(%key: tensor<i64>) -> (tensor<6xf32>, tensor<6xf32>, tensor<6xi1>, tensor<6xi1>, tensor<6xi1>) {
  %counter = gen.constant dense<3> : tensor<i64>
  %0 = gen.random_uniform %key, %counter stream 2 : tensor<6xf32>
  %1 = gen.random_normal %key, %counter stream 2 : tensor<6xf32>
  %2 = gen.random_bernoulli %key, %counter stream 2 probability 0.5 : tensor<6xi1>
  %3 = gen.random_bernoulli %key, %counter stream 2 probability 0.0 : tensor<6xi1>
  %4 = gen.random_bernoulli %key, %counter stream 2 probability 1.0 : tensor<6xi1>
  return %0, %1, %2, %3, %4 : tensor<6xf32>, tensor<6xf32>, tensor<6xi1>, tensor<6xi1>, tensor<6xi1>
}

// Mean and variance of 10000 normal numbers: 0 and 1 within 4 standard errors.
// MOMENTS: 0: tensor<i1> 1
// MOMENTS: 1: tensor<i1> 1
func.func @moments() -> (tensor<i1>, tensor<i1>) {
  %k = gen.constant dense<5> : tensor<i64>
  %x = gen.random_normal %k, %k stream 0 : tensor<10000xf64>
  %mean = gen.reduce_mean %x axes [0] : tensor<10000xf64> -> tensor<f64>
  %off = gen.sub %x, %mean : (tensor<10000xf64>, tensor<f64>) -> tensor<10000xf64>
  %square = gen.mul %off, %off : (tensor<10000xf64>, tensor<10000xf64>) -> tensor<10000xf64>
  %variance = gen.reduce_mean %square axes [0] : tensor<10000xf64> -> tensor<f64>
  %one = gen.constant dense<1.0> : tensor<f64>
  %excess = gen.sub %variance, %one : (tensor<f64>, tensor<f64>) -> tensor<f64>
  %mean_size = gen.abs %mean : tensor<f64>
  %excess_size = gen.abs %excess : tensor<f64>
  %mean_bound = gen.constant dense<0.04> : tensor<f64>
  %excess_bound = gen.constant dense<0.057> : tensor<f64>
  %0 = gen.compare lt %mean_size, %mean_bound : (tensor<f64>, tensor<f64>) -> tensor<i1>
  %1 = gen.compare lt %excess_size, %excess_bound : (tensor<f64>, tensor<f64>) -> tensor<i1>
  return %0, %1 : tensor<i1>, tensor<i1>
}
