# SPDX-License-Identifier: Apache-2.0
# Replay scenarios: one CTest (label rpl) for each file of tests/rpl/, and for each of the set that
# LANTHORN_RPL names (the variable, or the environment), which is not part of the tree; where it is
# absent its tests are not registered. A scenario in tests/rpl/EXPECTED has to fail.
file(GLOB rpl_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/rpl/rpl_*.c)
add_executable(rpl ${rpl_sources})
set_target_properties(rpl PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_compile_options(rpl PRIVATE ${LANTHORN_WARNINGS})
target_include_directories(rpl PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(rpl PRIVATE daemon)

set(LANTHORN_RPL "" CACHE PATH "Folder with sets of replay scenarios (SET/*.rpl); OFF: none")
set(rpl_sets "${LANTHORN_RPL}")
if(rpl_sets STREQUAL "")
  set(rpl_sets "$ENV{LANTHORN_RPL}")
endif()
if(rpl_sets STREQUAL "" AND EXISTS ${CMAKE_SOURCE_DIR}/../shared/rpl)
  file(REAL_PATH ${CMAKE_SOURCE_DIR}/../shared/rpl rpl_sets)
endif()

file(GLOB rpl_scenarios CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/rpl/*.rpl)
if(rpl_sets)
  file(GLOB rpl_others CONFIGURE_DEPENDS ${rpl_sets}/*/*.rpl)
  list(APPEND rpl_scenarios ${rpl_others})
endif()
foreach(scenario ${rpl_scenarios})
  get_filename_component(name ${scenario} NAME_WE)
  get_filename_component(folder ${scenario} DIRECTORY)
  get_filename_component(folder ${folder} NAME)
  add_test(NAME rpl.${folder}.${name} COMMAND rpl
    --expected ${CMAKE_CURRENT_SOURCE_DIR}/rpl/EXPECTED ${scenario})
  set_tests_properties(rpl.${folder}.${name} PROPERTIES LABELS rpl TIMEOUT 60)
endforeach()
