# How every file is compiled: warnings, linker, compiler cache, sanitizers.

add_compile_options(-Wall -Wextra -Werror -Wno-unused-parameter)

find_program(GEN_LLD NAMES ld.lld-22 ld.lld)
if(GEN_LLD AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options(--ld-path=${GEN_LLD})
endif()

# The sloppiness lets ccache keep objects that were built with a precompiled header.
find_program(GEN_CCACHE ccache)
if(GEN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(launcher ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${GEN_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

if(GEN_SANITIZE)
  # Not vptr and function: both need type information of libraries that were built without it.
  set(sanitizers -fsanitize=address,undefined -fno-sanitize=vptr,function -fno-sanitize-recover=all
      -fno-omit-frame-pointer)
  add_compile_options(${sanitizers})
  add_link_options(${sanitizers})
endif()
if(GEN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
