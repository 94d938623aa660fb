import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass
class Expense:
    day: date
    category: str
    amount: float
    note: str = ""


def read_expenses(path):
    expenses = []
    with Path(path).open(newline="") as file:
        for row in csv.DictReader(file):
            expenses.append(Expense(date.fromisoformat(row["day"]), row["category"], float(row["amount"]), row["note"]))
    return expenses


def by_category(expenses):
    totals = defaultdict(float)
    for expense in expenses:
        totals[expense.category] += expense.amount
    return dict(totals)


def of_month(expenses, year, month):
    return [e for e in expenses if e.day.year == year and e.day.month == month]


# The most expensive categories first.
def report(expenses):
    totals = by_category(expenses)
    for category, total in sorted(totals.items(), key=lambda item: item[1], reverse=True):
        print(f"{category:<20} {total:>10.2f}")
    print(f"{'total':<20} {sum(totals.values()):>10.2f}")


if __name__ == "__main__":
    report(of_month(read_expenses("expenses.csv"), 2024, 5))
