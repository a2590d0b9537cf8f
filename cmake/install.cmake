# SPDX-License-Identifier: Apache-2.0
# What `cmake --install DIR` puts where.
foreach(program lanthornd lanthorn)
  if(TARGET ${program})
    set(folder ${CMAKE_INSTALL_BINDIR})
    if(program STREQUAL "lanthornd")
      set(folder ${CMAKE_INSTALL_SBINDIR})
    endif()
    install(TARGETS ${program} RUNTIME DESTINATION ${folder})
  endif()
endforeach()

# The unit names the daemon by its full path.
file(READ ${CMAKE_SOURCE_DIR}/contrib/lanthornd.service unit)
string(REPLACE "/usr/sbin/lanthornd" "${CMAKE_INSTALL_FULL_SBINDIR}/lanthornd" unit "${unit}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/lanthornd.service CONTENT "${unit}" @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/lanthornd.service DESTINATION lib/systemd/system)
install(FILES contrib/lanthorn.sysusers DESTINATION lib/sysusers.d RENAME lanthorn.conf)
install(FILES contrib/lanthorn.tmpfiles DESTINATION lib/tmpfiles.d RENAME lanthorn.conf)

file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/doc/man/*.[1-8])
foreach(page ${pages})
  string(REGEX REPLACE ".*\\." "" section ${page})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

# No configuration is put in place: without one we are a resolver on loopback. The example is for
# copying; the schema lies where editors look for it, beside the configuration.
install(FILES contrib/lanthorn.yaml.example DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES contrib/lanthorn.schema.json
  DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/lanthorn)
