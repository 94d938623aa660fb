-- The plugin's functions, for maps and other plugins. See :help cinnabar.
local M = {}
local client = require('cinnabar.client')
local ghost = require('cinnabar.ghost')
local next_edit = require('cinnabar.next_edit')
local options = require('cinnabar.options')
local status = require('cinnabar.status')

local is_set_up = false

--- Accepts what is shown: all of it, or `part`, 'word' or 'line'. False: nothing is shown; the caller's key means itself.
function M.accept(part) return require('cinnabar.accept').accept(part) end

--- Stops showing what is shown. False: nothing was.
function M.dismiss()
  local buf = vim.api.nvim_get_current_buf()
  if not ghost.shown(buf) then return false end
  ghost.hide(buf)
  client.event('Dismissed', { buf = buf })
  return true
end

--- Asks now, also where completions come only when asked for.
function M.trigger()
  local completor = ghost.completor(vim.api.nvim_get_current_buf())
  if not completor then return false end
  completor:request(vim.lsp.protocol.InlineCompletionTriggerKind.Invoked)
  return true
end

--- Shows another answer. The first time it asks for them: while typing there is one.
function M.cycle(count)
  local buf = vim.api.nvim_get_current_buf()
  local completor = ghost.completor(buf)
  if not completor or not ghost.shown(buf) then return false end
  local function select() vim.lsp.inline_completion.select({ bufnr = buf, count = count }) end
  if completor:count_items() > 1 then
    select()
  else
    client.after_answer(buf, select)
    M.trigger()
  end
  return true
end

local function refresh_everywhere()
  if options.why_not(vim.api.nvim_get_current_buf()) then ghost.hide(vim.api.nvim_get_current_buf()) end
  vim.lsp.enable(client.name) -- what may be attached now is
  status.changed()
end

--- Turns completions on or off: everywhere, in this buffer, or for its file type.
---@param on? boolean  nil: the other way
---@param scope? 'buffer'|'filetype'
function M.toggle(on, scope)
  local buf = vim.api.nvim_get_current_buf()
  if on == nil then
    if scope == nil then on = not options.enabled
    elseif scope == 'buffer' then on = vim.b[buf].cinnabar == false or not options.may_attach(buf)
    else on = not options.is_filetype_on(vim.bo[buf].filetype) end
  end
  if scope == 'buffer' then
    vim.b[buf].cinnabar = nil -- so that it follows its file type again, where that suffices
    if options.may_attach(buf) ~= on then vim.b[buf].cinnabar = on end
  elseif scope == 'filetype' then options.current.filetypes[vim.bo[buf].filetype] = on
  else options.enabled = on end
  options.paused_until = on and 0 or options.paused_until
  refresh_everywhere()
  return on
end

--- No completions for some minutes (60).
function M.pause(minutes)
  vim.uv.update_time()
  options.paused_until = vim.uv.now() + (minutes or 60) * 60000
  refresh_everywhere()
end

--- What a status line shows: '' where there is no server.
function M.status()
  local now = status.get()
  return now.word == 'none' and '' or ('%s cinnabar'):format(now.icon)
end
M.get_status = status.get

--- Goes to the next edit that is shown, or where the cursor is there, applies it. False: none is shown.
M.next_edit = next_edit.go_or_accept
--- Takes the next edit away that is shown; it does not come back. False: none is shown.
M.reject_edit = next_edit.reject

local function run_edit(command, range, instruction)
  local server = client.of(0)
  if not server then return vim.notify('Cinnabar: no server is attached to this buffer', vim.log.levels.WARN) end
  local encoding = server.offset_encoding
  local params = vim.lsp.util.make_range_params(0, encoding)
  if range then
    params.range = { start = { line = range[1] - 1, character = 0 },
      ['end'] = { line = range[2] - 1, character = vim.str_utfindex(vim.fn.getline(range[2]), encoding) } }
  end
  local document = params.textDocument
  document.version = vim.lsp.util.buf_versions[vim.api.nvim_get_current_buf()]
  local argument = { textDocument = document, range = params.range }
  if instruction then
    argument = { uri = document.uri, version = document.version, range = params.range, instruction = instruction }
  end
  server:exec_cmd({ title = '', command = command, arguments = { argument } }, { bufnr = vim.api.nvim_get_current_buf() }, function(err)
    if err then vim.notify('Cinnabar: ' .. err.message, vim.log.levels.WARN) end
  end)
end

local function selection()
  if not vim.fn.mode():match('[vV\22]') then return end
  local first, last = vim.fn.line('v'), vim.fn.line('.')
  return { math.min(first, last), math.max(first, last) }
end

--- Fills the body of the function at the cursor.
function M.complete_function() run_edit('cinnabar.completeFunction') end

--- Fills the TODO marks, stubs and empty bodies of the file, of the selection, or of the lines in `range`.
function M.fill_holes(range) run_edit('cinnabar.fillHoles', range or selection()) end

--- Rewrites the lines in `range`, of the selection or at the cursor, as the instruction says; asks for one that is not given.
---@param instruction? string
---@param range? integer[]  first and last line
function M.rewrite(instruction, range)
  local buf = vim.api.nvim_get_current_buf()
  range = range or selection() or { vim.fn.line('.'), vim.fn.line('.') }
  if instruction then return run_edit('cinnabar.rewrite', range, instruction) end
  if vim.fn.mode():match('[vV\22]') then vim.api.nvim_feedkeys(vim.keycode('<Esc>'), 'nx', false) end
  vim.ui.input({ prompt = 'Rewrite: ' }, function(text)
    if text and text:find('%S') and vim.api.nvim_get_current_buf() == buf then run_edit('cinnabar.rewrite', range, text) end
  end)
end

local running = {} ---@type table<string|integer, integer> progress token -> client id
--- Stops what completes a function, fills holes or rewrites. False: nothing does.
function M.cancel()
  local found = false
  for token, id in pairs(running) do
    local server = vim.lsp.get_client_by_id(id)
    if server then server:notify('window/workDoneProgress/cancel', { token = token }) end
    found = true
  end
  return found
end

local function follow_progress(event)
  local server = vim.lsp.get_client_by_id(event.data.client_id)
  if not server or server.name ~= client.name then return end
  local params = event.data.params
  running[params.token] = params.value.kind ~= 'end' and server.id or nil
end

local function create_autocommands()
  local group = vim.api.nvim_create_augroup('cinnabar', {})
  local function on(events, callback) vim.api.nvim_create_autocmd(events, { group = group, callback = callback }) end
  on({ 'CursorMovedI', 'TextChangedI', 'TextChangedP' }, function(event) ghost.refresh(event.buf) end)
  on('BufWipeout', function(event) ghost.anchors[event.buf] = nil end)
  next_edit.follow(on)
  on('LspProgress', follow_progress)
  on('LspAttach', function(event)
    local server = vim.lsp.get_client_by_id(event.data.client_id)
    if server and server.name == client.name then vim.lsp.inline_completion.enable(true, { client_id = server.id }) end
  end)
  on('ColorScheme', status.define_highlights)
  status.define_highlights()
end

--- Starts the plugin with options (:help cinnabar-options). Calling it again changes them.
function M.setup(given)
  if vim.fn.has('nvim-0.12') == 0 then return end -- plugin/cinnabar.lua has said so
  options.set(given or {})
  if not is_set_up then create_autocommands() end
  is_set_up = true
  require('cinnabar.keys').set(options.current.keys)
  vim.lsp.config(client.name, client.config())
  vim.lsp.enable(client.name)
end

function M.setup_once()
  if not is_set_up then M.setup(vim.g.cinnabar or {}) end
end

return M
