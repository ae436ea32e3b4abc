/** Remembers what was used last, up to so many bytes; what is larger than that is not kept at all. */
export class ByteCache<Value extends { readonly byteLength: number }> {
  private readonly kept = new Map<string, Value>();
  private bytes = 0;

  constructor(private readonly most: number) {}

  get(key: string): Value | undefined {
    const value = this.kept.get(key);
    if (!value) return undefined;
    // A map gives its entries in the order they were set: the first is the one used longest ago.
    this.kept.delete(key);
    this.kept.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.delete(key);
    if (value.byteLength > this.most) return;
    this.kept.set(key, value);
    this.bytes += value.byteLength;
    for (const oldest of this.kept.keys()) {
      if (this.bytes <= this.most) return;
      this.delete(oldest);
    }
  }

  private delete(key: string): void {
    this.bytes -= this.kept.get(key)?.byteLength ?? 0;
    this.kept.delete(key);
  }
}
