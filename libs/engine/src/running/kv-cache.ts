import type { KvFormat } from '@attune/models';
import { float32, type HostTensor, hostTensor } from '@attune/runtime';

export interface KvCacheShape {
  readonly layers: number;
  readonly slots: number;
  readonly kvHeads: number;
  readonly maxSeq: number;
  readonly headDim: number;
}

type Tensors = Record<string, HostTensor>;
type Values = Float32Array | Int8Array;
/** Per array and head. */
export type SavedPositions = readonly Values[];

/** Keys and values of all slots, one array per layer and kind, [slots, kvHeads, maxSeq, headDim] each. */
export class KvCache {
  private readonly arrays = new Map<string, Values>();
  private readonly views = new Map<string, { past: Tensors; present: Tensors }>();
  private readonly slotSize: number;

  constructor(
    readonly shape: KvCacheShape,
    readonly format: KvFormat,
  ) {
    this.slotSize = shape.kvHeads * shape.maxSeq * shape.headDim;
    const size = shape.slots * this.slotSize;
    for (let layer = 0; layer < shape.layers; layer++)
      for (const kind of ['key', 'value'])
        this.arrays.set(`${layer}.${kind}`, format === 'int8' ? new Int8Array(size) : new Float32Array(size));
  }

  /** Bytes of a position in a slot, over all layers. */
  get bytesPerToken(): number {
    const { layers, kvHeads, headDim } = this.shape;
    return layers * 2 * kvHeads * headDim * (this.format === 'int8' ? 1 : 4);
  }

  /** `count` slots from `start` as the graph's inputs and outputs: the same memory, so that it is updated in place. */
  view(start: number, count: number): { readonly past: Tensors; readonly present: Tensors } {
    const key = `${start}+${count}`;
    const known = this.views.get(key);
    if (known) return known;
    const made = { past: {} as Tensors, present: {} as Tensors };
    const { kvHeads, maxSeq, headDim } = this.shape;
    for (const [name, array] of this.arrays) {
      const part = array.subarray(start * this.slotSize, (start + count) * this.slotSize);
      const tensor = tensorOf([count, kvHeads, maxSeq, headDim], part);
      made.past[`past.${name}`] = tensor;
      made.present[`present.${name}`] = tensor;
    }
    this.views.set(key, made);
    return made;
  }

  /** Copies the first `length` positions of a slot. */
  copy(from: number, to: number, length: number): void {
    this.eachHead((array, offset) => {
      const source = from * this.slotSize + offset;
      array.copyWithin(to * this.slotSize + offset, source, source + length * this.shape.headDim);
    });
  }

  /** A copy of the first `length` positions of a slot, for `restore`. */
  save(slot: number, length: number): SavedPositions {
    const parts: Values[] = [];
    this.eachHead((array, offset) => {
      const start = slot * this.slotSize + offset;
      parts.push(array.slice(start, start + length * this.shape.headDim));
    });
    return parts;
  }

  /** Puts saved positions at the beginning of a slot. */
  restore(slot: number, saved: SavedPositions): void {
    let next = 0;
    this.eachHead((array, offset) => array.set(saved[next++]!, slot * this.slotSize + offset));
  }

  /** Exchanges the first `length` positions of two slots. */
  swap(a: number, b: number, length: number): void {
    const size = length * this.shape.headDim;
    this.eachHead((array, offset) => {
      const [left, right] = [a * this.slotSize + offset, b * this.slotSize + offset];
      const kept = array.slice(left, left + size);
      array.copyWithin(left, right, right + size);
      array.set(kept, right);
    });
  }

  private eachHead(change: (array: Values, offset: number) => void) {
    const headSize = this.shape.maxSeq * this.shape.headDim;
    for (const array of this.arrays.values())
      for (let head = 0; head < this.shape.kvHeads; head++) change(array, head * headSize);
  }
}

const tensorOf = (shape: readonly number[], values: Values): HostTensor =>
  values instanceof Int8Array ? hostTensor('int8', shape, values) : float32(shape, values);
