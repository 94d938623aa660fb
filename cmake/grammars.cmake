# tree_sitter: the parser's core and the grammars of daemon/syntax/language.h as one static library. Their C sources are
# npm packages, pinned by grammars/package-lock.json and fetched once into build/grammars, which all presets share; with
# that folder there, a build needs no network. Included before the sanitizers: tables of a megabyte gain nothing by them.
set(CINNABAR_GRAMMARS_DIR ${CMAKE_SOURCE_DIR}/build/grammars CACHE PATH "Where the fetched grammar sources lie")
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
execute_process(COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/grammars/fetch.py ${CINNABAR_GRAMMARS_DIR}
                RESULT_VARIABLE fetched)
if(NOT fetched EQUAL 0)
  message(FATAL_ERROR "The grammars are not there; cmake/grammars/fetch.py has said why.")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/grammars/package-lock.json
             ${CMAKE_CURRENT_LIST_DIR}/grammars/fetch.py)

set(grammars
    tree-sitter-python tree-sitter-javascript tree-sitter-typescript/typescript tree-sitter-typescript/tsx tree-sitter-c
    tree-sitter-cpp tree-sitter-go tree-sitter-rust tree-sitter-java @tree-sitter-grammars/tree-sitter-lua
    tree-sitter-bash tree-sitter-json tree-sitter-html tree-sitter-css tree-sitter-ruby tree-sitter-php/php
    tree-sitter-c-sharp @tree-sitter-grammars/tree-sitter-kotlin)
set(core ${CINNABAR_GRAMMARS_DIR}/tree-sitter/vendor/tree-sitter/lib)
add_library(tree_sitter STATIC ${core}/src/lib.c)
foreach(grammar ${grammars})
  file(GLOB sources ${CINNABAR_GRAMMARS_DIR}/${grammar}/src/*.c)
  target_sources(tree_sitter PRIVATE ${sources})
  set_source_files_properties(${sources} PROPERTIES INCLUDE_DIRECTORIES ${CINNABAR_GRAMMARS_DIR}/${grammar}/src)
endforeach()
target_include_directories(tree_sitter SYSTEM PUBLIC ${core}/include PRIVATE ${core}/src)
# Generated code: its warnings are not ours, and more than -O1 only takes longer to compile.
target_compile_options(tree_sitter PRIVATE -w -O1)
target_compile_definitions(tree_sitter PRIVATE _POSIX_C_SOURCE=200112L _DEFAULT_SOURCE)
set_target_properties(tree_sitter PROPERTIES C_STANDARD 11 C_EXTENSIONS ON)
set_source_files_properties(${core}/src/lib.c PROPERTIES COMPILE_OPTIONS -O2)  # the parser itself runs at every keystroke
if(CMAKE_CXX_COMPILER_LAUNCHER AND NOT CMAKE_C_COMPILER_LAUNCHER)
  set_target_properties(tree_sitter PROPERTIES C_COMPILER_LAUNCHER "${CMAKE_CXX_COMPILER_LAUNCHER}")
endif()
