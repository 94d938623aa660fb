# CINNABAR_SANITIZE=address,undefined | thread: the whole build, so that no report is missed at a folder's border.
if(CINNABAR_SANITIZE)
  add_compile_options(-fsanitize=${CINNABAR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CINNABAR_SANITIZE})
endif()
