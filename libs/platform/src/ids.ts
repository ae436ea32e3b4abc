import { randomFillSync } from 'node:crypto';

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** The prefix tells what an id names, as in OpenAI's API. */
export type IdPrefix =
  | 'chatcmpl'
  | 'cmpl'
  | 'call'
  | 'resp'
  | 'msg'
  | 'fc'
  | 'fs'
  | 'conv'
  | 'item'
  | 'event'
  | 'sess'
  | 'fb'
  | 'review'
  | 'doc'
  | 'psg'
  | 'job'
  | 'ckpt'
  | 'promo'
  | 'user'
  | 'key'
  | 'req'
  | 'claim'
  | 'file'
  | 'upload'
  | 'part'
  | 'vs'
  | 'vsfb'
  | 'batch'
  | 'batch_req'
  | 'ftjob'
  | 'ftevent'
  | 'ftckpt'
  | 'eval'
  | 'evalrun'
  | 'outputitem'
  | 'wh'
  | 'evt'
  | 'modr'
  | 'row'
  | 'gw'
  | 'cp';

const DASHED: ReadonlySet<IdPrefix> = new Set(['chatcmpl', 'cmpl', 'file']);

/** `prefix_` (or `chatcmpl-`, `cmpl-` and `file-`, as OpenAI writes them) and 24 random base-36 characters (124 bits). */
export function createId(prefix: IdPrefix): string {
  let tail = '';
  while (tail.length < 24) {
    const byte = randomByte();
    if (byte < 252) tail += ALPHABET[byte % 36];
  }
  return `${prefix}${DASHED.has(prefix) ? '-' : '_'}${tail}`;
}

/** Drawn many at a time: a call for each id would cost more than the id. */
const drawn = new Uint8Array(4096);
let used = drawn.length;

function randomByte(): number {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  return drawn[used++];
}
