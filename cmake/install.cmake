# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` gives a foreign project: the device library as otter::device
# with its headers, the virtual device as otter::host where it was built, the files by
# which find_package(otter) and pkg-config find them. The tool and its pages are
# installed where they are made.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME otter_libraries)
set(otter_cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/otter)

install(TARGETS otter EXPORT otter ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/otter
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# What a project compiles itself: adapters, the template to copy, the port check, and
# the examples.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/ports/common ${PROJECT_SOURCE_DIR}/ports/template
                  ${PROJECT_SOURCE_DIR}/ports/conformance
        DESTINATION ${CMAKE_INSTALL_DATADIR}/otter/ports)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples
        DESTINATION ${CMAKE_INSTALL_DATADIR}/otter)

# pkg-config knows no targets: whoever compiles with its flags gets the sizes that the
# library was compiled with from here.
set(otter_pc_defines "")
if(OTTER_CONFIG_FILE)
    install(FILES ${OTTER_CONFIG_FILE} RENAME project_config.h
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/otter)
    string(APPEND otter_pc_defines " -DOTTER_CONFIG=\\\"otter/project_config.h\\\"")
elseif(OTTER_CONFIG)
    string(APPEND otter_pc_defines " -DOTTER_CONFIG=\\\"${OTTER_CONFIG}\\\"")
elseif(OTTER_HOST)
    string(APPEND otter_pc_defines " -DOTTER_ZLIB=1")
endif()
file(RELATIVE_PATH otter_pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
     ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/otter.pc.in ${PROJECT_BINARY_DIR}/otter.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/otter.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET otter_host)
    install(TARGETS otter_host EXPORT otter
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
            INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/otter-host)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/ports/host/
                      ${PROJECT_SOURCE_DIR}/ports/common/
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/otter-host
            FILES_MATCHING PATTERN "*.h" PATTERN "*_inner.h" EXCLUDE)
    configure_file(cmake/otter-host.pc.in ${PROJECT_BINARY_DIR}/otter-host.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/otter-host.pc
            DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()

install(EXPORT otter NAMESPACE otter:: FILE otterTargets.cmake
        DESTINATION ${otter_cmake_folder})
configure_package_config_file(cmake/otterConfig.cmake.in
    ${PROJECT_BINARY_DIR}/otterConfig.cmake INSTALL_DESTINATION ${otter_cmake_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/otterConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/otterConfig.cmake
              ${PROJECT_BINARY_DIR}/otterConfigVersion.cmake
        DESTINATION ${otter_cmake_folder})
