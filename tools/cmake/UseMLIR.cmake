# Finds MLIR 22 and gives gen_use_mlir(TARGET): MLIR's headers (as system headers, they warn in C++20),
# its shared libraries, the compiler's own flags, and one precompiled header for all who use it.

# Debian's place. Not in CMAKE_PREFIX_PATH, where it would also change which clang-22 is found.
find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})

if(NOT LLVM_ENABLE_RTTI)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
endif()

add_library(gen_mlir INTERFACE)
separate_arguments(GEN_COMPILER_FLAG_LIST UNIX_COMMAND "${GEN_COMPILER_FLAGS}")
target_link_libraries(gen_mlir INTERFACE MLIR LLVM)

# The header's own time stays out of it, so that a compiler cache sees equal headers as equal.
add_library(gen_pch OBJECT ${CMAKE_CURRENT_LIST_DIR}/pch.cpp)
target_compile_options(gen_pch PRIVATE ${GEN_COMPILER_FLAG_LIST} "SHELL:-Xclang -fno-pch-timestamp")
target_precompile_headers(gen_pch PRIVATE
  <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Func/IR/FuncOps.h> <mlir/Dialect/LLVMIR/LLVMDialect.h>
  <mlir/Dialect/MemRef/IR/MemRef.h> <mlir/Dialect/SCF/IR/SCF.h> <mlir/Dialect/Vector/IR/VectorOps.h>
  <mlir/IR/Builders.h> <mlir/IR/BuiltinOps.h> <mlir/IR/BuiltinTypes.h> <mlir/IR/Matchers.h>
  <mlir/IR/OpImplementation.h> <mlir/IR/PatternMatch.h> <mlir/Pass/Pass.h> <mlir/Pass/PassManager.h>
  <mlir/Transforms/DialectConversion.h>)

function(gen_use_mlir target)
  target_link_libraries(${target} PUBLIC gen_mlir)
  target_compile_options(${target} PRIVATE ${GEN_COMPILER_FLAG_LIST}
                         "SHELL:-Xclang -fno-pch-timestamp" -fPIC) # as the precompiled header
  target_precompile_headers(${target} REUSE_FROM gen_pch)
endfunction()
