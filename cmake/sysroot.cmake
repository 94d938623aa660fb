# CINNABAR_SYSROOT: what is linked with, or built from, that is not this system's own (sysroot/packages.txt): the C library that a
# self-contained program is linked with (packaging/CMakeLists.txt), and all others where another architecture is built for.
if(NOT CMAKE_CROSSCOMPILING AND NOT CINNABAR_SELF_CONTAINED)
  return()
endif()
set(debian_x86_64 amd64)
set(debian_aarch64 arm64)
set(CINNABAR_SYSROOT ${CMAKE_SOURCE_DIR}/build/sysroot/${CMAKE_SYSTEM_PROCESSOR})
execute_process(COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/sysroot/fetch.py "${debian_${CMAKE_SYSTEM_PROCESSOR}}"
                        ${CINNABAR_SYSROOT} RESULT_VARIABLE fetched)
if(NOT fetched EQUAL 0)
  message(FATAL_ERROR "The libraries to link with are not there; cmake/sysroot/fetch.py has said why.")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/sysroot/packages.txt
             ${CMAKE_CURRENT_LIST_DIR}/sysroot/fetch.py)
