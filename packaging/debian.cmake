# The two Debian packages: `cpack -G DEB` makes them from the components "program" and "model".
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cinnabar)
set(CPACK_PACKAGE_VENDOR "The Cinnabar authors")
set(CPACK_PACKAGE_CONTACT "The Cinnabar authors <authors@cinnabar.invalid>")
# What CPack takes for "none given": the first line of a component's description is then its summary.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${CMAKE_PROJECT_NAME} built using CMake")
set(CPACK_COMPONENTS_ALL program model)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_COMPRESSION_TYPE gzip)  # weights do not get smaller, they only take long
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/debian_tree.cmake)
set(CPACK_CINNABAR_PYTHON ${Python3_EXECUTABLE})

if(CMAKE_CROSSCOMPILING)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${debian_${CMAKE_SYSTEM_PROCESSOR}})
endif()
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME cinnabar)
set(CPACK_DEBIAN_PROGRAM_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS "libc6 (>= 2.31)")  # package.py looks that the program needs no more
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "cinnabar-model-default (= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "local code completion with a masked-diffusion language model
Completes code where it is typed, in Neovim, VS Code and every editor that
speaks LSP 3.18, by a language model that runs on this machine. One daemon
serves all editors of a user, and nothing leaves the computer.")

set(CPACK_DEBIAN_MODEL_PACKAGE_NAME cinnabar-model-default)
set(CPACK_DEBIAN_MODEL_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_MODEL_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_MODEL_PACKAGE_ENHANCES cinnabar)
set(CPACK_COMPONENT_MODEL_DESCRIPTION "default language model of Cinnabar
Half a billion parameters with a vocabulary for code, and an adapter that
drafts for it. Cinnabar uses it unless it is told of another.")
include(CPack)
