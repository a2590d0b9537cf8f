# SPDX-License-Identifier: Apache-2.0
# Measuring programs, tests/bench/bench_*.c: built, not run by CTest (numbers need a quiet machine).
# They interpose malloc, so a sanitizer leaves them out.
if(LANTHORN_SANITIZE)
  return()
endif()

file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/bench/bench_*.c)
foreach(source ${benches})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Werror)
  target_link_libraries(${name} PRIVATE daemon)
endforeach()
