# One warning level for all of our own code; third-party headers are SYSTEM.
add_library(cinnabar_warnings INTERFACE)
target_compile_options(cinnabar_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                            -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Werror>)
