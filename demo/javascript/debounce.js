// Calls `action` once, `delay` milliseconds after the last of a burst of calls.
export function debounce(action, delay) {
  let timer = null;
  return (...args) => {
    clearTimeout(timer);
    
  };
}

// The words of `text` with their number of occurrences, most frequent first.
export function wordCounts(text) {
  const counts = new Map();
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}
