# SPDX-License-Identifier: Apache-2.0
#
# The harness proves itself: tests/powercut/bad/NN_name.patch each put one mistake into
# the device code. A copy of the files that a patch names is patched, compiled and
# linked with the sweep as powercut_bad_NN_name; its objects come before the library,
# so that the archive's own members are not pulled (both would define the same names,
# and the link would fail). The test powercut_bad requires that each is caught. Nothing
# else is built from a patched file.

find_program(PATCH patch)
if(NOT PATCH)
    message(FATAL_ERROR "patch is missing: run scripts/setup.sh build")
endif()

set(bad_folder ${PROJECT_SOURCE_DIR}/tests/powercut/bad)
file(GLOB bad_patches CONFIGURE_DEPENDS ${bad_folder}/*.patch)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${bad_patches})

# powercut with the mistake of PATCH in it.
function(otter_bad_variant patch)
    get_filename_component(name ${patch} NAME_WE)
    set(folder ${PROJECT_BINARY_DIR}/bad/${name})
    file(STRINGS ${patch} files REGEX "^[+][+][+] b/")
    list(TRANSFORM files REPLACE "^[+][+][+] b/([^ \t]*).*" "\\1")
    list(TRANSFORM files PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE sources)
    list(TRANSFORM files PREPEND ${folder}/ OUTPUT_VARIABLE patched)
    add_custom_command(OUTPUT ${patched} VERBATIM
        COMMAND sh ${bad_folder}/apply.sh ${PATCH} ${patch} ${PROJECT_SOURCE_DIR}
                ${folder} ${files}
        DEPENDS ${patch} ${sources} ${bad_folder}/apply.sh)
    otter_program(powercut_bad_${name} tests/bad
                  "${patched};$<TARGET_OBJECTS:powercut>" test_support otter_host otter
                  ${powercut_link})
    target_include_directories(powercut_bad_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    foreach(file ${files})
        get_filename_component(own ${PROJECT_SOURCE_DIR}/${file} DIRECTORY)
        target_include_directories(powercut_bad_${name} PRIVATE ${own})
    endforeach()
endfunction()

foreach(patch ${bad_patches})
    otter_bad_variant(${patch})
endforeach()
add_test(NAME powercut_bad
    COMMAND bash ${bad_folder}/check.sh $<TARGET_FILE:powercut>
            ${PROJECT_BINARY_DIR}/tests/bad)
# What a spoilt device reaches is no coverage of the code as it is.
set_tests_properties(powercut_bad PROPERTIES TIMEOUT 900 LABELS sweep
    ENVIRONMENT GCOV_PREFIX=${PROJECT_BINARY_DIR}/bad/gcov)
