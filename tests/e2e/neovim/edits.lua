-- Edits in real Neovim without a plugin: nvim --clean -l edits.lua NVIM FOLDER, with $CINNABAR as init.lua wants it.
--
-- A name is changed at its declaration by keys; the next edits are asked for as the published clients ask, applied, and what
-- is on disk compared; then a function is rewritten by an instruction, and one undo takes that back. Code actions are chosen for
-- selected lines, applied, undone and cancelled half way.
local nvim, folder = unpack(_G.arg)
local here = vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2))
local Child = dofile(here .. '/child.lua')

Child.program = vim.split(vim.env.CINNABAR, ' ')[1]
local file = folder .. '/stats.py'
local function write(lines) vim.fn.writefile(lines, file) end
local function expect(what, found, wanted)
  if found ~= wanted then error(('%s:\n%s\nexpected\n%s'):format(what, found, wanted), 0) end
  print('ok  ' .. what)
end

-- As sidekick.nvim and its kin do: the edits for the buffer's version, applied by the client, then the command.
local ASK = [[
  local client = vim.lsp.get_clients({ bufnr = 0 })[1]
  local at = vim.lsp.util.make_position_params(0, client.offset_encoding)
  at.textDocument.version = vim.lsp.util.buf_versions[vim.api.nvim_get_current_buf()]
  local answer = client:request_sync('textDocument/copilotInlineEdit', at, 60000, 0)
  assert(answer and not answer.err, vim.inspect(answer))
  return answer.result.edits]]
local APPLY = [[
  local edit = ...
  local client = vim.lsp.get_clients({ bufnr = 0 })[1]
  vim.lsp.util.apply_text_edits({ { range = edit.range, newText = edit.text } }, vim.api.nvim_get_current_buf(), client.offset_encoding)
  client:request_sync('workspace/executeCommand', { command = edit.command.command, arguments = edit.command.arguments }, 60000, 0)]]
local REWRITE = [[
  local first, last, instruction = ...
  local client = vim.lsp.get_clients({ bufnr = 0 })[1]
  local answer = client:request_sync('workspace/executeCommand', { command = 'cinnabar.rewrite', arguments = { {
    uri = vim.uri_from_bufnr(0), version = vim.lsp.util.buf_versions[vim.api.nvim_get_current_buf()],
    range = { start = { line = first, character = 0 }, ['end'] = { line = last, character = 0 } }, instruction = instruction } } }, 120000, 0)
  return answer.err and answer.err.message or vim.inspect(answer.result)]]

write({ 'def describe(values):', '    größe = 0', '    for value in values:', '        größe += value', '    return größe', '' })
local child = Child.start(nvim, { init = here .. '/init.lua', file = file })
child:wait('the server is initialized', function()
  return child:lua('local c = vim.lsp.get_clients({ bufnr = 0 })[1] return c and c.initialized or false')
end)

-- As clients do: after a pause, by when the editor has sent its changes and knows their version.
local function ask()
  vim.wait(400)
  return child:lua(ASK)
end

-- The daemon gives up on next edits after 3 s, which a busy machine takes: asks until there are some.
local function edits_come()
  local edits
  child:wait('there are edits', function()
    edits = ask()
    return #edits > 0
  end)
  return edits
end

local none = ask()
expect('nothing was edited: nothing is suggested', #none, 0)
child:keys('2G^cwamount<Esc>')
child:wait('the name is changed', function() return child:lines()[2] == '    amount = 0' end)
local edits = edits_come()
expect('the uses follow, nearest first', edits[1].range.start.line, 3)
child:lua(APPLY, edits[1])
edits = edits_come()
expect('after the second place the third', edits[1].range.start.line, 4)
child:lua(APPLY, edits[1])
expect('the file on disk', child:saved(file), table.concat({
  'def describe(values):', '    amount = 0', '    for value in values:', '        amount += value', '    return amount', '' }, '\n'))
expect('all is done: quiet', #ask(), 0)

child:keys(':%d<CR>idef area(width, height):<CR>return width + height<CR><Esc>')
child:wait('the function is typed', function() return #child:lines() >= 2 and child:lines()[2]:find('width %+ height') ~= nil end)
child:lua([[vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'def area(width, height):', '    return width + height', '' })]])
local before = child:saved(file)
vim.wait(400)
child:lua(REWRITE, 0, 2, 'Fix the bug: the area of a rectangle is width times height.')
expect('a function is rewritten', child:saved(file), 'def area(width, height):\n    return width * height\n')
child:keys('u')
child:wait('one undo', function() return child:lines()[2] == '    return width + height' end)
expect('one undo takes it back', child:saved(file), before)
expect('what would change nothing says so', child:lua(REWRITE, 2, 2, 'Simplify.'), 'there is nothing selected to be rewritten')
-- Code actions as a user chooses them: lines selected, the action taken, one undo.
local function open(lines)
  child:lua('vim.api.nvim_buf_set_lines(0, 0, -1, false, ...)', lines)
  local before = child:saved(file)
  vim.wait(400) -- as a user does: by when the editor has sent its changes
  return before
end
local function choose(title)
  child:keys(("<Cmd>lua vim.lsp.buf.code_action({ apply = true, filter = function(a) return a.title == '%s' end })<CR>"):format(title))
end
local function changed(what, before)
  child:wait(what, function() return table.concat(child:lines(), '\n') ~= before end)
  child:keys('<Esc>')
  return child:saved(file)
end
local function undone(what, before)
  child:keys('u')
  child:wait(what, function() return table.concat(child:lines(), '\n') == before end)
  expect(what, child:saved(file), before)
end

before = open({ 'def spread(values):', '    low = min(values)', '    high = max(values)', '    return high - low' })
child:keys('2GVj')
choose('Extract function')
local after = changed('the function is extracted', before)
local name = after:match('^def ([%w_]+)%(values%):\n')
expect('extracted: a function with a name of the model\'s, and its call', after, ([[
def %s(values):
    low = min(values)
    high = max(values)
    return low, high


def spread(values):
    low, high = %s(values)
    return high - low]]):format(name, name))
undone('extracted: one undo takes it back', before)

child:keys('1GV3j')
choose('Document this function')
after = changed('the function is documented', before)
expect('documented: nothing else is touched', after:gsub('    """.-"""\n', '', 1), before)
expect('documented: there is a docstring', after:match('^def spread%(values%):\n    """%u[^\n]+\n') ~= nil, true)
undone('documented: one undo takes it back', before)

before = open({ '# cinnabar: the area of a rectangle is width times height', 'def area(width, height):', '    return width + height' })
child:keys('2GVj')
choose('Do what the comment says')
expect('the comment is done, and gone', changed('the comment is done', before), 'def area(width, height):\n    return width * height')
undone('the comment: one undo takes it back', before)

-- Cancelled half way: the model stops, the text stays.
local long = { 'def report(values):' }
for i = 1, 40 do table.insert(long, ('    value_%d = values[%d] * %d + len(values)'):format(i, i, i)) end
table.insert(long, '    return value_1')
before = open(long)
child:lua([[vim.api.nvim_create_autocmd('LspProgress', { callback = function(event)
  local params = event.data.params
  if not tostring(params.value.title):find('logging') or vim.g.cancelled then return end
  vim.g.cancelled = true
  vim.lsp.get_client_by_id(event.data.client_id):notify('window/workDoneProgress/cancel', { token = params.token })
end })]])
child:keys('1GV41j')
choose('Add logging')
child:wait('the progress is cancelled', function() return child:lua('return vim.g.cancelled or false') end)
child:wait('the model has nothing to do', function()
  local queue = child:lua([[return vim.lsp.get_clients({ bufnr = 0 })[1]:request_sync('cinnabar/status', nil, 60000, 0).result]])
  return queue.queue.running == 0 and queue.queue.waiting == 0 and queue.counts.cancelled > 0
end)
expect('cancelled: the text stays', child:saved(file), before)
child:stop()
