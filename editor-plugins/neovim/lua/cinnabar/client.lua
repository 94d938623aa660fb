-- The language client: its configuration, where the program is, and what is added to the core's inline completion.
local ghost = require('cinnabar.ghost')
local options = require('cinnabar.options')
local status = require('cinnabar.status')
local M = {}

M.name = 'cinnabar'
local asked = {} ---@type table<integer, integer> the newest request of each buffer
local told = {} ---@type table<string, boolean> what the user has been told once

function M.tell_once(text)
  if told[text] then return end
  told[text] = true
  vim.schedule(function() vim.notify('Cinnabar: ' .. text, vim.log.levels.ERROR) end)
end

--- Where a program of an installation below the same prefix as this plugin would be.
local function beside_plugin(name)
  local folder = debug.getinfo(1, 'S').source:sub(2)
  local prefix = folder:match('^(.*)/share/nvim/site/pack/')
  return prefix and { prefix .. '/bin/' .. name } or {}
end

--- The server's command; its first word is a path when the program was found.
function M.command()
  local command = vim.deepcopy(options.current.cmd or { 'cinnabar', 'lsp' })
  local places = { command[1] }
  if not command[1]:find('/', 1, true) then
    vim.list_extend(places, beside_plugin(command[1]))
    for _, folder in ipairs({ '~/.local/bin', '/usr/local/bin', '/usr/bin' }) do
      table.insert(places, vim.fs.normalize(folder) .. '/' .. command[1])
    end
  end
  for _, place in ipairs(places) do
    local path = vim.fn.exepath(vim.fs.normalize(place))
    if path ~= '' then
      command[1] = path
      return command, true
    end
  end
  return command, false
end

--- Whether the core's inline completion is as this plugin knows it.
function M.knows_core(buf) return ghost.completor(buf) ~= nil end

local function is_wanted_here(buf, on_dir)
  if not options.may_attach(buf) then return end
  local command, found = M.command()
  if not found then
    return M.tell_once(("the program '%s' was not found. Install it, or name it: "
      .. "vim.g.cinnabar = { cmd = { '/path/to/cinnabar', 'lsp' } }"):format(command[1]))
  end
  on_dir(vim.fs.root(buf, { '.git', '.hg', '.cinnabarignore' }))
end

-- The core asks; its answers go through ghost.deliver. What is not wanted is answered here, without the server.
local function wrap_requests(client)
  local request = client.request
  client.request = function(self, method, params, handler, bufnr)
    if method ~= 'textDocument/inlineCompletion' or not handler then return request(self, method, params, handler, bufnr) end
    local buf = (bufnr == nil or bufnr == 0) and vim.api.nvim_get_current_buf() or bufnr
    asked[buf] = (asked[buf] or 0) + 1
    local number, anchor = asked[buf], ghost.anchor(buf)
    if options.why_not(buf) then
      handler(nil, { items = {} }, { client_id = self.id, bufnr = buf, method = method })
      return true
    end
    return request(self, method, params, function(err, result, context)
      if err or asked[buf] ~= number then return end -- the newer one's answer counts; the server has given this one up
      local shown = ghost.deliver(buf, anchor, result, function(kept) handler(nil, kept, context) end)
      local completor = ghost.completor(buf)
      if shown and completor and completor.current then
        self:notify('textDocument/didShowCompletion', { item = shown })
        M.event('Shown', { buf = buf, text = shown.insertText })
      end
      M.answered(buf)
    end, bufnr)
  end
end

local pending = {} ---@type table<integer, fun()>
--- Runs something once the next answer for a buffer has come.
function M.after_answer(buf, action) pending[buf] = action end
function M.answered(buf)
  local action = pending[buf]
  pending[buf] = nil
  if action then action() end
end

function M.event(name, data)
  vim.api.nvim_exec_autocmds('User', { pattern = 'Cinnabar' .. name, modeline = false, data = data })
end

function M.of(buf) return vim.lsp.get_clients({ bufnr = buf or 0, name = M.name })[1] end

local function attached(client, buf)
  local function focus() client:notify('textDocument/didFocus', { textDocument = { uri = vim.uri_from_bufnr(buf) } }) end
  local group = vim.api.nvim_create_augroup('cinnabar.buffer:' .. buf, {})
  vim.api.nvim_create_autocmd('BufEnter', { group = group, buffer = buf, callback = function()
    if vim.lsp.buf_is_attached(buf, client.id) then focus() end
  end })
  if vim.api.nvim_get_current_buf() == buf then focus() end
end

function M.config()
  return {
    cmd = function(dispatchers, config) return vim.lsp.rpc.start((M.command()), dispatchers, { cwd = config.cmd_cwd }) end,
    root_dir = is_wanted_here,
    settings = { cinnabar = options.current.settings },
    -- The core asks 200 ms after the last key, but would tell of changes only 150 ms after it.
    flags = { debounce_text_changes = 20 },
    on_init = wrap_requests,
    on_attach = attached,
    on_exit = function() status.ended() end,
    handlers = { didChangeStatus = function(_, params) status.take(params) end },
  }
end

return M
