// Whether everything that the extension contributes was used by a step: commands by the palette, keys, entries of menus.

/** What package.json's `contributes` offers, each as the Workbench writes down what it has used. */
export function offered({ commands, keybindings, menus }) {
  return [
    ...commands.map(({ category, title }) => `command ${category}: ${title}`),
    ...keybindings.map(({ key, command }) => `key ${key} ${command}`),
    ...Object.entries(menus).flatMap(([menu, entries]) => entries.map(({ command }) => `menu ${menu} ${command}`)),
  ];
}

/** Context keys of this extension in the conditions of keys and menus. */
export function contextKeys({ keybindings, menus }) {
  const conditions = [...keybindings, ...Object.values(menus).flat()].map(({ when }) => when ?? '');
  return [...new Set(conditions.flatMap((when) => when.match(/\bcinnabar\.\w+/g) ?? []))];
}

/** Fails where something offered was not used, or a context key was not seen to keep a key from doing anything. */
export function checkCoverage(contributes, used) {
  const wanted = [...offered(contributes), ...contextKeys(contributes).map((key) => `without ${key}`)];
  const missing = wanted.filter((what) => !used.has(what));
  const unknown = [...used].filter((what) => !wanted.includes(what));
  if (missing.length > 0) throw new Error(`no step uses:\n  ${missing.join('\n  ')}`);
  if (unknown.length > 0) throw new Error(`the extension does not offer:\n  ${unknown.join('\n  ')}`);
  console.log(`all ${wanted.length} commands, keys, menu entries and context keys were used`);
}
