"""Does the completed file do what its functions promise? python3 check.py shop.py"""
import runpy
import sys

shop = runpy.run_path(sys.argv[1])
items = [{"price": 2, "quantity": 3}, {"price": 5, "quantity": 4}]
assert shop["total_price"](items) == 26
assert shop["total_quantity"](items) == 7, shop["total_quantity"](items)
assert shop["total_quantity"]([]) == 0
