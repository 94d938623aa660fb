-- The plugin in a real Neovim, with a server whose answers are known: what is typed, shown, accepted, and lies on disk.
--
--   nvim -l plugin.lua NVIM PLUGIN      PLUGIN: the plugin's folder. Exit status 1: a case failed.
local here = vim.fs.dirname(vim.fs.abspath(arg[0]))
local Child = dofile(here .. '/child.lua')
local nvim, plugin = arg[1], arg[2]
local folder = vim.fn.tempname()
vim.fn.mkdir(folder, 'p')
local file, script, log = folder .. '/text.py', folder .. '/script.json', folder .. '/log'

local WORDS = { 'total += price * count', 'total = 0', 'total -= 1' }
local LINES = { 'for item in items:\n    use(item)\n    drop(item)' }
local TARGETS = { WORDS, LINES, { 'größe = breite * höhe' }, { 'call(first, second)' } }

local function set_script(changes)
  vim.fn.writefile({ vim.json.encode(vim.tbl_extend('force', { lines = TARGETS }, changes or {})) }, script)
end

local function told(method)
  local found, opened = {}, io.open(log)
  local text = opened and opened:read('a') or ''
  if opened then opened:close() end
  for line in text:gmatch('([^\n]+)\n') do -- the last one may be on its way
    local message = vim.json.decode(line)
    if message.method == method then table.insert(found, message.params) end
  end
  return found
end

local function start(options)
  vim.fn.delete(log)
  set_script(options.script)
  vim.fn.writefile(vim.split(options.text or '', '\n'), file)
  local command = vim.inspect({ 'python3', here .. '/../scripted_server.py', script, log })
  local env = { CINNABAR_PLUGIN = plugin, CINNABAR_OPTIONS = ('{ cmd = %s, %s }'):format(command, options.options or ''),
    XDG_STATE_HOME = folder, XDG_CONFIG_HOME = folder, XDG_DATA_HOME = folder, XDG_CACHE_HOME = folder }
  local child = Child.start(nvim, { init = here .. '/plugin_init.lua', file = options.file or file, env = env })
  if options.unattached then return child end
  child:wait('the server is attached', function()
    return child:lua([[local c = vim.lsp.get_clients({ bufnr = 0, name = 'cinnabar' })[1]; return c ~= nil and c.initialized or false]])
  end)
  return child
end

local function expect_ghost(child, text)
  return child:wait('ghost text ' .. text, function() return child:ghost() == text end)
end
local function expect_line(child, text)
  return child:wait('the line ' .. text, function() return child:call('nvim_get_current_line') == text end)
end
local function equal(what, found, expected)
  if not vim.deep_equal(found, expected) then
    error(('%s: expected %s, found %s'):format(what, vim.inspect(expected), vim.inspect(found)), 0)
  end
end

-- Each case: options for start(), and what happens.
local CASES = {}
local function case(name, options, run) table.insert(CASES, { name = name, options = options, run = run }) end

case('accept', {}, function(child)
  child:keys('i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('<Tab>')
  expect_line(child, 'total += price * count')
  child:wait('the server is told', function() return #told('workspace/executeCommand') == 1 end)
  equal('shown', #told('textDocument/didShowCompletion') > 0, true)
  equal('on disk', child:saved(file), 'total += price * count')
end)

case('nothing shown: Tab is a tab, other keys do what they did', {}, function(child)
  child:lua([[vim.keymap.set('i', '<C-x>t', 'T')]])
  child:keys('i')
  child:type('zz')
  child:keys('<Tab>x<C-]>y<C-Right>')
  child:wait('typed', function() return child:lines()[1]:find('y') end)
  equal('on disk', child:saved(file), 'zz  xy')
end)

case('a map that the key had before', { options = 'keys = { accept = "<C-l>", dismiss = "<C-t>" }' }, function(child)
  child:lua([[vim.keymap.set('i', '<C-l>', function() return 'E' end, { expr = true })
    vim.keymap.set('i', '<C-t>', 'M')
    require('cinnabar').setup(vim.g.cinnabar)]])
  child:keys('i')
  child:type('q')
  child:keys('<C-l><C-t>')
  expect_line(child, 'qEM')
end)

case('words', {}, function(child)
  child:keys('i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('<C-Right>')
  expect_line(child, 'total')
  expect_ghost(child, ' += price * count')
  child:keys('<C-Right><C-Right>')
  expect_line(child, 'total += price')
  child:wait('the server is told', function() return #told('textDocument/didPartiallyAcceptCompletion') >= 3 end)
  equal('length', told('textDocument/didPartiallyAcceptCompletion')[1].acceptedLength, 2)
  child:keys('<Tab>')
  expect_line(child, 'total += price * count')
  equal('on disk', child:saved(file), 'total += price * count')
end)

case('lengths count from the item\'s beginning, in utf-16', {}, function(child)
  child:keys('i')
  child:type('gr')
  expect_ghost(child, 'öße = breite * höhe')
  child:keys('<C-Right><C-Right>')
  child:wait('two parts', function() return #told('textDocument/didPartiallyAcceptCompletion') == 2 end)
  local parts = told('textDocument/didPartiallyAcceptCompletion')
  equal('lengths', { parts[1].acceptedLength, parts[2].acceptedLength }, { 3, 5 })
  equal('items', { parts[1].item.insertText, parts[2].item.insertText }, { 'öße = breite * höhe', 'öße = breite * höhe' })
end)

case('lines', {}, function(child)
  child:keys('i')
  child:type('for')
  expect_ghost(child, ' item in items:\n    use(item)\n    drop(item)')
  child:keys('<M-l>')
  expect_line(child, 'for item in items:')
  child:wait('the rest', function() return child:ghost() == '\n    use(item)\n    drop(item)' end)
  child:keys('<M-l>')
  expect_line(child, '    use(item)')
  child:keys('<Tab>')
  expect_line(child, '    drop(item)')
  equal('on disk', child:saved(file), 'for item in items:\n    use(item)\n    drop(item)')
end)

case('typing along, Tab at once', {}, function(child)
  child:keys('i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('al +<Tab>') -- in one go: no answer comes in between
  expect_line(child, 'total += price * count')
  equal('on disk', child:saved(file), 'total += price * count')
end)

case('keys right behind Tab stay behind it', {}, function(child)
  child:keys('i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('<Tab>;x')
  expect_line(child, 'total += price * count;x')
end)

case('typing something else, then Tab', { script = { delay = 0.3 } }, function(child)
  child:keys('i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('e<Tab>m')
  child:wait('typed', function() return child:lines()[1]:find('m') end)
  equal('on disk', child:saved(file), 'tote    m')
end)

case('what no longer fits is not shown', {}, function(child)
  child:keys('i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('x')
  child:wait('hidden', function() return child:ghost() == '' end)
end)

case('the cursor moved, then Tab', { text = 'first\n' }, function(child)
  child:keys('jcc')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('<Up><Tab>') -- from where Up leads
  child:wait('a tab', function() return child:lines()[1]:find(' ') end)
  equal('on disk', child:saved(file), 'fir st\ntot')
end)

case('an answer that comes late', { script = { delay = 0.5 } }, function(child)
  local function asked() return #told('textDocument/inlineCompletion') end
  local before = asked()
  child:keys('i')
  child:type('tot')
  child:wait('the request is under way', function() return asked() > before end)
  child:type('al') -- along
  expect_ghost(child, ' += price * count')
  child:keys('<Tab>')
  expect_line(child, 'total += price * count')
  child:keys('<CR>')
  child:wait('quiet', function() -- the requests behind what was accepted are made
    local so_far = asked()
    vim.wait(600)
    return asked() == so_far
  end)
  before = asked()
  child:type('tot')
  child:wait('the request is under way', function() return asked() > before end)
  child:type('e') -- elsewhere
  vim.wait(900)
  equal('shown', child:ghost(), '')
  child:keys('<Tab>')
  child:wait('a tab', function() return child:lines()[2]:find(' ') end)
  equal('on disk', child:saved(file), 'total += price * count\ntote    ')
end)

case('text behind the cursor is replaced, once', { script = { replaces = 1 } }, function(child)
  child:keys('i')
  child:type('call(fi')
  child:keys(')<Left>')
  child:wait('ghost text', function() return child:ghost() ~= '' end)
  child:keys('r<Tab>')
  expect_line(child, 'call(first, second)')
end)

case('u takes back just what was accepted', {}, function(child)
  child:keys('i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('<Tab>')
  expect_line(child, 'total += price * count')
  child:type('!')
  child:keys('<Esc>u')
  expect_line(child, 'total += price * count')
  child:keys('u')
  expect_line(child, 'tot')
end)

case('cycling', {}, function(child)
  child:keys('i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('<M-]>')
  expect_ghost(child, 'al = 0 (2/3)')
  child:keys('<M-]>')
  expect_ghost(child, 'al -= 1 (3/3)')
  child:keys('<M-[>')
  expect_ghost(child, 'al = 0 (2/3)')
  child:keys('<Tab>')
  expect_line(child, 'total = 0')
end)

case('dismiss, trigger', {}, function(child)
  child:keys('i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('<C-]>')
  child:wait('hidden', function() return child:ghost() == '' end)
  child:keys('<M-\\>')
  expect_ghost(child, 'al += price * count')
end)

case('off, on, pause', {}, function(child)
  local function expect_asked(what, expected) -- whether a request is made
    local function asked() return #told('textDocument/inlineCompletion') end
    local before = asked()
    child:keys('<Esc>cc')
    child:type('tot')
    if expected then return child:wait(what .. ': typing makes a request', function() return asked() > before end) end
    vim.wait(450)
    equal(what .. ': requests', asked(), before)
  end
  child:keys('i')
  expect_asked('on', true)
  for _, pair in ipairs({ { 'disable', 'enable' }, { 'disable buffer', 'enable buffer' }, { 'toggle filetype', 'toggle filetype' },
    { 'pause 5', 'resume' }, { 'toggle', 'toggle' } }) do
    child:keys('<Esc>:Cinnabar ' .. pair[1] .. '<CR>')
    expect_asked(pair[1], false)
    equal('ghost', child:ghost(), '')
    child:keys('<Esc>:Cinnabar ' .. pair[2] .. '<CR>')
    expect_asked(pair[2], true)
  end
end)

case('<Plug> maps of insert mode', {}, function(child)
  child:keys('i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:plug('i', 'next')
  expect_ghost(child, 'al = 0 (2/3)')
  child:plug('i', 'previous')
  expect_ghost(child, 'al += price * count (1/3)')
  child:plug('i', 'dismiss')
  child:wait('hidden', function() return child:ghost() == '' end)
  child:plug('i', 'trigger')
  expect_ghost(child, 'al += price * count')
  child:plug('i', 'accept-word')
  expect_line(child, 'total')
  child:plug('i', 'accept')
  expect_line(child, 'total += price * count')
  child:keys('<CR>')
  child:type('for')
  expect_ghost(child, ' item in items:\n    use(item)\n    drop(item)')
  child:plug('i', 'accept-line')
  expect_line(child, 'for item in items:')
  equal('on disk', child:saved(file), 'total += price * count\nfor item in items:')
end)

case('<Plug> maps of normal and visual mode', { text = 'a\nb\nc' }, function(child)
  child:plug('n', 'complete-function')
  child:keys('2GVj')
  child:plug('x', 'fill-holes')
  child:wait('two commands', function() return #told('workspace/executeCommand') == 2 end)
  local commands = told('workspace/executeCommand')
  equal('names', { commands[1].command, commands[2].command }, { 'cinnabar.completeFunction', 'cinnabar.fillHoles' })
  equal('range', { commands[2].arguments[1].range.start.line, commands[2].arguments[1].range['end'].line }, { 1, 2 })
  child:keys('<Esc>')
  child:plug('n', 'toggle')
  child:wait('off', function() return child:lua([[return require('cinnabar').get_status().word]]) == 'off' end)
  child:plug('n', 'toggle')
  child:wait('on', function() return child:lua([[return require('cinnabar').get_status().word]]) == 'ready' end)
end)

case('cancel', { text = 'a\nb', script = { progress = true } }, function(child)
  child:keys(':Cinnabar cancel<CR>')
  child:wait('a message', function() return #child:messages() == 1 end)
  for number, cancel in ipairs({ function() child:keys(':Cinnabar cancel<CR>') end, function() child:plug('n', 'cancel') end }) do
    child:keys(':Cinnabar complete-function<CR>')
    child:wait('it is under way', function() return #told('workspace/executeCommand') == number end)
    child:wait('its progress is known', function() return child:lua([[return vim.lsp.status()]]):find('working') end)
    cancel()
    child:wait('the server is told', function() return #told('window/workDoneProgress/cancel') == number end)
  end
end)

case('status, health, log, restart', {}, function(child)
  child:keys(':Cinnabar status<CR>')
  child:wait('a message', function() return #child:messages() == 1 end)
  equal('status', child:messages()[1], 'Cinnabar: ready')
  child:keys(':Cinnabar health<CR>')
  child:wait('a report', function() return table.concat(child:lines(), '\n'):find('server 1') end)
  child:keys(':bdelete<CR>:Cinnabar log<CR>')
  child:wait('the log', function() return child:call('nvim_buf_get_name', 0):find('lsp%.log$') end)
  child:keys(':buffer 1<CR>:Cinnabar restart<CR>')
  child:wait('another server', function() return #told('initialize') == 2 end)
  child:keys('i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
end)

local EDITS = { text = 'old = 1\nuse(old, 2)\nlast(old, 3)\nend', script = { edits = { ['use(old, 2)'] = 'use(new, 2)',
  ['last(old, 3)'] = 'last(\n  new)' } } }
local function expect_edit(child, expected)
  return child:wait('the next edit ' .. vim.inspect(expected), function() return vim.deep_equal(child:next_edit(), expected) end)
end

case('next edit: shown, gone to, applied, undone', EDITS, function(child)
  equal('before an edit', child:next_edit(), vim.NIL)
  child:keys('ggcwnew<Esc>')
  expect_edit(child, { line = 2, removed = 'use(old, 2)', added = 'use(new, 2)' })
  equal('shown', #told('textDocument/didShowInlineEdit') > 0, true)
  child:keys('<M-n>')
  child:wait('the cursor is there', function() return child:call('nvim_win_get_cursor', 0)[1] == 2 end)
  equal('nothing is changed yet', child:lines()[2], 'use(old, 2)')
  child:keys('<M-n>')
  child:wait('applied', function() return child:lines()[2] == 'use(new, 2)' end)
  expect_edit(child, { line = 3, removed = 'last(old, 3)', added = 'last(\n  new)' })
  child:keys(':Cinnabar next-edit<CR>')
  child:wait('the cursor is there', function() return child:call('nvim_win_get_cursor', 0)[1] == 3 end)
  child:plug('n', 'next-edit')
  child:wait('applied', function() return child:lines()[4] == '  new)' end)
  equal('on disk', child:saved(file), 'new = 1\nuse(new, 2)\nlast(\n  new)\nend')
  child:keys('u')
  child:wait('one is taken back', function() return child:lines()[3] == 'last(old, 3)' and child:lines()[2] == 'use(new, 2)' end)
  child:wait('the server is told', function() return #told('workspace/executeCommand') == 2 end)
end)

case('next edit: rejected ones do not come back, changes hide it', EDITS, function(child)
  for number, reject in ipairs({ function() child:keys('<M-N>') end, function() child:keys(':Cinnabar reject-edit<CR>') end }) do
    if number == 1 then child:keys('ggcwnew<Esc>') end
    child:wait('it is shown', function() return child:next_edit() ~= vim.NIL and child:next_edit().line == number + 1 end)
    reject()
  end
  child:wait('both are rejected', function() return #told('workspace/executeCommand') == 2 end)
  local before = #told('textDocument/copilotInlineEdit')
  child:keys('ggA;<Esc>')
  child:wait('asked again', function() return #told('textDocument/copilotInlineEdit') > before end)
  vim.wait(300)
  equal('shown', child:next_edit(), vim.NIL)
  equal('on disk', child:saved(file), 'new = 1;\nuse(old, 2)\nlast(old, 3)\nend')
  child:lua([[vim.keymap.set('n', '<M-n>', '<Cmd>let g:fell = 1<CR>') require('cinnabar').setup(vim.g.cinnabar)]])
  child:keys('<M-n>')
  child:wait('the key does what it did', function() return child:lua('return vim.g.fell') == 1 end)
  child:plug('n', 'reject-edit')
end)

case('next edit: typing hides it, and an edit of yours', EDITS, function(child)
  child:keys('ggcwnew<Esc>')
  child:wait('shown', function() return child:next_edit() ~= vim.NIL end)
  child:keys('A')
  child:wait('hidden', function() return child:next_edit() == vim.NIL end)
end)

case('no next edits', vim.tbl_extend('force', EDITS, { options = 'next_edit = false' }), function(child)
  child:keys('ggcwnew<Esc>')
  vim.wait(800)
  equal('asked', #told('textDocument/copilotInlineEdit'), 0)
end)

case('rewrite', { text = 'a\nb\nc' }, function(child)
  child:lua([[vim.ui.input = function(options, done) vim.g.prompt = options.prompt; done('with types') end]])
  child:keys(':2,3Cinnabar rewrite use a set<CR>')
  child:wait('a command', function() return #told('workspace/executeCommand') == 1 end)
  child:keys('ggVj')
  child:plug('x', 'rewrite')
  child:wait('two commands', function() return #told('workspace/executeCommand') == 2 end)
  child:keys('G')
  child:plug('n', 'rewrite')
  child:wait('three commands', function() return #told('workspace/executeCommand') == 3 end)
  local expected = { { 'use a set', 1, 2 }, { 'with types', 0, 1 }, { 'with types', 2, 2 } }
  for i, params in ipairs(told('workspace/executeCommand')) do
    local place = params.arguments[1]
    equal('the rewrite', { place.instruction, place.range.start.line, place.range['end'].line }, expected[i])
    equal('whole', { params.command, place.range.start.character, place.range['end'].character, type(place.version) },
      { 'cinnabar.rewrite', 0, 1, 'number' })
  end
  equal('prompt', child:lua('return vim.g.prompt'), 'Rewrite: ')
end)

case('two windows on one buffer', { text = 'first' }, function(child)
  child:keys(':vsplit<CR>o')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('<C-o><C-w>w') -- the other window's cursor is elsewhere: nothing is to be accepted there
  child:wait('the other window', function() return child:call('nvim_win_get_cursor', 0)[1] == 1 end)
  child:keys('<Tab>')
  child:wait('a tab', function() return child:lines()[1]:find(' ') end)
  child:keys('<Esc>:undo<CR>GA')
  child:type('a')
  expect_ghost(child, 'l += price * count')
  child:keys('<C-Right><Tab>')
  expect_line(child, 'total += price * count')
  child:keys('<Esc><C-w>w')
  expect_line(child, 'total += price * count')
  equal('on disk', child:saved(file), 'first\ntotal += price * count')
end)

case('two windows on two files, one server', { text = 'first' }, function(child)
  local other = folder .. '/other.py'
  vim.fn.writefile({ '' }, other)
  child:keys(':vsplit ' .. other .. '<CR>i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('<Tab>')
  expect_line(child, 'total += price * count')
  equal('the one on disk', child:saved(other), 'total += price * count')
  child:keys('<C-w>wo')
  child:type('for')
  expect_ghost(child, ' item in items:\n    use(item)\n    drop(item)')
  child:keys('<M-l>')
  expect_line(child, 'for item in items:')
  equal('the other on disk', child:saved(file), 'first\nfor item in items:')
  equal('servers', #told('initialize'), 1)
end)

-- The recipes of :help cinnabar-menus as they stand there, with stand-ins for the plugins (menus.lua): those cannot be had here.
local function recipes()
  local help = table.concat(vim.fn.readfile(plugin .. '/doc/cinnabar.txt'), '\n')
  local section = help:match('%*cinnabar%-menus%*\n(.-)\n=====')
  local found = {}
  for title, code in section:gmatch('([^\n]+) >lua\n(.-)\n<') do found[title] = code end
  return found
end
local STAND_IN = ('_G.menus = dofile(%q)\n'):format(here .. '/menus.lua')
local function menu_case(name, key_recipe, hiding_recipe, set_up)
  case('a menu is open, ' .. name .. ' (a stand-in for it): Tab takes what is shown', { options = 'keys = { accept = false }' }, function(child)
    child:lua(STAND_IN .. set_up:format(assert(recipes()[key_recipe], key_recipe)))
    child:keys('i')
    child:type('tot')
    expect_ghost(child, 'al += price * count')
    child:lua('menus.open()')
    child:keys('<Tab>')
    expect_line(child, 'total += price * count')
    equal('nothing was selected', child:lua('return menus.selected'), 0)
    child:keys('<Tab>') -- nothing is shown any more
    child:wait('the next entry', function() return child:lua('return menus.selected') == 1 end)
    child:lua('menus.close()')
    child:keys('<CR>x<Tab>y')
    expect_line(child, 'x   y')
    equal('on disk', child:saved(file), 'total += price * count\nx   y')
  end)
  case('a menu is open, ' .. name .. ' (a stand-in for it): nothing is shown meanwhile', { options = 'keys = { accept = false }' }, function(child)
    child:lua(STAND_IN .. set_up:format(recipes()[key_recipe]) .. '\n' .. assert(recipes()[hiding_recipe], hiding_recipe))
    child:keys('i')
    child:type('to')
    expect_ghost(child, 'tal += price * count')
    child:lua('menus.open()')
    child:wait('hidden', function() return child:ghost() == '' end)
    child:type('t')
    vim.wait(500)
    equal('shown while the menu is open', child:ghost(), '')
    child:keys('<Tab>')
    child:wait('the next entry', function() return child:lua('return menus.selected') == 1 end)
    child:lua('menus.close()')
    child:type('a')
    expect_ghost(child, 'l += price * count')
    child:keys('<Tab>')
    equal('on disk', child:saved(file), 'total += price * count')
  end)
end
menu_case('blink.cmp', 'blink.cmp:', 'With blink.cmp no ghost text while its menu is open:', 'menus.blink({ %s })')
menu_case('nvim-cmp', 'nvim-cmp, in the `mapping` of its setup:', 'With nvim-cmp:',
  'cmp = menus.cmp()\ncmp.setup({ mapping = { %s } })')

case('events and status', {}, function(child)
  child:lua([[vim.g.seen = {}
    vim.api.nvim_create_autocmd('User', { pattern = 'Cinnabar*', callback = function(event)
      vim.g.seen = vim.list_extend(vim.g.seen, { event.match })
    end })]])
  equal('status', child:lua([[return require('cinnabar').status()]]), '● cinnabar')
  child:keys('i')
  child:type('tot')
  expect_ghost(child, 'al += price * count')
  child:keys('<C-Right><C-]>')
  child:wait('three events', function() return #child:lua('return vim.g.seen') >= 3 end)
  local seen = {}
  for _, name in ipairs(child:lua('return vim.g.seen')) do seen[name] = true end
  equal('events', { seen.CinnabarShown, seen.CinnabarAccepted, seen.CinnabarDismissed }, { true, true, true })
end)

case('commands reach the server', { text = 'a\nb\nc' }, function(child)
  child:keys(':Cinnabar complete-function<CR>:2,3Cinnabar fill-holes<CR>')
  child:wait('two commands', function() return #told('workspace/executeCommand') == 2 end)
  local commands = told('workspace/executeCommand')
  equal('names', { commands[1].command, commands[2].command }, { 'cinnabar.completeFunction', 'cinnabar.fillHoles' })
  equal('range', { commands[2].arguments[1].range.start.line, commands[2].arguments[1].range['end'].line }, { 1, 2 })
  equal('version', type(commands[1].arguments[1].textDocument.version), 'number')
end)

case('completion of :Cinnabar, unknown words', {}, function(child)
  equal('words', child:call('nvim_call_function', 'getcompletion', { 'Cinnabar re', 'cmdline' }),
    { 'reject-edit', 'restart', 'resume', 'rewrite' })
  equal('scopes', child:call('nvim_call_function', 'getcompletion', { 'Cinnabar toggle ', 'cmdline' }), { 'buffer', 'filetype' })
  child:keys(':Cinnabar nonsense<CR>')
  child:wait('a message', function() return #child:messages() == 1 end)
end)

case('file types that are off are not attached', { file = folder .. '/notes.md', unattached = true }, function(child)
  vim.wait(700)
  equal('clients', child:lua('return #vim.lsp.get_clients()'), 0)
  equal('messages', child:messages(), {})
end)

case('a program that is not there: one message', { file = file, unattached = true, options = 'cmd = { "/no/such/cinnabar", "lsp" }' },
  function(child)
    child:wait('a message', function() return #child:messages() > 0 end)
    child:keys(':edit ' .. folder .. '/other.py<CR>')
    vim.wait(500)
    equal('messages', #child:messages(), 1)
    equal('names it', child:messages()[1]:find('/no/such/cinnabar', 1, true) ~= nil, true)
  end)

case('checkhealth', {}, function(child)
  child:keys(':checkhealth cinnabar<CR>')
  child:wait('a report', function() return table.concat(child:lines(), '\n'):find('server 1') end)
end)

--- What the plugin offers and no case has pressed.
local function left_out()
  vim.opt.runtimepath:prepend(plugin)
  vim.cmd.source(plugin .. '/plugin/cinnabar.lua')
  local offered, missing = {}, {}
  for _, lhs in pairs(require('cinnabar.options').defaults.keys) do table.insert(offered, lhs) end
  for _, word in ipairs(require('cinnabar.commands').complete('', 'Cinnabar ')) do table.insert(offered, 'Cinnabar ' .. word) end
  for _, mode in ipairs({ 'i', 'n', 'x' }) do
    for _, map in ipairs(vim.api.nvim_get_keymap(mode)) do
      if map.lhs:find('^<Plug>%(cinnabar') then table.insert(offered, map.lhs) end
    end
  end
  assert(#offered > 30, 'the plugin offers less than it did')
  for _, what in ipairs(offered) do
    if not Child.was_pressed(what) then table.insert(missing, what) end
  end
  return missing
end

local failed = 0
for _, one in ipairs(CASES) do
  if not arg[3] or one.name:find(arg[3], 1, true) then
    local child = start(one.options)
    local ok, problem = xpcall(one.run, function(e) return tostring(e) end, child)
    if not ok then
      failed = failed + 1
      print(('FAILED %s\n%s'):format(one.name, problem))
    else
      print('ok ' .. one.name)
    end
    child:stop()
  end
end
if not arg[3] and #left_out() > 0 then
  failed = failed + 1
  print('FAILED no case presses ' .. table.concat(left_out(), ', '))
end
vim.fn.delete(folder, 'rf')
os.exit(failed == 0 and 0 or 1)
