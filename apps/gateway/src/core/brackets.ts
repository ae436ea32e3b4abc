/** `{'a[b]': 1, c: 2}` → `{a: {b: 1}, c: 2}`: how clients write objects into forms and query strings. */
export function expandBrackets(flat: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const expanded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(flat)) {
    const nested = /^([^[\]]+)\[([^[\]]+)\]$/.exec(name);
    if (!nested) {
      expanded[name] = value;
      continue;
    }
    const [, outer, inner] = nested;
    const known = expanded[outer];
    expanded[outer] = { ...(typeof known === 'object' ? known : undefined), [inner]: value };
  }
  return expanded;
}
