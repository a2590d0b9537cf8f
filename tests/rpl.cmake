# SPDX-License-Identifier: Apache-2.0
# The replay runner. With -DLANTHORN_RPL=DIR every scenario beneath DIR is run in CTest.
set(LANTHORN_RPL "" CACHE PATH "Folder of replay scenarios (*.rpl)")

add_executable(rpl_run rpl/rpl_run.c)
set_target_properties(rpl_run PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_compile_options(rpl_run PRIVATE -Wall -Wextra -Werror)
target_include_directories(rpl_run PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(rpl_run PRIVATE resolver_fakes resolver PkgConfig::CMOCKA)
if(LANTHORN_RPL)
  file(GLOB_RECURSE scenarios CONFIGURE_DEPENDS ${LANTHORN_RPL}/*.rpl)
  foreach(scenario ${scenarios})
    get_filename_component(name ${scenario} NAME_WE)
    get_filename_component(folder ${scenario} DIRECTORY)
    get_filename_component(set ${folder} NAME)
    add_test(NAME rpl.${set}.${name} COMMAND rpl_run ${scenario})
    set_tests_properties(rpl.${set}.${name} PROPERTIES LABELS rpl TIMEOUT 60)
  endforeach()
endif()
