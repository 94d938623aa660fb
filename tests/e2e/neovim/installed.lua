-- The installed plugin with the installed program and its model, as a user gets them: `packadd cinnabar` and nothing else.
--
--   nvim -l installed.lua NVIM PREFIX FILE LINE KEYS RUNTIME     RUNTIME: $XDG_RUNTIME_DIR, whose daemon is ours to end
-- The keys are typed at the end of FILE's LINE, what is shown is accepted, and FILE is written.
local here = vim.fs.dirname(vim.fs.abspath(arg[0]))
local Child = dofile(here .. '/child.lua')
local nvim, prefix, file, line, keys, runtime = unpack(arg)
Child.program = prefix .. '/bin/cinnabar'
local folder = vim.fn.tempname()
vim.fn.mkdir(folder, 'p')

local function start(name, options)
  local init = folder .. '/' .. name .. '.lua'
  vim.fn.writefile({ 'vim.o.swapfile = false', 'vim.g.notified = {}', 'local notify = vim.notify',
    'vim.notify = function(text) vim.g.notified = vim.list_extend(vim.g.notified, { text }) end',
    options and 'vim.g.cinnabar = ' .. options or '', "vim.cmd.packadd('cinnabar')" }, init)
  local child = Child.start(nvim, { init = init, file = file, env = {
    XDG_DATA_HOME = prefix .. '/share', XDG_STATE_HOME = folder, XDG_CONFIG_HOME = folder, XDG_CACHE_HOME = folder,
    PATH = '/usr/bin:/bin', HOME = folder } })
  return child
end
local function attached(child)
  child:wait('the server is attached', function()
    return child:lua([[local c = vim.lsp.get_clients({ bufnr = 0, name = 'cinnabar' })[1]; return c ~= nil and c.initialized or false]])
  end)
end
local function ghost(child)
  local asked = 0
  return child:wait('ghost text', function() -- a model that is being loaded answers a later question
    asked = asked + 1
    if asked % 150 == 0 then child:keys('<M-\\>') end
    local text = child:ghost()
    return text ~= '' and text
  end)
end
local function daemon() -- its process, by the socket's peer
  local found = vim.system({ 'cinnabar', 'status', '--json' }, { text = true, env = { PATH = prefix .. '/bin', XDG_RUNTIME_DIR = runtime } }):wait()
  return found.code == 0 and vim.json.decode(found.stdout).pid or nil
end

local child = start('completes')
attached(child)
child:keys(line .. 'GA')
child:type(keys)
local text = ghost(child)
print('shown: ' .. text)

local pid = assert(daemon(), 'cinnabar status does not say which process the daemon is')
vim.uv.kill(pid, 'sigkill')
child:keys('<C-]>')
child:type(' ')
child:keys('<BS>')
assert(ghost(child) ~= '', 'nothing is shown after the daemon was killed')
assert(daemon() ~= pid, 'the daemon is still there')
assert(#child:messages() == 0, 'the user was told: ' .. vim.inspect(child:messages()))
child:keys('<Tab>')
child:wait('accepted', function() return child:ghost() == '' or not child:ghost():find(text, 1, true) end)
local saved = child:saved(file)
print(saved)
child:stop()

-- An older daemon stands at the socket: it is asked to go, another is started, and the user sees nothing of that.
local socket, support = runtime .. '/cinnabar/cinnabar.sock', here .. '/../../support/'
assert(vim.system({ 'python3', support .. 'end_daemon.py', socket }):wait().code == 0, 'the daemon does not go')
local old = vim.system({ 'python3', support .. 'old_daemon.py', socket })
assert(vim.wait(60000, function() return vim.uv.fs_stat(socket) ~= nil end, 50), 'the old daemon does not listen')
child = start('old_daemon')
attached(child)
child:keys(line .. 'Gcc')
child:type(keys)
assert(ghost(child) ~= '', 'nothing is shown after the old daemon was asked to go')
local left = old:wait(60000)
assert(left.code == 0, 'the old daemon was not asked to go: ' .. vim.inspect(left))
assert(#child:messages() == 0, 'the user was told: ' .. vim.inspect(child:messages()))
child:keys('<Esc>:qall!<CR>')
child:stop()

child = start('no_model', '{ settings = { model = "/no/such/model.gguf" } }')
attached(child)
child:wait('a message', function() return #child:messages() > 0 end)
child:keys('Go')
child:type('x = ')
vim.wait(1000)
local messages = child:messages()
assert(#messages == 1 and messages[1]:find('/no/such/model.gguf: there is no such file', 1, true)
  and messages[1]:find('cinnabar model list', 1, true), 'expected one message, got ' .. vim.inspect(messages))
assert(child:lua([[return require('cinnabar').get_status().word]]) == 'error', 'the status is no error')
child:keys('<Esc>:qall!<CR>')
child:stop()
vim.fn.delete(folder, 'rf')
os.exit(0)
