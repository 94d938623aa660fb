export interface Todo {
  id: number;
  title: string;
  done: boolean;
  due?: Date;
}

const STORAGE_KEY = "todos";

export function loadTodos(): Todo[] {
  const stored = localStorage.getItem(STORAGE_KEY);
  if (stored === null) {
    return [];
  }
  return JSON.parse(stored);
}

export function saveTodos(todos: Todo[]): void {
  localStorage.setItem(STORAGE_KEY, JSON.stringify(todos));
}

export function addTodo(todos: Todo[], title: string, due?: Date): Todo[] {
  const id = todos.reduce((max, todo) => Math.max(max, todo.id), 0) + 1;
  return [...todos, { id, title, done: false, due }];
}

export function toggleTodo(todos: Todo[], id: number): Todo[] {
  return todos.map((todo) => (todo.id === id ? { ...todo, done: !todo.done } : todo));
}

export function overdue(todos: Todo[], now = new Date()): Todo[] {
  return todos.filter((todo) => !todo.done && todo.due !== undefined && todo.due < now);
}
