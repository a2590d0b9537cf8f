# SPDX-License-Identifier: Apache-2.0
# Live tests: tests/live/test_*.py and test_*.sh, run as root against the built programs, in network
# namespaces of their own. A test reads LANTHORN_BUILD (the build folder), exits 0, 1, or 77 when
# it cannot run here (with the reason). Other files in tests/live are what they share.
# In a test's first lines "ctest: timeout=SECONDS" changes the limit, "ctest: parallel" lets it run
# beside others.
if(LANTHORN_SANITIZE OR NOT TARGET lanthornd)
  return()
endif()

file(GLOB live_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/live/test_*.py
  ${CMAKE_CURRENT_SOURCE_DIR}/live/test_*.sh)
foreach(source ${live_tests})
  get_filename_component(name ${source} NAME_WE)
  string(REGEX REPLACE "^test_" "live." name ${name})
  if(source MATCHES "\\.py$")
    add_test(NAME ${name} COMMAND ${LANTHORN_PYTHON} -B ${source})
  else()
    add_test(NAME ${name} COMMAND bash ${source})
  endif()
  set(timeout 180)
  set(serial TRUE)
  file(STRINGS ${source} hints REGEX "ctest: " LIMIT_COUNT 3)
  foreach(hint ${hints})
    if(hint MATCHES "timeout=([0-9]+)")
      set(timeout ${CMAKE_MATCH_1})
    elseif(hint MATCHES "parallel")
      set(serial FALSE)
    endif()
  endforeach()
  set_tests_properties(${name} PROPERTIES LABELS live TIMEOUT ${timeout} RUN_SERIAL ${serial}
    SKIP_RETURN_CODE 77
    ENVIRONMENT "LANTHORN_BUILD=${CMAKE_BINARY_DIR};LANTHORN_SOURCE=${CMAKE_SOURCE_DIR}")
endforeach()
