# At install time: cinnabar.service with the path that the program will have. CPack installs into a folder of its own, but
# knows where the package will be unpacked.
set(prefix "${CMAKE_INSTALL_PREFIX}")
if(DEFINED CPACK_PACKAGING_INSTALL_PREFIX)
  set(prefix "${CPACK_PACKAGING_INSTALL_PREFIX}")
endif()
set(CMAKE_INSTALL_FULL_BINDIR "${prefix}/bin")
set(unit "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/share/systemd/user/cinnabar.service")
configure_file("${unit_template}" "${unit}" @ONLY)
message(STATUS "Installing: ${unit}")
list(APPEND CMAKE_INSTALL_MANIFEST_FILES "${CMAKE_INSTALL_PREFIX}/share/systemd/user/cinnabar.service")
