# SPDX-License-Identifier: Apache-2.0
# The house linters as tests: each one over the tree, and each one over bad examples that it has to
# find. A linter whose tool is missing is skipped with the reason.
find_program(LANTHORN_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(NOT LANTHORN_PYTHON)
  find_program(LANTHORN_PYTHON NAMES python3 REQUIRED)
endif()

function(lanthorn_house name)
  set(script ${CMAKE_SOURCE_DIR}/contrib/check_${name}.py)
  add_test(NAME house.${name} COMMAND ${LANTHORN_PYTHON} -B ${script})
  add_test(NAME house.${name}.finds COMMAND ${LANTHORN_PYTHON} -B ${script} --self-test)
  set_tests_properties(house.${name} house.${name}.finds PROPERTIES LABELS house TIMEOUT 120
    SKIP_RETURN_CODE 77 ENVIRONMENT "CC=${CMAKE_C_COMPILER}")
endfunction()

lanthorn_house(layers)
lanthorn_house(headers)
lanthorn_house(length)
lanthorn_house(calls)
lanthorn_house(ids)
lanthorn_house(names)
lanthorn_house(docs)
lanthorn_house(format)
