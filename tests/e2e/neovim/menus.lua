-- Stand-ins for two plugins with completion menus, as far as a recipe touches them: how keys are mapped and fall back, whether a
-- menu is open, and the events of that. They are not the plugins: what those draw and complete is no part of this.
--
--   local menus = dofile('menus.lua'); menus.blink(recipe) or menus.cmp(); menus.open(); menus.close(); menus.selected
local M = { selected = 0 }
local window, listeners = nil, {}

local function is_open() return window ~= nil end
local function tell(name) for _, listener in ipairs(listeners[name] or {}) do listener() end end
local function select_next()
  if not is_open() then return false end
  M.selected = M.selected + 1
  return true
end

function M.open()
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, { 'totals', 'totality' })
  window = vim.api.nvim_open_win(buf, false, { relative = 'cursor', row = 1, col = 0, width = 10, height = 2, focusable = false })
  M.selected = 0
  vim.api.nvim_exec_autocmds('User', { pattern = 'BlinkCmpMenuOpen' })
  tell('menu_opened')
end

function M.close()
  vim.api.nvim_win_close(window, true)
  window = nil
  vim.api.nvim_exec_autocmds('User', { pattern = 'BlinkCmpMenuClose' })
  tell('menu_closed')
end

--- As blink.cmp: expr maps of the buffer, whose commands run in turn until one of them has done something.
function M.blink(options)
  local commands = { select_next = select_next, snippet_forward = function() return false end }
  for key, chain in pairs(options.keymap) do
    vim.api.nvim_buf_set_keymap(0, 'i', key, '', { expr = true, silent = true, noremap = true, replace_keycodes = false,
      callback = function()
        for _, command in ipairs(chain) do
          if command == 'fallback' then return vim.keycode(key) end
          local run = type(command) == 'function' and command or commands[command]
          if run() then return end
        end
      end })
  end
end

--- As nvim-cmp: a map that runs a function of the user's, which is given what the key did before.
function M.cmp()
  return {
    visible = is_open, select_next_item = select_next,
    mapping = function(run, modes) return { run = run, modes = modes } end,
    event = { on = function(_, name, listener)
      listeners[name] = vim.list_extend(listeners[name] or {}, { listener })
    end },
    setup = function(options)
      for key, mapping in pairs(options.mapping) do
        for _, mode in ipairs(mapping.modes) do
          vim.keymap.set(mode, key, function()
            mapping.run(function() vim.api.nvim_feedkeys(vim.keycode(key), 'itn', true) end)
          end)
        end
      end
    end,
  }
end

return M
