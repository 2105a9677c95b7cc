package bank.core;

import static org.junit.Assert.assertEquals;

import java.util.List;
import java.util.function.*;

/**
 * Money of one owner.
 */
@Entity(name = Names.ACCOUNT)
public final class Account<T extends Owner> extends Base.Record implements Comparable<T>, Audited {
    private static final int LIMIT = 100;
    protected List<String> notes;

    public Account(int amount) {
        super(amount);
        this.notes = List.of();
    }

    /** Adds. */
    @Override
    public synchronized int add(Money money, int... more) throws BankError {
        int sum = money.amount.value() + LIMIT;
        for (Money one : pending) {
            sum += one.total();
        }
        log(sum);
        notes.forEach(note -> note.trim());
        String text = new StringBuilder().append(sum).toString();
        return text.length();
    }

    @Test
    void adds() {
        Account<Owner> account = new Account<>(1);
        assertEquals(1, account.add(null));
    }

    abstract static class Rule {
        abstract boolean allows(Account account);
    }

    enum State implements Named {
        OPEN(1), CLOSED { int code() { return 2; } };

        private int code;
    }

    interface Audited {
        int YEARS = 3;

        default void audit() { archive(); }
    }

    record Entry(String id, Money money) {}
}
