-- Edits in real Neovim without a plugin: nvim --clean -l edits.lua NVIM FOLDER, with $CINNABAR as init.lua wants it.
--
-- A name is changed at its declaration by keys; the next edits are asked for as the published clients ask, applied, and what
-- is on disk compared; then a function is rewritten by an instruction, and one undo takes that back.
local nvim, folder = unpack(_G.arg)
local here = vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2))
local Child = dofile(here .. '/child.lua')

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

local none = ask()
expect('nothing was edited: nothing is suggested', #none, 0)
child:keys('2G^cwamount<Esc>')
child:wait('the name is changed', function() return child:lines()[2] == '    amount = 0' end)
local edits = ask()
expect('the uses follow, nearest first', #edits > 0 and edits[1].range.start.line, 3)
child:lua(APPLY, edits[1])
edits = ask()
expect('after the second place the third', #edits > 0 and edits[1].range.start.line, 4)
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
child:stop()
