use std::collections::HashMap;
use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub name: String,
    pub quantity: u32,
    pub price_cents: u64,
}

#[derive(Debug)]
pub enum InventoryError {
    NotFound(String),
    NotEnough { wanted: u32, available: u32 },
}

impl fmt::Display for InventoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InventoryError::NotFound(name) => write!(f, "no item named {}", name),
            InventoryError::NotEnough { wanted, available } => {
                write!(f, "wanted {} but only {} are left", wanted, available)
            }
        }
    }
}

#[derive(Default)]
pub struct Inventory {
    items: HashMap<String, Item>,
}

impl Inventory {
    pub fn add(&mut self, item: Item) {
        self.items
            .entry(item.name.clone())
            .and_modify(|known| known.quantity += item.quantity)
            .or_insert(item);
    }

    pub fn take(&mut self, name: &str, wanted: u32) -> Result<(), InventoryError> {
        let item = self
            .items
            .get_mut(name)
            .ok_or_else(|| InventoryError::NotFound(name.to_string()))?;
        if item.quantity < wanted {
            return Err(InventoryError::NotEnough { wanted, available: item.quantity });
        }
        item.quantity -= wanted;
        Ok(())
    }

    pub fn total_cents(&self) -> u64 {
        self.items.values().map(|item| item.price_cents * item.quantity as u64).sum()
    }
}
