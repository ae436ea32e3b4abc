export interface DiffPart {
  kind: 'same' | 'removed' | 'added';
  text: string;
}

/** Above this many cells the middle is shown as replaced whole: 4 M cells are 16 MB and 20 ms. */
const MAX_CELLS = 4_000_000;

/**
 * Word by word difference of two texts: common ends first, then the longest common subsequence of what is between.
 * Joining `same` and `removed` gives `before`, joining `same` and `added` gives `after`.
 */
export function diffWords(before: string, after: string): DiffPart[] {
  const left = tokens(before);
  const right = tokens(after);
  const start = commonStart(left, right);
  const end = commonEnd(left, right, start);
  const parts: DiffPart[] = [];
  push(parts, 'same', left.slice(0, start).join(''));
  diffMiddle(parts, left.slice(start, left.length - end), right.slice(start, right.length - end));
  push(parts, 'same', left.slice(left.length - end).join(''));
  return parts;
}

function diffMiddle(parts: DiffPart[], left: string[], right: string[]): void {
  if (left.length * right.length > MAX_CELLS) {
    push(parts, 'removed', left.join(''));
    push(parts, 'added', right.join(''));
    return;
  }
  const lengths = commonLengths(left, right);
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      push(parts, 'same', left[i++]!);
      j++;
    } else if (j >= right.length || (i < left.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) {
      push(parts, 'removed', left[i++]!);
    } else {
      push(parts, 'added', right[j++]!);
    }
  }
}

/** Words, blanks and each mark, apart: a full stop more does not change the word before it. */
function tokens(text: string): string[] {
  return text.match(/\s+|[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];
}

function commonStart(left: string[], right: string[]): number {
  let count = 0;
  while (count < left.length && count < right.length && left[count] === right[count]) count++;
  return count;
}

function commonEnd(left: string[], right: string[], start: number): number {
  let count = 0;
  const most = Math.min(left.length, right.length) - start;
  while (count < most && left[left.length - 1 - count] === right[right.length - 1 - count]) count++;
  return count;
}

/** `lengths[i][j]` = length of the longest common subsequence of left[i..] and right[j..]. */
function commonLengths(left: string[], right: string[]): Uint32Array[] {
  const lengths = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      lengths[i]![j] =
        left[i] === right[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  return lengths;
}

function push(parts: DiffPart[], kind: DiffPart['kind'], text: string): void {
  if (text === '') return;
  const last = parts.at(-1);
  if (last?.kind === kind) last.text += text;
  else parts.push({ kind, text });
}
