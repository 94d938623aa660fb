using System;
using System.Collections.Generic;
using System.Linq;

public record Product(string Code, string Name, decimal Price);

public class Warehouse
{
    private readonly Dictionary<string, int> stock = new();
    private readonly List<Product> products = new();

    public event EventHandler<Product>? SoldOut;

    public void Register(Product product, int amount)
    {
        products.Add(product);
        stock[product.Code] = amount;
    }

    public bool TryTake(string code, int amount)
    {
        if (!stock.TryGetValue(code, out int available) || available < amount)
        {
            return false;
        }
        stock[code] = available - amount;
        if (stock[code] == 0)
        {
            SoldOut?.Invoke(this, products.First(p => p.Code == code));
        }
        return true;
    }

    public decimal Value => products.Sum(p => p.Price * stock[p.Code]);

    public IEnumerable<Product> CheaperThan(decimal limit)
    {
        return products.Where(p => p.Price < limit).OrderBy(p => p.Price);
    }
}
