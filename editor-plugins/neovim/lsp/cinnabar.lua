-- The language server's configuration, for vim.lsp.enable('cinnabar'). require('cinnabar').setup() enables it and adds the
-- user's options; used without the plugin's setup it completes with the defaults.
return require('cinnabar.client').config()
