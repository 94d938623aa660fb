local Queue = {}
Queue.__index = Queue

function Queue.new(limit)
  return setmetatable({ first = 1, last = 0, limit = limit, items = {} }, Queue)
end

function Queue:push(item)
  if self.limit and self:size() >= self.limit then
    return false, "queue is full"
  end
  self.last = self.last + 1
  self.items[self.last] = item
  return true
end

function Queue:pop()
  if self:size() == 0 then
    return nil
  end
  local item = self.items[self.first]
  self.items[self.first] = nil
  self.first = self.first + 1
  return item
end

function Queue:size()
  return self.last - self.first + 1
end

-- Calls fn with each item, the oldest first.
function Queue:each(fn)
  for i = self.first, self.last do
    fn(self.items[i])
  end
end

local queue = Queue.new(3)
for i = 1, 5 do
  local ok, message = queue:push("job " .. i)
  if not ok then
    print(message)
  end
end
queue:each(print)

return Queue
