-- The plugin's options: defaults, checks, and what is on where.
local M = {}

---@class cinnabar.Keys  lhs of a map, or false for none
---@class cinnabar.Options
M.defaults = {
  cmd = nil, ---@type string[]? the language server; nil: `cinnabar lsp`, found by client.lua
  -- Whether files of a type are completed; '*' stands for the rest. What is false here is not even sent to the server.
  filetypes = {
    ['*'] = true, [''] = false, text = false, markdown = false, help = false, gitcommit = false, gitrebase = false,
    TelescopePrompt = false, qf = false, checkhealth = false,
  },
  next_edit = true, -- what the last edit asks for elsewhere is shown
  settings = {}, ---@type table<string, any> the server's own: `cinnabar daemon --help`, in camel case
  keys = {
    accept = '<Tab>', accept_word = '<C-Right>', accept_line = '<M-l>',
    next = '<M-]>', previous = '<M-[>', dismiss = '<C-]>', trigger = '<M-\\>',
    next_edit = '<M-n>', reject_edit = '<M-N>', -- in normal mode
  },
}

M.current = vim.deepcopy(M.defaults)
M.enabled = true
M.paused_until = 0 -- ms of vim.uv.now()

local function check(options)
  vim.validate('cinnabar options', options, 'table')
  for key in pairs(options) do
    if key ~= 'cmd' and M.defaults[key] == nil then
      error(("cinnabar: there is no option '%s'; :help cinnabar-options lists them"):format(key), 0)
    end
  end
  vim.validate('cmd', options.cmd, 'table', true)
  vim.validate('filetypes', options.filetypes, 'table', true)
  vim.validate('settings', options.settings, 'table', true)
  vim.validate('next_edit', options.next_edit, 'boolean', true)
  if options.keys ~= false then vim.validate('keys', options.keys, 'table', true) end
  for name in pairs(options.keys or {}) do
    if M.defaults.keys[name] == nil then error(("cinnabar: there is no key '%s'"):format(name), 0) end
  end
end

--- Sets the options over the defaults. Fails with a sentence where one is unknown or of a wrong type.
function M.set(options)
  check(options)
  local keys = options.keys == false and {} or nil
  M.current = vim.tbl_deep_extend('force', vim.deepcopy(M.defaults), options)
  if keys then M.current.keys = keys end
end

function M.is_filetype_on(filetype)
  local on = M.current.filetypes[filetype]
  if on == nil then on = M.current.filetypes['*'] end
  return on ~= false
end

--- Whether the server may see a buffer at all.
function M.may_attach(buf)
  if vim.bo[buf].buftype ~= '' then return false end
  return vim.b[buf].cinnabar == true or M.is_filetype_on(vim.bo[buf].filetype)
end

--- nil when completions are wanted in a buffer now, else the reason why not.
function M.why_not(buf)
  if not M.enabled then return 'off' end
  if M.paused_until > vim.uv.now() then
    return ('paused for %d more minutes'):format(math.ceil((M.paused_until - vim.uv.now()) / 60000))
  end
  if vim.b[buf].cinnabar == false then return 'off for this buffer' end
  if vim.b[buf].cinnabar ~= true and not M.is_filetype_on(vim.bo[buf].filetype) then return 'off for this file type' end
  if vim.b[buf].cinnabar_hidden then return 'hidden' end -- for completion menus: :help cinnabar-menus
end

return M
