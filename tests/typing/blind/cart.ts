type Currency = "EUR" | "USD";

interface CartItem {
  sku: string;
  name: string;
  unitPrice: number;
  quantity: number;
}

export class Cart {
  private items = new Map<string, CartItem>();

  constructor(private readonly currency: Currency = "EUR") {}

  add(item: CartItem): void {
    const existing = this.items.get(item.sku);
    if (existing) {
      existing.quantity += item.quantity;
    } else {
      this.items.set(item.sku, { ...item });
    }
  }

  remove(sku: string): boolean {
    return this.items.delete(sku);
  }

  get total(): number {
    let total = 0;
    for (const item of this.items.values()) {
      total += item.unitPrice * item.quantity;
    }
    return total;
  }

  format(): string {
    const formatter = new Intl.NumberFormat("en", { style: "currency", currency: this.currency });
    return [...this.items.values()]
      .map((item) => `${item.quantity} x ${item.name}: ${formatter.format(item.unitPrice)}`)
      .join("\n");
  }
}
