-- Edits by the plugin in real Neovim with the real program and model: nvim -l plugin_edits.lua NVIM PLUGIN FOLDER COMMAND...
--
-- A name is changed by keys at its declaration: its uses are shown one after another, gone to and applied; in another file the
-- first is rejected, and with it all that are alike. Selected lines are rewritten by an instruction, undone, and the rewriting of many cancelled half way. What is
-- on disk is compared each time.
local here = vim.fs.dirname(vim.fs.abspath(arg[0]))
local Child = dofile(here .. '/child.lua')
local nvim, plugin, folder = arg[1], arg[2], arg[3]
local command = vim.list_slice(arg, 4)
local home = vim.fn.tempname()
vim.fn.mkdir(home, 'p')
local file = folder .. '/edited.py'
Child.program = command[1]

local function expect(what, found, wanted)
  if found ~= wanted then error(('%s:\n%s\nexpected\n%s'):format(what, found, wanted), 0) end
  print('ok  ' .. what)
end

local function open(text)
  vim.fn.writefile(vim.split(text, '\n'), file)
  local child = Child.start(nvim, { init = here .. '/plugin_init.lua', file = file, env = {
    CINNABAR_PLUGIN = plugin, CINNABAR_OPTIONS = ('{ cmd = %s }'):format(vim.inspect(command)),
    XDG_STATE_HOME = home, XDG_CONFIG_HOME = home, XDG_DATA_HOME = home, XDG_CACHE_HOME = home } })
  child:wait('the server is attached', function()
    return child:lua([[local c = vim.lsp.get_clients({ bufnr = 0, name = 'cinnabar' })[1]; return c ~= nil and c.initialized or false]])
  end)
  return child
end

local STATS = 'def describe(values):\n    größe = 0\n    for value in values:\n        größe += value\n    return größe\n'
local function rename(child)
  child:keys('2G^cwamount<Esc>')
  return child:shown_edit()
end

local child = open(STATS)
local edit = rename(child)
expect('the nearest use is shown', edit.line, 4)
child:keys('<M-n>')
child:wait('the cursor is there', function() return child:call('nvim_win_get_cursor', 0)[1] == 4 end)
child:keys('<M-n>')
child:wait('the second place is changed', function() return child:lines()[4] == '        amount += value' end)
expect('the third is shown', child:shown_edit().line, 5)
child:keys('<M-n>')
child:wait('the cursor is there', function() return child:call('nvim_win_get_cursor', 0)[1] == 5 end)
child:keys('<M-n>')
child:wait('the third place is changed', function() return child:lines()[5] == '    return amount' end)
expect('all of them on disk', child:saved(file), (STATS:gsub('größe', 'amount')))
child:stop()

child = open(STATS)
rename(child)
child:keys('<M-N>')
local asked = 'return vim.lsp.get_clients({ bufnr = 0 })[1]:request_sync("cinnabar/status", nil, 60000, 0).result.counts.nextEditsAsked'
local before = child:lua(asked)
child:keys('1GA  # changed<Esc>')
child:wait('it is asked again', function() return child:lua(asked) > before end)
vim.wait(1000)
expect('what was rejected does not come back', child:next_edit(), vim.NIL)
expect('nothing else is on disk', child:saved(file), (STATS:gsub('größe', 'amount', 1):gsub(':\n', ':  # changed\n', 1)))
child:stop()

local AREA = 'def area(width, height):\n    return width + height\n'
child = open(AREA)
child:lua([[vim.ui.input = function(_, done) done('Fix the bug: the area of a rectangle is width times height.') end]])
child:keys('1GVj')
child:plug('x', 'rewrite')
child:wait('it is rewritten', function() return child:lines()[2] ~= '    return width + height' end)
expect('rewritten on disk', child:saved(file), 'def area(width, height):\n    return width * height\n')
child:keys('u')
child:wait('undone', function() return child:lines()[2] == '    return width + height' end)
expect('one undo takes it back', child:saved(file), AREA)
child:stop()

local LONG = { 'def report(values):' }
for i = 1, 40 do table.insert(LONG, ('    value_%d = values[%d] * %d + len(values)'):format(i, i, i)) end
local text = table.concat(LONG, '\n') .. '\n    return value_1\n'
child = open(text)
local function status()
  return child:lua([[return vim.lsp.get_clients({ bufnr = 0 })[1]:request_sync('cinnabar/status', nil, 60000, 0).result]])
end
local cancelled = status().counts.cancelled
child:keys(':1,42Cinnabar rewrite Log what this code does with the logging module.<CR>')
local seen = ''
child:wait('it is under way', function() -- a model that is loaded says how far it is, too
  seen = seen .. child:lua([[return vim.lsp.status()]])
  return seen:find('Rewrite') or seen:find('Log what')
end)
child:keys(':Cinnabar cancel<CR>')
child:wait('the model has nothing to do', function()
  local now = status()
  return now.queue.running == 0 and now.queue.waiting == 0 and now.counts.cancelled > cancelled
end)
child:keys('GA  # after<Esc>')
expect('cancelled: the text stays', child:saved(file), text:gsub('\n$', '') .. '\n  # after')
child:stop()
vim.fn.delete(home, 'rf')
os.exit(0)
