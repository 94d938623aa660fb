require "date"
require "json"

class Book
  attr_reader :title, :author, :borrowed_until

  def initialize(title, author)
    @title = title
    @author = author
    @borrowed_until = nil
  end

  def borrow(days = 14)
    raise "#{title} is already borrowed" if borrowed?
    @borrowed_until = Date.today + days
  end

  def return_book
    @borrowed_until = nil
  end

  def borrowed?
    !@borrowed_until.nil?
  end

  def overdue?
    borrowed? && @borrowed_until < Date.today
  end
end

class Library
  def initialize(books = [])
    @books = books
  end

  def find(title)
    @books.find { |book| book.title.downcase == title.downcase }
  end

  def available
    @books.reject(&:borrowed?)
  end

  def overdue_by_author
    @books.select(&:overdue?).group_by(&:author)
  end

  def self.load(path)
    data = JSON.parse(File.read(path))
    new(data.map { |entry| Book.new(entry["title"], entry["author"]) })
  end
end
