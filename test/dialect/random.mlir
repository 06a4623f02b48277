// RUN: gen-opt %s | gen-opt | FileCheck %s

// CHECK-LABEL: @static
func.func @static(%key: tensor<i64>, %counter: tensor<i64>) -> (tensor<4xi32>, tensor<2x2xf32>, tensor<4xf64>, tensor<4xi1>) {
  // CHECK: gen.random_bits %{{.*}}, %{{.*}} stream 0 : tensor<4xi32>
  %0 = gen.random_bits %key, %counter stream 0 : tensor<4xi32>
  // CHECK: gen.random_uniform %{{.*}}, %{{.*}} stream 1 : tensor<2x2xf32>
  %1 = gen.random_uniform %key, %counter stream 1 : tensor<2x2xf32>
  // CHECK: gen.random_normal %{{.*}}, %{{.*}} stream 4294967295 : tensor<4xf64>
  %2 = gen.random_normal %key, %counter stream 4294967295 : tensor<4xf64>
  // CHECK: gen.random_bernoulli %{{.*}}, %{{.*}} stream 3 probability 9.000000e-01 : tensor<4xi1>
  %3 = gen.random_bernoulli %key, %counter stream 3 probability 0.9 : tensor<4xi1>
  return %0, %1, %2, %3 : tensor<4xi32>, tensor<2x2xf32>, tensor<4xf64>, tensor<4xi1>
}

// CHECK-LABEL: @dynamic
func.func @dynamic(%key: tensor<i64>, %counter: tensor<i64>, %n: index) -> (tensor<?x3xf32>, tensor<?xi1>) {
  // CHECK: gen.random_normal %{{.*}}, %{{.*}} stream 0 sizes(%{{.*}}) : tensor<?x3xf32>
  %0 = gen.random_normal %key, %counter stream 0 sizes(%n) : tensor<?x3xf32>
  // CHECK: gen.random_bernoulli %{{.*}}, %{{.*}} stream 1 probability 5.000000e-01 sizes(%{{.*}}) : tensor<?xi1>
  %1 = gen.random_bernoulli %key, %counter stream 1 probability 0.5 sizes(%n) : tensor<?xi1>
  return %0, %1 : tensor<?x3xf32>, tensor<?xi1>
}

// CHECK-LABEL: @shifted
func.func @shifted(%key: tensor<i64>, %counter: tensor<i64>, %n: index) -> (tensor<?xf32>, tensor<2xi1>) {
  // CHECK: gen.random_uniform %{{.*}}, %{{.*}} stream 1 + %{{.*}} sizes(%{{.*}}) : tensor<?xf32>
  %0 = gen.random_uniform %key, %counter stream 1 + %n sizes(%n) : tensor<?xf32>
  // CHECK: gen.random_bernoulli %{{.*}}, %{{.*}} stream 0 + %{{.*}} probability 5.000000e-01 : tensor<2xi1>
  %1 = gen.random_bernoulli %key, %counter stream 0 + %n probability 0.5 : tensor<2xi1>
  return %0, %1 : tensor<?xf32>, tensor<2xi1>
}
