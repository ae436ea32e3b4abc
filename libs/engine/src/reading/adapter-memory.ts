/** Kept at most, of adapters that have left: as many as may do so at about the same time, unless they are large. */
const MOST_PIECES = 4;
const MOST_BYTES = 64 << 20;
/** A piece more than this many times too large is left to an adapter that needs it. */
const MOST_WASTE = 2;
const FLOAT_BYTES = 4;

/**
 * Memory of adapters that have left, for those that come. Fresh arrays for each would be left to the garbage collectors of
 * two threads: each lets tens of megabytes gather, and stops the answers when it clears them away.
 */
export class AdapterMemory {
  private readonly free: ArrayBuffer[] = [];

  /** Memory for so many numbers; what they are does not matter. */
  take(count: number): Float32Array {
    const bytes = count * FLOAT_BYTES;
    const fits = ({ byteLength }: ArrayBuffer) => byteLength >= bytes && byteLength <= MOST_WASTE * bytes;
    const at = this.free.findIndex(fits);
    const [found] = at < 0 ? [] : this.free.splice(at, 1);
    return new Float32Array(found ?? new ArrayBuffer(bytes), 0, count);
  }

  /** Takes back memory that nobody reads any more; the oldest of what is too much is forgotten. */
  give(memory: ArrayBuffer): void {
    this.free.push(memory);
    while (this.free.length > MOST_PIECES || this.bytes > MOST_BYTES) this.free.shift();
  }

  private get bytes(): number {
    return this.free.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }
}
