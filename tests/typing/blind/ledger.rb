require "csv"
require "bigdecimal"

module Ledger
  Entry = Struct.new(:date, :account, :amount, :memo)

  class Book
    include Enumerable

    def initialize
      @entries = []
    end

    def <<(entry)
      @entries << entry
      self
    end

    def each(&block)
      @entries.each(&block)
    end

    def balance(account)
      select { |entry| entry.account == account }.sum(&:amount)
    end

    def accounts
      map(&:account).uniq.sort
    end

    def import(path)
      CSV.foreach(path, headers: true) do |row|
        self << Entry.new(row["date"], row["account"], BigDecimal(row["amount"]), row["memo"])
      end
    rescue Errno::ENOENT
      warn "no such file: #{path}"
    end
  end
end

book = Ledger::Book.new
book.import(ARGV.fetch(0))
book.accounts.each do |account|
  puts format("%-20s %10.2f", account, book.balance(account))
end
