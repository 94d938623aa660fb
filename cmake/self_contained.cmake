# CINNABAR_SELF_CONTAINED: a program that needs no library but the C library's own (libc, libm, ld-linux), for archives and
# packages that many systems unpack. Everything else is linked from archives:
#   - libstdc++ and libgcc, by the linker's options;
#   - PCRE2, whose development package has libpcre2-8.a;
#   - SentencePiece from its pinned source, because Debian's development package has a shared library only.
# Release objects of our own have no path of the machine that builds them (packaging/package.py looks), so they need no option
# for that and are the release preset's, which a compiler cache knows.
option(CINNABAR_SELF_CONTAINED "Link all libraries but the C library into the program" OFF)
if(NOT CINNABAR_SELF_CONTAINED)
  return()
endif()
add_link_options(-static-libstdc++ -static-libgcc -Wl,-z,relro,-z,now)  # all symbols are bound before it starts, then read-only

set(sentencepiece ${CMAKE_SOURCE_DIR}/build/sentencepiece)
execute_process(COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/sentencepiece/fetch.py ${sentencepiece} RESULT_VARIABLE fetched)
if(NOT fetched EQUAL 0)
  message(FATAL_ERROR "SentencePiece's sources are not there; cmake/sentencepiece/fetch.py has said why.")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/sentencepiece/requirements.txt
             ${CMAKE_CURRENT_LIST_DIR}/sentencepiece/fetch.py)
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/sentencepiece/requirements.txt pinned REGEX "^sentencepiece==")
string(REGEX MATCH "==([^ ]+)" _ "${pinned}")
set(SENTENCEPIECE_VERSION ${CMAKE_MATCH_1})
file(CONFIGURE OUTPUT sentencepiece/config.h CONTENT [[
#define VERSION "@SENTENCEPIECE_VERSION@"
#define PACKAGE "sentencepiece"
#define PACKAGE_STRING "sentencepiece"
#define INSTALL_DATADIR ""
]] @ONLY)
file(GLOB sources ${sentencepiece}/third_party/protobuf-lite/*.cc ${sentencepiece}/src/builtin_pb/*.cc)
foreach(part bpe_model char_model error filesystem model_factory model_interface normalizer sentencepiece_processor
             unigram_model util word_model)
  list(APPEND sources ${sentencepiece}/src/${part}.cc)
endforeach()
add_library(sentencepiece_archive STATIC ${sources} ${sentencepiece}/third_party/absl/flags/flag.cc)
target_include_directories(sentencepiece_archive SYSTEM PUBLIC ${sentencepiece}/src
  PRIVATE ${sentencepiece} ${sentencepiece}/src/builtin_pb ${sentencepiece}/third_party ${sentencepiece}/third_party/protobuf-lite
          ${CMAKE_CURRENT_BINARY_DIR}/sentencepiece)
target_compile_definitions(sentencepiece_archive PRIVATE HAVE_PTHREAD=1)
# Not our code: its warnings are not ours, and it says where its source lies. Compiler caches may name that from the build folder.
file(RELATIVE_PATH from_build ${CMAKE_BINARY_DIR} ${sentencepiece})
target_compile_options(sentencepiece_archive PRIVATE -w -O2 -ffile-prefix-map=${sentencepiece}=sentencepiece
                                                     -ffile-prefix-map=${from_build}=sentencepiece)
