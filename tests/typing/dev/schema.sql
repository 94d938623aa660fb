CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    total_cents INTEGER NOT NULL CHECK (total_cents >= 0),
    ordered_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX orders_by_customer ON orders (customer_id);

-- Customers who spent most in the last month.
SELECT customers.name, SUM(orders.total_cents) AS spent
FROM orders
JOIN customers ON customers.id = orders.customer_id
WHERE orders.ordered_at > DATE('now', '-1 month')
GROUP BY customers.id
ORDER BY spent DESC
LIMIT 10;
