"""A small stock ledger: what is on the shelves, what it is worth, and what has to be ordered."""
from dataclasses import dataclass, field


@dataclass
class Item:
    name: str
    unit_price: float
    quantity: int = 0
    reorder_level: int = 5


@dataclass
class Inventory:
    items: dict[str, Item] = field(default_factory=dict)

    def add(self, item: Item) -> None:
        if item.name in self.items:
            self.items[item.name].quantity += item.quantity
        else:
            self.items[item.name] = item

    def total_value(self) -> float:
        """Price times quantity, summed over all items."""
        return 

    def to_reorder(self) -> list[str]:
        """Names of the items at or below their reorder level, in alphabetical order."""
        return sorted(item.name for item in self.items.values() if item.quantity <= item.reorder_level)


if __name__ == "__main__":
    stock = Inventory()
    stock.add(Item("bolt", unit_price=0.12, quantity=400))
    stock.add(Item("bearing", unit_price=7.5, quantity=3))
    print(f"value {stock.total_value():.2f}, to order: {', '.join(stock.to_reorder())}")
