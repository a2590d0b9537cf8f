# SPDX-License-Identifier: Apache-2.0
# Unit tests: tests/unit/<room>/test_<file>.c, one program and one CTest each, linked to its room.
# tests/unit/<room>/fake_*.c are linked to every test of their room.
# Fuzz targets: <room>/<parser>_fuzz.c, built with a plain main that replays tests/corpus/<parser>/
# in every CTest run, and with libFuzzer when LANTHORN_FUZZ is on.
foreach(room base dns net store zones resolver dhcp boot daemon)
  set(room_links ${room})
  file(GLOB fakes CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/unit/${room}/fake_*.c)
  if(fakes)
    add_library(${room}_fakes STATIC ${fakes})
    target_compile_options(${room}_fakes PRIVATE -Wall -Wextra -Werror
      $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>)
    target_include_directories(${room}_fakes PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(${room}_fakes PUBLIC ${room} PkgConfig::CMOCKA)
    list(PREPEND room_links ${room}_fakes)
  endif()

  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/unit/${room}/test_*.c)
  foreach(source ${tests})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_compile_options(${name} PRIVATE -Wall -Wextra -Werror
      $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>)
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE ${room_links} PkgConfig::CMOCKA)
    add_test(NAME unit.${room}.${name} COMMAND ${name})
    set_tests_properties(unit.${room}.${name} PROPERTIES LABELS unit TIMEOUT 300
      SKIP_RETURN_CODE 77)
  endforeach()

  file(GLOB targets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${room}/*_fuzz.c)
  foreach(source ${targets})
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" parser ${name})
    if(LANTHORN_FUZZ)
      add_executable(${name} ${source})
      target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
      target_link_options(${name} PRIVATE -fsanitize=fuzzer)
      target_link_libraries(${name} PRIVATE ${room})
    endif()
    add_executable(${name}_replay ${source} corpus_replay.c)
    set_target_properties(${name}_replay PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${name}_replay PRIVATE ${room})
    add_test(NAME corpus.${parser}
      COMMAND ${name}_replay ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${parser})
    set_tests_properties(corpus.${parser} PROPERTIES LABELS corpus TIMEOUT 300)
  endforeach()
endforeach()
