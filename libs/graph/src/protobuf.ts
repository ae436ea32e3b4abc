const utf8 = new TextEncoder();

/** Writes the protobuf wire format; nested messages are length-prefixed, bytes are copied once at the end. */
export class ProtoWriter {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  varint(field: number, value: number | bigint): this {
    return this.push(tag(field, 0)).push(encodeVarint(value));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.push(tag(field, 5)).push(bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.push(tag(field, 2)).push(encodeVarint(value.length)).push(value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  message(field: number, write: (writer: ProtoWriter) => void): this {
    const nested = new ProtoWriter();
    write(nested);
    this.push(tag(field, 2)).push(encodeVarint(nested.length));
    for (const part of nested.parts) this.push(part);
    return this;
  }

  finish(): Uint8Array {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  private push(part: Uint8Array): this {
    this.parts.push(part);
    this.length += part.length;
    return this;
  }
}

const tag = (field: number, wire: number): Uint8Array => encodeVarint((field << 3) | wire);

/** Negative numbers are written as 64-bit two's complement (ten bytes), as protobuf's int64 wants. */
function encodeVarint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
