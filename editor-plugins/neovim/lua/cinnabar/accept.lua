-- Taking what is shown: all of it, a word or a line.
local client = require('cinnabar.client')
local ghost = require('cinnabar.ghost')
local M = {}

-- A run of space with the word or the run of other characters after it. Bytes above 127 belong to words.
local function first_word(text)
  return text:match('^%s*[%w_\128-\255]+') or text:match('^%s*[^%w%s_\128-\255]+') or text:match('^%s+') or text
end

-- Up to the line's end; of a text that begins with a line break, the next line.
local function first_line(text)
  local start = text:match('^\n*'):len()
  local stop = text:find('\n', start + 1, true)
  return stop and text:sub(1, stop - 1) or text
end

--- The part of `rest` that is taken; a pure function.
---@param part? 'word'|'line'
function M.part_of(rest, part)
  if part == 'word' then return first_word(rest) end
  if part == 'line' then return first_line(rest) end
  return rest
end

local function tell_partly(shown, taken)
  local server = vim.lsp.get_client_by_id(shown.item.client_id)
  if not server then return end
  local whole = shown.anchor.text or shown.item.insert_text
  local bytes = shown.anchor.done + #shown.typed + #taken
  server:notify('textDocument/didPartiallyAcceptCompletion', {
    item = { insertText = whole, command = shown.item.command },
    acceptedLength = vim.str_utfindex(whole, 'utf-16', bytes),
  })
end

--- Changes the text. What is shown is compared with it once more: keys may have come since the map was pressed.
function M.apply(part)
  local buf = vim.api.nvim_get_current_buf()
  local shown = ghost.shown(buf)
  if not shown or not vim.bo[buf].modifiable then return end
  local taken = M.part_of(shown.rest, part)
  local is_all = #taken == #shown.rest
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local lines = vim.split(taken, '\n', { plain = true })
  local line = vim.api.nvim_get_current_line()
  local stop = math.min(col + (is_all and ghost.replaced(shown.item) or 0), #line)
  vim.api.nvim_buf_set_text(buf, row - 1, col, row - 1, stop, lines)
  vim.api.nvim_win_set_cursor(0, { row + #lines - 1, (#lines == 1 and col or 0) + #lines[#lines] })
  if is_all then
    ghost.hide(buf)
    local server = vim.lsp.get_client_by_id(shown.item.client_id)
    if server and shown.item.command then server:exec_cmd(shown.item.command, { bufnr = buf }) end
  else
    tell_partly(shown, taken)
    ghost.rebase(buf, { item = shown.item, rest = shown.rest:sub(#taken + 1), typed = shown.typed .. taken, anchor = shown.anchor })
  end
  client.event('Accepted', { buf = buf, part = part or 'all', text = taken })
end

--- Takes what is shown. False: nothing is shown, or it does not fit the text any more, and nothing happens.
function M.accept(part)
  if not ghost.shown(vim.api.nvim_get_current_buf()) then return false end
  -- <C-g>u before and after: `u` takes back just this. As keys, so that it also works where text may not be changed (expr maps).
  local keys = ('<C-g>u<Cmd>lua require("cinnabar.accept").apply(%s)<CR><C-g>u'):format(part and ('%q'):format(part) or '')
  vim.api.nvim_feedkeys(vim.keycode(keys), 'in', false)
  return true
end

return M
