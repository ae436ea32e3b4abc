import koffi from 'koffi';

/** An array of C strings that stays where it is for as long as this object is referenced. */
export interface NameArray {
  readonly pointers: BigUint64Array;
  readonly length: number;
  readonly strings: readonly Buffer[];
}

const cache = new Map<string, NameArray>();
const MOST_CACHED = 256;

/** The names as `char**`, prepared once per distinct list. */
export function nameArray(names: readonly string[]): NameArray {
  const key = names.join('\n');
  const known = cache.get(key);
  if (known) return known;
  const strings = names.map((name) => Buffer.from(`${name}\0`));
  const pointers = BigUint64Array.from(strings, (text) => koffi.address(text));
  const made = { pointers, length: names.length, strings };
  if (cache.size >= MOST_CACHED) cache.clear();
  cache.set(key, made);
  return made;
}
