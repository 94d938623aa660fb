-- :Cinnabar WORD [ARGUMENT...]: a table of what it can do. An entry's `arguments` are what completion offers.
local M = {}

local function toggle(on)
  return function(command)
    local scope = command.fargs[2]
    if scope and scope ~= 'buffer' and scope ~= 'filetype' then error("expected 'buffer' or 'filetype', got '" .. scope .. "'", 0) end
    local is_on = require('cinnabar').toggle(on, scope)
    vim.notify(('Cinnabar is %s%s'):format(is_on and 'on' or 'off', scope and ' for this ' .. scope or ''))
  end
end

local function say_status()
  local now = require('cinnabar').get_status()
  vim.notify(('Cinnabar: %s%s'):format(now.word, now.message ~= '' and '; ' .. now.message or ''))
end

local function pause(command)
  local minutes = tonumber(command.fargs[2] or '60')
  if not minutes or minutes <= 0 then error('expected minutes, got ' .. command.fargs[2], 0) end
  require('cinnabar').pause(minutes)
  vim.notify(('Cinnabar pauses for %g minutes'):format(minutes))
end

local function fill_holes(command)
  require('cinnabar').fill_holes(command.range > 0 and { command.line1, command.line2 } or nil)
end

local function rewrite(command)
  local instruction = table.concat(command.fargs, ' ', 2)
  require('cinnabar').rewrite(instruction ~= '' and instruction or nil, command.range > 0 and { command.line1, command.line2 } or nil)
end

local function next_edit(action)
  return function()
    if not require('cinnabar')[action]() then vim.notify('Cinnabar: no next edit is shown') end
  end
end

local function cancel()
  if not require('cinnabar').cancel() then vim.notify('Cinnabar: nothing is under way') end
end

local function restart()
  for _, client in ipairs(vim.lsp.get_clients({ name = 'cinnabar' })) do client:stop() end
  vim.defer_fn(function() vim.lsp.enable('cinnabar') end, 500)
end

local SCOPES = { 'buffer', 'filetype' }
local WORDS = {
  enable = { run = toggle(true), arguments = SCOPES }, disable = { run = toggle(false), arguments = SCOPES },
  toggle = { run = toggle(nil), arguments = SCOPES },
  pause = { run = pause, arguments = { '10', '30', '60' } },
  resume = { run = function() require('cinnabar').toggle(true) end },
  status = { run = say_status },
  ['complete-function'] = { run = function() require('cinnabar').complete_function() end },
  ['fill-holes'] = { run = fill_holes },
  rewrite = { run = rewrite },
  ['next-edit'] = { run = next_edit('next_edit') },
  ['reject-edit'] = { run = next_edit('reject_edit') },
  cancel = { run = cancel },
  restart = { run = restart },
  health = { run = function() vim.cmd.checkhealth('cinnabar') end },
  log = { run = function() vim.cmd.edit(vim.lsp.log.get_filename()) end },
}

function M.run(command)
  local word = WORDS[command.fargs[1] or 'status']
  if not word then
    local known = vim.tbl_keys(WORDS)
    table.sort(known)
    return vim.notify(("Cinnabar: there is no ':Cinnabar %s'; there are: %s"):format(command.fargs[1], table.concat(known, ', ')),
      vim.log.levels.ERROR)
  end
  local ok, problem = pcall(word.run, command)
  if not ok then vim.notify('Cinnabar: ' .. problem, vim.log.levels.ERROR) end
end

function M.complete(lead, line)
  local words = vim.split(line:gsub('^.-Cinnabar%s+', ''), '%s+')
  local offered = #words == 1 and vim.tbl_keys(WORDS) or (#words == 2 and (WORDS[words[1]] or {}).arguments) or {}
  offered = vim.tbl_filter(function(word) return vim.startswith(word, lead) end, offered)
  table.sort(offered)
  return offered
end

return M
