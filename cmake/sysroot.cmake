# CINNABAR_SYSROOT: the libraries to build with where another architecture is built for (sysroot/packages.txt).
if(NOT CMAKE_CROSSCOMPILING)
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
