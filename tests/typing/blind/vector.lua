local Vector = {}
Vector.__index = Vector

local function new(x, y)
  return setmetatable({ x = x or 0, y = y or 0 }, Vector)
end

function Vector.__add(a, b)
  return new(a.x + b.x, a.y + b.y)
end

function Vector.__mul(a, b)
  if type(a) == "number" then
    return new(a * b.x, a * b.y)
  elseif type(b) == "number" then
    return new(a.x * b, a.y * b)
  end
  return a.x * b.x + a.y * b.y
end

function Vector:length()
  return math.sqrt(self.x * self.x + self.y * self.y)
end

function Vector:normalized()
  local length = self:length()
  if length == 0 then
    return new(0, 0)
  end
  return new(self.x / length, self.y / length)
end

function Vector:__tostring()
  return string.format("(%g, %g)", self.x, self.y)
end

-- The mean of a list of vectors.
local function mean(vectors)
  local sum = new()
  for _, vector in ipairs(vectors) do
    sum = sum + vector
  end
  return sum * (1 / #vectors)
end

return { new = new, mean = mean }
