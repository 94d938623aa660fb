package bank;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

public class BankAccount {
    private final String owner;
    private final List<String> history = new ArrayList<>();
    private long balanceInCents;

    public BankAccount(String owner, long balanceInCents) {
        this.owner = owner;
        this.balanceInCents = balanceInCents;
    }

    public void deposit(long amount) {
        if (amount <= 0) {
            throw new IllegalArgumentException("amount must be positive");
        }
        balanceInCents += amount;
        history.add("deposit " + amount);
    }

    public void withdraw(long amount) {
        if (amount > balanceInCents) {
            throw new IllegalStateException("insufficient funds");
        }
        balanceInCents -= amount;
        history.add("withdraw " + amount);
    }

    /** Moves money to another account. */
    public void transferTo(BankAccount other, long amount) {
        withdraw(amount);
        other.deposit(amount);
    }

    public List<String> getHistory() {
        return Collections.unmodifiableList(history);
    }

    @Override
    public String toString() {
        return String.format("%s: %d.%02d", owner, balanceInCents / 100, balanceInCents % 100);
    }
}
