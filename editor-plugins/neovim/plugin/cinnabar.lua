-- Loaded at start: <Plug> maps and :Cinnabar, and the plugin itself with the options of vim.g.cinnabar, unless the user's
-- configuration has called setup() by then. vim.g.cinnabar = false keeps it off.
if vim.g.loaded_cinnabar then return end
vim.g.loaded_cinnabar = 1

if vim.fn.has('nvim-0.12') == 0 then
  vim.schedule(function()
    local version = vim.version()
    vim.notify(('Cinnabar: this plugin needs Neovim 0.12 or newer (this is %d.%d.%d), whose core draws inline completions. '
      .. 'With this version set `completion = true` for the language server and take its answers from the completion menu.')
      :format(version.major, version.minor, version.patch), vim.log.levels.WARN)
  end)
  return
end

local function call(name, ...)
  local arguments = { ... }
  return function() return require('cinnabar')[name](unpack(arguments)) end
end

for name, action in pairs({
  ['accept'] = call('accept'), ['accept-word'] = call('accept', 'word'), ['accept-line'] = call('accept', 'line'),
  ['next'] = call('cycle', 1), ['previous'] = call('cycle', -1), ['dismiss'] = call('dismiss'), ['trigger'] = call('trigger'),
}) do
  vim.keymap.set('i', ('<Plug>(cinnabar-%s)'):format(name), action, { desc = 'Cinnabar: ' .. name })
end
for name, action in pairs({ ['toggle'] = call('toggle'), ['complete-function'] = call('complete_function'),
  ['fill-holes'] = call('fill_holes'), ['cancel'] = call('cancel'), ['rewrite'] = call('rewrite'),
  ['next-edit'] = call('next_edit'), ['reject-edit'] = call('reject_edit') }) do
  vim.keymap.set({ 'n', 'x' }, ('<Plug>(cinnabar-%s)'):format(name), action, { desc = 'Cinnabar: ' .. name })
end

vim.api.nvim_create_user_command('Cinnabar', function(command) require('cinnabar.commands').run(command) end, {
  nargs = '*', range = true, desc = 'Local code completion',
  complete = function(...) return require('cinnabar.commands').complete(...) end,
})

local function start()
  if vim.g.cinnabar ~= false then require('cinnabar').setup_once() end
end
if vim.v.vim_did_enter == 1 then start() else vim.api.nvim_create_autocmd('VimEnter', { once = true, callback = start }) end
