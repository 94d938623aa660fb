-- Next edits: what the last edit asks for elsewhere in the buffer (textDocument/copilotInlineEdit), drawn where it belongs.
--
-- The server is asked after a pause in normal mode, and gives nothing unless it is sure. One edit is shown at a time; any change
-- of the text takes it away. The first press of the map goes there, the second applies it; then the next one is asked for.
local client = require('cinnabar.client')
local options = require('cinnabar.options')
local M = {}

local PAUSE = 300 -- ms without a change
local space = vim.api.nvim_create_namespace('cinnabar.next_edit')
local timer = assert(vim.uv.new_timer())
local asked = nil ---@type {client: integer, request: integer}? the request under way
local shown = nil ---@type {buf: integer, tick: integer, edit: table, client: integer}?

local function tell_server(name, edit, id)
  local server = vim.lsp.get_client_by_id(id)
  if server and edit.command then
    server:exec_cmd({ title = '', command = name, arguments = edit.command.arguments }, { bufnr = shown and shown.buf or 0 })
  end
end

local function clear()
  if not shown then return end
  if vim.api.nvim_buf_is_valid(shown.buf) then vim.api.nvim_buf_clear_namespace(shown.buf, space, 0, -1) end
  shown = nil
end

local function place(buf, position, encoding)
  local line = vim.api.nvim_buf_get_lines(buf, position.line, position.line + 1, false)[1] or ''
  return position.line, vim.str_byteindex(line, encoding, position.character, false)
end

--- What is replaced is marked; the new text stands behind it, or where it has several lines, below.
local function draw(buf, edit, encoding)
  local row, col = place(buf, edit.range.start, encoding)
  local last, stop = place(buf, edit.range['end'], encoding)
  if row ~= last or col ~= stop then
    vim.api.nvim_buf_set_extmark(buf, space, row, col, { end_row = last, end_col = stop, hl_group = 'CinnabarEditRemoved' })
  end
  local lines = vim.split(edit.text, '\n', { plain = true })
  if lines[1] ~= '' then
    vim.api.nvim_buf_set_extmark(buf, space, last, stop, { virt_text = { { lines[1], 'CinnabarEditAdded' } }, virt_text_pos = 'inline' })
  end
  local below = {}
  for i = 2, #lines do table.insert(below, { { lines[i], 'CinnabarEditAdded' } }) end
  if #below > 0 then vim.api.nvim_buf_set_extmark(buf, space, last, stop, { virt_lines = below }) end
end

local function take(server, buf, tick, result)
  local edit = result and result.edits and result.edits[1]
  if not edit or vim.api.nvim_get_current_buf() ~= buf or vim.api.nvim_buf_get_changedtick(buf) ~= tick then return end
  if vim.fn.mode() ~= 'n' or options.why_not(buf) then return end
  clear()
  shown = { buf = buf, tick = tick, edit = edit, client = server.id }
  draw(buf, edit, server.offset_encoding)
  server:notify('textDocument/didShowInlineEdit', { item = { command = edit.command } })
  client.event('NextEditShown', { buf = buf, line = edit.range.start.line + 1, text = edit.text })
end

local function ask()
  local buf = vim.api.nvim_get_current_buf()
  local server = client.of(buf)
  if not server or not options.current.next_edit or options.why_not(buf) or vim.fn.mode() ~= 'n' then return end
  local params = vim.lsp.util.make_position_params(0, server.offset_encoding)
  params.textDocument.version = vim.lsp.util.buf_versions[buf]
  local tick = vim.api.nvim_buf_get_changedtick(buf)
  local former = asked and vim.lsp.get_client_by_id(asked.client)
  if former then former:cancel_request(asked.request) end
  local _, request = server:request('textDocument/copilotInlineEdit', params, function(_, result)
    asked = nil
    take(server, buf, tick, result)
  end, buf)
  asked = request and { client = server.id, request = request } or nil
end

local function ask_soon() timer:start(PAUSE, 0, vim.schedule_wrap(ask)) end

local function current()
  local buf = vim.api.nvim_get_current_buf()
  return shown and shown.buf == buf and shown.tick == vim.api.nvim_buf_get_changedtick(buf) and shown or nil
end

--- Goes to the edit that is shown, or where the cursor is there, applies it. False: none is shown.
function M.go_or_accept()
  local here = current()
  local server = here and vim.lsp.get_client_by_id(here.client)
  if not here or not server then return false end
  local edit = here.edit
  local row, col = place(here.buf, edit.range.start, server.offset_encoding)
  local lines = vim.split(edit.text, '\n', { plain = true })
  local at = lines[1] == '' and #lines > 1 and row + 1 or row
  if vim.api.nvim_win_get_cursor(0)[1] - 1 ~= row then
    vim.cmd("normal! m'")
    vim.api.nvim_win_set_cursor(0, { row + 1, col })
    return true
  end
  tell_server(edit.command and edit.command.command, edit, here.client)
  clear()
  vim.lsp.util.apply_text_edits({ { range = edit.range, newText = edit.text } }, here.buf, server.offset_encoding)
  vim.api.nvim_win_set_cursor(0, { at + 1, at == row and col or 0 })
  client.event('NextEditAccepted', { buf = here.buf, line = at + 1, text = edit.text })
  return true
end

--- Takes away what is shown; it is not suggested again. False: none is shown.
function M.reject()
  local here = current()
  if not here then return false end
  tell_server('cinnabar.nextEditRejected', here.edit, here.client)
  clear()
  client.event('NextEditRejected', { buf = here.buf })
  ask_soon()
  return true
end

--- For create_autocommands() of init.lua: when the text has changed, or cannot be shown any more.
function M.follow(on)
  on({ 'TextChangedI', 'InsertEnter', 'BufLeave' }, function()
    timer:stop()
    clear()
  end)
  on({ 'TextChanged', 'InsertLeave' }, function()
    if not current() then clear() end
    ask_soon()
  end)
end

return M
