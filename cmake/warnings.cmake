# One warning level for all of our own code; third-party headers are SYSTEM.
add_library(cinnabar_warnings INTERFACE)
target_compile_options(cinnabar_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                            -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Werror>)
# g++ 12 at -O3 sees overlapping copies in string concatenation and unset members of unwound temporaries where there are
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(cinnabar_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict -Wno-maybe-uninitialized>)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")  # some files switch a warning off that only g++ has
  target_compile_options(cinnabar_warnings INTERFACE -Wno-unknown-warning-option)
endif()
