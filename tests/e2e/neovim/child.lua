-- A second Neovim that a test drives as a user would: keys in, screen state and files out.
--
-- local Child = dofile('child.lua'); local child = Child.start(nvim, { init = '...lua', file = '...' })
local Child = {}
Child.__index = Child
local LOOKS = 1500 -- at what is awaited, 30 ms and an answer of Neovim's apart, of which none was in vain because the daemon was at work

function Child.start(nvim, options)
  local self = setmetatable({}, Child)
  local command = { nvim, '--embed', '--headless', '-i', 'NONE', '-n', '--cmd', 'set shortmess+=I', '-u', options.init, options.file }
  self.channel = vim.fn.jobstart(command, { rpc = true, env = options.env, on_exit = function() self.ended = true end })
  assert(self.channel > 0, 'Neovim does not start')
  return self
end

function Child:call(method, ...) return vim.rpcrequest(self.channel, method, ...) end
function Child:lua(code, ...) return self:call('nvim_exec_lua', code, { ... }) end
Child.pressed = {} ---@type table<string, boolean> all that was ever given to keys(), and names of <Plug> maps
function Child:keys(keys)
  self:call('nvim_input', keys)
  Child.pressed[keys] = true
end

--- Presses a key that the user has mapped to one of the plugin's <Plug> maps.
function Child:plug(mode, name)
  local map = ('<Plug>(cinnabar-%s)'):format(name)
  self:call('nvim_set_keymap', mode, '<F5>', map, {})
  self:keys('<F5>')
  Child.pressed[map] = true
end

--- Whether a key, a map or the beginning of a command was pressed by any child.
function Child.was_pressed(text)
  for keys in pairs(Child.pressed) do
    if keys:find(text, 1, true) then return true end
  end
  return false
end

--- Keys one by one, so that each is an event of its own.
function Child:type(text, pause)
  for char in text:gmatch('[%z\1-\127\194-\244][\128-\191]*') do
    self:keys(char == '<' and '<lt>' or char)
    vim.wait(pause or 30)
  end
end

Child.program = nil ---@type string? the program whose daemon's work is waited for, however long it takes beside other work
local function is_at_work()
  local said = Child.program and vim.system({ Child.program, 'status', '--json' }, { text = true }):wait()
  if not said or said.code ~= 0 then return false end
  local status = vim.json.decode(said.stdout)
  return status.model.state == 'loading' or status.queue.running + status.queue.waiting > 0
end

--- Waits until `condition` gives something, which is returned.
function Child:wait(what, condition)
  local looks = 0
  while true do
    local found = condition()
    if found then return found end
    looks = looks + 1
    if self.ended or (looks > LOOKS and not is_at_work()) then
      error(('%s: looked %d times in vain%s\n%s'):format(what, looks, self.ended and ', Neovim has ended' or '', self:state()), 0)
    end
    vim.wait(30)
  end
end

function Child:state()
  if self.ended then return '' end
  return vim.inspect({ mode = self:call('nvim_get_mode'), lines = self:lines(), ghost = self:ghost(), messages = self:messages() })
end

--- What is drawn of a next edit: its line counted from 1, what would go, and what would come.
function Child:next_edit()
  return self:lua([[
    local space, found = vim.api.nvim_get_namespaces()['cinnabar.next_edit'], nil
    for _, mark in ipairs(space and vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true }) or {}) do
      found = found or { line = mark[2] + 1, removed = '', added = '' }
      local detail = mark[4]
      if detail.end_row then
        found.removed = table.concat(vim.api.nvim_buf_get_text(0, mark[2], mark[3], detail.end_row, detail.end_col, {}), '\n')
      end
      for _, chunk in ipairs(detail.virt_text or {}) do found.added = found.added .. chunk[1] end
      for _, line in ipairs(detail.virt_lines or {}) do found.added = found.added .. '\n' .. line[1][1] end
    end
    return found]])
end

--- The next edit, once there is one. The daemon gives up on it after 3 s, which a busy machine takes: then it is asked again.
function Child:shown_edit()
  local looks = 0
  return self:wait('a next edit', function()
    local edit = self:next_edit()
    looks = looks + 1
    if edit == vim.NIL and looks % 200 == 0 then self:keys('i<Esc>') end
    return edit ~= vim.NIL and edit
  end)
end

--- The ghost text: the core's marks, joined; '' for none.
function Child:ghost()
  return self:lua([[
    local space = vim.api.nvim_get_namespaces()['nvim.lsp.inline_completion']
    local out = {}
    for _, mark in ipairs(space and vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true }) or {}) do
      local lines = { mark[4].virt_text or {} }
      vim.list_extend(lines, mark[4].virt_lines or {})
      for _, line in ipairs(lines) do
        local text = ''
        for _, chunk in ipairs(line) do text = text .. chunk[1] end
        table.insert(out, text)
      end
    end
    return table.concat(out, '\n')]])
end

function Child:lines() return self:call('nvim_buf_get_lines', 0, 0, -1, false) end
function Child:messages() return self:lua('return vim.g.notified or {}') end

--- The file on disk after :write.
function Child:saved(file)
  self:keys('<Esc>:write<CR>')
  self:wait('the file is written', function() return self:lua('return not vim.bo.modified and vim.fn.mode() == "n"') end)
  return table.concat(vim.fn.readfile(file), '\n')
end

function Child:stop()
  pcall(vim.rpcnotify, self.channel, 'nvim_command', 'qall!')
  if vim.fn.jobwait({ self.channel }, 10000)[1] == -1 then vim.fn.jobstop(self.channel) end
end

return Child
