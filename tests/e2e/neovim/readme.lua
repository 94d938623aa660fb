-- The README's configuration as it stands there, with $CINNABAR, a list of words in JSON, as its command.
vim.o.swapfile = false
local here = debug.getinfo(1, 'S').source:match('^@(.*/)')
local readme = assert(io.open(here .. '../../../README.md')):read('a')
local lines, count = readme:match('```lua\n(.-)```'):gsub("{ 'cinnabar', 'lsp' }", 'vim.json.decode(vim.env.CINNABAR)')
assert(count == 1, 'the README names its command once')
assert(load(lines, 'README.md'))()
