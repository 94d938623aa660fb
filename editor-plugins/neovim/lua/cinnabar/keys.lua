-- The default keys. A key that finds nothing shown does what it did before: the map it had, or itself.
local M = {}

local ACTIONS = {
  accept = function() return require('cinnabar').accept() end,
  accept_word = function() return require('cinnabar').accept('word') end,
  accept_line = function() return require('cinnabar').accept('line') end,
  next = function() return require('cinnabar').cycle(1) end,
  previous = function() return require('cinnabar').cycle(-1) end,
  dismiss = function() return require('cinnabar').dismiss() end,
  trigger = function() return require('cinnabar').trigger() end,
  next_edit = function() return require('cinnabar').next_edit() end,
  reject_edit = function() return require('cinnabar').reject_edit() end,
}
local NORMAL = { next_edit = true, reject_edit = true }
local before = {} ---@type {mode: string, lhs: string, map: table}[] maparg() of the maps that ours stand in for

--- The mode in which a key is mapped.
function M.mode(name) return NORMAL[name] and 'n' or 'i' end

-- Keys go to the front of what is typed ahead, so that their order stays.
local function feed(keys, remap) vim.api.nvim_feedkeys(vim.keycode(keys), remap and 'i' or 'in', false) end

local function run_former(map)
  if map.expr == 1 then
    local keys
    if map.callback then keys = map.callback() else keys = vim.api.nvim_eval(map.rhs) end
    if type(keys) == 'string' and keys ~= '' then
      vim.api.nvim_feedkeys((map.callback == nil or map.replace_keycodes == 1) and vim.keycode(keys) or keys,
        map.noremap == 1 and 'in' or 'i', false)
    end
  elseif map.callback then
    map.callback()
  else
    feed(map.rhs, map.noremap == 0)
  end
end

function M.set(keys)
  for _, former in ipairs(before) do -- of an earlier setup()
    if (vim.fn.maparg(former.lhs, former.mode, false, true).desc or ''):match('^Cinnabar: ') then -- else somebody has mapped it since
      vim.keymap.del(former.mode, former.lhs)
      if former.map.lhs then vim.fn.mapset(former.mode, false, former.map) end
    end
  end
  before = {}
  for name, lhs in pairs(keys) do
    if lhs then
      local mode = M.mode(name)
      local former = vim.fn.maparg(lhs, mode, false, true)
      if former.buffer == 1 then former = {} end
      table.insert(before, { mode = mode, lhs = lhs, map = former })
      vim.keymap.set(mode, lhs, function()
        if ACTIONS[name]() then return end
        if former.lhs then run_former(former) else feed(lhs) end
      end, { desc = 'Cinnabar: ' .. name:gsub('_', ' ') })
    end
  end
end

return M
