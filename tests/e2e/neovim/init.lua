-- All of the configuration: Neovim's own client and its own inline completion, no plugin.
-- $CINNABAR is the command, its words separated by spaces.
vim.o.swapfile = false
vim.o.expandtab = true
vim.lsp.config('cinnabar', { cmd = vim.split(vim.env.CINNABAR, ' '), filetypes = { 'python' }, root_markers = { 'shop.py' } })
vim.lsp.enable('cinnabar')
vim.lsp.inline_completion.enable()
vim.keymap.set('i', '<Tab>', function()
  if not vim.lsp.inline_completion.get() then return '<Tab>' end
end, { expr = true })
