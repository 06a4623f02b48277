# Installs what exists and exports it for find_package(gencc): gencc::runtime always, gencc::compiler and
# gencc::frontend where the build had MLIR.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/gencc)

function(gen_export target name)
  if(TARGET ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
    install(TARGETS ${target} EXPORT gencc-${ARGN}
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    add_library(gencc::${name} ALIAS ${target})
  endif()
endfunction()

function(gen_export_set set)
  install(EXPORT gencc-${set} NAMESPACE gencc:: FILE gencc-${set}.cmake DESTINATION ${package_dir})
endfunction()

if(TARGET gen_runtime)
  target_include_directories(gen_runtime PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/runtime>
                                                $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  gen_export(gen_runtime runtime runtime)
  gen_export_set(runtime)
endif()
if(TARGET gen_compiler AND TARGET gen_frontend)
  target_include_directories(gen_frontend PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/frontend>
                                                 $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  gen_export(gen_mlir mlir compiler)
  gen_export(gen_dialect dialect compiler)
  gen_export(gen_compiler compiler compiler)
  gen_export(gen_support support compiler)
  gen_export(gen_frontend frontend compiler)
  gen_export_set(compiler)
endif()

foreach(tool gencc gen-run gen-opt gen-zoo)
  if(TARGET ${tool})
    set_target_properties(${tool} PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
    install(TARGETS ${tool} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()
foreach(headers runtime/gen frontend/gen frontend/models)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${headers} AND NOT (GEN_RUNTIME_ONLY AND headers MATCHES "^frontend"))
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
            FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
  endif()
endforeach()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/gencc-config.cmake.in
                              ${PROJECT_BINARY_DIR}/gencc-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gencc-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/gencc-config.cmake ${PROJECT_BINARY_DIR}/gencc-config-version.cmake
        DESTINATION ${package_dir})
