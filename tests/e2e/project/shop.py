def total_price(items):
    """Return the sum of price times quantity over all items."""
    total = 0
    for item in items:
        total += item["price"] * item["quantity"]
    return total


def total_quantity(items):
    """Return the sum of the quantities of all items."""
    total = 0
    for item in items:
        
    return total
