-- What the core shows, and whether it still fits the text.
--
-- The core (vim.lsp.inline_completion of 0.12) shows an item where it was asked for and goes on showing it while the user types;
-- what it inserts on accept is the item as it came. So each delivered answer gets an anchor: where it was asked for and what
-- stood around. An item is fit to be shown and accepted only if the text since the anchor is the item's beginning and nothing
-- else has changed on its line. This is the only file that touches the core's private state.
local M = {}

---@class cinnabar.Anchor
---@field row integer  0-based
---@field col integer  bytes; the item's text begins here
---@field before string  the line's text before it
---@field after string  the line's text after the cursor
---@field done integer  bytes of `text` that were accepted already
---@field text? string  the item's whole text, as it came
M.anchors = {} ---@type table<integer, cinnabar.Anchor>

function M.completor(buf)
  local ok, capability = pcall(require, 'vim.lsp._capability')
  local class = ok and type(capability) == 'table' and capability.all and capability.all.inline_completion
  return class and class.active and class.active[buf] or nil
end

local function cursor(buf)
  local window = vim.api.nvim_get_current_win()
  if vim.api.nvim_win_get_buf(window) ~= buf then return end
  local position = vim.api.nvim_win_get_cursor(window)
  return position[1] - 1, position[2]
end

local function line_at(buf, row) return vim.api.nvim_buf_get_lines(buf, row, row + 1, false)[1] or '' end

--- The anchor of a request that is made at the cursor now; nil where the buffer is not in front.
function M.anchor(buf)
  local row, col = cursor(buf)
  if not row then return end
  local line = line_at(buf, row)
  return { row = row, col = col, before = line:sub(1, col), after = line:sub(col + 1), done = 0 }
end

--- The text typed since the anchor, or nil when anything else has changed.
function M.typed(buf, anchor)
  local row, col = cursor(buf)
  if not row or row < anchor.row or (row == anchor.row and col < anchor.col) then return end
  if line_at(buf, anchor.row):sub(1, anchor.col) ~= anchor.before then return end
  if line_at(buf, row):sub(col + 1) ~= anchor.after then return end
  return table.concat(vim.api.nvim_buf_get_text(buf, anchor.row, anchor.col, row, col, {}), '\n')
end

--- What of `text` is still to come after `typed`; nil when it is no continuation, or nothing is left.
function M.rest(text, typed)
  if type(text) == 'string' and typed and #typed < #text and text:sub(1, #typed) == typed then return text:sub(#typed + 1) end
end

--- What is shown and fits: {item, rest, typed, anchor}; nil when there is nothing to accept.
function M.shown(buf)
  local completor, anchor = M.completor(buf), M.anchors[buf]
  local item = completor and completor.current
  if not item or not anchor then return end
  local typed = M.typed(buf, anchor)
  local rest = M.rest(item.insert_text, typed)
  if rest then return { item = item, rest = rest, typed = typed, anchor = anchor } end
end

function M.hide(buf)
  local completor = M.completor(buf)
  if completor then completor:abort() end
  M.anchors[buf] = nil
end

--- Called whenever the cursor or the text has moved: stops showing what no longer fits. The core would go on showing it.
function M.refresh(buf)
  local completor = M.completor(buf)
  if not completor or not completor.current or not M.anchors[buf] then return end
  local shown = M.shown(buf)
  if not shown then
    completor:hide()
    completor.current = nil
  elseif shown.typed:find('\n', 1, true) then
    M.rebase(buf, shown) -- the core skips typed text only within the line where the item began
  end
end

--- Shows what is left of an item from the cursor on.
function M.rebase(buf, shown)
  local completor, row, col = M.completor(buf), cursor(buf)
  local client = vim.lsp.get_client_by_id(shown.item.client_id)
  if not completor or not client then return end
  local line = line_at(buf, row)
  local replaced = M.replaced(shown.item)
  local function at(byte) return { line = row, character = vim.str_utfindex(line, client.offset_encoding, byte) } end
  local anchor = M.anchor(buf)
  anchor.text, anchor.done = shown.anchor.text or shown.item.insert_text, shown.anchor.done + #shown.typed
  M.anchors[buf] = anchor
  completor.client_state[client.id].items = { {
    insertText = shown.rest, command = shown.item.command,
    range = { start = at(col), ['end'] = at(math.min(col + replaced, #line)) },
  } }
  completor:select(1)
end

--- Bytes after the cursor that accepting the whole item replaces.
function M.replaced(item)
  if not item.range then return 0 end
  local first, from, last, to = item.range:to_extmark()
  return first == last and to - from or 0
end

--- Gives an answer to the core, without the items that no longer fit. Returns what the core shows first, or nil.
function M.deliver(buf, anchor, result, handler)
  local items = result and (result.items or result) or {}
  local typed = anchor and M.typed(buf, anchor)
  items = vim.tbl_filter(function(item)
    return type(item.insertText) ~= 'string' or M.rest(item.insertText, typed) ~= nil
  end, items)
  M.anchors[buf] = anchor
  handler({ items = items })
  return items[1]
end

return M
