-- :checkhealth cinnabar
local M = {}
local health = vim.health

local function check_program()
  local command, found = require('cinnabar.client').command()
  if not found then
    return health.error(("the program '%s' was not found"):format(command[1]),
      { 'install it (./dev install, install.sh of an archive, or the Debian package)',
        "or say where it is: vim.g.cinnabar = { cmd = { '/path/to/cinnabar', 'lsp' } }" })
  end
  local done = vim.system({ command[1], '--version' }, { text = true, timeout = 5000 }):wait()
  if done.code ~= 0 then return health.error(command[1] .. ' does not run: ' .. (done.stderr or '')) end
  health.ok(command[1] .. ', ' .. vim.trim(done.stdout))
  local model = vim.system({ command[1], 'model', 'list' }, { text = true, timeout = 5000 }):wait()
  local is_there = model.code == 0 and model.stdout:match('%S+%s+(/[^\n]+)')
  if is_there then health.ok('model: ' .. is_there)
  else health.warn('no model is installed beside the program', { "vim.g.cinnabar = { settings = { model = '/path' } }" }) end
  local daemon = vim.system({ command[1], 'status' }, { text = true, timeout = 5000 }):wait()
  if daemon.code == 0 then health.info('daemon:\n' .. vim.trim(daemon.stdout))
  elseif daemon.code == 3 then health.info('no daemon runs now; the first file that is opened starts one')
  else health.error('the daemon does not answer: ' .. vim.trim(daemon.stderr or '')) end
end

local function check_editor()
  if vim.fn.has('nvim-0.12') == 0 then return health.error('Neovim 0.12 or newer is needed', { 'its core draws the completions' }) end
  health.ok('Neovim ' .. tostring(vim.version()))
  local ok, capability = pcall(require, 'vim.lsp._capability')
  if ok and capability.all and vim.lsp.inline_completion and capability.all.inline_completion then
    health.ok("the core's inline completion is as this plugin knows it")
  else
    health.error("the core's inline completion has changed; this plugin does not know its new form", { 'look for a newer plugin' })
  end
end

local function check_buffers()
  local clients = vim.lsp.get_clients({ name = 'cinnabar' })
  if #clients == 0 then return health.warn('no buffer has a server', { 'open a file whose type is on (:help cinnabar-options)' }) end
  for _, client in ipairs(clients) do
    health.ok(('server %d, %d buffers, root %s'):format(client.id, vim.tbl_count(client.attached_buffers), client.root_dir or 'none'))
  end
  if not require('cinnabar.options').enabled then health.warn('completions are off', { ':Cinnabar enable' }) end
end

local function check_keys()
  local keys = require('cinnabar.options').current.keys
  for name, lhs in pairs(keys) do
    local map = lhs and vim.fn.maparg(lhs, require('cinnabar.keys').mode(name), false, true)
    if map and not (map.desc or ''):match('^Cinnabar') then
      health.warn(('%s (%s) is mapped by something else: %s'):format(lhs, name, map.desc or map.rhs or 'a function'),
        { 'call require("cinnabar").accept() in that map first; :help cinnabar-menus has examples' })
    end
  end
end

function M.check()
  health.start('cinnabar')
  check_editor()
  check_program()
  check_buffers()
  check_keys()
end

return M
