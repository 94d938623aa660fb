-- lualine: sections = { lualine_x = { 'cinnabar' } }
local Component = require('lualine.component'):extend()

function Component:update_status()
  local now = require('cinnabar.status').get()
  if now.word == 'none' then return '' end
  local group = require('cinnabar.status').highlight(now.word)
  return (group and '%#' .. group .. '#' or '') .. now.icon
end

return Component
