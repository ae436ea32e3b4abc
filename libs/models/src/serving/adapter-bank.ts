import type { AdapterInputs, AdapterSite } from './adapter.js';

/** A site of the bank as inputs of a gated graph: the seats 0 … span − 1, one behind the other. */
export interface BankedSite {
  readonly site: AdapterSite;
  /** Columns of one seat. */
  readonly width: number;
  /** [span · width, in] */
  readonly down: Float32Array;
  /** [span · width, out] */
  readonly up: Float32Array;
}

interface Store extends BankedSite {
  readonly inputs: readonly [down: string, up: string];
}

/**
 * Adapters of one kind side by side, so that one pair of products per site serves rows with different adapters: each row
 * is multiplied by all of them, and a gate keeps what is its own. Reading every adapter in use once is cheaper than
 * gathering a copy of the right one for each row, and far cheaper than reading the base weights once per adapter.
 */
export class AdapterBank {
  /** Changes whenever the arrays behind `sites` are others than before. */
  version = 0;
  private seats: (AdapterInputs | null)[] = [];
  private stores: Store[];

  constructor(sites: readonly AdapterSite[]) {
    this.stores = sites.map((site) => ({
      site,
      inputs: [`${site.name}.down`, `${site.name}.up`],
      width: 0,
      down: new Float32Array(0),
      up: new Float32Array(0),
    }));
  }

  /**
   * Seats these adapters, and whoever had their seats loses them.
   * @returns each one's seat; all are below the number of adapters, so that no product is wider than need be
   */
  seat(adapters: readonly AdapterInputs[]): number[] {
    this.makeRoom(adapters);
    const span = adapters.length;
    const seats = adapters.map((adapter) => this.seats.indexOf(adapter));
    const free = Array.from({ length: span }, (_, seat) => seat).filter((seat) => !seats.includes(seat));
    return seats.map((seat, index) => (seat >= 0 && seat < span ? seat : this.place(adapters[index]!, free.pop()!)));
  }

  /** The first `span` seats of every site. */
  sites(span: number): BankedSite[] {
    return this.stores.map(({ site, width, down, up }) => ({
      site,
      width,
      down: down.subarray(0, span * width * site.inSize),
      up: up.subarray(0, span * width * site.outSize),
    }));
  }

  private place(adapter: AdapterInputs, seat: number): number {
    const before = this.seats.indexOf(adapter);
    if (before >= 0) this.seats[before] = null;
    this.seats[seat] = adapter;
    for (const store of this.stores) write(store, adapter, seat);
    return seat;
  }

  /** Wider or more adapters than ever before: everything is laid out anew. */
  private makeRoom(adapters: readonly AdapterInputs[]) {
    const widths = this.stores.map(({ inputs, width }) =>
      adapters.reduce((widest, adapter) => Math.max(widest, adapter[inputs[1]]!.shape[0]!), width),
    );
    const isWider = this.stores.some(({ width }, index) => widths[index]! > width);
    if (!isWider && adapters.length <= this.seats.length) return;
    const room = Math.max(this.seats.length, 2 ** Math.ceil(Math.log2(adapters.length)));
    this.seats = Array<null>(room).fill(null);
    this.stores = this.stores.map((store, index) => {
      const width = widths[index]!;
      const values = (size: number) => new Float32Array(room * width * size);
      return { ...store, width, down: values(store.site.inSize), up: values(store.site.outSize) };
    });
    this.version += 1;
  }
}

/** Copies an adapter's rows into a seat, with zeros where it is narrower. */
function write({ site, inputs, width, down, up }: Store, adapter: AdapterInputs, seat: number) {
  const [from, to] = inputs.map((name) => adapter[name]!.data) as [Float32Array, Float32Array];
  const { inSize, outSize } = site;
  const own = adapter[inputs[1]]!.shape[0]!;
  const start = seat * width;
  for (let row = 0; row < own; row++)
    for (let column = 0; column < inSize; column++)
      down[(start + row) * inSize + column] = from[column * own + row]!;
  down.fill(0, (start + own) * inSize, (start + width) * inSize);
  up.set(to, start * outSize);
  up.fill(0, (start + own) * outSize, (start + width) * outSize);
}

/** Fills `gate` [rows, span · width] with ones where a row's own seat is; a row without an adapter has none. */
export function fillGate(gate: Float32Array, seats: readonly (number | null)[], span: number, width: number): void {
  gate.fill(0);
  seats.forEach((seat, row) => {
    if (seat !== null) gate.fill(1, (row * span + seat) * width, (row * span + seat + 1) * width);
  });
}
