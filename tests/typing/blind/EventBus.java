package events;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

public final class EventBus {
    private final Map<Class<?>, List<Consumer<Object>>> listeners = new ConcurrentHashMap<>();

    public <T> void subscribe(Class<T> type, Consumer<? super T> listener) {
        listeners.computeIfAbsent(type, key -> new CopyOnWriteArrayList<>())
                .add(event -> listener.accept(type.cast(event)));
    }

    public int publish(Object event) {
        if (event == null) {
            throw new NullPointerException("event");
        }
        int delivered = 0;
        for (Map.Entry<Class<?>, List<Consumer<Object>>> entry : listeners.entrySet()) {
            if (!entry.getKey().isInstance(event)) {
                continue;
            }
            for (Consumer<Object> listener : entry.getValue()) {
                listener.accept(event);
                delivered++;
            }
        }
        return delivered;
    }

    public static void main(String[] args) {
        EventBus bus = new EventBus();
        bus.subscribe(String.class, text -> System.out.println("got " + text));
        bus.subscribe(Integer.class, number -> System.out.println(number + 1));
        bus.publish("hello");
        bus.publish(41);
    }
}
