# CINNABAR_SANITIZE=address,undefined | thread: the whole build, so that no report is missed at a folder's border.
if(CINNABAR_SANITIZE)
  add_compile_options(-fsanitize=${CINNABAR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CINNABAR_SANITIZE})
  if(CINNABAR_SANITIZE MATCHES "thread")
    # The thread sanitizer does not know fences (GCC refuses them); Asio's own come on top of the queue's mutex.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
