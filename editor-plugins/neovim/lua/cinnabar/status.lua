-- The server's status, in one word for a status line: the server sends didChangeStatus {busy, kind, message}.
local options = require('cinnabar.options')
local M = {}

local now = nil ---@type {busy: boolean, kind: string, message: string}?
local WORDS = { Error = 'error', Warning = 'warning', Inactive = 'off' }
local ICONS = { none = '', off = '○', loading = '…', ready = '●', warning = '▲', error = '✗' }

function M.changed()
  vim.schedule(function()
    vim.api.nvim_exec_autocmds('User', { pattern = 'CinnabarStatus', modeline = false, data = M.get() })
    vim.cmd.redrawstatus()
  end)
end

function M.take(params)
  now = params
  M.changed()
end

function M.ended()
  now = nil
  M.changed()
end

--- {word, message, icon}: word is none (no server here), off, loading, ready, warning or error.
function M.get(buf)
  buf = buf or vim.api.nvim_get_current_buf()
  local word, message = 'none', 'no server is attached to this buffer'
  if #vim.lsp.get_clients({ bufnr = buf, name = 'cinnabar' }) > 0 then
    local why_not = options.why_not(buf)
    if why_not then
      word, message = 'off', why_not
    else
      word = now and (WORDS[now.kind] or (now.busy and 'loading')) or 'ready'
      message = now and now.message or ''
    end
  end
  return { word = word, message = message, icon = ICONS[word] }
end

local HIGHLIGHTS = { off = 'CinnabarStatusOff', loading = 'CinnabarStatusLoading', ready = 'CinnabarStatusReady',
  warning = 'CinnabarStatusWarning', error = 'CinnabarStatusError' }
function M.highlight(word) return HIGHLIGHTS[word] end

function M.define_highlights()
  for group, link in pairs({ CinnabarStatusOff = 'Comment', CinnabarStatusLoading = 'Comment', CinnabarStatusReady = 'Normal',
    CinnabarStatusWarning = 'DiagnosticWarn', CinnabarStatusError = 'DiagnosticError',
    CinnabarEditRemoved = 'DiffDelete', CinnabarEditAdded = 'DiffAdd' }) do
    vim.api.nvim_set_hl(0, group, { link = link, default = true })
  end
end

return M
