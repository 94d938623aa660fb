-- What a user's init.lua would be: the plugin on the runtime path, its options. $CINNABAR_OPTIONS is Lua for the options.
vim.o.swapfile = false
vim.o.expandtab = true
vim.g.notified = {}
vim.notify = function(text) vim.g.notified = vim.list_extend(vim.g.notified, { text }) end
vim.notify_once = vim.notify
vim.g.cinnabar = assert(load('return ' .. vim.env.CINNABAR_OPTIONS))()
vim.opt.runtimepath:prepend(vim.env.CINNABAR_PLUGIN)
